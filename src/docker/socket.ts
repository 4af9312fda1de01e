/** The socket of a Docker daemon: where it is, and whether anybody listens. Needs no client library, so asking is cheap where there is none. */
import { connect } from 'node:net';

const DEFAULT_SOCKET = '/var/run/docker.sock';

/** The path of a socket that somebody listens on, or in words why there is none. `host` is what `DOCKER_HOST` holds. */
export async function findSocket(host: string | undefined): Promise<string | { readonly problem: string }> {
  const path = socketOf(host);
  if (typeof path !== 'string') return path;
  const code = await refusalOf(path);
  if (code === undefined) return path;
  if (code === 'ENOENT') return { problem: `there is no Docker socket ${path}` };
  if (code === 'EACCES') return { problem: `this user may not use the Docker socket ${path}` };
  return { problem: `no Docker daemon listens on ${path} (${code})` };
}

export function socketOf(host: string | undefined): string | { readonly problem: string } {
  if (host === undefined || host === '') return DEFAULT_SOCKET;
  if (host.startsWith('unix://')) return host.slice('unix://'.length);
  return { problem: `DOCKER_HOST is ${host}: only a daemon on this machine (unix://…) has containers within reach` };
}

/** The system's error code; undefined = it accepts connections. */
function refusalOf(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
