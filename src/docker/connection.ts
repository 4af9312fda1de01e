/** Finding a Docker Engine that container groups can run on: one that answers, on this machine, whose containers have addresses that this machine reaches. */
import Docker from 'dockerode';
import { findSocket } from './socket.ts';

export interface Connection {
  readonly docker: Docker;
  readonly socketPath: string;
  /** `Docker Engine 28.2.2`. */
  readonly description: string;
  /** Processors that a container may be given. */
  readonly processors: number;
}

const PATIENCE_MS = 3_000;

/** A connection, or in words why there is none. `host` is what `DOCKER_HOST` holds. */
export async function connectDocker(host: string | undefined): Promise<Connection | { readonly problem: string }> {
  const socketPath = await findSocket(host);
  if (typeof socketPath !== 'string') return socketPath;
  const docker = new Docker({ socketPath });
  try {
    return suitable(docker, socketPath, (await within(PATIENCE_MS, docker.info())) as Info);
  } catch (error) {
    return { problem: `the Docker daemon on ${socketPath} does not answer: ${(error as Error).message}` };
  }
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
