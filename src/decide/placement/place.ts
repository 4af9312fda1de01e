/**
 * Picks the pool of a new container group: the first in the app's order that passes every filter. Each refusal is kept, so that a "no" says which
 * filter turned down which pool. Reservations are the ledger: an incarnation holds its budget from before its create until its group is confirmed gone.
 */
import type { PoolRow } from '../../model/state.ts';

export interface PlacementRequest {
  /** Reservation key; a pool that holds it already has room by definition, but may have been closed or excluded since. */
  readonly owner: string;
  readonly cores: number;
  /** Names of the pools that may be used, in order of preference; empty = every pool in the order of configuration. */
  readonly order: readonly string[];
  /** Pools that just refused this slot for want of quota or capacity: used only if nothing else has room. */
  readonly avoid: ReadonlySet<string>;
}

export type Placement =
  | { readonly ok: true; readonly pool: PoolRow }
  | { readonly ok: false; readonly reason: 'NoPoolWithRoom' | 'UnknownPool'; readonly message: string };

interface Filter {
  readonly refuses: (pool: PoolRow, request: PlacementRequest) => boolean;
  readonly explain: (pool: PoolRow, request: PlacementRequest) => string;
}

const used = (pool: PoolRow): { readonly groups: number; readonly cores: number } => ({
  groups: pool.reservations.length,
  cores: pool.reservations.reduce((sum, reservation) => sum + reservation.cores, 0),
});

const closed: readonly Filter[] = [
  { refuses: (pool) => pool.retired, explain: () => 'is no longer configured' },
  { refuses: (pool) => pool.cordoned, explain: () => 'is cordoned' },
];

const full: readonly Filter[] = [
  {
    refuses: (pool) => used(pool).groups + 1 > pool.quota.groups,
    explain: (pool) => `holds ${used(pool).groups} of ${pool.quota.groups} groups`,
  },
  {
    refuses: (pool, request) => used(pool).cores + request.cores > pool.quota.cores,
    explain: (pool, request) =>
      `holds ${used(pool).cores} of ${pool.quota.cores} cores and the group needs ${request.cores}`,
  },
];

export function place(request: PlacementRequest, pools: readonly PoolRow[]): Placement {
  const refusals: string[] = [];
  const candidates: PoolRow[] = [];
  for (const pool of ordered(request, pools, refusals)) {
    const held = pool.reservations.some((reservation) => reservation.owner === request.owner);
    const refusal = (held ? closed : [...closed, ...full]).find((filter) => filter.refuses(pool, request));
    if (refusal === undefined && held) return { ok: true, pool };
    if (refusal === undefined) candidates.push(pool);
    else refusals.push(`${pool.pool} ${refusal.explain(pool, request)}`);
  }
  const pool = candidates.find((candidate) => !request.avoid.has(candidate.pool)) ?? candidates[0];
  if (pool !== undefined) return { ok: true, pool };
  return refused(request, pools, refusals);
}

function ordered(request: PlacementRequest, pools: readonly PoolRow[], refusals: string[]): readonly PoolRow[] {
  if (request.order.length === 0) {
    return [...pools].sort((a, b) => a.order - b.order || (a.pool < b.pool ? -1 : 1)).filter((pool) => !pool.retired);
  }
  return request.order.flatMap((name) => {
    const pool = pools.find((candidate) => candidate.pool === name);
    if (pool === undefined) refusals.push(`${name} is not configured`);
    return pool === undefined ? [] : [pool];
  });
}

function refused(request: PlacementRequest, pools: readonly PoolRow[], refusals: readonly string[]): Placement {
  const known = new Set(pools.filter((pool) => !pool.retired).map((pool) => pool.pool));
  const unknown = request.order.length > 0 && request.order.every((name) => !known.has(name));
  const configured = known.size === 0 ? 'no pool is configured' : `configured: ${[...known].sort().join(', ')}`;
  return unknown || known.size === 0
    ? { ok: false, reason: 'UnknownPool', message: `${[...refusals, configured].join('; ')}.` }
    : {
        ok: false,
        reason: 'NoPoolWithRoom',
        message: `${refusals.join('; ')}. Remove replicas, raise the quota, or allow another pool.`,
      };
}

/** The same pools with one more reservation, so that the next placement of the same plan sees it. */
export function withReservation(
  pools: readonly PoolRow[],
  name: string,
  reservation: PoolRow['reservations'][number],
): readonly PoolRow[] {
  return pools.map((pool) =>
    pool.pool !== name || pool.reservations.some((held) => held.owner === reservation.owner)
      ? pool
      : { ...pool, reservations: [...pool.reservations, reservation] },
  );
}
