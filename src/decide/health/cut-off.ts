/**
 * Whether it is us who are cut off. When every region that holds replicas looks dead at once, it is more likely our own network that is: then nothing is
 * replaced, deleted or taken out of the endpoints, because all of it would rest on what we cannot see (semantics, "Dead or cut off").
 */
import type { PoolRow } from '../../model/state.ts';

const holdsReplicas = ({ reservations, listedGroups }: PoolRow): boolean =>
  reservations.length > 0 || (listedGroups ?? 0) > 0;

export const isDown = ({ health }: PoolRow): boolean => health?.state === 'down';

export function isCutOff(pools: readonly PoolRow[]): boolean {
  const holding = pools.filter(holdsReplicas);
  return holding.length > 0 && holding.every(isDown);
}

/** Takes no new container groups, for the moment. */
export const isDistrusted = ({ health }: PoolRow): boolean => health?.state === 'suspect' || health?.state === 'down';

/**
 * The pools as the scheduler is to see them: where none that takes container groups is trusted, suspicion alone closes none of them, because nothing would
 * be gained by waiting.
 */
export function asTrusted<P extends PoolRow>(pools: readonly P[]): readonly P[] {
  const open = pools.filter(({ cordoned, retired, pending }) => !cordoned && !retired && pending === null);
  if (open.length === 0 || open.some((pool) => !isDistrusted(pool))) return pools;
  return pools.map((pool) => (pool.health?.state === 'suspect' ? { ...pool, health: null } : pool));
}
