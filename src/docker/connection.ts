/** Finding a Docker Engine that container groups can run on: one that answers, on this machine, whose containers have addresses that this machine reaches. */
import Docker from 'dockerode';

export interface Connection {
  readonly docker: Docker;
  readonly socketPath: string;
  /** `Docker Engine 28.2.2`. */
  readonly description: string;
  /** Processors that a container may be given. */
  readonly processors: number;
}

const DEFAULT_SOCKET = '/var/run/docker.sock';
const PATIENCE_MS = 3_000;

/** A connection, or in words why there is none. `host` is what `DOCKER_HOST` holds. */
export async function connectDocker(host: string | undefined): Promise<Connection | { readonly problem: string }> {
  const socketPath = socketOf(host);
  if (typeof socketPath !== 'string') return socketPath;
  const docker = dockerAt(socketPath);
  try {
    return suitable(docker, socketPath, (await within(PATIENCE_MS, docker.info())) as Info);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === 'ENOENT') return { problem: `there is no Docker socket ${socketPath}` };
    if (code === 'EACCES') return { problem: `this user may not use the Docker socket ${socketPath}` };
    if (code === 'ECONNREFUSED') return { problem: `no Docker daemon listens on ${socketPath}` };
    return { problem: `the Docker daemon on ${socketPath} does not answer: ${message}` };
  }
}

/** Without asking whether it answers. */
export const dockerAt = (socketPath: string): Docker => new Docker({ socketPath });

export function socketOf(host: string | undefined): string | { readonly problem: string } {
  if (host === undefined || host === '') return DEFAULT_SOCKET;
  if (host.startsWith('unix://')) return host.slice('unix://'.length);
  return { problem: `DOCKER_HOST is ${host}: only a daemon on this machine (unix://…) has containers within reach` };
}

interface Info {
  readonly ServerVersion: string;
  readonly OperatingSystem: string;
  readonly OSType: string;
  readonly NCPU: number;
  readonly SecurityOptions?: readonly string[] | null;
}

function suitable(docker: Docker, socketPath: string, info: Info): Connection | { readonly problem: string } {
  if (info.OSType !== 'linux') return { problem: `the Docker daemon runs ${info.OSType} containers, not Linux ones` };
  if (info.OperatingSystem.includes('Docker Desktop')) {
    return { problem: 'Docker Desktop keeps its containers in a virtual machine, out of reach by address' };
  }
  if (info.SecurityOptions?.some((option) => option.includes('rootless'))) {
    return { problem: 'a rootless Docker keeps its containers in a network of their own, out of reach by address' };
  }
  const description = `Docker Engine ${info.ServerVersion}`;
  return { docker, socketPath, description, processors: info.NCPU };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${ms / 1000} s`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
