/**
 * S11, S1, L5: nothing new is placed in a pool that is closed by command; a drain takes a ready replica only while so many others are ready as are desired; and
 * in the end nothing is left in a drained pool, unless there is no other room and the service says so.
 */
import type { Oracle, RawEntity, RowEvent, View } from '../types.ts';
import { guardOf, isReplica, nameOf, replicasOf } from './rows.ts';

/** A decision may be this old when it is committed: calls of the table that are slow and repeated. */
const decisionMs = 180_000;

interface Memory {
  /** Since when pools have been closed by command, without a break. */
  readonly closedSince: Map<string, number>;
  /** When a replica lost its readiness by no drain. */
  readonly lostAt: Map<string, number>;
  /** Ready replicas that a drain takes at the present instant: judged once the transaction is whole. */
  taken: { readonly at: number; readonly row: RawEntity }[];
  /** A restored table has forgotten commands. */
  isRestored: boolean;
}

export const drains: Oracle = {
  name: 'drains',
  invariant: 'S11',
  create() {
    const memory: Memory = { closedSince: new Map(), lostAt: new Map(), taken: [], isRestored: false };
    return {
      onEvent(view, event) {
        if (memory.taken.some(({ at }) => event.at > at)) {
          for (const one of memory.taken) judgeTaken(view, one.row, one.at, memory);
          memory.taken = [];
        }
        if (event.type === 'row') see(view, event, memory);
      },
      onEnd(view) {
        if (memory.isRestored) return;
        for (const pool of view.rows('~pools').filter((row) => row['draining'] === true)) judgeLeft(view, pool);
      },
    };
  },
};

function see(view: View, { before, after, at, foreign }: RowEvent, memory: Memory): void {
  memory.isRestored ||= foreign;
  if (after?.['kind'] === 'pool') note(memory.closedSince, after, at);
  if (memory.isRestored || !isReplica(after)) return;
  if (before === null) judgePlaced(view, after, at, memory);
  if (before?.['state'] !== 'ready' || after['state'] === 'ready') return;
  if (after['reason'] === 'PoolDraining') memory.taken.push({ at, row: after });
  else memory.lostAt.set(nameOf(after), at);
}

function note(closedSince: Map<string, number>, pool: RawEntity, at: number): void {
  const name = String(pool['pool']);
  if (pool['cordoned'] !== true) closedSince.delete(name);
  else if (!closedSince.has(name)) closedSince.set(name, at);
}

function judgePlaced(view: View, row: RawEntity, at: number, { closedSince }: Memory): void {
  const since = closedSince.get(String(row['pool']));
  if (since !== undefined && at - since > decisionMs)
    view.fail(`${nameOf(row)} is planned in ${row['pool']}, which was closed ${at - since} ms before`);
}

function judgeTaken(view: View, row: RawEntity, at: number, { lostAt }: Memory): void {
  const [app, service] = [row.partitionKey, String(row['service'])];
  const guard = guardOf(view, app, service);
  if (guard === undefined || guard['removed'] === true) return;
  const others = replicasOf(view, app, service).filter(
    (one) => one['state'] === 'ready' || at - (lostAt.get(nameOf(one)) ?? Number.NEGATIVE_INFINITY) <= decisionMs,
  );
  if (others.length < Number(guard['desired']))
    view.fail(`${nameOf(row)} is drained; ${others.length} of ${guard['desired']} are left ready`);
}

function judgeLeft(view: View, pool: RawEntity): void {
  for (const row of view.rowsOf('replica')) {
    if (row['pool'] !== pool['pool'] || row['state'] === 'gone') continue;
    if (view.row(row.partitionKey, 'app')?.['frozen'] === true) continue;
    const guard = guardOf(view, row.partitionKey, String(row['service']));
    // It says which limit is in the way.
    if (/ holds |has just refused|not among the pools/.test(String(guard?.['message'] ?? ''))) continue;
    view.fail(`${nameOf(row)} is still ${row['state']} in ${pool['pool']}, which is drained`);
  }
}
