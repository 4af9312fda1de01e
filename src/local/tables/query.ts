/** Pages of entities and of table names, in key order, with the service's continuation values. */
import { type KeyRange, keyRange, matches } from './filter.ts';
import { predicateOf } from './predicate.ts';
import type { Query } from './request.ts';
import { compareOrdinal, type EntityKey, type StoredEntity, type TableStore } from './store.ts';

/** The service's page; it may return fewer, also none, with a continuation. */
export const pageSize = 1000;

export interface Page<Item, Next> {
  readonly items: readonly Item[];
  /** Where the next page begins; absent at the end. */
  readonly next?: Next;
}

/** `limit`: the longest page, at most {@link pageSize}; 0 makes the empty page with a continuation that clients must expect. */
export function queryEntities(
  store: TableStore,
  table: string,
  query: Query,
  limit: number,
): Page<StoredEntity, EntityKey> {
  const range = keyRange(query.filter);
  const holds = query.filter && predicateOf(query.filter);
  const items: StoredEntity[] = [];
  for (const entity of store.scan(table, startOf(query, range))) {
    if (isBeyond(entity, range)) break;
    if (holds && !holds(entity)) continue;
    if (items.length >= limit) return { items, next: entity };
    items.push(entity);
  }
  return { items };
}

function startOf({ nextPartitionKey, nextRowKey = '' }: Query, { from }: KeyRange): EntityKey {
  return nextPartitionKey === undefined ? from : { partitionKey: nextPartitionKey, rowKey: nextRowKey };
}

function isBeyond({ partitionKey, rowKey }: EntityKey, { to }: KeyRange): boolean {
  if (to.partitionKey !== undefined && compareOrdinal(partitionKey, to.partitionKey) > 0) return true;
  return to.rowKey !== undefined && compareOrdinal(rowKey, to.rowKey) > 0;
}

export function queryTables(store: TableStore, query: Query, limit: number): Page<string, string> {
  const items: string[] = [];
  for (const name of store.tables(query.nextTableName ?? '')) {
    const { filter } = query;
    if (
      filter &&
      !matches(filter, (property) => (property === 'TableName' ? { type: 'Edm.String', value: name } : undefined))
    )
      continue;
    if (items.length >= limit) return { items, next: name };
    items.push(name);
  }
  return { items };
}
