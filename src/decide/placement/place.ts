/**
 * Picks the pool of a new container group: the first in the app's order that passes every filter. Each refusal is kept, so that a "no" says which
 * filter turned down which pool. Reservations are the ledger: an incarnation holds its budget from before its create until its group is confirmed gone.
 */
import type { Place, PoolRow } from '../../model/state.ts';

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

/** Why the pool is out of the question, to follow its name; null = it is not. */
type Filter = (pool: PoolRow, request: PlacementRequest) => string | null;

const used = (pool: PoolRow): { readonly groups: number; readonly cores: number } => ({
  groups: pool.reservations.length,
  cores: pool.reservations.reduce((sum, reservation) => sum + reservation.cores, 0),
});

const closed: readonly Filter[] = [
  (pool) => (pool.retired ? 'is no longer configured' : null),
  (pool) => (pool.cordoned ? 'is cordoned' : null),
  movingOf,
];

/** Takes no new container groups, whatever its quota. */
export const isClosed = (pool: PoolRow): boolean => pool.retired || pool.cordoned || pool.pending !== null;

/** Where a pool is to move and what that waits for, to follow its name; null = nowhere. */
export function movingOf({ pending, ...own }: PoolRow): string | null {
  if (pending === null) return null;
  const text = (at: Place): string =>
    `${at.region} (resource group ${at.resourceGroup}, subscription ${at.subscriptionId})`;
  return `is to move to ${text(pending)} once no container group of it is left in ${text(own)}`;
}

const full: readonly Filter[] = [
  (pool) =>
    used(pool).groups + 1 > pool.quota.groups ? `holds ${used(pool).groups} of ${pool.quota.groups} groups` : null,
  (pool, { cores }) =>
    used(pool).cores + cores > pool.quota.cores
      ? `holds ${used(pool).cores} of ${pool.quota.cores} cores and the group needs ${cores}`
      : null,
];

export function place(request: PlacementRequest, pools: readonly PoolRow[]): Placement {
  const refusals: string[] = [];
  const candidates: PoolRow[] = [];
  for (const pool of ordered(request, pools, refusals)) {
    const held = pool.reservations.some((reservation) => reservation.owner === request.owner);
    const refusal = refusalOf(held ? closed : [...closed, ...full], pool, request);
    if (refusal === null && held) return { ok: true, pool };
    if (refusal === null) candidates.push(pool);
    else refusals.push(`${pool.pool} ${refusal}`);
  }
  const pool = candidates.find((candidate) => !request.avoid.has(candidate.pool)) ?? candidates[0];
  if (pool !== undefined) return { ok: true, pool };
  return refused(request, pools, refusals);
}

function refusalOf(filters: readonly Filter[], pool: PoolRow, request: PlacementRequest): string | null {
  for (const filter of filters) {
    const refusal = filter(pool, request);
    if (refusal !== null) return refusal;
  }
  return null;
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
