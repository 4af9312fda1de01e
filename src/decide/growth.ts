/** New incarnations: which slots are free, whether their back-off is over, and where they go. */
import { type AppSpec, type ServiceTemplate, serviceNamed } from '../model/app-spec.ts';
import { unplaced } from '../model/placement.ts';
import type { ReplicaChange, Step } from '../model/plan.ts';
import type { Reason } from '../model/reasons.ts';
import type { PlannerSettings } from '../model/snapshot.ts';
import type { GuardRow, PoolRow, ReplicaRow } from '../model/state.ts';
import { isLive } from '../model/transitions.ts';
import { formatInstant } from '../model/units.ts';
import { backoffMs } from './backoff.ts';
import { type ActLedger, createActLedger, type Purpose, pastCreates, windowOf } from './budget/windows.ts';
import { freshReplica } from './fresh-replica.ts';
import { groupName, type Identity, ownerOf } from './group-spec.ts';
import { creation } from './moves.ts';
import type { Ask } from './placement/ask.ts';
import { createScheduler, type Scheduler } from './placement/place.ts';
import { event } from './verdict.ts';

export interface Shortage {
  readonly reason: Reason;
  readonly message: string;
}

export interface Growth {
  readonly changes: readonly ReplicaChange[];
  readonly steps: readonly Step[];
  readonly nextIncarnation: number;
  /** Why fewer were created than are missing; null when none is missing or only this plan's size stopped it. */
  readonly shortage: Shortage | null;
  /** When the next back-off ends, or the next create is free. */
  readonly backoffUntil: number | null;
}

export interface GrowthContext {
  readonly identity: Identity;
  readonly app: AppSpec | null;
  readonly guard: GuardRow;
  /** Of the new incarnations. */
  readonly revision: number;
  readonly template: ServiceTemplate;
  /** Replicas of other revisions stay beside them: no slot is given twice. */
  readonly isMixed: boolean;
  /** How many the service may have now that it has not. */
  readonly wanted: number;
  readonly pools: readonly PoolRow[];
  /** It empties a pool or rolls back: what is kept of the creates may be used. */
  readonly isUrgent: boolean;
  readonly attemptIds: readonly string[];
  /** At most this many. */
  readonly room: number;
  readonly settings: PlannerSettings;
  readonly now: number;
}

/** Nothing is created. */
export const noGrowth = (guard: GuardRow): Growth => ({
  changes: [],
  steps: [],
  nextIncarnation: guard.nextIncarnation,
  shortage: null,
  backoffUntil: null,
});

/** A predecessor that ended for one of these was not at fault, so its slot does not rest. */
const endedByUs: ReadonlySet<Reason | null> = new Set<Reason | null>([
  'Surplus',
  'PoolDraining',
  'OldRevision',
  'ServiceRemoved',
  'Restarting',
]);

/** `rows` are the service's rows as this plan leaves them. */
export function grow(rows: readonly ReplicaRow[], context: GrowthContext): Growth {
  const { guard, revision, wanted } = context;
  const present = rows.filter((row) => row.state !== 'gone' && row.revision === revision);
  const missing = wanted - present.filter(isHolding).length;
  if (missing <= 0) return noGrowth(guard);
  let growth = noGrowth(guard);
  const scheduler = schedulerOf(present, context);
  const creates = createActLedger(pastCreates(context.pools));
  const taken = context.isMixed ? rows.filter(({ state }) => state !== 'gone') : present;
  for (const slot of freeSlots(taken, missing)) {
    const past = pastOf(rows, slot, context);
    if (past.restsUntil > context.now) {
      growth = resting(growth, past, slot);
      continue;
    }
    if (growth.changes.length >= context.room) break;
    const attempt = context.attemptIds[growth.changes.length];
    if (attempt === undefined) break;
    const incarnation = growth.nextIncarnation;
    const owner = ownerOf({ app: guard.app, service: guard.service, slot, incarnation });
    const placement = scheduler.place({ owner, lastPool: past.pool, avoid: past.avoid });
    if (!placement.ok) return { ...growth, shortage: { reason: placement.reason, message: placement.message } };
    const waitsUntil = spend(creates, placement.pool, owner, past, context);
    if (waitsUntil !== null) return postponed(growth, placement.pool, waitsUntil);
    const replica = newReplica(slot, incarnation, placement.pool, attempt, past.failures, context);
    growth = withReplica(growth, replica, attempt, placement.because);
  }
  return growth;
}

/**
 * Takes one create of the pool's window; else when there will be one, epoch ms. A plan that is made again has taken it already, together with its
 * reservation.
 */
function spend(
  creates: ActLedger,
  name: string,
  owner: string,
  { isRepair }: Past,
  { pools, isUrgent, now }: GrowthContext,
): number | null {
  const pool = pools.find((one) => one.pool === name);
  if (pool === undefined || pool.reservations.some((held) => held.owner === owner)) return null;
  const purpose: Purpose = isRepair || isUrgent ? 'urgent' : 'ordinary';
  const freeAt = creates.freeAt(windowOf(pool), now, purpose);
  if (freeAt > now) return freeAt;
  creates.note(windowOf(pool), now);
  return null;
}

