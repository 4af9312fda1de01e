/** Images on the engine: there already, or pulled. */
import type Docker from 'dockerode';
import { engineMessage, statusOf } from './failure.ts';

export interface PullOptions {
  /** For the registry that the image is in. */
  readonly credentials?: RegistryCredentials;
  /** The registry said something, so it is reached. */
  readonly onProgress?: () => void;
  readonly signal?: AbortSignal;
}

export interface RegistryCredentials {
  readonly server: string;
  readonly username: string;
  readonly password: string;
}

/** Undefined once the image is there, or the engine's words why it cannot be had. @throws when the engine is not reached, or the signal says so. */
export async function ensureImage(
  docker: Docker,
  image: string,
  options: PullOptions = {},
): Promise<string | undefined> {
  if (await hasImage(docker, image)) return undefined;
  const { credentials, onProgress, signal } = options;
  try {
    const stream = await docker.pull(withTag(image), {
      ...(credentials && {
        authconfig: {
          serveraddress: credentials.server,
          username: credentials.username,
          password: credentials.password,
        },
      }),
      ...(signal && { abortSignal: signal }),
    });
    await new Promise<void>((resolve, reject) => {
      const done = (error: Error | null) => (error ? reject(error) : resolve());
      docker.modem.followProgress(stream, done, () => onProgress?.());
    });
    return undefined;
  } catch (error) {
    const { code } = error as { code?: string };
    if (signal?.aborted || (code !== undefined && statusOf(error) === undefined)) throw error;
    return `Error response from daemon: ${engineMessage(error)}`; // as the service words it
  }
}

/** @throws when the engine is not reached. */
export async function hasImage(docker: Docker, image: string): Promise<boolean> {
  try {
    await docker.getImage(withTag(image)).inspect();
    return true;
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    return false;
  }
}

/** Those for the registry that the image names; one that names none is on Docker Hub. */
export function credentialsFor(
  image: string,
  credentials: readonly RegistryCredentials[],
): RegistryCredentials | undefined {
  const [first = '', ...rest] = image.split('/');
  const named = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : HUB;
  const hostOf = (server: string) => (HUB_NAMES.includes(server) ? HUB : server);
  return credentials.find(({ server }) => hostOf(server.replace(/\/.*$/, '')) === hostOf(named));
}

const HUB = 'docker.io';
const HUB_NAMES: readonly string[] = [HUB, 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'];

/** A pull without tag or digest would fetch every tag there is. */
export function withTag(image: string): string {
  const last = image.split('/').at(-1) ?? '';
  return last.includes(':') || image.includes('@') ? image : `${image}:latest`;
}
