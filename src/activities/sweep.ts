/**
 * Looks over the ready replicas of one pool with its listing: whose group is gone, who has moved, who fails its probe. Only what looks wrong is read in
 * full, and only a changed verdict is written and wakes its app.
 */
import { isReadDue, probedAddress, type Suspicion, sharedAddresses, suspicionOf, watch } from '../decide/watch.ts';
import type { ServiceTemplate } from '../model/app-spec.ts';
import type { ListedGroup } from '../model/group.ts';
import type { PoolRow, ReplicaRow, ReplicaState, Stored } from '../model/state.ts';
import type { ProbeOutcome } from '../ports/prober.ts';
import type { AppRows } from '../ports/state-store.ts';
import { mapWhile, rotated } from './bounded.ts';
import { observeReplica, probeAddress, verdictOf } from './observe.ts';
import type { PoolEvidence } from './pool-health.ts';
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
  /** Complete, and just made; null = it failed, so that only evidence is gathered. */
  readonly listing: readonly ListedGroup[] | null;
  readonly apps: readonly AppRows[];
  /** Unprobed replicas that may be read in this tick. */
  readonly reads: number;
  /** Nothing is decided about single replicas while we are cut off. */
  readonly isCutOff: boolean;
  /** Nothing more is begun once it says no. */
  readonly mayBegin: () => boolean;
}

/** The value is what was found of the pool as a whole. */
export async function sweep(
  ports: ActivityPorts,
  settings: ActivitySettings,
  input: SweepInput,
): Promise<PoolEvidence> {
  const probes = await probeAll(ports, input);
  if (input.listing === null || input.isCutOff) return evidenceOf(input, probes, input.listing === null);
  const suspects = suspectsOf(ports, settings, input, probes);
  const due = rationed(suspects, input, ports.now());
  const reads = await mapWhile(due, width, input.mayBegin, (suspect) => settle(ports, settings, input.pool, suspect));
  const made = reads.filter((read) => read !== undefined);
  return evidenceOf(input, probes, made.length > 0 && made.every((read) => read === 'outage'));
}

const watchedStates: ReadonlySet<ReplicaState> = new Set<ReplicaState>(['ready', 'unready', 'lost']);

function watchedIn({ pool, listing, apps }: SweepInput): readonly Watched[] {
  const groups = new Map((listing ?? []).map((group) => [group.name, group]));
  return apps.flatMap((app) =>
    app.replicas
      .filter((replica) => replica.pool === pool.pool && watchedStates.has(replica.state))
      .flatMap((replica) => {
        const { service, revision } = replica;
        const template = app.revisions.find((row) => row.service === service && row.revision === revision)?.template;
        return template === undefined ? [] : [{ app, replica, template, listed: groups.get(replica.group) }];
      }),
  );
}

interface Probed extends Watched {
  readonly first: ProbeOutcome | null;
  /** The same as the first where that was good; null where it was bad and there was no time to repeat it. */
  readonly second: ProbeOutcome | null;
}

/** Of the ready ones a failure is repeated before it counts; the others are only asked for the evidence that they give. */
async function probeAll({ prober, now, sleep }: ActivityPorts, input: SweepInput): Promise<readonly Probed[]> {
  const { listing, mayBegin } = input;
  const watched = rotated(watchedIn(input), turnOf(now()) * width);
  const probe = async ({ replica, template, listed }: Watched): Promise<ProbeOutcome | null> => {
    // Without a listing nobody knows whose answer it would be; that none comes is news all the same.
    const ip = listing === null ? replica.ip : probedAddress(replica, listed);
    return ip === null ? null : await probeAddress(prober, ip, template);
  };
  const first = await mapWhile(watched, width, mayBegin, probe);
  const failing = watched.filter(({ replica }, index) => replica.state === 'ready' && first[index]?.passed === false);
  if (failing.length > 0 && listing !== null) await sleep(repeatAfterMs);
  const repeated = listing === null ? [] : await mapWhile(failing, width, mayBegin, probe);
  const again = new Map(failing.map((one, index) => [one, repeated[index] ?? null]));
  return watched.map((one, index) => {
    const outcome = first[index] ?? null;
    return { ...one, first: outcome, second: again.has(one) ? (again.get(one) ?? null) : outcome };
  });
}

