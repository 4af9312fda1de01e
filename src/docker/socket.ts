/** The socket of a Docker daemon: where it is, and whether anybody listens. Needs no client library, so asking is cheap where there is none. */
import { connect } from 'node:net';
import type { DockerEndpoint } from './endpoint.ts';

const DEFAULT_SOCKET = '/var/run/docker.sock';

/** The path of a socket that somebody listens on, or in words why there is none. */
export async function findSocket(endpoint: DockerEndpoint): Promise<string | { readonly problem: string }> {
  const path = socketOf(endpoint);
  if (typeof path !== 'string') return path;
  const code = await refusalOf(path);
  if (code === undefined) return path;
  if (code === 'ENOENT') return { problem: `there is no Docker socket ${path}` };
  if (code === 'EACCES') return { problem: `this user may not use the Docker socket ${path}` };
  return { problem: `no Docker daemon listens on ${path} (${code})` };
}

function socketOf({ dockerHost, dockerContext }: DockerEndpoint): string | { readonly problem: string } {
  const source = dockerContext === undefined ? 'DOCKER_HOST' : `the Docker context "${dockerContext}"`;
  if (dockerHost?.startsWith('unix://')) return dockerHost.slice('unix://'.length);
  if (dockerHost) {
    return {
      problem: `${source} is ${dockerHost}: only a daemon on this machine (unix://…) has containers within reach`,
    };
  }
  return dockerContext === undefined ? DEFAULT_SOCKET : { problem: `${source} names no daemon` };
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
