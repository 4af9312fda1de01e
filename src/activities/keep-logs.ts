/**
 * Keeps the last log lines of a replica whose container group is about to be deleted: ACI forgets them with the group. Best effort: what cannot be read
 * within a few seconds is lost, and no deletion waits for the table.
 */
import { keys } from '../model/keys.ts';
import { newestLines, parseLogLines } from '../model/logs.ts';
import type { LogRow, PoolRow, ReplicaRow } from '../model/state.ts';
import type { ActivityPorts } from './ports.ts';

const tailLines = 1_000;
/** Of their texts: compressed, it always fits into one entity of 1 MiB. */
const keptBytes = 256 * 1024;
const timeoutMs = 5_000;

/** null = there is nothing to keep. */
export async function takeLogs(
  { groups, now }: Pick<ActivityPorts, 'groups' | 'now'>,
  replica: ReplicaRow,
  pool: PoolRow,
): Promise<LogRow | null> {
  const container = replica.service;
  const query = { tail: tailLines, timestamps: true, timeoutMs };
  const read = await groups.logs(pool, replica.group, container, query);
  if (!read.ok || read.value === '') return null;
  const { app, service, slot, incarnation, revision } = replica;
  const all = parseLogLines(read.value);
  const { lines, truncated } = newestLines(all, keptBytes);
  return {
    kind: 'log',
    app,
    service,
    slot,
    incarnation,
    revision,
    container,
    takenAt: now(),
    lines,
    truncated: truncated || all.length === tailLines,
  };
}

/** One log is kept per slot: that of its newest incarnation, taken last. */
export async function keepLogs(
  { store, ids, log }: Pick<ActivityPorts, 'store' | 'ids' | 'log'>,
  row: LogRow,
): Promise<void> {
  const kept = await store.read<LogRow>(keys.log(row.app, row.service, row.slot));
  if (kept.ok && (kept.value?.incarnation ?? 0) > row.incarnation) return;
  const written = await store.commit({ txId: ids.next(), changes: [{ type: 'upsert', row }] });
  if (!written.ok) log.warn('The last log lines of a replica could not be kept.', { app: row.app, ...written.error });
}
