/**
 * The abstract world of the exhaustive check. One service is a few cells: a replica row together with what is true of its container group. Time is
 * counted in ticks of 10 s and kept as ages that stop growing once no rule can tell them apart, so that the states are finitely many.
 */
import { groupName } from '../../../src/decide/group-spec.ts';
import type { ServiceSnapshot } from '../../../src/model/snapshot.ts';
import type { GuardRow, PoolRow, ReplicaRow, ReplicaState } from '../../../src/model/state.ts';
import { aGuard, anApp, aPool, aReplica, aService, aTemplate } from '../../support/rows.ts';
import { identity } from '../../support/snapshots.ts';

const tickMs = 10_000;
/** The instant at which everything happens: after each transition the ages are counted from here again. */
export const now = 1_800_000_000_000;

/** How many ticks the planner's waits last in this world. */
export const waits = { lease: 2, deadline: 2, drain: 1, backoff: 1 } as const;

export interface Cell {
  readonly slot: number;
  readonly incarnation: number;
  readonly revision: number;
  readonly pool: number;
  readonly state: ReplicaState;
  /** Ticks since the state began, up to the most that a rule asks for. */
  readonly age: number;
  /** The claim on the create; `left` in ticks, 0 = expired. */
  readonly claim: { readonly started: boolean; readonly left: number } | null;
  /** Ticks of the drain that are left; null = it has not begun. */
  readonly drainLeft: number | null;
  /** The DELETE was asked for again less than a tick ago. */
  readonly redeleted: boolean;
  readonly reason: Ending | null;
  readonly failures: number;
  readonly missing: number;
  readonly wasReady: boolean;
  readonly endpoint: boolean;
  /** Ticks since it left the endpoints; null = it was never in them. */
  readonly quiet: number | null;
  /** Its step was planned and is neither carried out nor lost. */
  readonly step: boolean;
  /** A PUT on its way: within its claim, or later than the claim allows. */
  readonly put: 'none' | 'flying' | 'late';
  /** What ARM holds. */
  readonly group: 'none' | 'creating' | 'running' | 'failing' | 'deleting';
  /** The group came or went just now: one read may still show what was before. */
  readonly stale: boolean;
}

/** Why a replica ended, as far as it matters to what follows. */
export type Ending = 'Surplus' | 'QuotaExceeded' | 'ProbeFailed' | 'PoolUnavailable';

export interface Service {
  readonly desired: number;
  readonly removed: boolean;
  readonly revision: number;
  /** `dependenciesMetRevision` of the guard. */
  readonly met: number | null;
  /** All desired replicas were once ready at the current revision. */
  readonly healthy: boolean;
  /** Faults and changes of the spec that are spent. */
  readonly faults: number;
  readonly changes: number;
  /** A PUT was later than its claim: from then on ARM may hold what no plan asked for. */
  readonly late: boolean;
  readonly cells: readonly Cell[];
}

/** What one service sees of the rest of the world. */
export interface Surroundings {
  /** The service it depends on is healthy. */
  readonly gate: boolean;
  /** Groups of other services in each pool. */
  readonly used: readonly number[];
}

export const emptyService = (desired: number): Service => ({
  desired,
  removed: false,
  revision: 1,
  met: null,
  healthy: false,
  faults: 0,
  changes: 0,
  late: false,
  cells: [],
});

const poolNames = ['east', 'west'] as const;
export const poolsMax = poolNames.length;

const template = aTemplate();
const templates = new Map(Array.from({ length: 9 }, (_, revision) => [revision + 1, template]));
const attemptIds = Array.from({ length: 9 }, (_, n) => `new-${n}`);
const settings = {
  claimLeaseMs: waits.lease * tickMs,
  startDeadlineMs: waits.deadline * tickMs,
  minReadyMs: 0,
  transitionWakeMs: 30_000,
  backoff: { firstMs: waits.backoff * tickMs, capMs: waits.backoff * tickMs, resetMs: 1_000 * tickMs },
};
export const circumstances = { identity, settings, now };

const memory = new Map<string, string>();

function nameOf(service: string, slot: number, incarnation: number): string {
  const key = `${service}/${slot}/${incarnation}`;
  const known = memory.get(key) ?? groupName(identity, { service, slot, incarnation });
  memory.set(key, known);
  return known;
}

const pastLease = now - waits.lease * tickMs;

