/**
 * Whose turn it is in a rollout: which old replicas may leave now, and how many new ones may be created. Stateless: it is decided from what stands, so it
 * goes on from any half-done state, and whatever changed in between (the number of replicas, the pace, the revision) is simply there.
 */
import type { PoolRow, ReplicaRow } from '../../model/state.ts';
import { isLive } from '../../model/transitions.ts';
import { isClosed } from '../placement/place.ts';
import type { Pace } from './pace.ts';

export interface RolloutFacts {
  readonly desired: number;
  /** Revision that replicas should have. */
  readonly target: number;
  /** Rows of the service; what is gone does not count. */
  readonly replicas: readonly ReplicaRow[];
  readonly pace: Pace;
}

/** Live or on their way out, replicas of other revisions are there. */
export const isRollingOut = ({ target, replicas }: Pick<RolloutFacts, 'target' | 'replicas'>): boolean =>
  replicas.some(({ state, revision }) => state !== 'gone' && revision !== target);

export interface LeavingFacts extends RolloutFacts {
  readonly pools: readonly PoolRow[];
  /** A new replica counts once it has been ready for so long. */
  readonly minReadyMs: number;
  readonly now: number;
}

export interface Leaving {
  /** Live replicas of other revisions that are replaced now. */
  readonly replicas: ReadonlySet<ReplicaRow>;
  /** When the next new replica has been ready for long enough to count, epoch ms; null = none is about to. */
  readonly lookAt: number | null;
}

/**
 * What is not ready serves nobody, so its removal is never charged: a service whose old replicas all fail can always be fixed forward (semantics, "Surge,
 * availability, disruption"). Of the ready ones so many leave as are ready above the floor, new ones counted: those in a closed pool first, then those
 * whose slot has a successor.
 */
export function leavingOf({ target, replicas, pace, pools, minReadyMs, now }: LeavingFacts): Leaving {
  const live = replicas.filter(({ state }) => isLive(state));
  const old = live.filter(({ revision }) => revision !== target);
  const serving = old.filter(({ state }) => state === 'ready');
  const ready = live.filter(({ state, revision }) => state === 'ready' && revision === target);
  const countsAt = (row: ReplicaRow): number => (row.readyAt ?? now) + minReadyMs;
  const counting = ready.filter((row) => countsAt(row) <= now);
  const maturing = ready.filter((row) => countsAt(row) > now);
  const spare = Math.max(0, serving.length + counting.length - pace.floor);
  const closed = new Set(pools.filter(isClosed).map(({ pool }) => pool));
  const succeeded = new Set(counting.map(({ slot }) => slot));
  const cost = (row: ReplicaRow): number => (closed.has(row.pool) ? 0 : succeeded.has(row.slot) ? 1 : 2);
  const ranked = serving.sort((a, b) => cost(a) - cost(b) || a.slot - b.slot || a.incarnation - b.incarnation);
  return {
    replicas: new Set([...old.filter(({ state }) => state !== 'ready'), ...ranked.slice(0, spare)]),
    lookAt: old.length === 0 || maturing.length === 0 ? null : Math.min(...maturing.map(countsAt)),
  };
}

/** How many new replicas may be created now. Where old and new do not overlap, what drains or is being deleted still holds its place. */
export function roomOf(facts: RolloutFacts): number {
  const { desired, target, replicas, pace } = facts;
  const present = replicas.filter(({ state }) => state !== 'gone');
  const live = present.filter(({ state }) => isLive(state));
  const fresh = live.filter(({ revision }) => revision === target);
  const wanted = Math.max(0, desired - fresh.length);
  if (!isRollingOut(facts)) return wanted;
  if (pace.strategy === 'recreate') return 0;
  const standing = pace.overlaps ? live : present;
  return Math.max(0, Math.min(wanted, pace.ceiling - standing.length));
}
