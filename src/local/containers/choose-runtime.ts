/** Which runtime a world uses, and why: as told, or Docker where a daemon answers. What a data directory began with it goes on with. */
import { existsSync } from 'node:fs';
import { findSocket } from '../../docker/socket.ts';
import type { Clock } from '../../model/clock.ts';
import type { AciStore } from '../aci/store.ts';
import { type DockerPlace, ownerOf } from './docker/owner.ts';
import type { ContainerRuntime, RuntimeKind } from './runtime.ts';
import { createStandinRuntime } from './standin-runtime.ts';

export interface RuntimeChoice extends DockerPlace {
  /** Default `standin`. */
  readonly containers?: RuntimeKind | 'auto';
}

/** What the store keeps of the last choice. */
interface Kept {
  readonly kind: RuntimeKind;
  readonly subnet?: string;
}

const META = 'containers';

/** @throws Error in plain words when what is asked for cannot be had. */
export async function chooseRuntime(
  choice: RuntimeChoice,
  store: AciStore,
  clock: Clock,
  keep: (work: () => void) => Promise<void>,
): Promise<ContainerRuntime> {
  const asked = choice.containers ?? 'standin';
  const kept = store.groups().length > 0 ? (store.meta(META) as Kept | undefined) : undefined;
  if (kept && asked !== 'auto' && kept.kind !== asked) {
    throw new Error(
      `the container groups in ${choice.dataDir} run on ${NAMES[kept.kind]}, not on ${NAMES[asked]}; ` +
        `start with --containers ${kept.kind}, or with another --data directory`,
    );
  }
  const kind = kept?.kind ?? asked;
  const standin = (why: string) => createStandinRuntime({ clock, why });
  const found = kind === 'standin' ? undefined : await dockerRuntime(choice, kept);
  if (found && 'problem' in found && kind === 'docker') {
    throw new Error(`containers cannot run on Docker: ${found.problem}; mend that, or start with --containers standin`);
  }
  const runtime =
    found === undefined
      ? standin(`${STANDINS} (${kept && asked === 'auto' ? 'as before' : 'as told'})`)
      : 'problem' in found
        ? standin(`${STANDINS}: ${found.problem}`)
        : found.runtime;
  const subnet = found && 'runtime' in found ? found.subnet : undefined;
  const next: Kept = { kind: runtime.kind, ...(subnet !== undefined && { subnet }) };
  if (JSON.stringify(store.meta(META)) !== JSON.stringify(next)) await keep(() => store.setMeta(META, next));
  return runtime;
}

const STANDINS = 'stand-ins, servers on 127.x.y.z that behave as image and environment say';

const NAMES: Readonly<Record<RuntimeKind, string>> = { standin: 'stand-ins', docker: 'Docker' };

/** The client library is loaded only when it is wanted: it is large. */
async function dockerRuntime(
  choice: RuntimeChoice,
  kept: Kept | undefined,
): Promise<{ readonly runtime: ContainerRuntime; readonly subnet: string } | { readonly problem: string }> {
  const socket = await findSocket(choice.dockerHost);
  if (typeof socket !== 'string') return socket;
  const { connectDocker } = await import('../../docker/connection.ts');
  const connection = await connectDocker(choice.dockerHost);
  if ('problem' in connection) return connection;
  const [{ createGroupEngine }, { ownerRange }, { removeAbandoned }, { DockerRuntime }] = await Promise.all([
    import('../../docker/engine.ts'),
    import('../../docker/network.ts'),
    import('../../docker/removal.ts'),
    import('./docker/runtime.ts'),
  ]);
  const { docker, processors, description, socketPath } = connection;
  const owner = ownerOf(choice);
  await removeAbandoned(docker, owner.machine, (directory) => !existsSync(directory));
  const engine = createGroupEngine({ docker, owner, processors });
  const subnet = await engine.prepare(kept?.subnet);
  const why = `Docker: real containers on ${description} at ${socketPath}`;
  return { runtime: new DockerRuntime({ engine, addresses: ownerRange(subnet), subnet, why }), subnet };
}
