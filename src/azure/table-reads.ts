/**
 * The reads of the state store on Azure Table Storage. They change nothing, so they are repeated here; a row that cannot be read is an error of the
 * whole read, and a partial listing is never returned.
 */
import { odata, type TableClient } from '@azure/data-tables';
import { type Key, keyOf, keys, logPartition, prefixes } from '../model/keys.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { RolloutRow } from '../model/rollout-record.ts';
import type { AppRow, EventRow, LogRow, OperationRow, Row, SecretRow, Stored } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { AppRows, EventPage, KeptLogQuery, RolloutQuery, StateStore } from '../ports/state-store.ts';
import { withRetry } from './retry.ts';
import { describeKey, fromEntity } from './row-codec.ts';

export type Call = <T>(
  what: string,
  effect: boolean,
  run: (abortSignal: AbortSignal) => Promise<T>,
) => Promise<Result<T, PortError>>;

export interface Table {
  readonly client: TableClient;
  /** One call with its timeout; creates the table if it is not there. */
  readonly call: Call;
}

const pageRows = 1000;

export const isTransient = ({ kind }: PortError): boolean => kind === 'Unavailable' || kind === 'Throttled';

const readCall = <T>(table: Table, what: string, run: (abortSignal: AbortSignal) => Promise<T>) =>
  withRetry(() => table.call(what, false, run), isTransient);

