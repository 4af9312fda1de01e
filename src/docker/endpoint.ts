/** Which daemon the Docker CLI would talk to: `DOCKER_HOST`, else `DOCKER_CONTEXT`, else the context that `docker context use` chose, else the default socket. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

export interface DockerEndpoint {
  /** As `unix:///run/docker.sock`; absent = the default socket, or what the context should have said. */
  readonly dockerHost?: string;
  /** The context that names it; absent = `DOCKER_HOST` does, or nobody. */
  readonly dockerContext?: string;
}

/** `readText` gives the text of a file, or undefined where there is none. Source of the order: docs.docker.com/engine/manage-resources/contexts (read 2026-11-24). */
export function dockerEndpoint(
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
  readText: (path: string) => string | undefined,
): DockerEndpoint {
  const { DOCKER_HOST: host, DOCKER_CONTEXT: named, DOCKER_CONFIG: configured } = environment;
  if (host) return { dockerHost: host };
  const directory = configured || join(home, '.docker');
  const context = named || field(parsed(readText(join(directory, 'config.json'))), 'currentContext');
  if (typeof context !== 'string' || context === '' || context === 'default') return {};
  const folder = createHash('sha256').update(context).digest('hex');
  const meta = parsed(readText(join(directory, 'contexts', 'meta', folder, 'meta.json')));
  const found = field(field(field(meta, 'Endpoints'), 'docker'), 'Host');
  return { dockerContext: context, ...(typeof found === 'string' && { dockerHost: found }) };
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined; // the Docker CLI complains about its own files
  }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
