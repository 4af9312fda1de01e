/** Which key a command sends to the API: the one that is configured, else that of the context with this address, else the one that a platform on this machine has left for its user. */
import { type ApiAccess, accessSchema, loopbackAccessPath, userDirectory } from '../model/access.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { Surroundings } from './context.ts';
import { type Contexts, contextAt } from './contexts.ts';

/** `source`: where it was found, for people. */
export interface ApiKey {
  readonly key: string;
  readonly source: string;
}

type Needs = Pick<Surroundings, 'environment' | 'homeDirectory' | 'readFile'>;

export const isLoopback = (hostname: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

/** `null`: there is none, which an API may not mind. An error says why the key that there is must not be sent. */
export async function findKey(
  surroundings: Needs,
  api: string,
  contexts: Contexts = { current: null, contexts: {} },
): Promise<Result<ApiKey | null, string>> {
  const { protocol, hostname } = new URL(api);
  const configured = configuredKey(surroundings, api, contexts);
  if (configured) {
    if (protocol === 'https:' || isLoopback(hostname)) return ok(configured);
    const { source } = configured;
    return err(
      `the key from ${source} would travel in the clear: give the address of the API as https://, not ${api}.`,
    );
  }
  const access = await localAccess(surroundings, api);
  return ok(access === null ? null : { key: access.key, source: accessPath(surroundings, api) });
}

function configuredKey({ environment }: Needs, api: string, contexts: Contexts): ApiKey | null {
  const variable = environment['FLOTILLA_KEY'];
  if (variable) return { key: variable, source: 'FLOTILLA_KEY' };
  const context = contextAt(contexts, api);
  return context === null || context.key === null ? null : { key: context.key, source: `context ${context.name}` };
}

/** What the platform whose API this is has left for its user; null = nothing, or it is not on this machine. */
export async function localAccess(needs: Needs, api: string): Promise<ApiAccess | null> {
  if (!isLoopback(new URL(api).hostname)) return null;
  const text = await needs.readFile(accessPath(needs, api)).catch(() => undefined);
  const access = accessSchema.safeParse(jsonOf(text));
  return access.success ? access.data : null;
}

function accessPath({ environment, homeDirectory }: Needs, api: string): string {
  const { port, protocol } = new URL(api);
  const number = Number(port || (protocol === 'https:' ? 443 : 80));
  return loopbackAccessPath(userDirectory(environment, homeDirectory), number);
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
