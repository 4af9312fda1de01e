/** The table: the Tables core over its memory store, watched so that every committed change of a row becomes an event. */
import { gunzipSync } from 'node:zlib';
import type { Core } from '../../../src/local/core.ts';
import { createTablesCore } from '../../../src/local/tables/core.ts';
import { memoryTableStore } from '../../../src/local/tables/memory-store.ts';
import type { EntityKey, StoredEntity, TableStore } from '../../../src/local/tables/store.ts';
import { etagOf } from '../../../src/local/tables/timestamp.ts';
import type { RawEntity, RowKind } from '../types.ts';
import { clock } from '../virtual/clock.ts';
import { causeNow, secrets, type WorldCore } from './core.ts';

const tableName = 'flotilla';

export interface Table {
  readonly core: Core;
  rows(partition?: string): readonly RawEntity[];
  /** Those of one kind, in key order: events, which are most of a table, cost nothing here. All partitions without one. */
  rowsOf(kind: RowKind, partition?: string): readonly RawEntity[];
  partitions(): readonly string[];
  row(partition: string, row: string): RawEntity | undefined;
  /** A copy of everything, to be restored later. */
  snapshot(): readonly StoredEntity[];
  /** The table as it was: an operator restored a backup. */
  restore(entities: readonly StoredEntity[]): void;
}

export function createTable(world: WorldCore): Table {
  const raw = new WeakMap<StoredEntity, RawEntity>();
  const lists = new Map<string, readonly RawEntity[]>();
  let restoring = false;
  const store = memoryTableStore();
  const outdated = ({ partitionKey, rowKey }: EntityKey): void => {
    const kind = /^[^|]*/.exec(rowKey)?.[0];
    lists.delete(`${kind} ${partitionKey}`);
    lists.delete(`${kind} `);
  };
  const watched = watch(store, outdated, (before, after) => {
    const entity = after ?? before;
    if (!entity) return;
    world.emit({
      type: 'row',
      at: clock.now,
      partition: entity.partitionKey,
      row: entity.rowKey,
      before: before ? cached(before) : null,
      after: after ? cached(after) : null,
      cause: causeNow(),
      foreign: restoring,
    });
  });

  function toRaw(entity: StoredEntity): RawEntity {
    const { partitionKey, rowKey, timestamp, properties } = entity;
    const row: Record<string, string | number | boolean> = { partitionKey, rowKey, etag: etagOf(timestamp) };
    for (const [name, { type, value }] of properties) row[name] = plain(type, value);
    return row as RawEntity;
  }
  const all = function* (partition = ''): Iterable<StoredEntity> {
    if (!store.hasTable(tableName)) return;
    for (const entity of store.scan(tableName, { partitionKey: partition, rowKey: '' })) {
      if (partition !== '' && entity.partitionKey !== partition) return;
      yield entity;
    }
  };
  const cached = (entity: StoredEntity): RawEntity => {
    const known = raw.get(entity);
    if (known) return known;
    const made = toRaw(entity);
    raw.set(entity, made);
    return made;
  };
  function* partitions(): Iterable<string> {
    if (!store.hasTable(tableName)) return;
    for (let from = ''; ; ) {
      const [first] = store.scan(tableName, { partitionKey: from, rowKey: '' });
      if (!first) return;
      yield first.partitionKey;
      from = `${first.partitionKey}\0`;
    }
  }
  function* ofKind(kind: RowKind, partition: string): Iterable<RawEntity> {
    for (const entity of store.scan(tableName, { partitionKey: partition, rowKey: kind })) {
      const { partitionKey, rowKey } = entity;
      if (partitionKey !== partition || (rowKey !== kind && !rowKey.startsWith(`${kind}|`))) return;
      yield cached(entity);
    }
  }
  return {
    core: createTablesCore({
      store: watched,
      authorize: (authorization) => authorization === `Bearer ${secrets.token}`,
    }),
    rows: (partition) => [...all(partition)].map(cached),
    rowsOf(kind, partition = '') {
      const id = `${kind} ${partition}`;
      const known = lists.get(id);
      if (known) return known;
      const found = [...(partition === '' ? partitions() : [partition])].flatMap((one) => [...ofKind(kind, one)]);
      lists.set(id, found);
      return found;
    },
    partitions: () => [...partitions()],
    row(partition, row) {
      const entity = store.hasTable(tableName)
        ? store.get(tableName, { partitionKey: partition, rowKey: row })
        : undefined;
      return entity && cached(entity);
    },
    snapshot: () => [...all()],
    restore(entities) {
      restoring = true;
      watched.attempt(
        () => {
          for (const entity of [...all()]) watched.delete(tableName, entity);
          // A restored row is a new write: its ETag is not the old one.
          for (const entity of entities)
            watched.put(tableName, { ...entity, timestamp: `${entity.timestamp.slice(0, -2)}9Z` });
        },
        () => true,
      );
      restoring = false;
    },
  };
}

function plain(type: string, value: string | number | boolean): string | number | boolean {
  if (type === 'Edm.DateTime') return Date.parse(String(value));
  return type === 'Edm.Int64' ? Number(value) : value;
}

/** Reports the changes of each unit that is kept, in order. */
function watch(
  store: TableStore,
  touched: (key: EntityKey) => void,
  changed: (before: StoredEntity | undefined, after: StoredEntity | undefined) => void,
): TableStore {
  let pending: (() => void)[] | undefined;
  const note = (before: StoredEntity | undefined, after: StoredEntity | undefined) => {
    if (pending) pending.push(() => changed(before, after));
    else changed(before, after);
  };
  return {
    attempt(work, keep) {
      const changes: (() => void)[] = [];
      pending = changes;
      let kept = false;
      try {
        const result = store.attempt(work, (value) => {
          kept = keep(value);
          return kept;
        });
        pending = undefined;
        if (kept) for (const change of changes) change();
        return result;
      } finally {
        pending = undefined;
      }
    },
    createTable: (name) => store.createTable(name),
    deleteTable: (name) => store.deleteTable(name),
    hasTable: (name) => store.hasTable(name),
    tables: (from) => store.tables(from),
    get: (table, key) => store.get(table, key),
    put(table, entity) {
      const before = store.get(table, entity);
      store.put(table, entity);
      touched(entity);
      note(before, entity);
    },
    delete(table, key) {
      const before = store.get(table, key);
      store.delete(table, key);
      touched(key);
      if (before) note(before, undefined);
    },
    scan: (table, from) => store.scan(table, from),
    lastTimestamp: () => store.lastTimestamp(),
    setLastTimestamp: (timestamp) => store.setLastTimestamp(timestamp),
  };
}

/** A nested value of a row: JSON text, or gzip in chunks of base64. */
export function nested(entity: RawEntity, property: string): unknown {
  const text = entity[property];
  if (typeof text === 'string') return JSON.parse(text);
  const chunks: Buffer[] = [];
  for (let n = 0; ; n += 1) {
    const chunk = entity[`${property}_gz${n}`];
    if (typeof chunk !== 'string') break;
    chunks.push(Buffer.from(chunk, 'base64'));
  }
  return chunks.length === 0 ? null : JSON.parse(gunzipSync(Buffer.concat(chunks)).toString('utf8'));
}
