/**
 * Looks over the ready replicas of one pool with its listing: whose group is gone, who has moved, who fails its probe. Only what looks wrong is read in
 * full, and only a changed verdict is written and wakes its app.
 */
import {
  isReadDue,
  probedAddress,
  type Suspicion,
  sharedAddresses,
  suspicionOf,
  unprobedReadsPerTick,
  watch,
} from '../decide/watch.ts';
import type { ServiceTemplate } from '../model/app-spec.ts';
import type { ListedGroup } from '../model/group.ts';
import type { PoolRow, ReplicaRow, Stored } from '../model/state.ts';
import type { AppRows } from '../ports/state-store.ts';
import { mapWhile, rotated } from './bounded.ts';
import { observeReplica, probeAddress } from './observe.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';
import { bare } from './rows.ts';
import { writeVerdict } from './write-verdict.ts';

const width = 20;
/** A failing probe is repeated this much later before it counts (semantics, "Ready"). */
const repeatAfterMs = 5_000;

/** Number of the tick: who has had no turn in one is among the first in another. */
const turnOf = (now: number): number => Math.floor(now / 30_000);

interface Watched {
  readonly app: AppRows;
  readonly replica: Stored<ReplicaRow>;
  readonly template: ServiceTemplate;
  readonly listed: ListedGroup | undefined;
}

export interface SweepInput {
  /** As it was before this listing: `listedAt` is the sweep before. */
  readonly pool: PoolRow;
  /** Complete, and just made. */
  readonly listing: readonly ListedGroup[];
  readonly apps: readonly AppRows[];
  /** Nothing more is begun once it says no. */
  readonly mayBegin: () => boolean;
}

export async function sweep(ports: ActivityPorts, settings: ActivitySettings, input: SweepInput): Promise<void> {
  const suspects = await suspectsOf(ports, settings, input);
  await mapWhile(rationed(suspects, input.pool, ports.now()), width, input.mayBegin, (suspect) =>
    settle(ports, settings, input.pool, suspect),
  );
}

function watchedIn({ pool, listing, apps }: SweepInput): readonly Watched[] {
  const groups = new Map(listing.map((group) => [group.name, group]));
  return apps.flatMap((app) =>
    app.replicas
      .filter((replica) => replica.pool === pool.pool && replica.state === 'ready')
      .flatMap((replica) => {
        const { service, revision } = replica;
        const template = app.revisions.find((row) => row.service === service && row.revision === revision)?.template;
        return template === undefined ? [] : [{ app, replica, template, listed: groups.get(replica.group) }];
      }),
  );
}

interface Suspect extends Watched {
  readonly suspicion: Suspicion;
}

async function suspectsOf(
  ports: ActivityPorts,
  { installation }: ActivitySettings,
  input: SweepInput,
): Promise<readonly Suspect[]> {
  const { mayBegin } = input;
  const watched = rotated(watchedIn(input), turnOf(ports.now()) * width);
  const shared = sharedAddresses(input.apps.flatMap(({ replicas }) => replicas));
  const probe = async ({ replica, template, listed }: Watched) => {
    const ip = probedAddress(replica, listed);
    return ip === null ? null : await probeAddress(ports.prober, ip, template);
  };
  const first = await mapWhile(watched, width, mayBegin, probe);
  const failing = watched.filter((_, index) => first[index] === 'failed');
  if (failing.length > 0) await ports.sleep(repeatAfterMs);
  const repeated = await mapWhile(failing, width, mayBegin, probe);
  const second = new Map(failing.map((one, index) => [one, repeated[index] ?? null]));
  return watched.flatMap((one, index) => {
    // A failure that there was no time to repeat says nothing.
    const result = second.has(one) ? (second.get(one) ?? null) : (first[index] ?? null);
    const sighting = { listed: one.listed, probe: result, shared: shared.has(one.replica.ip ?? '') };
    const identity = { installation, appUid: one.app.app?.uid ?? '' };
    const suspicion = suspicionOf(one.replica, one.template, sighting, identity);
    return suspicion === null ? [] : [{ ...one, suspicion }];
  });
}

/** What looks wrong, and those of the unprobed whose turn it is. */
function rationed(suspects: readonly Suspect[], { listedAt }: PoolRow, now: number): readonly Suspect[] {
  const unprobed = suspects.filter(({ suspicion }) => suspicion === 'unprobed');
  const due = unprobed.filter(({ replica }) =>
    isReadDue(replica, { now, sweptAt: listedAt, unprobed: unprobed.length }),
  );
  const turn = rotated(due, turnOf(now) * unprobedReadsPerTick).slice(0, unprobedReadsPerTick);
  return [...suspects.filter(({ suspicion }) => suspicion !== 'unprobed'), ...turn];
}

async function settle(
  ports: ActivityPorts,
  settings: ActivitySettings,
  pool: PoolRow,
  { app, replica, template, suspicion }: Suspect,
): Promise<void> {
  const observation = await observeReplica(ports, replica, template, pool);
  const verdict = watch(bare(replica), template, suspicion, observation, {
    identity: { installation: settings.installation, appUid: app.app?.uid ?? '' },
    settings,
    now: ports.now(),
    peersReady: false,
  });
  if (verdict !== null) await writeVerdict(ports, replica, verdict, 'rule:sweep');
}
