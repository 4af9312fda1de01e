/**
 * Takes the budget of new container groups in `~pools` before the app commit, so that two apps cannot both take the last place. The plan is made
 * anew whenever somebody else changed a pool in between. A reservation whose commit never came is dropped by the recount.
 */
import { withCreates } from '../decide/budget/windows.ts';
import { ownerOf } from '../decide/group-spec.ts';
import { reconcile } from '../decide/reconcile.ts';
import type { Plan } from '../model/plan.ts';
import { err, ok, type Result } from '../model/result.ts';
import { isRun } from '../model/run.ts';
import type { ServiceSnapshot } from '../model/snapshot.ts';
import type { PoolRow, ReplicaRow, Stored } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { Change } from '../ports/state-store.ts';
import { readPools, updateReservations } from './pool-sync.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';
import { bare } from './rows.ts';

/** Rounds lost to other apps before the pass gives up and comes again. */
const roundsMax = 8;

export async function planWithBudget(
  ports: ActivityPorts,
  settings: ActivitySettings,
  snapshot: ServiceSnapshot,
  pools: readonly Stored<PoolRow>[],
  now: number,
): Promise<Result<Plan, PortError>> {
  let current = pools;
  for (let round = 0; round < roundsMax; round += 1) {
    const plan = reconcile({ ...snapshot, pools: current.map(bare) }, now);
    const changes = reservationChanges(plan, snapshot, current, now);
    if (changes.length === 0) return ok(plan);
    const written = await ports.store.commit({ txId: ports.ids.next(), changes });
    if (written.ok) return ok(plan);
    if (written.error.kind !== 'Conflict' && written.error.kind !== 'Unknown') return written;
    const read = await readPools(ports, settings);
    if (!read.ok) return read;
    current = read.value;
  }
  return err({ kind: 'Conflict', code: null, message: 'the pools change too fast', retryAfterMs: null });
}

function reservationChanges(
  plan: Plan,
  snapshot: ServiceSnapshot,
  pools: readonly Stored<PoolRow>[],
  now: number,
): readonly Change[] {
  // A run has its row before it has a place.
  const created = plan.replicas
    .filter(({ insert, row }) => insert || (isRun(row) && row.state === 'creating'))
    .map(({ row }) => row);
  return pools.flatMap((pool): readonly Change[] => {
    const held = new Set(pool.reservations.map(({ owner }) => owner));
    const added = created
      .filter((row) => row.pool === pool.pool && !held.has(ownerOf(row)))
      .map((row) => ({
        owner: ownerOf(row),
        cores: snapshot.templates.get(row.revision)?.cpuCores ?? 0,
        at: now,
      }));
    if (added.length === 0) return [];
    const row: PoolRow = {
      ...bare(pool),
      reservations: [...pool.reservations, ...added],
      creates: withCreates(pool, added.length, now),
    };
    return [{ type: 'update', row, etag: pool.etag }];
  });
}

/** Gives back the budget of replicas that are confirmed gone. Failing is harmless: the recount finds it. */
export async function releaseBudget(
  ports: ActivityPorts,
  replicas: readonly ReplicaRow[],
  pools: readonly Stored<PoolRow>[],
): Promise<void> {
  const gone = replicas.filter((row) => row.state === 'gone');
  for (const pool of pools) {
    const owners = new Set(gone.filter((row) => row.pool === pool.pool).map(ownerOf));
    if (owners.size === 0) continue;
    const result = await updateReservations(ports, pool, (held) => {
      const kept = held.filter(({ owner }) => !owners.has(owner));
      return kept.length === held.length ? held : kept;
    });
    if (!result.ok || !result.value)
      ports.log.warn('Budget was not given back yet; the recount will.', { pool: pool.pool });
  }
}
