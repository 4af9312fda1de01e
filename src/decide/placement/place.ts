/**
 * The scheduler as the planner uses it: pool rows and the reservations they hold → the pool of each new container group, or why there is none.
 * Reservations are the ledger: an incarnation holds its budget from before its create until its group is confirmed gone.
 */
import type { Topology } from '../../model/placement.ts';
import type { Reason } from '../../model/reasons.ts';
import type { Place, PoolRow } from '../../model/state.ts';
import { asTrusted, isDistrusted } from '../health/cut-off.ts';
import type { Ask, Situation } from './ask.ts';
import { explain, passedOver } from './explain.ts';
import { pick } from './pick.ts';
import { defaultWeights } from './scores.ts';
import { type Shape, shapeOf } from './shape.ts';
import { domainOf, type Ledger, type Target } from './target.ts';
import { createWorld } from './world.ts';

export interface PlacementRequest extends Situation {
  /** Reservation key; a pool that holds it already has room by definition, but may have been closed or excluded since. */
  readonly owner: string;
}

export type Placement =
  | {
      readonly ok: true;
      readonly pool: string;
      /** Why it is not the pool that the order prefers; null = it is. */
      readonly because: string | null;
    }
  | { readonly ok: false; readonly reason: Reason; readonly message: string };

export interface Scheduler {
  /** Places one replica more; the next placement sees it. */
  place(request: PlacementRequest): Placement;
}

/**
 * @param app name of the app; the ask's affinities name services of it
 * @param own pools of the service's replicas that count for spread and limits: live ones of the target revision that do not drain
 */
export function createScheduler(app: string, ask: Ask, pools: readonly PoolRow[], own: readonly string[]): Scheduler {
  const known = asTrusted(pools);
  const inside = ask.pools.length === 0 ? known.filter(({ retired }) => !retired) : known;
  const placed = [
    ...own.map((target) => ({ service: ask.service, target })),
    ...neighbours(app, ask, inside).filter(({ service }) => service !== ask.service),
  ];
  const world = createWorld(inside.map(targetOf), inside.map(ledgerOf), placed);
  const shape = shapeOf(world, ask, defaultWeights);
  return {
    place(request) {
      const held = heldBy(request.owner, shape, pools);
      if (held !== null) return { ok: true, pool: held, because: null };
      const target = pick(shape, request);
      if (target === null) return refused(ask, pools, shape);
      const because = passedOver(shape, target, request.avoid);
      world.occupy(ask.service, target.name, ask);
      return { ok: true, pool: target.name, because };
    },
  };
}

const unlimited = Number.POSITIVE_INFINITY;

export const targetOf = (pool: PoolRow): Target => ({
  name: pool.pool,
  pool: pool.pool,
  kind: pool.type,
  region: pool.region,
  zone: null,
  host: null,
  labels: pool.labels,
  order: pool.order,
  price: pool.price,
  closed: closedBecause(pool),
  ledger: pool.pool,
});

const ledgerOf = ({ pool, quota, reservations }: PoolRow): Ledger => ({
  name: pool,
  limit: { ...quota, memoryGiB: unlimited },
  used: {
    groups: reservations.length,
    cores: reservations.reduce((sum, { cores }) => sum + cores, 0),
    memoryGiB: 0,
  },
});

/** The domain of the topology that container groups of the pool are in; empty = it has none. */
export const poolDomain = (pool: PoolRow, topology: Topology): string => domainOf(targetOf(pool), topology) ?? '';

function closedBecause(pool: PoolRow): string | null {
  if (pool.retired) return 'is no longer configured';
  if (pool.cordoned) return 'is cordoned';
  const { health } = pool;
  return health !== null && isDistrusted(pool) ? `is ${health.state}: ${health.message}` : movingOf(pool);
}

/** Takes no new container groups, whatever its quota. */
export const isClosed = (pool: PoolRow): boolean => closedBecause(pool) !== null;

/** Where a pool is to move and what that waits for, to follow its name; null = nowhere. */
export function movingOf({ pending, ...own }: PoolRow): string | null {
  if (pending === null) return null;
  const text = (at: Place): string =>
    `${at.region} (resource group ${at.resourceGroup}, subscription ${at.subscriptionId})`;
  return `is to move to ${text(pending)} once no container group of it is left in ${text(own)}`;
}

/** Where the services are that the ask wants near or away, by the reservations of the pools. */
function neighbours(app: string, ask: Ask, pools: readonly PoolRow[]) {
  const named = new Set(ask.affinity.map(({ service }) => service));
  if (named.size === 0) return [];
  return pools.flatMap(({ pool, reservations }) =>
    reservations.flatMap(({ owner }) => {
      const [ownerApp, service] = owner.split('/');
      const key = `${ownerApp}/${service}`;
      return ownerApp === app && named.has(key) ? [{ service: key, target: pool }] : [];
    }),
  );
}

/** The pool that the replica has budget in already, if it still may go there: a plan that is made again keeps its place. */
function heldBy(owner: string, shape: Shape, pools: readonly PoolRow[]): string | null {
  const holder = pools.find(({ reservations }) => reservations.some((reservation) => reservation.owner === owner));
  if (holder === undefined) return null;
  const may = shape.candidates.classes.some(({ target }) => target.name === holder.pool);
  return may ? holder.pool : null;
}

function refused(ask: Ask, pools: readonly PoolRow[], shape: Shape): Placement {
  const all = new Set(pools.map(({ pool }) => pool));
  const known = pools.filter(({ retired }) => !retired).map(({ pool }) => pool);
  const unknown = ask.pools.filter((name) => !all.has(name)).map((name) => `${name} is not configured`);
  if (known.length === 0 || (ask.pools.length > 0 && !ask.pools.some((name) => known.includes(name)))) {
    const retired = ask.pools.filter((name) => all.has(name)).map((name) => `${name} is no longer configured`);
    const configured = known.length === 0 ? 'no pool is configured' : `configured: ${known.sort().join(', ')}`;
    return { ok: false, reason: 'UnknownPool', message: `${[...unknown, ...retired, configured].join('; ')}.` };
  }
  const { counts, message } = explain(shape);
  const isRuled = counts.some(({ filter }) => filter !== 'Pool' && filter !== 'Closed' && filter !== 'Quota');
  return {
    ok: false,
    reason: isRuled ? 'NoFeasiblePool' : 'NoPoolWithRoom',
    message: [...unknown, message].join('; '),
  };
}