interface Suspect extends Watched {
  readonly suspicion: Suspicion;
}

function suspectsOf(
  { log }: ActivityPorts,
  { installation }: ActivitySettings,
  { apps }: SweepInput,
  probes: readonly Probed[],
): readonly Suspect[] {
  const shared = sharedAddresses(apps.flatMap(({ replicas }) => replicas));
  const kept = keptOf(apps, probes);
  if (kept.size > 0) log.error('Nothing of a service answers or refuses: its endpoints are kept.', { kept: [...kept] });
  return probes.flatMap(({ first: _, second, ...one }) => {
    // A failure that there was no time to repeat says nothing.
    const probe = second === null ? null : verdictOf(second);
    const sighting = { listed: one.listed, probe, shared: shared.has(one.replica.ip ?? '') };
    const identity = { installation, appUid: one.app.app?.uid ?? '' };
    const suspicion = suspicionOf(one.replica, one.template, sighting, identity);
    if (suspicion === null || (suspicion === 'failing' && kept.has(serviceOf(one.replica)))) return [];
    return [{ ...one, suspicion }];
  });
}

const serviceOf = ({ app, service }: ReplicaRow): string => `${app}/${service}`;

/**
 * Services whose ready replicas, wherever they are, all time out at once, with none that refuses or answers: nobody knows better addresses than the last
 * ones. A single replica is no such crowd.
 */
function keptOf(apps: readonly AppRows[], probes: readonly Probed[]): ReadonlySet<string> {
  const silent = new Map<string, number>();
  for (const { replica, second } of probes) {
    if (replica.state !== 'ready' || second === null || second.reached) continue;
    silent.set(serviceOf(replica), (silent.get(serviceOf(replica)) ?? 0) + 1);
  }
  const ready = apps.flatMap(({ replicas }) => replicas.filter(({ state }) => state === 'ready').map(serviceOf));
  return new Set(
    [...silent]
      .filter(([service, count]) => count > 1 && count === ready.filter((one) => one === service).length)
      .map(([service]) => service),
  );
}

/** Only replicas of verified revisions speak for their pool: a bad release must not make it suspect. */
function evidenceOf({ pool }: SweepInput, probes: readonly Probed[], isFailing: boolean): PoolEvidence {
  const asked = probes.filter(({ app, replica, first }) => {
    const guard = app.guards.find(({ service }) => service === replica.service);
    return first !== null && guard?.verifiedRevision === replica.revision;
  });
  const serviceNames = new Set(asked.map(({ replica }) => serviceOf(replica)));
  return {
    pool: pool.pool,
    region: pool.region,
    probed: asked.length,
    silent: asked.filter(({ first }) => first?.reached === false).length,
    services: serviceNames.size,
    serviceNames,
    control: isFailing ? 'failing' : 'answering',
  };
}

/** Turns fall unevenly; what is cut off waits for a whole cycle. ARM's bucket takes the difference (aci: quotas). */
const burst = 2;

/** What looks wrong, and those of the unprobed whose turn it is. */
function rationed(suspects: readonly Suspect[], { pool, reads }: SweepInput, now: number): readonly Suspect[] {
  const unprobed = suspects.filter(({ suspicion }) => suspicion === 'unprobed');
  const due = unprobed.filter(({ replica }) =>
    isReadDue(replica, { now, sweptAt: pool.listedAt, unprobed: unprobed.length, reads }),
  );
  const turn = rotated(due, turnOf(now) * reads).slice(0, burst * reads);
  return [...suspects.filter(({ suspicion }) => suspicion !== 'unprobed'), ...turn];
}

async function settle(
  ports: ActivityPorts,
  settings: ActivitySettings,
  pool: PoolRow,
  { app, replica, template, suspicion }: Suspect,
): Promise<'outage' | 'answer'> {
  const observation = await observeReplica(ports, replica, template, pool);
  const verdict = watch(bare(replica), template, suspicion, observation, {
    identity: { installation: settings.installation, appUid: app.app?.uid ?? '' },
    settings,
    now: ports.now(),
    peersReady: false,
  });
  if (verdict !== null) await writeVerdict(ports, replica, verdict, 'rule:sweep');
  return observation.kind === 'unknown' && observation.isOutage === true ? 'outage' : 'answer';
}
