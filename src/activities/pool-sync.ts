/**
 * Keeps the rows of `~pools` equal to the configuration. A pool that left the configuration is retired, not deleted: its row is the only place that
 * knows where its remaining groups are. Whoever reads the pools brings them up to date first, so nothing depends on a start-up step.
 */
import { ok, type Result } from '../model/result.ts';
import type { PoolRow, Stored } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { Change } from '../ports/state-store.ts';
import type { ActivityPorts, ActivitySettings, PoolConfig } from './ports.ts';
import { bare } from './rows.ts';

type Ports = Pick<ActivityPorts, 'store' | 'ids'>;

export async function readPools(
  { store, ids }: Ports,
  { pools }: Pick<ActivitySettings, 'pools'>,
): Promise<Result<readonly Stored<PoolRow>[], PortError>> {
  const rows = await store.readPools();
  if (!rows.ok) return rows;
  const changes = poolChanges(pools, rows.value);
  if (changes.length === 0) return rows;
  const written = await store.commit({ txId: ids.next(), changes });
  // Another host with the same configuration may have been faster: what counts is what is there now.
  if (!written.ok && written.error.kind !== 'Conflict' && written.error.kind !== 'Unknown') return written;
  return await store.readPools();
}

export function poolChanges(configs: readonly PoolConfig[], rows: readonly Stored<PoolRow>[]): readonly Change[] {
  const known = new Map(rows.map((row) => [row.pool, row]));
  const wanted = configs.flatMap((config, order): readonly Change[] => {
    const row = known.get(config.pool);
    if (row === undefined) return [{ type: 'insert', row: newPool(config, order) }];
    const next: PoolRow = { ...bare(row), ...config, order, retired: false };
    return isSame(next, bare(row)) ? [] : [{ type: 'update', row: next, etag: row.etag }];
  });
  const names = new Set(configs.map((config) => config.pool));
  const retired = rows
    .filter((row) => !names.has(row.pool) && !row.retired)
    .map((row): Change => ({ type: 'update', row: { ...bare(row), retired: true }, etag: row.etag }));
  return [...wanted, ...retired];
}

const newPool = (config: PoolConfig, order: number): PoolRow => ({
  kind: 'pool',
  ...config,
  order,
  cordoned: false,
  retired: false,
  reservations: [],
  orphans: [],
  listedAt: null,
});

const isSame = (a: PoolRow, b: PoolRow): boolean => {
  const facts = ({ type, subscriptionId, resourceGroup, region, quota, order, retired }: PoolRow) =>
    JSON.stringify([type, subscriptionId, resourceGroup, region, quota.groups, quota.cores, order, retired]);
  return facts(a) === facts(b);
};

/** Changes reservations of one pool, reading again when somebody else was faster. `false` = it did not work out; the recount repairs it. */
export async function updateReservations(
  { store, ids }: Ports,
  pool: string,
  change: (held: PoolRow['reservations']) => PoolRow['reservations'],
): Promise<Result<boolean, PortError>> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const rows = await store.readPools();
    if (!rows.ok) return rows;
    const row = rows.value.find((candidate) => candidate.pool === pool);
    if (row === undefined) return ok(false);
    const reservations = change(row.reservations);
    if (reservations === row.reservations) return ok(true);
    const written = await store.commit({
      txId: ids.next(),
      changes: [{ type: 'update', row: { ...bare(row), reservations }, etag: row.etag }],
    });
    if (written.ok) return ok(true);
  }
  return ok(false);
}
