/** Makes a Docker Engine ready for a world, or says why it is not suited. The client library is loaded only where a socket answers: it is large. */
import { existsSync } from 'node:fs';
import type { Connection } from '../../../docker/connection.ts';
import type { GroupEngine } from '../../../docker/engine.ts';
import { engineMessage } from '../../../docker/failure.ts';
import type { AddressRange } from '../../../docker/network.ts';
import { findSocket } from '../../../docker/socket.ts';
import { within } from '../../../docker/within.ts';
import { clearDocker, type DockerPlace, ownerOf } from './owner.ts';

export interface PreparedDocker {
  readonly engine: GroupEngine;
  readonly subnet: string;
  readonly range: AddressRange;
  /** `Docker Engine 28.2.2 at /var/run/docker.sock`. */
  readonly description: string;
}

type Prepared = PreparedDocker & { readonly docker: Connection['docker'] };

interface Problem {
  readonly problem: string;
}

/** For a first try of something: two minutes of patience would be two minutes of wondering. */
const PULL_PATIENCE = { silentMs: 10_000, totalMs: 60_000 };
const PREPARE_MS = 15_000;
const CLEAR_MS = 5_000;

/** `subnet` is the one that a kept world has given addresses of. @throws what the engine refuses. */
export async function prepareDocker(place: DockerPlace, subnet?: string): Promise<Prepared | Problem> {
  const socket = await findSocket(place);
  if (typeof socket !== 'string') return socket;
  const { connectDocker } = await import('../../../docker/connection.ts');
  const connection = await connectDocker(place);
  if ('problem' in connection) return connection;
  const [{ createGroupEngine }, { ownerRange }, { reachProblem }, { removeAbandoned }] = await Promise.all([
    import('../../../docker/engine.ts'),
    import('../../../docker/network.ts'),
    import('../../../docker/reach.ts'),
    import('../../../docker/removal.ts'),
  ]);
  const { docker, processors, description, socketPath, farAway } = connection;
  const owner = ownerOf(place);
  await removeAbandoned(docker, owner.machine, (directory) => !existsSync(directory));
  const engine = createGroupEngine({ docker, owner, processors });
  const given = await engine.prepare(subnet);
  // A kept world reached its containers when it began, and they may hold every address now.
  const unreached = subnet === undefined ? await reachProblem(docker, owner, given) : undefined;
  if (unreached !== undefined) {
    await engine.removeEverything();
    return { problem: `containers are out of reach by address: ${farAway ? `${farAway} (${unreached})` : unreached}` };
  }
  return { docker, engine, subnet: given, range: ownerRange(given), description: `${description} at ${socketPath}` };
}

/** As `prepareDocker`, with all images, and in limited time: whatever goes wrong is a problem and leaves nothing. */
export async function tryDocker(
  place: DockerPlace,
  images: readonly string[],
  notice: (text: string) => void,
): Promise<PreparedDocker | Problem> {
  try {
    const prepared = await within(PREPARE_MS, prepareDocker(place));
    if ('problem' in prepared) return prepared;
    const { imagesProblem } = await import('../../../docker/provision.ts');
    const problem = await imagesProblem(prepared.docker, images, PULL_PATIENCE, (missing) =>
      notice(
        `Docker pulls ${missing.join(', ')} (at most ${PULL_PATIENCE.totalMs / 1000} s; --containers standin needs none)`,
      ),
    );
    if (problem === undefined) return prepared;
    await within(CLEAR_MS, clearDocker(place)).catch(() => undefined);
    return { problem };
  } catch (error) {
    await within(CLEAR_MS, clearDocker(place)).catch(() => undefined);
    return { problem: `the Docker daemon is of no use: ${engineMessage(error)}` };
  }
}
