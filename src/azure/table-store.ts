/**
 * The state store on Azure Table Storage. The SDK's own retries are off: a repeated write whose first answer was lost meets its own traces
 * (409, 412) and would be taken for somebody else's. Reads are repeated (`table-reads`); a write is repeated only where `commit` can tell.
 */
import type { HttpClient } from '@azure/core-rest-pipeline';
import { odata, TableClient, type TransactionAction } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import { type Key, keyOf, prefixes } from '../model/keys.ts';
import { names } from '../model/names.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { DueRow, PoolRow, ReplyRow, Row } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { Change, StateStore, Transaction } from '../ports/state-store.ts';
import { withDeadline } from './deadline.ts';
import { toPortError } from './errors.ts';
import { withRetry } from './retry.ts';
import { toEntity } from './row-codec.ts';
import {
  type Call,
  isTransient,
  readAll,
  readApp,
  readApps,
  readEvents,
  readLogs,
  readRange,
  readRollouts,
  readRow,
  readSecrets,
  readService,
  readWholeApp,
  scanApps,
  scanSecrets,
  scanStrays,
  type Table,
} from './table-reads.ts';

export interface TableStoreOptions {
  /** `https://ACCOUNT.table.core.windows.net`. */
  readonly endpoint: string;
  readonly credential: TokenCredential;
  readonly tableName: string;
  /** For one call to the service. */
  readonly callTimeoutMs: number;
  readonly httpClient?: HttpClient;
}

/** Longest transaction of the service (entity group transactions, learn.microsoft.com). */
const transactionChangesMax = 100;

export function createTableStore(options: TableStoreOptions): StateStore {
  const table = openTable(options);
  const rows = <R extends Row>(what: string, filter: string) => readAll<R>(table, what, filter);
  return {
    read: (key) => readRow(table, key),
    readApp: (app) => readApp(table, app),
    readWholeApp: (app) => readWholeApp(table, app),
    readService: (app, service) => readService(table, app, service),
    readPending: (app) => readRange(table, app, prefixes.operations, "state eq 'accepted'"),
    readEvents: (app, query) => readEvents(table, app, query),
    readLogs: (app, query) => readLogs(table, app, query),
    readSecrets: (app) => readSecrets(table, app),
    scanSecrets: (from) => scanSecrets(table, from),
    readDue: () => rows<DueRow>('read the due rows', odata`PartitionKey eq ${names.partitions.due}`),
    readPools: () => rows<PoolRow>('read the pools', odata`PartitionKey eq ${names.partitions.pools}`),
    readRollouts: (app, query) => readRollouts(table, app, query),
    readReplies: () => rows<ReplyRow>('read the replies', odata`PartitionKey eq ${names.partitions.replies}`),
    readApps: (after, limit) => readApps(table, after, limit),
    scanApps: (from) => scanApps(table, from),
    scanStrays: (from) => scanStrays(table, from),
    commit: (transaction) => commit(table, transaction),
  };
}

function openTable({ endpoint, credential, tableName, callTimeoutMs, httpClient }: TableStoreOptions): Table {
  const client = new TableClient(endpoint, tableName, credential, {
    retryOptions: { maxRetries: 0 },
    ...(httpClient && { httpClient }),
  });
  const once: Call = async (what, effect, run) => {
    try {
      return ok(await withDeadline(callTimeoutMs, run));
    } catch (error) {
      return err(toPortError(error, { what, effect }));
    }
  };
  return {
    client,
    async call(what, effect, run) {
      const first = await once(what, effect, run);
      if (first.ok || first.error.code !== 'TableNotFound') return first;
      // A table that another process has just created is success for the client.
      const created = await once(`create table ${tableName}`, false, (abortSignal) =>
        client.createTable({ abortSignal }),
      );
      return created.ok ? await once(what, effect, run) : created;
    },
  };
}

type Committed = Result<{ readonly etags: ReadonlyMap<string, string> }, PortError>;

async function commit(table: Table, transaction: Transaction): Promise<Committed> {
  const refusal = refusalOf(transaction);
  if (refusal) return err({ kind: 'Invalid', code: null, message: refusal, retryAfterMs: null });
  const evidence = evidenceOf(transaction);
  const repeatable = evidence.length > 0 || transaction.changes.every(({ type }) => type === 'upsert');
  return await withRetry(
    async () => {
      const answer = await submit(table, transaction);
      if (answer.ok || isTransient(answer.error) || answer.error.kind === 'Invalid') return answer;
      return await lookUp(table, transaction.txId, evidence, answer.error);
    },
    // Repeating after a look-up is safe: had the first attempt landed late, the second would meet its ETag.
    (error) => isTransient(error) || (error.kind === 'Unknown' && repeatable),
  );
}