export function rowOf(cell: Cell, service: string): ReplicaRow {
  const { slot, incarnation, claim } = cell;
  return aReplica({
    service,
    slot,
    incarnation,
    revision: cell.revision,
    state: cell.state,
    stateAt: now - cell.age * tickMs,
    reason: cell.reason,
    pool: poolNames[cell.pool] ?? '',
    group: nameOf(service, slot, incarnation),
    attempt: claim && {
      id: 'claimed',
      startedAt: claim.started ? pastLease : null,
      expiresAt: now + claim.left * tickMs,
    },
    ip: cell.wasReady ? '10.0.0.4' : null,
    endpoint: cell.endpoint,
    createdAt: pastLease,
    readyAt: cell.wasReady ? pastLease : null,
    drainUntil: cell.state === 'draining' && cell.drainLeft !== null ? now + cell.drainLeft * tickMs : null,
    observedAt: cell.redeleted ? now : null,
    failures: cell.failures,
    missing: cell.missing,
  });
}

const endings: Readonly<Partial<Record<string, Ending>>> = {
  Surplus: 'Surplus',
  OldRevision: 'Surplus',
  ServiceRemoved: 'Surplus',
  QuotaExceeded: 'QuotaExceeded',
  PoolUnavailable: 'PoolUnavailable',
};

/** The cell after its row was written; what is true of its group stays. */
export function written(before: Cell, row: ReplicaRow): Cell {
  const left = before.endpoint && !row.endpoint;
  return {
    ...before,
    state: row.state,
    age: Math.max(0, Math.round((now - row.stateAt) / tickMs)),
    claim: row.attempt && {
      started: row.attempt.startedAt !== null,
      left: Math.max(0, Math.round((row.attempt.expiresAt - now) / tickMs)),
    },
    drainLeft: row.drainUntil === null ? null : Math.max(0, Math.round((row.drainUntil - now) / tickMs)),
    redeleted: row.observedAt === now,
    reason: row.reason === null ? null : (endings[row.reason] ?? 'ProbeFailed'),
    failures: row.failures,
    missing: row.missing,
    wasReady: row.readyAt !== null,
    endpoint: row.endpoint,
    quiet: left ? 0 : row.endpoint ? null : before.quiet,
  };
}

export function planned(row: ReplicaRow): Cell {
  const blank: Cell = {
    slot: row.slot,
    incarnation: row.incarnation,
    revision: row.revision,
    pool: poolNames.indexOf(row.pool as (typeof poolNames)[number]),
    state: row.state,
    age: 0,
    claim: null,
    drainLeft: null,
    redeleted: false,
    reason: null,
    failures: 0,
    missing: 0,
    wasReady: false,
    endpoint: false,
    quiet: null,
    step: false,
    put: 'none',
    group: 'none',
    stale: false,
  };
  return written(blank, row);
}

export function guardOf(service: Service, name: string): GuardRow {
  const incarnations = service.cells.map(({ incarnation }) => incarnation);
  return aGuard({
    service: name,
    workflow: `deployment:shop.${name}:1`,
    epoch: 1,
    desired: service.desired,
    removed: service.removed,
    drainMs: waits.drain * tickMs,
    nextIncarnation: Math.max(0, ...incarnations) + 1,
    revision: service.revision,
    // As after a rollout that came to a good end: none is under way.
    verifiedRevision: service.revision,
    healthyRevision: service.healthy ? service.revision : null,
    dependenciesMetRevision: service.met,
  });
}

const apps = {
  store: anApp('shop', [aService('store')]),
  web: anApp('shop', [aService('web', { dependsOn: [{ service: 'store', condition: 'healthy' }] })]),
};
const gates = {
  open: new Map([['store', aGuard({ service: 'store', revision: 1, healthyRevision: 1 })]]),
  shut: new Map([['store', aGuard({ service: 'store', revision: 1, healthyRevision: null })]]),
};

export type ServiceName = keyof typeof apps;

function poolsOf(service: Service, name: string, { used }: Surroundings, quota: number): readonly PoolRow[] {
  return poolNames.map((pool, index) =>
    aPool({
      pool,
      order: index,
      quota: { groups: quota, cores: 100 },
      reservations: [
        ...service.cells
          .filter((cell) => cell.pool === index && cell.state !== 'gone')
          .map((cell) => ({ owner: `shop/${name}/${cell.slot}/${cell.incarnation}`, cores: 1, at: now })),
        ...Array.from({ length: used[index] ?? 0 }, (_, n) => ({ owner: `shop/other/${n}/1`, cores: 1, at: now })),
      ],
    }),
  );
}

export function snapshotOf(
  service: Service,
  name: ServiceName,
  surroundings: Surroundings,
  quota: number,
  observations: ServiceSnapshot['observations'],
): ServiceSnapshot {
  return {
    ...identity,
    app: apps[name],
    frozen: false,
    appGeneration: 1,
    guard: guardOf(service, name),
    rollout: null,
    templates,
    replicas: service.cells.map((cell) => rowOf(cell, name)),
    observations,
    dependencies: surroundings.gate ? gates.open : gates.shut,
    pools: poolsOf(service, name, surroundings, quota),
    attemptIds,
    settings,
  };
}
