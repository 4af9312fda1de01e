/** Which runtime a world uses, and why: as told, or Docker where that is sure to work. What a data directory began with it goes on with. */
import type { Clock } from '../../model/clock.ts';
import type { AciStore } from '../aci/store.ts';
import type { Vault } from '../vault.ts';
import type { DockerPlace } from './docker/owner.ts';
import { type PreparedDocker, prepareDocker, tryDocker } from './docker/prepare.ts';
import type { ContainerRuntime, RuntimeKind } from './runtime.ts';
import { createStandinRuntime } from './standin-runtime.ts';

export interface RuntimeChoice extends DockerPlace {
  /** Default `standin`. `auto`: Docker if a daemon answers whose containers are reached, and which has or gets `images` in time. */
  readonly containers?: RuntimeKind | 'auto';
  /** Seals what the store keeps of secrets. */
  readonly vault: Vault;
  /** What the app that is about to be started needs. */
  readonly images?: readonly string[];
}

/** What the store keeps of the last choice. */
interface Kept {
  readonly kind: RuntimeKind;
  readonly subnet?: string;
}

const META = 'containers';

/** `notice` is told what takes long. @throws Error in plain words when what is asked for cannot be had. */
export async function chooseRuntime(
  choice: RuntimeChoice,
  store: AciStore,
  clock: Clock,
  keep: (work: () => void) => Promise<void>,
  notice: (text: string) => void,
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
  const because = kept && asked === 'auto' ? 'as before' : 'as told';
  const { runtime, subnet } =
    kind === 'standin'
      ? standins(clock, `${STANDINS} (${because})`)
      : kind === 'docker'
        ? await insisted(choice, kept?.subnet, because)
        : await automatic(choice, clock, notice);
  const next: Kept = { kind: runtime.kind, ...(subnet !== undefined && { subnet }) };
  if (JSON.stringify(store.meta(META)) !== JSON.stringify(next)) await keep(() => store.setMeta(META, next));
  return runtime;
}

interface Chosen {
  readonly runtime: ContainerRuntime;
  readonly subnet?: string;
}

const STANDINS = 'stand-ins, servers on 127.x.y.z that behave as image and environment say';

const NAMES: Readonly<Record<RuntimeKind, string>> = { standin: 'stand-ins', docker: 'Docker' };

const standins = (clock: Clock, why: string): Chosen => ({ runtime: createStandinRuntime({ clock, why }) });

async function insisted(choice: RuntimeChoice, subnet: string | undefined, because: string): Promise<Chosen> {
  const found = await prepareDocker(choice, subnet);
  if ('problem' in found) {
    throw new Error(`containers cannot run on Docker: ${found.problem}; mend that, or start with --containers standin`);
  }
  return onDocker(found, because, choice.vault);
}

/** Whatever a daemon does that happens to be there: it must not keep the platform from starting. */
async function automatic(choice: RuntimeChoice, clock: Clock, notice: (text: string) => void): Promise<Chosen> {
  const found = await tryDocker(choice, choice.images ?? [], notice);
  if ('problem' in found) return standins(clock, `${STANDINS}: ${found.problem} (--containers docker insists)`);
  return onDocker(found, '--containers standin for stand-ins', choice.vault);
}

async function onDocker(prepared: PreparedDocker, note: string, vault: Vault): Promise<Chosen> {
  const { engine, subnet, range, description } = prepared;
  const { DockerRuntime } = await import('./docker/runtime.ts');
  const why = `Docker: real containers on ${description} (${note})`;
  return { runtime: new DockerRuntime({ engine, addresses: range, subnet, why, vault }), subnet };
}
