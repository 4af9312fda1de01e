/**
 * Rows of the model ↔ entities of Table Storage, by one table of columns, so that the compiler finds a field without a column.
 * Scalars are native properties that a person can read; nested values are JSON text while short, else gzip in binary chunks. `null` is a
 * property that is not there: every write replaces the whole entity.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Key, keyOf } from '../model/keys.ts';
import type { Row, Stored } from '../model/state.ts';

/** Values that the Tables client writes and reads without losing their type: `bigint` is Edm.Int64, `Date` Edm.DateTime, bytes Edm.Binary. */
type PropertyValue = string | number | bigint | boolean | Date | Uint8Array;

export type Entity = { partitionKey: string; rowKey: string } & Record<string, PropertyValue>;

/**
 * `text` Edm.String · `whole` Edm.Int32, beyond its range Edm.Int64 · `instant` epoch ms as Edm.DateTime (exact to the ms, from year 1601)
 * · `flag` Edm.Boolean · `json` anything else.
 */
type Column = 'text' | 'whole' | 'instant' | 'flag' | 'json';

type ColumnOf<T> = [T] extends [string | null]
  ? 'text'
  : [T] extends [number | null]
    ? 'whole' | 'instant'
    : [T] extends [boolean]
      ? 'flag'
      : 'json';

type Kind = Row['kind'];
type Columns<R extends Row> = { readonly [F in Exclude<keyof R, 'kind'>]: ColumnOf<R[F]> };

const columns: { readonly [K in Kind]: Columns<Extract<Row, { kind: K }>> } = {
  app: {
    app: 'text',
    uid: 'text',
    state: 'text',
    frozen: 'flag',
    generation: 'whole',
    observedGeneration: 'whole',
    nextSeq: 'whole',
    appliedSeq: 'whole',
    spec: 'json',
    updatedAt: 'instant',
    lastTx: 'text',
  },
  service: {
    app: 'text',
    service: 'text',
    workflow: 'text',
    epoch: 'whole',
    claimedAt: 'instant',
    claimedBy: 'text',
    wakeAt: 'instant',
    passAt: 'instant',
    desired: 'whole',
    stopped: 'flag',
    scaledTo: 'whole',
    cycle: 'whole',
    removed: 'flag',
    drainMs: 'whole',
    nextIncarnation: 'whole',
    revision: 'whole',
    verifiedRevision: 'whole',
    healthyRevision: 'whole',
    startedRevision: 'whole',
    dependenciesMetRevision: 'whole',
    rollouts: 'whole',
    rollout: 'whole',
    change: 'json',
    generation: 'whole',
    observedGeneration: 'whole',
    reason: 'text',
    message: 'text',
    lastTx: 'text',
  },
  revision: {
    app: 'text',
    service: 'text',
    revision: 'whole',
    hash: 'text',
    template: 'json',
    generation: 'whole',
    createdAt: 'instant',
    cause: 'text',
    verifiedAt: 'instant',
    rolledBackAt: 'instant',
  },
  rollout: {
    app: 'text',
    service: 'text',
    number: 'whole',
    purpose: 'text',
    from: 'whole',
    to: 'whole',
    strategy: 'text',
    cause: 'text',
    why: 'text',
    generation: 'whole',
    startedAt: 'instant',
    endedAt: 'instant',
    phase: 'text',
    reason: 'text',
    message: 'text',
    firstIncarnation: 'whole',
    counts: 'json',
    failures: 'json',
    failed: 'whole',
    strikes: 'whole',
    cleared: 'json',
    step: 'whole',
    readyAt: 'instant',
    promoted: 'flag',
    clockAt: 'instant',
    held: 'json',
    parked: 'flag',
    successor: 'whole',
    decisions: 'json',
  },
  replica: {
    app: 'text',
    service: 'text',
    slot: 'whole',
    incarnation: 'whole',
    revision: 'whole',
    cycle: 'whole',
    state: 'text',
    stateAt: 'instant',
    reason: 'text',
    message: 'text',
    epoch: 'whole',
    pool: 'text',
    group: 'text',
    attempt: 'json',
    ip: 'text',
    ports: 'json',
    endpoint: 'flag',
    createdAt: 'instant',
    readyAt: 'instant',
    drainUntil: 'instant',
    redeleteAt: 'instant',
    observedAt: 'instant',
    restartCount: 'whole',
    crashes: 'whole',
    failures: 'whole',
    missing: 'whole',
    steadiness: 'json',
    run: 'json',
    logTail: 'text',
  },
  op: {
    app: 'text',
    id: 'text',
    seq: 'whole',
    command: 'text',
    state: 'text',
    bodyHash: 'text',
    body: 'json',
    acceptedAt: 'instant',
    sentAt: 'instant',
    attempt: 'whole',
    finishedAt: 'instant',
    generation: 'whole',
    reason: 'text',
    problems: 'json',
  },
  event: {
    app: 'text',
    at: 'instant',
    txId: 'text',
    n: 'whole',
    type: 'text',
    service: 'text',
    replica: 'text',
    reason: 'text',
    message: 'text',
    cause: 'text',
  },
  log: {
    app: 'text',
    service: 'text',
    slot: 'whole',
    incarnation: 'whole',
    revision: 'whole',
    container: 'text',
    takenAt: 'instant',
    lines: 'json',
    truncated: 'flag',
  },
  reply: {
    id: 'text',
    app: 'text',
    operationId: 'text',
    bodyHash: 'text',
    to: 'text',
    sessionId: 'text',
    correlationId: 'text',
    outcome: 'json',
    since: 'instant',
    nextAt: 'instant',
    attempts: 'whole',
  },
  due: { app: 'text', dueAt: 'instant', since: 'instant' },
  secret: {
    app: 'text',
    name: 'text',
    version: 'text',
    sizeBytes: 'whole',
    isText: 'flag',
    managed: 'flag',
    setAt: 'instant',
    sealed: 'json',
  },
  pool: {
    pool: 'text',
    order: 'whole',
    type: 'text',
    subscriptionId: 'text',
    resourceGroup: 'text',
    region: 'text',
    quota: 'json',
    labels: 'json',
    price: 'json',
    cordoned: 'flag',
    draining: 'flag',
    retired: 'flag',
    reservations: 'json',
    creates: 'json',
    orphans: 'json',
    listedAt: 'instant',
    listedGroups: 'whole',
    health: 'json',
    pending: 'json',
  },
};