function refusalOf({ txId, changes }: Transaction): string | null {
  const partitions = new Set(changes.map((change) => keyOfChange(change).partition));
  if (changes.length === 0) return `transaction ${txId} has no change`;
  if (changes.length > transactionChangesMax) {
    return `transaction ${txId} has ${changes.length} changes, but the table takes at most ${transactionChangesMax}: split it`;
  }
  if (changes.length > 1 && changes.some((change) => change.type === 'delete' && change.etag !== '*')) {
    // The client sends `If-Match: *` for every delete of a transaction: saying so beats deleting what somebody has just changed.
    return `transaction ${txId} deletes by ETag beside other changes, which the client cannot do: commit that delete alone`;
  }
  return partitions.size > 1
    ? `transaction ${txId} spans the partitions ${[...partitions].join(', ')}: split it`
    : null;
}

const keyOfChange = (change: Change): Key => (change.type === 'delete' ? change.key : keyOf(change.row));

/** Rows that prove the commit: the witness, and an event of this transaction, which nobody ever overwrites. */
function evidenceOf({ txId, witness, changes }: Transaction): readonly Key[] {
  const event = changes.find(
    (change) => change.type === 'insert' && change.row.kind === 'event' && change.row.txId === txId,
  );
  return [...(witness ? [witness] : []), ...(event ? [keyOfChange(event)] : [])];
}

async function lookUp(table: Table, txId: string, evidence: readonly Key[], error: PortError): Promise<Committed> {
  for (const key of evidence) {
    const found = await readRow(table, key);
    if (!found.ok) return err({ ...error, kind: 'Unknown', message: `${error.message}; ${found.error.message}` });
    const row = found.value;
    if (row?.kind === 'event') return ok({ etags: new Map() });
    if (row && 'lastTx' in row && row.lastTx === txId) return ok({ etags: new Map([[key.row, row.etag]]) });
  }
  return err(error);
}

async function submit(table: Table, { txId, changes }: Transaction): Promise<Committed> {
  const [first] = changes;
  const what = `commit ${txId} to partition ${first ? keyOfChange(first).partition : ''}`;
  const answer = await table.call(what, true, (abortSignal) =>
    changes.length === 1 && first
      ? writeRow(table.client, first, abortSignal)
      : table.client.submitTransaction(changes.map(toAction), { abortSignal }).then(({ subResponses }) => subResponses),
  );
  if (!answer.ok) {
    // An update or delete of a row that is gone: somebody else was faster.
    return answer.error.kind === 'NotFound' ? err({ ...answer.error, kind: 'Conflict' }) : answer;
  }
  const etags = new Map<string, string>();
  for (const [index, { etag }] of answer.value.entries()) {
    const change = changes[index];
    if (change && etag) etags.set(keyOfChange(change).row, etag);
  }
  return ok({ etags });
}

interface Written {
  readonly etag?: string | undefined;
}

/** A single change is a request of its own: it costs client and service less than a transaction of one, and only there a delete takes an ETag. */
async function writeRow(client: TableClient, change: Change, abortSignal: AbortSignal): Promise<readonly Written[]> {
  switch (change.type) {
    case 'insert':
      return [await client.createEntity(toEntity(change.row), { abortSignal })];
    case 'update':
      return [await client.updateEntity(toEntity(change.row), 'Replace', { etag: change.etag, abortSignal })];
    case 'upsert':
      return [await client.upsertEntity(toEntity(change.row), 'Replace', { abortSignal })];
    case 'delete':
      await client.deleteEntity(change.key.partition, change.key.row, { etag: change.etag, abortSignal });
      return [{}];
  }
}

function toAction(change: Change): TransactionAction {
  switch (change.type) {
    case 'insert':
      return ['create', toEntity(change.row)];
    case 'update':
      return ['update', toEntity(change.row), 'Replace', { etag: change.etag }];
    case 'upsert':
      return ['upsert', toEntity(change.row), 'Replace'];
    case 'delete':
      return ['delete', { partitionKey: change.key.partition, rowKey: change.key.row }];
  }
}
