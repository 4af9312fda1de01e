/** Writes to one entity: checked completely before anything is stored, so a refused write has no effect. */
import type { Properties } from './edm.ts';
import { checkEntity, checkKey, parseEntityBody } from './entity.ts';
import { TableFailure } from './failure.ts';
import type { Operation } from './request.ts';
import type { EntityKey, StoredEntity, TableStore } from './store.ts';
import { etagOf, timestampAfter } from './timestamp.ts';

/** A write whose own content is valid; whether the state allows it shows when it is applied. */
export interface Write {
  readonly kind: 'insert' | 'replace' | 'merge' | 'delete';
  readonly table: string;
  readonly key: EntityKey;
  readonly properties: Properties;
  /** Absent on replace and merge: upsert. `*`: any version. */
  readonly ifMatch?: string;
  /** Whether the answer to an insert contains the entity. */
  readonly echo: boolean;
}

type WriteOperation = Extract<Operation, { name: 'InsertEntity' | 'UpdateEntity' | 'MergeEntity' | 'DeleteEntity' }>;

export function isWrite(operation: Operation): operation is WriteOperation {
  const { name } = operation;
  return name === 'InsertEntity' || name === 'UpdateEntity' || name === 'MergeEntity' || name === 'DeleteEntity';
}

export function prepareWrite(operation: WriteOperation): Write | TableFailure {
  const write = operation.name === 'InsertEntity' ? prepareInsert(operation) : prepareChange(operation);
  if (write instanceof TableFailure) return write;
  return checkKey(write.key) ?? checkEntity(write.key, write.properties) ?? write;
}

function prepareInsert({ table, body, echo }: Extract<WriteOperation, { name: 'InsertEntity' }>): Write | TableFailure {
  const parsed = parseEntityBody(body);
  if (parsed instanceof TableFailure) return parsed;
  const { partitionKey, rowKey, properties } = parsed;
  if (partitionKey === undefined || rowKey === undefined) return new TableFailure('PropertiesNeedValue');
  return { kind: 'insert', table, key: { partitionKey, rowKey }, properties, echo };
}

function prepareChange(operation: Exclude<WriteOperation, { name: 'InsertEntity' }>): Write | TableFailure {
  const { table, key, ifMatch } = operation;
  const common = { table, key, echo: false, ...(ifMatch !== undefined && { ifMatch }) };
  if (operation.name === 'DeleteEntity') return { ...common, kind: 'delete', properties: new Map() };
  const parsed = parseEntityBody(operation.body);
  if (parsed instanceof TableFailure) return parsed;
  const { partitionKey = key.partitionKey, rowKey = key.rowKey, properties } = parsed;
  if (partitionKey !== key.partitionKey || rowKey !== key.rowKey)
    return new TableFailure('InvalidInput', 'The keys in the request body are not those of the URL.');
  return { ...common, kind: operation.name === 'UpdateEntity' ? 'replace' : 'merge', properties };
}

/** What is stored now; nothing after a delete. */
export interface Written {
  readonly entity?: StoredEntity;
  readonly etag?: string;
}

export function applyWrite(store: TableStore, write: Write, nowMs: number): Written | TableFailure {
  if (!store.hasTable(write.table)) return new TableFailure('TableNotFound');
  const found = store.get(write.table, write.key);
  const refusal = checkCondition(write, found);
  if (refusal) return refusal;
  if (write.kind === 'delete') {
    store.delete(write.table, write.key);
    return {};
  }
  const properties =
    write.kind === 'merge' && found ? new Map([...found.properties, ...write.properties]) : write.properties;
  const tooLarge = checkEntity(write.key, properties);
  if (tooLarge) return tooLarge;
  const timestamp = timestampAfter(store.lastTimestamp(), nowMs);
  store.setLastTimestamp(timestamp);
  const entity: StoredEntity = { ...write.key, timestamp, properties };
  store.put(write.table, entity);
  return { entity, etag: etagOf(timestamp) };
}

function checkCondition({ kind, ifMatch }: Write, found: StoredEntity | undefined): TableFailure | undefined {
  if (kind === 'insert') return found ? new TableFailure('EntityAlreadyExists') : undefined;
  if (ifMatch === undefined) return undefined;
  if (!found) return new TableFailure('ResourceNotFound');
  return ifMatch === '*' || ifMatch === etagOf(found.timestamp)
    ? undefined
    : new TableFailure('UpdateConditionNotSatisfied');
}
