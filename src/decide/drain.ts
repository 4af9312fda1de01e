/**
 * Emptying a pool: its replicas are replaced elsewhere one at a time, the successor first. Nothing serves less meanwhile, and where no other pool has
 * room nothing is moved. What is not ready serves nobody and goes at once.
 */
import { isRun } from '../model/run.ts';
import type { PoolRow, ReplicaRow } from '../model/state.ts';
import { isLive } from '../model/transitions.ts';

export const drainedPools = (pools: readonly PoolRow[]): ReadonlySet<string> =>
  new Set(pools.filter(({ draining }) => draining).map(({ pool }) => pool));

export interface DrainTurn {
  /** Replicas above the desired number, for a time: 0 or 1. */
  readonly surge: number;
  /** Live replicas that leave now, wanted or not. */
  readonly leaving: ReadonlySet<ReplicaRow>;
}

/** @param replicas of the service; those of one revision, while none is rolled out */
export function drainTurn(desired: number, replicas: readonly ReplicaRow[], drained: ReadonlySet<string>): DrainTurn {
  const live = replicas.filter(({ state }) => isLive(state));
  const inside = live.filter(({ pool }) => drained.has(pool));
  const ready = live.filter(({ state }) => state === 'ready');
  const isDone = inside.every(({ state }) => state !== 'ready');
  const isOneLeaving = replicas.some(({ state, pool }) => state === 'draining' && drained.has(pool));
  return {
    surge: isDone || isOneLeaving || desired === 0 || ready.length > desired ? 0 : 1,
    leaving: new Set(inside.filter(({ state }) => state !== 'ready')),
  };
}

/** A replica that still runs has to leave its pool. A one-off run ends where it began. */
export const hasToLeave = (replicas: readonly ReplicaRow[], drained: ReadonlySet<string>): boolean =>
  replicas.some((row) => row.state !== 'gone' && !isRun(row) && drained.has(row.pool));
