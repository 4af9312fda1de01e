/**
 * The state store on Azure Table Storage. The SDK's own retries are off: a repeated write whose first answer was lost meets its own traces
 * (409, 412) and would be taken for somebody else's. Reads are repeated here; a write is repeated only where `commit` can tell.
 */
import type { HttpClient } from '@azure/core-rest-pipeline';
import { odata, TableClient, type TransactionAction } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import { type Key, keyOf, keys, prefixes } from '../model/keys.ts';
import { names } from '../model/names.ts';
import { err, ok, type Result } from '../model/result.ts';
import type {
  AppRow,
  DueRow,
  EventRow,
  GuardRow,
  PoolRow,
  ReplicaRow,
  RevisionRow,
  Row,
  Stored,
} from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { AppRows, Change, EventPage, ServiceRows, StateStore, Transaction } from '../ports/state-store.ts';
import { toPortError } from './errors.ts';
import { withRetry } from './retry.ts';
import { describeKey, fromEntity, toEntity } from './row-codec.ts';

export interface TableStoreOptions {
  /** `https://ACCOUNT.table.core.windows.net`. */
  readonly endpoint: string;
  readonly credential: TokenCredential;
  readonly tableName: string;
  /** For one call to the service. */
  readonly callTimeoutMs: number;
  readonly httpClient?: HttpClient;
}

type Call = <T>(
  what: string,
  effect: boolean,
  run: (abortSignal: AbortSignal) => Promise<T>,
) => Promise<Result<T, PortError>>;

interface Table {
  readonly client: TableClient;
  /** One call with its timeout; creates the table if it is not there. */
  readonly call: Call;
}

/** Longest transaction of the service (entity group transactions, learn.microsoft.com). */
const transactionChangesMax = 100;
const pageRows = 1000;

