/** Images on the engine: there already, or pulled. */
import type Docker from 'dockerode';
import { engineMessage, statusOf } from './failure.ts';

/** Undefined once the image is there, or the engine's words why it cannot be had. @throws when the engine is not reached. */
export async function ensureImage(docker: Docker, image: string): Promise<string | undefined> {
  const reference = withTag(image);
  try {
    await docker.getImage(reference).inspect();
    return undefined;
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
  }
  try {
    const stream = await docker.pull(reference);
    await new Promise<void>((resolve, reject) =>
      docker.modem.followProgress(stream, (error: Error | null) => (error ? reject(error) : resolve())),
    );
    return undefined;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== undefined && statusOf(error) === undefined) throw error;
    return `Error response from daemon: ${engineMessage(error)}`; // as the service words it
  }
}

/** A pull without tag or digest would fetch every tag there is. */
export function withTag(image: string): string {
  const last = image.split('/').at(-1) ?? '';
  return last.includes(':') || image.includes('@') ? image : `${image}:latest`;
}
