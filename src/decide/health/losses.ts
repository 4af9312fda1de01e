/**
 * What becomes of the replicas of a region that is down, and of one that is back. Lost ones leave the endpoints and are made up for elsewhere, but nothing is
 * done to their container groups: nobody can see them. Back again, each is an unready replica like any other, and whoever is superfluous by then goes.
 */
import type { PlannedEvent } from '../../model/plan.ts';
import type { PoolRow, ReplicaRow, ReplicaState } from '../../model/state.ts';
import { isDown } from './cut-off.ts';

export interface Turn {
  readonly row: ReplicaRow;
  readonly events: readonly PlannedEvent[];
}

const losable: ReadonlySet<ReplicaState> = new Set<ReplicaState>(['starting', 'ready', 'unready']);

/** null = it stays as it is. While we are cut off nothing changes: the caller does not ask. */
export function turnOf(replica: ReplicaRow, pool: PoolRow, now: number): Turn | null {
  if (isDown(pool)) return losable.has(replica.state) ? lose(replica, pool, now) : null;
  return replica.state === 'lost' ? regain(replica, pool, now) : null;
}

const eventOf = (type: PlannedEvent['type'], row: ReplicaRow, message: string): PlannedEvent => ({
  type,
  replica: { slot: row.slot, incarnation: row.incarnation },
  ...(row.reason === null ? {} : { reason: row.reason }),
  message,
});

function lose(replica: ReplicaRow, { pool, health }: PoolRow, now: number): Turn {
  const message = `The pool ${pool} is down: ${health?.message ?? ''}.`;
  const row: ReplicaRow = { ...replica, state: 'lost', stateAt: now, reason: 'PoolDown', message, endpoint: false };
  const left = eventOf('EndpointRemoved', row, `${replica.ip} leaves the endpoints.`);
  const lost = eventOf('ReplicaLost', row, message);
  return { row, events: replica.endpoint ? [left, lost] : [lost] };
}

function regain(replica: ReplicaRow, { pool }: PoolRow, now: number): Turn {
  const message = `The pool ${pool} is back.`;
  const row: ReplicaRow = { ...replica, state: 'unready', stateAt: now, reason: null, message, endpoint: false };
  return { row, events: [eventOf('ReplicaRegained', row, message)] };
}

/**
 * The order in which apps are told of their losses, and when, so that what they then create stays within what the regions that are left take: those of
 * which the least is left first.
 *
 * @param apps per app the replicas that it lost, and the ready ones that it has left
 * @param perMs creates that the regions that are left take
 * @returns app → how long it waits, ms
 */
export function paced(
  apps: readonly { readonly app: string; readonly lost: number; readonly left: number }[],
  perMs: number,
): ReadonlyMap<string, number> {
  const shareLeft = ({ lost, left }: { readonly lost: number; readonly left: number }): number => left / (left + lost);
  const order = apps
    .filter(({ lost }) => lost > 0)
    .toSorted((a, b) => shareLeft(a) - shareLeft(b) || (a.app < b.app ? -1 : 1));
  const waits = new Map<string, number>();
  let before = 0;
  for (const { app, lost } of order) {
    waits.set(app, perMs > 0 ? Math.round(before / perMs) : 0);
    before += lost;
  }
  return waits;
}
