/**
 * Which live replicas fill the desired count; the others are surplus. Scale-in order (semantics): unready first, then old revision, then a pool that
 * takes no more, then the youngest. Incarnations of a service are numbered in the order of their creation.
 */
import type { PoolRow, ReplicaRow } from '../model/state.ts';
import { isLive } from '../model/transitions.ts';
import { isClosed } from './placement/place.ts';

export function keepersOf(
  desired: number,
  target: number,
  replicas: readonly ReplicaRow[],
  pools: readonly PoolRow[],
): ReadonlySet<ReplicaRow> {
  const closed = new Set(pools.filter(isClosed).map((pool) => pool.pool));
  const cost = (row: ReplicaRow): readonly number[] => [
    row.state === 'ready' ? 0 : 1,
    row.revision === target ? 0 : 1,
    closed.has(row.pool) ? 1 : 0,
    row.incarnation,
  ];
  const ranked = replicas.filter((row) => isLive(row.state)).sort((a, b) => compare(cost(a), cost(b)));
  const slots = new Set<number>();
  const keepers = new Set<ReplicaRow>();
  for (const row of ranked) {
    if (keepers.size >= desired) break;
    if (slots.has(row.slot)) continue;
    slots.add(row.slot);
    keepers.add(row);
  }
  return keepers;
}

export function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
