/** Whose the containers of a world are on its Docker Engine, and how they are removed when the world cannot do so itself. */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import type { DockerEndpoint } from '../../../docker/endpoint.ts';
import type { Owner } from '../../../docker/labels.ts';

export interface DockerPlace extends DockerEndpoint {
  readonly dataDir: string;
  /** `dataDir` does not outlive the platform. */
  readonly ephemeral?: boolean;
}

/** Removes what a world in `dataDir` had on Docker, for one that could not do so itself. Nothing happens when no daemon answers. */
export async function clearDocker(place: DockerPlace): Promise<void> {
  const { connectDocker } = await import('../../../docker/connection.ts');
  const connection = await connectDocker(place);
  if ('problem' in connection) return;
  const { removeOwned } = await import('../../../docker/removal.ts');
  await removeOwned(connection.docker, ownerOf(place));
}

/** The same directory of the same machine is the same owner, also after a crash. */
export function ownerOf({ dataDir, ephemeral }: DockerPlace): Owner {
  const machine = hostname();
  const directory = realpathSync(dataDir);
  const id = createHash('sha256').update(`${machine}\n${directory}`).digest('hex').slice(0, 10);
  return { id, machine, ...(ephemeral && { directory }) };
}
