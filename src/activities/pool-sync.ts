/**
 * Keeps the rows of `~pools` equal to the configuration. A pool that left the configuration is retired, not deleted, and one that is to be elsewhere
 * keeps its place while it holds groups: its row is all that knows where they are. Whoever reads the pools brings them up to date first, so nothing
 * depends on a start-up step.
 */

import { movingOf } from '../decide/placement/place.ts';
import { keyOf } from '../model/keys.ts';
import { ok, type Result } from '../model/result.ts';
import type { Place, PoolRow, Row, Stored } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { Change } from '../ports/state-store.ts';
import { canonicalJson } from '../spec/json.ts';
import type { ActivityPorts, ActivitySettings, PoolConfig } from './ports.ts';
import { bare } from './rows.ts';

type Ports = Pick<ActivityPorts, 'store' | 'ids' | 'log'>;

/** Longest transaction of the table. */
const changesPerTransaction = 100;

export async function readPools(
  { store, ids, log }: Ports,
  { pools }: Pick<ActivitySettings, 'pools'>,
): Promise<Result<readonly Stored<PoolRow>[], PortError>> {
  const rows = await store.readPools();
  if (!rows.ok) return rows;
  const changes = poolChanges(pools, rows.value);
  if (changes.length === 0) return rows;
  for (let n = 0; n < changes.length; n += changesPerTransaction) {
    const part = changes.slice(n, n + changesPerTransaction);
    const written = await store.commit({ txId: ids.next(), changes: part });
    // Another host with the same configuration may have been faster: what counts is what is there now.
    if (!written.ok && written.error.kind !== 'Conflict' && written.error.kind !== 'Unknown') return written;
    if (written.ok) for (const change of part) if (change.type === 'update') tellMove(log, change.row, rows.value);
  }
  return await store.readPools();
}

function tellMove(log: Ports['log'], row: Row, before: readonly PoolRow[]): void {
  if (row.kind !== 'pool' || row.pending === null) return;
  const known = before.find(({ pool }) => pool === row.pool)?.pending ?? null;
  if (known !== null && isSamePlace(known, row.pending)) return;
  log.warn(`The pool ${row.pool} ${movingOf(row)}.`, { pool: row.pool });
}

export function poolChanges(configs: readonly PoolConfig[], rows: readonly Stored<PoolRow>[]): readonly Change[] {
  const known = new Map(rows.map((row) => [row.pool, row]));
  const wanted = configs.flatMap((config, order): readonly Change[] => {
    const row = known.get(config.pool);
    if (row === undefined) return [{ type: 'insert', row: newPool(config, order) }];
    const next = configured(bare(row), config, order);
    return isSame(next, bare(row)) ? [] : [{ type: 'update', row: next, etag: row.etag }];
  });
  const names = new Set(configs.map((config) => config.pool));
  const retired = rows
    .filter((row) => !names.has(row.pool) && !row.retired)
    .map((row): Change => ({ type: 'update', row: { ...bare(row), retired: true, pending: null }, etag: row.etag }));
  return [...wanted, ...retired];
}

function configured(row: PoolRow, config: PoolConfig, order: number): PoolRow {
  const { pool, type, quota, labels, price, subscriptionId, resourceGroup, region } = config;
  const place: Place = { subscriptionId, resourceGroup, region };
  const kept: PoolRow = { ...row, pool, type, quota, labels, price, order, retired: false };
  if (isSamePlace(row, place)) return { ...kept, ...place, pending: null };
  if (holdsGroups(row)) return { ...kept, pending: place };
  return { ...kept, ...place, pending: null, orphans: [], listedAt: null, listedGroups: null, health: null };
}

/** As far as the ledger and the last complete listing know. */
const holdsGroups = ({ reservations, orphans, listedGroups }: PoolRow): boolean =>
  reservations.length > 0 || orphans.length > 0 || (listedGroups ?? 0) > 0;

export function isSamePlace(a: Place, b: Place): boolean {
  const facts = ({ subscriptionId, resourceGroup, region }: Place) =>
    [subscriptionId, resourceGroup, region].join('/').toLowerCase();
  return facts(a) === facts(b);
}

const newPool = (config: PoolConfig, order: number): PoolRow => ({
  kind: 'pool',
  ...config,
  order,
  cordoned: false,
  draining: false,
  retired: false,
  reservations: [],
  creates: [],
  orphans: [],
  listedAt: null,
  listedGroups: null,
  health: null,
  pending: null,
});

const isSame = (a: PoolRow, b: PoolRow): boolean => {
  const facts = (row: PoolRow) => {
    const { type, subscriptionId, resourceGroup, region, quota, labels, price, order, retired, pending } = row;
    const next = pending === null ? null : [pending.subscriptionId, pending.resourceGroup, pending.region];
    return JSON.stringify([
      type,
      subscriptionId,
      resourceGroup,
      region,
      quota.groups,
      quota.cores,
      canonicalJson(labels),
      price?.coreHour,
      price?.gibHour,
      order,
      retired,
      next,
    ]);
  };
  return facts(a) === facts(b);
};

/**
 * Changes reservations of one pool, beginning with the row as it was last `seen` and reading it again when somebody else was faster. `false` = it did not
 * work out; the recount repairs it.
 */
export async function updateReservations(
  { store, ids }: Pick<Ports, 'store' | 'ids'>,
  seen: Stored<PoolRow>,
  change: (held: PoolRow['reservations']) => PoolRow['reservations'],
): Promise<Result<boolean, PortError>> {
  let row = seen;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const reservations = change(row.reservations);
    if (reservations === row.reservations) return ok(true);
    const written = await store.commit({
      txId: ids.next(),
      changes: [{ type: 'update', row: { ...bare(row), reservations }, etag: row.etag }],
    });
    if (written.ok) return ok(true);
    const read = await store.read<PoolRow>(keyOf(row));
    if (!read.ok) return read;
    if (read.value === null) return ok(false);
    row = read.value;
  }
  return ok(false);
}