export function createTableStore(options: TableStoreOptions): StateStore {
  const table = openTable(options);
  const rows = <R extends Row>(what: string, filter: string) => readAll<R>(table, what, filter);
  return {
    read: (key) => readRow(table, key),
    readApp: (app) => readApp(table, app),
    readService: (app, service) => readService(table, app, service),
    readOperations: (app) => readRange(table, app, prefixes.operations),
    readEvents: (app, query) => readEvents(table, app, query),
    readDue: () => rows<DueRow>('read the due rows', odata`PartitionKey eq ${names.partitions.due}`),
    readPools: () => rows<PoolRow>('read the pools', odata`PartitionKey eq ${names.partitions.pools}`),
    scanApps: (from) => scanApps(table, from),
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
      return ok(await run(AbortSignal.timeout(callTimeoutMs)));
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

const isTransient = ({ kind }: PortError): boolean => kind === 'Unavailable' || kind === 'Throttled';

const readCall = <T>(table: Table, what: string, run: (abortSignal: AbortSignal) => Promise<T>) =>
  withRetry(() => table.call(what, false, run), isTransient);

async function readRow<R extends Row>(table: Table, key: Key): Promise<Result<Stored<R> | null, PortError>> {
  const what = `read ${describeKey(key)}`;
  const answer = await readCall(table, what, (abortSignal) =>
    table.client.getEntity(key.partition, key.row, { abortSignal }),
  );
  if (answer.ok) return decoded<Stored<R> | null>(what, () => fromEntity(answer.value) as Stored<R> | null);
  return answer.error.kind === 'NotFound' ? ok(null) : answer;
}

/** A row that cannot be read is an error of the whole read: deciding without it would be deciding from a partial listing. */
function decoded<T>(what: string, decode: () => T): Result<T, PortError> {
  try {
    return ok(decode());
  } catch (error) {
    return err({ kind: 'Invalid', code: null, message: `${what}: ${(error as Error).message}`, retryAfterMs: null });
  }
}

interface Page<R extends Row> {
  readonly rows: readonly Stored<R>[];
  readonly next: string | null;
}

async function readPage<R extends Row>(
  table: Table,
  what: string,
  query: { readonly filter: string; readonly from: string | null; readonly size: number },
): Promise<Result<Page<R>, PortError>> {
  const answer = await readCall(table, what, async (abortSignal) => {
    const pages = table.client
      .listEntities({ queryOptions: { filter: query.filter }, abortSignal })
      .byPage({ maxPageSize: query.size, ...(query.from !== null && { continuationToken: query.from }) });
    const { value } = await pages.next();
    return value as (Record<string, unknown>[] & { continuationToken?: string }) | undefined;
  });
  if (!answer.ok) return answer;
  const entities = answer.value ?? [];
  return decoded(what, () => ({
    rows: entities.map(fromEntity).filter((row) => row !== null) as Stored[] as unknown as Stored<R>[],
    next: answer.value?.continuationToken || null,
  }));
}

/** Every page, or an error. */
async function readAll<R extends Row>(
  table: Table,
  what: string,
  filter: string,
): Promise<Result<readonly Stored<R>[], PortError>> {
  const rows: Stored<R>[] = [];
  let from: string | null = null;
  do {
    const page: Result<Page<R>, PortError> = await readPage<R>(table, what, { filter, from, size: pageRows });
    if (!page.ok) return page;
    rows.push(...page.value.rows);
    from = page.value.next;
  } while (from !== null);
  return ok(rows);
}

/** Rows of a partition whose keys begin with `prefix`, which ends in `|`. */
const readRange = <R extends Row>(table: Table, app: string, prefix: string) =>
  readAll<R>(
    table,
    `read the rows ${prefix} of app ${app}`,
    odata`PartitionKey eq ${app} and RowKey ge ${prefix} and RowKey lt ${`${prefix.slice(0, -1)}}`}`,
  );

/** App row and guards, which must be known before any other row of the app is read. */
async function readHead(table: Table, app: string): Promise<Result<Pick<AppRows, 'app' | 'guards'>, PortError>> {
  const [row, guards] = await Promise.all([
    readRow<AppRow>(table, keys.app(app)),
    readRange<GuardRow>(table, app, prefixes.guards),
  ]);
  if (!row.ok) return row;
  return guards.ok ? ok({ app: row.value, guards: guards.value }) : guards;
}

/** Ranges leave out the events, which are the bulk of a partition. */
async function readApp(table: Table, app: string): Promise<Result<AppRows, PortError>> {
  const head = await readHead(table, app);
  if (!head.ok) return head;
  const rest = await readAll<Row>(
    table,
    `read the rows of app ${app}`,
    odata`PartitionKey eq ${app} and RowKey ge ${prefixes.operations} and RowKey lt ${prefixes.guards}`,
  );
  if (!rest.ok) return rest;
  const ofKind = <K extends Row['kind']>(kind: K) =>
    rest.value.filter((row) => row.kind === kind) as unknown as Stored<Extract<Row, { kind: K }>>[];
  return ok({ ...head.value, revisions: ofKind('revision'), replicas: ofKind('replica'), operations: ofKind('op') });
}

async function readService(table: Table, app: string, service: string): Promise<Result<ServiceRows, PortError>> {
  const head = await readHead(table, app);
  if (!head.ok) return head;
  const [replicas, revisions] = await Promise.all([
    readRange<ReplicaRow>(table, app, prefixes.replicas(service)),
    readRange<RevisionRow>(table, app, prefixes.revisions(service)),
  ]);
  if (!replicas.ok) return replicas;
  return revisions.ok ? ok({ ...head.value, replicas: replicas.value, revisions: revisions.value }) : revisions;
}

/** Row keys of events sort newest first, so `after` a cursor in time is before it in the table. */
async function readEvents(
  table: Table,
  app: string,
  { limit, before, after }: Parameters<StateStore['readEvents']>[1],
): Promise<Result<EventPage, PortError>> {
  const filter = [
    odata`PartitionKey eq ${app}`,
    before === undefined ? "RowKey ge 'event|'" : odata`RowKey gt ${before}`,
    after === undefined ? "RowKey lt 'event}'" : odata`RowKey lt ${after}`,
  ].join(' and ');
  const events: EventRow[] = [];
  let from: string | null = null;
  do {
    const size = Math.min(limit - events.length, pageRows);
    const page: Result<Page<EventRow>, PortError> = await readPage(table, `read the events of ${app}`, {
      filter,
      from,
      size,
    });
    if (!page.ok) return page;
    events.push(...page.value.rows.filter((row) => row.kind === 'event'));
    from = page.value.next;
  } while (from !== null && events.length < limit);
  const cursor = (event: EventRow | undefined) => (event ? keyOf(event).row : null);
  return ok({ events, newest: cursor(events[0]), oldest: cursor(events.at(-1)) });
}

async function scanApps(
  table: Table,
  from: string | null,
): Promise<Result<{ readonly apps: readonly Stored<AppRow>[]; readonly next: string | null }, PortError>> {
  const page = await readPage<AppRow>(table, 'scan the apps', { filter: "RowKey eq 'app'", from, size: pageRows });
  return page.ok ? ok({ apps: page.value.rows, next: page.value.next }) : page;
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
  const answer =
    changes.length === 1 && first?.type === 'delete'
      ? await table.call(what, true, (abortSignal) => deleteRow(table.client, first, abortSignal))
      : await table.call(what, true, (abortSignal) =>
          table.client.submitTransaction(changes.map(toAction), { abortSignal }),
        );
  if (!answer.ok) {
    // An update or delete of a row that is gone: somebody else was faster.
    return answer.error.kind === 'NotFound' ? err({ ...answer.error, kind: 'Conflict' }) : answer;
  }
  const etags = new Map<string, string>();
  for (const [index, { etag }] of answer.value.subResponses.entries()) {
    const change = changes[index];
    if (change && etag) etags.set(keyOfChange(change).row, etag);
  }
  return ok({ etags });
}

type Delete = Extract<Change, { type: 'delete' }>;

/** Outside a transaction, because only there the client takes an ETag. */
async function deleteRow(client: TableClient, { key, etag }: Delete, abortSignal: AbortSignal) {
  await client.deleteEntity(key.partition, key.row, { etag, abortSignal });
  return { subResponses: [{ etag: undefined }] };
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
