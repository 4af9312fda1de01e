/**
 * Which live replicas fill the desired count; the others are surplus. Scale-in order (semantics): unready first, then old revision, then a pool that
 * takes no more, then the domain that is ahead of the others, then the youngest. Incarnations of a service are numbered in the order of their creation.
 */
import type { Topology } from '../model/placement.ts';
import type { PoolRow, ReplicaRow } from '../model/state.ts';
import { isLive } from '../model/transitions.ts';
import { isClosed, poolDomain } from './placement/place.ts';

/** @param spread topology that the service is spread over; null = none */
export function keepersOf(
  desired: number,
  target: number,
  replicas: readonly ReplicaRow[],
  pools: readonly PoolRow[],
  spread: Topology | null,
): ReadonlySet<ReplicaRow> {
  const closed = new Set(pools.filter(isClosed).map((pool) => pool.pool));
  const domains = new Map(pools.map((pool) => [pool.pool, spread === null ? '' : poolDomain(pool, spread)]));
  const kept = new Map<string, number>();
  const domainOf = (row: ReplicaRow): string => domains.get(row.pool) ?? '';
  const cost = (row: ReplicaRow): readonly number[] => [
    row.state === 'ready' ? 0 : 1,
    row.revision === target ? 0 : 1,
    closed.has(row.pool) ? 1 : 0,
    kept.get(domainOf(row)) ?? 0,
    row.incarnation,
  ];
  const left = new Set(replicas.filter((row) => isLive(row.state)));
  const slots = new Set<number>();
  const keepers = new Set<ReplicaRow>();
  while (keepers.size < desired && left.size > 0) {
    const next = [...left].reduce((best, row) => (compare(cost(row), cost(best)) < 0 ? row : best));
    left.delete(next);
    if (slots.has(next.slot)) continue;
    slots.add(next.slot);
    keepers.add(next);
    kept.set(domainOf(next), (kept.get(domainOf(next)) ?? 0) + 1);
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
