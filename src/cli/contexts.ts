/**
 * The installations that a user works with, by name: address and key, in a file that only the user may read. A key is sent to the address that it was given
 * with and to no other.
 */
import { z } from 'zod';
import { err, ok, type Result } from '../model/result.ts';
import type { Surroundings } from './context.ts';

const schema = z.strictObject({
  current: z.string().nullable(),
  contexts: z.record(z.string(), z.strictObject({ api: z.string(), key: z.string().nullable() })),
});

export type Contexts = z.output<typeof schema>;
export type NamedContext = Contexts['contexts'][string] & { readonly name: string };

type Needs = Pick<Surroundings, 'environment' | 'homeDirectory' | 'readFile'>;

export const contextNamePattern = /^[A-Za-z0-9][\w.-]{0,62}$/;

/** `$XDG_CONFIG_HOME/flotilla/contexts.json`, else below `~/.config` (XDG Base Directory Specification 0.8). */
export function contextsPath({ environment, homeDirectory }: Pick<Needs, 'environment' | 'homeDirectory'>): string {
  const home = environment['XDG_CONFIG_HOME'];
  // The specification says that a relative path is to be ignored.
  const directory = home?.startsWith('/') ? home : `${homeDirectory}/.config`;
  return `${directory}/flotilla/contexts.json`;
}

/** No file = no contexts. An error says what is wrong with it. */
export async function readContexts(needs: Needs): Promise<Result<Contexts, string>> {
  const path = contextsPath(needs);
  let text: string | undefined;
  try {
    text = await needs.readFile(path);
  } catch (error) {
    return err(`${path} cannot be read: ${(error as Error).message}`);
  }
  if (text === undefined) return ok({ current: null, contexts: {} });
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return ok(parsed.data);
    const [issue] = parsed.error.issues;
    return err(`${path} is not a file of contexts: ${issue?.path.join('.')} ${issue?.message}. Mend or remove it.`);
  } catch {
    return err(`${path} is not JSON. Mend or remove it.`);
  }
}

export const writeContexts = (
  surroundings: Pick<Surroundings, 'environment' | 'homeDirectory' | 'writePrivateFile'>,
  contexts: Contexts,
): Promise<void> => surroundings.writePrivateFile(contextsPath(surroundings), `${JSON.stringify(contexts, null, 2)}\n`);

export function contextNamed({ contexts }: Contexts, name: string | null): NamedContext | null {
  const found = name !== null && Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  return found === undefined || name === null ? null : { name, ...found };
}

/** The context whose address this is: its key may be sent there. */
export const contextAt = (contexts: Contexts, api: string): NamedContext | null =>
  contextNamed(contexts, Object.keys(contexts.contexts).find((name) => contexts.contexts[name]?.api === api) ?? null);
