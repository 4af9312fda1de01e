/**
 * Whose turn it is in a rollout: which old replicas may leave now, and how many new ones may be created. Stateless: it is decided from what stands, so it
 * goes on from any half-done state, and whatever changed in between (the number of replicas, the pace, the revision) is simply there.
 */
import type { PoolRow, ReplicaRow } from '../../model/state.ts';
import { isLive } from '../../model/transitions.ts';
import { isClosed } from '../placement/place.ts';
import type { Pace } from './pace.ts';

/** How the desired replicas are shared between two revisions. */
export interface Share {
  /** How many are to have the target revision. */
  readonly fresh: number;
  /** How many others are to stay, and to be made up for when they are lost. */
  readonly old: number;
  /** At which revision; null = nothing is known of it, and none is made up for. */
  readonly base: number | null;
  /** Paused: what stands stays, also above the desired number. */
  readonly isHeld: boolean;
}

export interface RolloutFacts {
  readonly desired: number;
  /** Revision that replicas should have. */
  readonly target: number;
  /** Rows of the service; what is gone does not count. */
  readonly replicas: readonly ReplicaRow[];
  readonly pace: Pace;
  readonly share: Share;
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
 * whose slot has a successor. Never more leave than the share of the new ones makes superfluous.
 */
export function leavingOf({ target, replicas, pace, share, pools, minReadyMs, now }: LeavingFacts): Leaving {
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
  const idle = old.filter(({ state }) => state !== 'ready');
  const excess = Math.max(0, share.isHeld ? live.length - pace.ceiling : old.length - share.old);
  const going = idle.slice(0, excess);
  return {
    replicas: new Set([...going, ...ranked.slice(0, Math.min(spare, excess - going.length))]),
    lookAt: old.length === 0 || maturing.length === 0 ? null : Math.min(...maturing.map(countsAt)),
  };
}

/** How many replicas of the target may be created now. */
export function roomOf(facts: RolloutFacts): number {
  const { target, replicas, pace, share } = facts;
  const fresh = replicas.filter(({ state, revision }) => isLive(state) && revision === target);
  const wanted = Math.max(0, share.fresh - fresh.length);
  if (!isRollingOut(facts)) return wanted;
  if (pace.strategy === 'recreate' && !share.isHeld) return 0;
  return Math.max(0, Math.min(wanted, belowCeiling(facts)));
}

/** How many of the others are missing, and may be created at their own revision: a loss while a rollout is paused, or beside a canary. */
export function baseRoomOf(facts: RolloutFacts): number {
  const { target, replicas, share } = facts;
  if (share.base === null) return 0;
  const others = replicas.filter(({ state, revision }) => isLive(state) && revision !== target);
  return Math.max(0, Math.min(share.old - others.length, belowCeiling(facts)));
}

/** Where old and new do not overlap, what drains or is being deleted still holds its place. */
function belowCeiling({ replicas, pace }: RolloutFacts): number {
  const standing = replicas.filter(({ state }) => (pace.overlaps ? isLive(state) : state !== 'gone'));
  return pace.ceiling - standing.length;
}
