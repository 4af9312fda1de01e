/**
 * What a pool's ledger should hold, by the rows: a reservation for every incarnation that may have a group, and none for one that is confirmed gone.
 * A reservation without a row may belong to a commit that is still on its way, so it gets time, unless its number has been given out: number and row
 * are committed together, so the row was there and is over. A run has number and row before it has a place: what is taken for it may be on its way as
 * well. What could not be read is left as it is.
 */
import type { PoolRow, ReplicaRow, Reservation } from '../model/state.ts';
import { ownerOf } from './group-spec.ts';

export interface RecountInput {
  readonly pool: PoolRow;
  /** Rows of every app that was read completely; those that are over may be left out. */
  readonly replicas: readonly ReplicaRow[];
  /** Names of the apps that were read; reservations of others stay. */
  readonly read: ReadonlySet<string>;
  /** Whether the incarnation of this owner is below its guard's next one, as it was before the replicas were read. */
  readonly isGivenOut: (owner: string) => boolean;
  /** Whether the listing shows the group of this owner: it is paid for as long as it stands, whatever its row says. */
  readonly isListed: (owner: string) => boolean;
  readonly coresOf: (replica: ReplicaRow) => number;
  /** How long a reservation may wait for its row. */
  readonly graceMs: number;
}

export function recount(input: RecountInput, now: number): readonly Reservation[] {
  const { pool, replicas, read, isGivenOut, isListed, coresOf, graceMs } = input;
  const here = replicas.filter((row) => row.pool === pool.pool);
  const rows = new Map(here.map((row) => [ownerOf(row), row]));
  const unplaced = new Set(replicas.filter((row) => row.pool === '' && row.state !== 'gone').map(ownerOf));
  const kept = pool.reservations.filter(({ owner, at }) => {
    if (!read.has(owner.split('/')[0] ?? '') || isListed(owner)) return true;
    const row = rows.get(owner);
    if (row !== undefined) return row.state !== 'gone';
    return (unplaced.has(owner) || !isGivenOut(owner)) && now - at < graceMs;
  });
  const held = new Set(pool.reservations.map(({ owner }) => owner));
  const missing = here
    .filter((row) => row.state !== 'gone' && !held.has(ownerOf(row)))
    .map((row) => ({ owner: ownerOf(row), cores: coresOf(row), at: now }));
  return [...kept, ...missing];
}