function postponed(growth: Growth, pool: string, until: number): Growth {
  const message = `${pool} takes no more creates for now: those of the last 5 minutes or of the last hour are used up, but for what is kept for repairs. The next one is at ${formatInstant(until)}.`;
  return {
    ...growth,
    shortage: { reason: 'CreateBudget', message },
    backoffUntil: Math.min(growth.backoffUntil ?? until, until),
  };
}

/** Only replicas that stay count for spread and limits (semantics, "Placement"). */
function schedulerOf(present: readonly ReplicaRow[], context: GrowthContext): Scheduler {
  const { guard, pools } = context;
  const staying = present.filter(({ state }) => isLive(state));
  return createScheduler(
    guard.app,
    askOf(context),
    pools,
    staying.map(({ pool }) => pool),
  );
}

/** What one container group of the service wants of a place. */
export function askOf({ app, guard, template }: Pick<GrowthContext, 'app' | 'guard' | 'template'>): Ask {
  const rules = serviceNamed(app, guard.service)?.placement ?? unplaced;
  const keyOf = (service: string): string => `${guard.app}/${service}`;
  return {
    ...rules,
    affinity: rules.affinity.map((rule) => ({ ...rule, service: keyOf(rule.service) })),
    service: keyOf(guard.service),
    cores: template.cpuCores,
    memoryGiB: template.memoryGiB,
    pools: app?.pools ?? [],
  };
}

/** What drains for a restart keeps its place until its group is being deleted, so that its successor takes the same slot. */
const isHolding = ({ state, reason }: ReplicaRow): boolean => state === 'draining' && reason === 'Restarting';

/**
 * The lowest slots that no incarnation of the revision holds; one whose group is merely being deleted does not hold its slot any more. One of an older
 * revision may: two incarnations overlap while a rollout replaces it (semantics, "Slots").
 */
function freeSlots(present: readonly ReplicaRow[], count: number): readonly number[] {
  const taken = new Set(present.filter((row) => row.state !== 'deleting').map((row) => row.slot));
  const free: number[] = [];
  for (let slot = 0; free.length < count; slot += 1) if (!taken.has(slot)) free.push(slot);
  return free;
}

interface Past {
  readonly failures: number;
  readonly restsUntil: number;
  /** It ended by no act of ours: its successor mends that. */
  readonly isRepair: boolean;
  /** Where it was, if it ended without a failure. */
  readonly pool: string | null;
  readonly avoid: ReadonlySet<string>;
}

/** What the slot's last incarnation leaves to its successor. */
function pastOf(rows: readonly ReplicaRow[], slot: number, { revision, settings }: GrowthContext): Past {
  const incarnations = rows.filter((row) => row.slot === slot && row.revision === revision);
  const last = incarnations.reduce<ReplicaRow | null>(
    (newest, row) => (newest === null || row.incarnation > newest.incarnation ? row : newest),
    null,
  );
  if (last === null || endedByUs.has(last.reason)) {
    return { failures: 0, restsUntil: 0, isRepair: false, pool: last?.pool ?? null, avoid: new Set() };
  }
  const refused = last.reason === 'QuotaExceeded' || last.reason === 'NoCapacity';
  return {
    failures: last.failures,
    isRepair: true,
    pool: null,
    restsUntil: last.failures > 0 ? last.stateAt + backoffMs(last.failures, settings.backoff) : 0,
    avoid: new Set(refused ? [last.pool] : []),
  };
}

function resting(growth: Growth, past: Past, slot: number): Growth {
  const until = formatInstant(past.restsUntil);
  const message = `Slot ${slot} failed ${past.failures === 1 ? 'once' : `${past.failures} times in a row`}; its successor starts at ${until}.`;
  const first = growth.backoffUntil === null || past.restsUntil < growth.backoffUntil;
  return first ? { ...growth, shortage: { reason: 'BackingOff', message }, backoffUntil: past.restsUntil } : growth;
}

function newReplica(
  slot: number,
  incarnation: number,
  pool: string,
  attempt: string,
  failures: number,
  { guard, revision, identity, template, settings, now }: GrowthContext,
): ReplicaRow {
  return {
    ...freshReplica(guard, slot, incarnation, now),
    revision,
    state: 'creating',
    pool,
    group: groupName(identity, { service: guard.service, slot, incarnation }),
    attempt: { id: attempt, startedAt: null, expiresAt: now + settings.claimLeaseMs },
    ports: template.ports,
    failures,
  };
}

function withReplica(growth: Growth, row: ReplicaRow, attempt: string, because: string | null): Growth {
  const why = because === null ? '' : `: ${because}`;
  const planned = event('ReplicaPlanned', row, `Placed in pool ${row.pool} as container group ${row.group}${why}.`);
  return {
    ...growth,
    changes: [...growth.changes, { insert: true, row, events: [planned] }],
    steps: [...growth.steps, creation(row, attempt, { epoch: row.epoch })],
    nextIncarnation: growth.nextIncarnation + 1,
  };
}