export async function readRow<R extends Row>(table: Table, key: Key): Promise<Result<Stored<R> | null, PortError>> {
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

interface Query {
  readonly filter: string;
  readonly from: string | null;
  readonly size: number;
  /** Properties that are sent; default: all. */
  readonly select?: readonly string[];
}

async function readPage<R extends Row>(table: Table, what: string, query: Query): Promise<Result<Page<R>, PortError>> {
  const { filter, select } = query;
  const answer = await readCall(table, what, async (abortSignal) => {
    const pages = table.client
      .listEntities({ queryOptions: { filter, ...(select && { select: [...select] }) }, abortSignal })
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
export async function readAll<R extends Row>(
  table: Table,
  what: string,
  filter: string,
  select?: readonly string[],
): Promise<Result<readonly Stored<R>[], PortError>> {
  const rows: Stored<R>[] = [];
  let from: string | null = null;
  do {
    const page: Result<Page<R>, PortError> = await readPage<R>(table, what, {
      filter,
      from,
      size: pageRows,
      ...(select && { select }),
    });
    if (!page.ok) return page;
    rows.push(...page.value.rows);
    from = page.value.next;
  } while (from !== null);
  return ok(rows);
}

/** The first `limit` rows, in as many pages as that takes. */
async function readFirst<R extends Row>(
  table: Table,
  what: string,
  { filter, limit }: { readonly filter: string; readonly limit: number },
): Promise<Result<readonly Stored<R>[], PortError>> {
  const rows: Stored<R>[] = [];
  let from: string | null = null;
  do {
    const size = Math.min(limit - rows.length, pageRows);
    const page: Result<Page<R>, PortError> = await readPage<R>(table, what, { filter, from, size });
    if (!page.ok) return page;
    rows.push(...page.value.rows);
    from = page.value.next;
  } while (from !== null && rows.length < limit);
  return ok(rows);
}

/** Rows of a partition whose keys begin with `prefix`, which ends in `|`. */
export const readRange = <R extends Row>(table: Table, app: string, prefix: string, condition?: string) =>
  readAll<R>(
    table,
    `read the rows ${prefix} of app ${app}`,
    both(odata`PartitionKey eq ${app} and RowKey ge ${prefix} and RowKey lt ${`${prefix.slice(0, -1)}}`}`, condition),
  );

const both = (range: string, condition: string | undefined): string =>
  condition === undefined ? range : `${range} and (${condition})`;

/**
 * What is over piles up for days, so the service leaves it out and nothing is paid for sending and reading it. A property that an entity lacks
 * matches nothing, not even `ne`, so each kind is named.
 */
const isReplicaAtWork = "state ne 'gone' or failures gt 0";
const isUnderWay = "phase eq 'progressing' or phase eq 'baking' or phase eq 'paused'";
const isOfService = `kind eq 'revision' or (kind eq 'rollout' and (${isUnderWay})) or (kind eq 'replica' and (${isReplicaAtWork}))`;
const isAtWork = `${isOfService} or (kind eq 'op' and state eq 'accepted')`;

export const readApp = (table: Table, app: string) => readRows(table, app, isAtWork);

export const readWholeApp = (table: Table, app: string) => readRows(table, app);

/** From the operations on: left out are the events, which are the bulk of a partition, and the sealed values of secrets. */
function readRows(table: Table, app: string, condition?: string): Promise<Result<AppRows, PortError>> {
  const beforeSecrets = odata`RowKey lt ${prefixes.secrets}`;
  return readTogether(table, app, {
    from: prefixes.operations,
    condition: `kind eq 'service' or ${condition === undefined ? beforeSecrets : `(${condition})`}`,
    async apart() {
      const range = odata`PartitionKey eq ${app} and RowKey ge ${prefixes.operations} and RowKey lt ${prefixes.secrets}`;
      return await readAll<Row>(table, `read the rows of app ${app}`, both(range, condition));
    },
  });
}

export function readService(table: Table, app: string, service: string): Promise<Result<AppRows, PortError>> {
  return readTogether(table, app, {
    from: prefixes.replicas(service),
    condition: `kind eq 'service' or (${odata`service eq ${service}`} and (${isOfService}))`,
    async apart() {
      const [replicas, revisions, rollouts] = await Promise.all([
        readRange<Row>(table, app, prefixes.replicas(service), isReplicaAtWork),
        readRange<Row>(table, app, prefixes.revisions(service)),
        readRange<Row>(table, app, prefixes.rollouts(service), isUnderWay),
      ]);
      if (!replicas.ok) return replicas;
      if (!rollouts.ok) return rollouts;
      return revisions.ok ? ok([...replicas.value, ...revisions.value, ...rollouts.value]) : revisions;
    },
  });
}

interface Together {
  /** Row key from which on the rows are, up to the guards, which come last. */
  readonly from: string;
  readonly condition: string;
  /** The same without the guards, in as many reads as it takes. */
  apart(): Promise<Result<readonly Stored[], PortError>>;
}

/**
 * App row, then guards and what they guard by one query. A query of one partition shows it as it was when the query began (Microsoft, "Windows Azure
 * Table", December 2008: snapshot isolation), and so does one page of it, but not the next page. Where one does not hold everything, the guards are
 * read before all others.
 */
async function readTogether(table: Table, app: string, query: Together): Promise<Result<AppRows, PortError>> {
  const row = await readRow<AppRow>(table, keys.app(app));
  if (!row.ok) return row;
  const range = odata`PartitionKey eq ${app} and RowKey ge ${query.from} and RowKey lt ${guardsEnd}`;
  const what = `read the rows of app ${app}`;
  const page = await readPage<Row>(table, what, { filter: both(range, query.condition), from: null, size: pageRows });
  if (!page.ok) return page;
  if (page.value.next === null) return ok(byKind(row.value, page.value.rows));
  const guards = await readRange<Row>(table, app, prefixes.guards);
  if (!guards.ok) return guards;
  const others = await query.apart();
  return others.ok ? ok(byKind(row.value, [...guards.value, ...others.value])) : others;
}

const guardsEnd = `${prefixes.guards.slice(0, -1)}}`;

function byKind(app: Stored<AppRow> | null, rows: readonly Stored[]): AppRows {
  const ofKind = <K extends Row['kind']>(kind: K) =>
    rows.filter((row) => row.kind === kind) as unknown as Stored<Extract<Row, { kind: K }>>[];
  return {
    app,
    guards: ofKind('service'),
    revisions: ofKind('revision'),
    replicas: ofKind('replica'),
    operations: ofKind('op'),
    rollouts: ofKind('rollout'),
  };
}

/** A page of a service's rollouts, or of an app's; of each service the newest come first. */
export async function readRollouts(
  table: Table,
  app: string,
  { service, limit }: RolloutQuery,
): Promise<Result<readonly Stored<RolloutRow>[], PortError>> {
  const prefix = service === null ? prefixes.allRollouts : prefixes.rollouts(service);
  const filter = odata`PartitionKey eq ${app} and RowKey ge ${prefix} and RowKey lt ${`${prefix.slice(0, -1)}}`}`;
  return await readFirst(table, `read the rollouts of ${app}`, { filter, limit });
}

/** Row keys of events sort newest first, so `after` a cursor in time is before it in the table. */
export async function readEvents(
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

export async function readLogs(
  table: Table,
  app: string,
  { service, takenBefore, slotsBelow, limit }: KeptLogQuery,
): Promise<Result<readonly Stored<LogRow>[], PortError>> {
  const prefix = service === null ? 'log|' : prefixes.logs(service);
  const range = odata`PartitionKey eq ${logPartition(app)} and RowKey ge ${prefix} and RowKey lt ${`${prefix.slice(0, -1)}}`}`;
  const conditions = [
    ...(takenBefore === undefined ? [] : [odata`takenAt lt ${new Date(takenBefore)}`]),
    ...(slotsBelow === undefined ? [] : [odata`slot lt ${slotsBelow}`]),
  ];
  const filter = both(range, conditions.length === 0 ? undefined : conditions.join(' and '));
  return await readFirst(table, `read the kept logs of ${app}`, { filter, limit });
}

/** Everything of a secret but its sealed value, which may be long and which a listing has no use for. */
const secretFacts = [
  'PartitionKey',
  'RowKey',
  'kind',
  'app',
  'name',
  'version',
  'sizeBytes',
  'isText',
  'managed',
  'setAt',
];

export const readSecrets = (table: Table, app: string): Promise<Result<readonly Stored<SecretRow>[], PortError>> =>
  readAll<SecretRow>(
    table,
    `read the secrets of app ${app}`,
    odata`PartitionKey eq ${app} and RowKey ge ${prefixes.secrets} and RowKey lt ${'secret}'}`,
    secretFacts,
  );

export async function scanSecrets(
  table: Table,
  from: string | null,
): Promise<Result<{ readonly secrets: readonly Stored<SecretRow>[]; readonly next: string | null }, PortError>> {
  const filter = odata`RowKey ge ${prefixes.secrets} and RowKey lt ${'secret}'}`;
  const page = await readPage<SecretRow>(table, 'scan the secrets', {
    filter,
    from,
    size: pageRows,
    select: secretFacts,
  });
  return page.ok ? ok({ secrets: page.value.rows, next: page.value.next }) : page;
}

/** By the partition key, so that a page costs what it holds; the partitions that are no app's sort behind all names. */
export async function readApps(
  table: Table,
  after: string | null,
  limit: number,
): Promise<Result<readonly Stored<AppRow>[], PortError>> {
  const filter = odata`PartitionKey gt ${after ?? ''} and PartitionKey lt ${'~'} and RowKey eq ${'app'}`;
  const rows: Stored<AppRow>[] = [];
  let from: string | null = null;
  do {
    const size = limit - rows.length;
    const page: Result<Page<AppRow>, PortError> = await readPage(table, 'list the apps', { filter, from, size });
    if (!page.ok) return page;
    rows.push(...page.value.rows);
    from = page.value.next;
  } while (from !== null && rows.length < limit);
  return ok(rows);
}

export async function scanApps(
  table: Table,
  from: string | null,
): Promise<Result<{ readonly apps: readonly Stored<AppRow>[]; readonly next: string | null }, PortError>> {
  const page = await readPage<AppRow>(table, 'scan the apps', { filter: "RowKey eq 'app'", from, size: pageRows });
  return page.ok ? ok({ apps: page.value.rows, next: page.value.next }) : page;
}

export async function scanStrays(
  table: Table,
  from: string | null,
): Promise<Result<{ readonly operations: readonly Stored<OperationRow>[]; readonly next: string | null }, PortError>> {
  const filter = "RowKey ge 'op|' and RowKey lt 'op}' and seq eq 0";
  const page = await readPage<OperationRow>(table, 'scan the stray operations', { filter, from, size: pageRows });
  return page.ok ? ok({ operations: page.value.rows, next: page.value.next }) : page;
}
