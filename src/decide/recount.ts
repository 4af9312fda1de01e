/**
 * What a pool's ledger should hold, by the rows: a reservation for every incarnation that may have a group, and none for one that is confirmed gone.
 * A reservation without a row may belong to a commit that is still on its way, so it gets time; what could not be read is left as it is.
 */
import type { PoolRow, ReplicaRow, Reservation } from '../model/state.ts';
import { ownerOf } from './group-spec.ts';

export interface RecountInput {
  readonly pool: PoolRow;
  /** Rows of every app that was read completely, gone ones included. */
  readonly replicas: readonly ReplicaRow[];
  /** Names of the apps that were read; reservations of others stay. */
  readonly read: ReadonlySet<string>;
  readonly coresOf: (replica: ReplicaRow) => number;
  /** How long a reservation may wait for its row. */
  readonly graceMs: number;
}

export function recount({ pool, replicas, read, coresOf, graceMs }: RecountInput, now: number): readonly Reservation[] {
  const here = replicas.filter((row) => row.pool === pool.pool);
  const rows = new Map(here.map((row) => [ownerOf(row), row]));
  const kept = pool.reservations.filter(({ owner, at }) => {
    if (!read.has(owner.split('/')[0] ?? '')) return true;
    const row = rows.get(owner);
    return row === undefined ? now - at < graceMs : row.state !== 'gone';
  });
  const held = new Set(pool.reservations.map(({ owner }) => owner));
  const missing = here
    .filter((row) => row.state !== 'gone' && !held.has(ownerOf(row)))
    .map((row) => ({ owner: ownerOf(row), cores: coresOf(row), at: now }));
  return [...kept, ...missing];
}
