/**
 * Removes what nobody needs any more (design §6): finished operations, gone replicas and kept logs after a week, events after their retention, old revisions
 * that nothing points at. App rows, guards and records of rollouts are never removed. Runs daily; a purge that is cut short goes on at the next one.
 */
import { type SecretUsers, staleSecrets } from '../decide/secret-uses.ts';
import { type Key, keyOf, keys } from '../model/keys.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { GuardRow, OperationRow, ReplicaRow, RevisionRow, Row } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { AppRows, Change } from '../ports/state-store.ts';
import type { CommandPorts } from './ports.ts';

export interface Retention {
  /** Of finished operations, gone replicas and kept logs. */
  readonly retainMs: number;
  readonly eventRetainMs: number;
  /** Of secrets that nothing refers to: whoever uploads one applies a document soon after. */
  readonly secretGraceMs: number;
  /** Newest revisions of a service that are kept whatever points at them. */
  readonly revisionHistory: number;
}

const deletesPerTransaction = 100;

/** Purges one partition: an app, or one that holds only events. Returns how many rows were removed. */
export async function purgePartition(
  ports: Pick<CommandPorts, 'store' | 'secrets' | 'now' | 'ids'>,
  partition: string,
  retention: Retention,
): Promise<Result<number, PortError>> {
  const rows = await ports.store.readWholeApp(partition);
  if (!rows.ok) return rows;
  const now = ports.now();
  // Events first: where there is no app row, an operation is the only trace of them.
  const events = await purgeEvents(ports, partition, now - retention.eventRetainMs);
  if (!events.ok) return events;
  const logs = await purgeLogs(ports, partition, now - retention.retainMs);
  if (!logs.ok) return logs;
  const stale = staleRows(rows.value, retention, now);
  const removed = await removeAll(ports, stale.map(keyOf));
  if (!removed.ok) return removed;
  const going = new Set<Row>(stale);
  const revisions = rows.value.revisions.filter((row) => !going.has(row));
  const secrets = await purgeSecrets(ports, partition, { ...rows.value, revisions }, now - retention.secretGraceMs);
  return secrets.ok ? ok(removed.value + secrets.value + logs.value + events.value) : secrets;
}

/** With its revisions goes what only they referred to. */
async function purgeSecrets(
  { store, secrets }: Pick<CommandPorts, 'store' | 'secrets'>,
  app: string,
  users: SecretUsers,
  before: number,
): Promise<Result<number, PortError>> {
  const facts = await secrets.list(app);
  if (!facts.ok) return facts;
  const stale = staleSecrets(facts.value, users, before);
  if (stale.length === 0) return ok(0);
  // A command that was accepted and not applied yet may name any of them.
  const pending = await store.readPending(app);
  if (!pending.ok) return pending;
  if (pending.value.length > 0) return ok(0);
  for (const { name, version } of stale) {
    const removed = await secrets.remove(app, { secretRef: name, version });
    if (!removed.ok && removed.error.kind !== 'Conflict') return removed;
  }
  return ok(stale.length);
}

/** Rows of these kinds no longer change once they are stale, so they can be deleted without their ETags. */
export function staleRows(
  { operations, replicas, revisions, guards }: Pick<AppRows, 'operations' | 'replicas' | 'revisions' | 'guards'>,
  { retainMs, revisionHistory }: Retention,
  now: number,
): readonly Row[] {
  const before = now - retainMs;
  const isFinished = ({ finishedAt }: OperationRow) => finishedAt !== null && finishedAt < before;
  const isGone = ({ state, stateAt }: ReplicaRow) => state === 'gone' && stateAt < before;
  const kept = replicas.filter((replica) => !isGone(replica));
  return [
    ...operations.filter(isFinished),
    ...replicas.filter(isGone),
    ...guards.flatMap((guard) => staleRevisions(guard, revisions, kept, revisionHistory)),
  ];
}

function staleRevisions(
  guard: GuardRow,
  revisions: readonly RevisionRow[],
  replicas: readonly ReplicaRow[],
  history: number,
): readonly RevisionRow[] {
  const named = new Set([guard.revision, guard.verifiedRevision, guard.healthyRevision, guard.startedRevision]);
  for (const replica of replicas) if (replica.service === guard.service) named.add(replica.revision);
  return revisions
    .filter(({ service }) => service === guard.service)
    .toSorted((a, b) => b.revision - a.revision)
    .slice(history)
    .filter(({ revision }) => !named.has(revision));
}

/** From the newest stale one backwards in time, a page at a time. */
async function purgeEvents(
  ports: Pick<CommandPorts, 'store' | 'ids'>,
  partition: string,
  before: number,
): Promise<Result<number, PortError>> {
  for (let removed = 0; ; ) {
    // The key of an event at that instant: whatever sorts behind it is older.
    const cursor = keys.event(partition, before, '~', 0).row;
    const page = await ports.store.readEvents(partition, { limit: deletesPerTransaction, before: cursor });
    if (!page.ok) return page;
    if (page.value.events.length === 0) return ok(removed);
    const result = await removeAll(ports, page.value.events.map(keyOf));
    if (!result.ok) return result;
    removed += result.value;
    if (result.value < page.value.events.length) return ok(removed);
  }
}

/** Few at a time: each comes with its lines. */
const logsPerPage = 20;

async function purgeLogs(
  ports: Pick<CommandPorts, 'store' | 'ids'>,
  app: string,
  takenBefore: number,
): Promise<Result<number, PortError>> {
  for (let removed = 0; ; ) {
    const page = await ports.store.readLogs(app, { service: null, takenBefore, limit: logsPerPage });
    if (!page.ok) return page;
    for (const { etag, ...row } of page.value) {
      const change: Change = { type: 'delete', key: keyOf(row), etag };
      const result = await ports.store.commit({ txId: ports.ids.next(), changes: [change] });
      // A newer incarnation of the slot has left its own meanwhile.
      if (!result.ok) return result.error.kind === 'Conflict' ? ok(removed) : err(result.error);
      removed += 1;
    }
    if (page.value.length < logsPerPage) return ok(removed);
  }
}

async function removeAll(
  { store, ids }: Pick<CommandPorts, 'store' | 'ids'>,
  stale: readonly Key[],
): Promise<Result<number, PortError>> {
  for (let n = 0; n < stale.length; n += deletesPerTransaction) {
    const changes = stale
      .slice(n, n + deletesPerTransaction)
      .map((key): Change => ({ type: 'delete', key, etag: '*' }));
    const result = await store.commit({ txId: ids.next(), changes });
    // A conflict is another purge that was faster: it, or the next one, does the rest.
    if (!result.ok) return result.error.kind === 'Conflict' ? ok(n) : err(result.error);
  }
  return ok(stale.length);
}