/** Longer JSON is compressed. Well below the service's 32 Ki characters per string, so that what a person opens stays readable. */
const jsonTextChars = 8 * 1024;
/** Design §6; the service allows 64 KiB per binary property. */
const chunkBytes = 60 * 1024;

export function toEntity(row: Row): Entity {
  const { partition, row: rowKey } = keyOf(row);
  const entity: Entity = { partitionKey: partition, rowKey, kind: row.kind };
  for (const [field, column] of columnsOf(row.kind)) {
    const value = (row as unknown as Readonly<Record<string, unknown>>)[field];
    if (value !== null && value !== undefined) write(entity, field, column, value);
  }
  return entity;
}

/**
 * `null` for a kind of row that this version does not know.
 * @throws Error when a property does not have the type of its column: the table was written by something else.
 */
export function fromEntity(entity: Readonly<Record<string, unknown>>): Stored | null {
  const kind = entity['kind'];
  if (typeof kind !== 'string' || !Object.hasOwn(columns, kind)) return null;
  const row: Record<string, unknown> = { kind, etag: entity['etag'] };
  for (const [field, column] of columnsOf(kind as Kind)) row[field] = read(entity, field, column);
  return row as unknown as Stored;
}

const entriesOfKinds = new Map(
  Object.entries(columns).map(([kind, ofKind]) => [kind, Object.entries(ofKind) as [string, Column][]]),
);

const columnsOf = (kind: Kind): readonly [string, Column][] => entriesOfKinds.get(kind) ?? [];

function write(entity: Entity, field: string, column: Column, value: unknown): void {
  if (column === 'json') writeJson(entity, field, value);
  else entity[field] = toProperty[column](value, field);
}

const whole = (value: unknown, field: string): number => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new TypeError(`${field} is ${String(value)}, not a whole number`);
};

const toProperty: Readonly<Record<Exclude<Column, 'json'>, (value: unknown, field: string) => PropertyValue>> = {
  text: String,
  flag: Boolean,
  whole: (value, field) => {
    const number = whole(value, field);
    return (number | 0) === number ? number : BigInt(number);
  },
  instant: (value, field) => new Date(whole(value, field)),
};

function writeJson(entity: Entity, field: string, value: unknown): void {
  const text = JSON.stringify(value);
  if (text.length <= jsonTextChars) {
    entity[field] = text;
    return;
  }
  const bytes = gzipSync(text);
  for (let n = 0; n * chunkBytes < bytes.length; n += 1) {
    entity[`${field}_gz${n}`] = bytes.subarray(n * chunkBytes, (n + 1) * chunkBytes);
  }
}

function read(entity: Readonly<Record<string, unknown>>, field: string, column: Column): unknown {
  const value = entity[field];
  if (column === 'json') return readJson(entity, field);
  if (value === undefined || value === null) return null;
  if (column === 'text' && typeof value === 'string') return value;
  if (column === 'flag' && typeof value === 'boolean') return value;
  if (column === 'whole' && (typeof value === 'number' || typeof value === 'bigint')) return Number(value);
  if (column === 'instant' && value instanceof Date) return value.getTime();
  throw new Error(`${placeOf(entity)}: property ${field} is a ${typeof value}, not a ${column}`);
}

function readJson(entity: Readonly<Record<string, unknown>>, field: string): unknown {
  const text = entity[field];
  if (typeof text === 'string') return JSON.parse(text);
  const chunks: Uint8Array[] = [];
  for (let n = 0; ; n += 1) {
    const chunk = entity[`${field}_gz${n}`];
    if (!(chunk instanceof Uint8Array)) break;
    chunks.push(chunk);
  }
  return chunks.length === 0 ? null : JSON.parse(gunzipSync(Buffer.concat(chunks)).toString('utf8'));
}

const placeOf = (entity: Readonly<Record<string, unknown>>): string =>
  `row ${String(entity['rowKey'])} of partition ${String(entity['partitionKey'])}`;

export const describeKey = ({ partition, row }: Key): string => `row ${row} of partition ${partition}`;
