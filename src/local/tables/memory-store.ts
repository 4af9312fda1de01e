/** Tables in memory: sorted arrays of keys beside maps, and an undo list for units. For tests and simulations; forgets everything. */
import { compareOrdinal, type StoredEntity, type TableStore } from './store.ts';

/** A map whose keys can be walked in ordinal order from any point. */
class SortedMap<Value> {
  readonly #values = new Map<string, Value>();
  readonly #keys: string[] = [];

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    if (!this.#values.has(key)) this.#keys.splice(this.#firstAtOrAfter(key), 0, key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#keys.splice(this.#firstAtOrAfter(key), 1);
  }

  get size(): number {
    return this.#keys.length;
  }

  *from(start: string): Generator<[string, Value]> {
    for (let i = this.#firstAtOrAfter(start); i < this.#keys.length; i++) {
      const key = this.#keys[i] ?? '';
      yield [key, this.#values.get(key) as Value];
    }
  }

  #firstAtOrAfter(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareOrdinal(this.#keys[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface Table {
  readonly name: string;
  readonly partitions: SortedMap<SortedMap<StoredEntity>>;
}

export function memoryTableStore(): TableStore {
  const tables = new SortedMap<Table>();
  let last = '';
  let undo: (() => void)[] | undefined;

  const write = (redo: () => void, reverse: () => void): void => {
    redo();
    undo?.push(reverse);
  };
  const revert = (steps: readonly (() => void)[]): void => {
    for (const step of steps.toReversed()) step();
  };
  const place = (table: Table, pk: string, rk: string, entity: StoredEntity | undefined): void => {
    const partition = table.partitions.get(pk) ?? new SortedMap<StoredEntity>();
    if (entity) partition.set(rk, entity);
    else partition.delete(rk);
    if (partition.size > 0) table.partitions.set(pk, partition);
    else table.partitions.delete(pk);
  };
  const change = (tableName: string, pk: string, rk: string, entity: StoredEntity | undefined): void => {
    const table = tables.get(tableName.toLowerCase());
    if (!table) return;
    const before = table.partitions.get(pk)?.get(rk);
    write(
      () => place(table, pk, rk, entity),
      () => place(table, pk, rk, before),
    );
  };

  return {
    attempt(work, keep) {
      const steps: (() => void)[] = [];
      undo = steps;
      try {
        const result = work();
        if (!keep(result)) revert(steps);
        return result;
      } catch (error) {
        revert(steps);
        throw error;
      } finally {
        undo = undefined;
      }
    },
    createTable(name) {
      const id = name.toLowerCase();
      if (tables.get(id)) return false;
      write(
        () => tables.set(id, { name, partitions: new SortedMap() }),
        () => tables.delete(id),
      );
      return true;
    },
    deleteTable(name) {
      const id = name.toLowerCase();
      const table = tables.get(id);
      if (!table) return false;
      write(
        () => tables.delete(id),
        () => tables.set(id, table),
      );
      return true;
    },
    hasTable: (name) => tables.get(name.toLowerCase()) !== undefined,
    *tables(from) {
      for (const [, table] of tables.from(from.toLowerCase())) yield table.name;
    },
    get: (table, key) => tables.get(table.toLowerCase())?.partitions.get(key.partitionKey)?.get(key.rowKey),
    put: (table, entity) => change(table, entity.partitionKey, entity.rowKey, entity),
    delete: (table, key) => change(table, key.partitionKey, key.rowKey, undefined),
    *scan(table, from) {
      for (const [pk, rows] of tables.get(table.toLowerCase())?.partitions.from(from.partitionKey) ?? []) {
        for (const [, entity] of rows.from(pk === from.partitionKey ? from.rowKey : '')) yield entity;
      }
    },
    lastTimestamp: () => last,
    setLastTimestamp(timestamp) {
      const before = last;
      write(
        () => {
          last = timestamp;
        },
        () => {
          last = before;
        },
      );
    },
  };
}
