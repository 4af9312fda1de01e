/** A connection to a Docker Engine that container groups can run on: one of this machine that answers and runs Linux containers. */
import Docker from 'dockerode';
import type { DockerEndpoint } from './endpoint.ts';
import { findSocket } from './socket.ts';
import { within } from './within.ts';

export interface Connection {
  readonly docker: Docker;
  readonly socketPath: string;
  /** `Docker Engine 28.2.2`. */
  readonly description: string;
  /** Processors that a container may be given. */
  readonly processors: number;
  /** Why containers may well have no address that this machine reaches, as far as the daemon's description tells; `reach.ts` tries it. */
  readonly farAway?: string;
}

const PATIENCE_MS = 3_000;

/** A connection, or in words why there is none. */
export async function connectDocker(endpoint: DockerEndpoint): Promise<Connection | { readonly problem: string }> {
  const socketPath = await findSocket(endpoint);
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
  const farAway = farAwayBecause(info);
  const description = `Docker Engine ${info.ServerVersion}`;
  return { docker, socketPath, description, processors: info.NCPU, ...(farAway !== undefined && { farAway }) };
}

function farAwayBecause({ OperatingSystem, SecurityOptions }: Info): string | undefined {
  if (OperatingSystem.includes('Docker Desktop')) return 'Docker Desktop keeps its containers in a virtual machine';
  if (SecurityOptions?.some((option) => option.includes('rootless'))) {
    return 'a rootless Docker keeps its containers in a network of their own';
  }
  return undefined;
}
