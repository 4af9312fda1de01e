/** Which key a command sends to the API: the one that is configured, else that of the context with this address, else the one that a platform on this machine has left for its user. */
import { accessSchema, loopbackAccessPath, userDirectory } from '../model/access.ts';
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
  const { protocol, hostname, port } = new URL(api);
  const configured = configuredKey(surroundings, api, contexts);
  if (configured) {
    if (protocol === 'https:' || isLoopback(hostname)) return ok(configured);
    const { source } = configured;
    return err(
      `the key from ${source} would travel in the clear: give the address of the API as https://, not ${api}.`,
    );
  }
  return ok(isLoopback(hostname) ? await localKey(surroundings, Number(port || 80)) : null);
}

function configuredKey({ environment }: Needs, api: string, contexts: Contexts): ApiKey | null {
  const variable = environment['FLOTILLA_KEY'];
  if (variable) return { key: variable, source: 'FLOTILLA_KEY' };
  const context = contextAt(contexts, api);
  return context === null || context.key === null ? null : { key: context.key, source: `context ${context.name}` };
}

async function localKey({ environment, homeDirectory, readFile }: Needs, port: number): Promise<ApiKey | null> {
  const path = loopbackAccessPath(userDirectory(environment, homeDirectory), port);
  const access = accessSchema.safeParse(jsonOf(await readFile(path).catch(() => undefined)));
  return access.success ? { key: access.data.key, source: path } : null;
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
