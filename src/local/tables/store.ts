/** The port between the Tables core and what keeps its state. Table names are compared without case, keys and properties with it. */
import type { Properties } from './edm.ts';

export interface EntityKey {
  readonly partitionKey: string;
  readonly rowKey: string;
}

export interface StoredEntity extends EntityKey {
  /** As `timestamp.ts` writes it. */
  readonly timestamp: string;
  readonly properties: Properties;
}

export interface TableStore {
  /** Runs `work` as one unit: its writes stay only if it returns and `keep` accepts the result. Units do not nest. */
  attempt<T>(work: () => T, keep: (result: T) => boolean): T;
  /** False when a table of that name exists. */
  createTable(name: string): boolean;
  /** Deletes the table and its entities; false when there is none. */
  deleteTable(name: string): boolean;
  hasTable(name: string): boolean;
  /** Names as created, ordered without case, beginning at `from` (inclusive). */
  tables(from: string): Iterable<string>;
  get(table: string, key: EntityKey): StoredEntity | undefined;
  /** Inserts or replaces. */
  put(table: string, entity: StoredEntity): void;
  delete(table: string, key: EntityKey): void;
  /** Entities in the order of partition key, then row key (both by {@link compareOrdinal}), beginning at `from` (inclusive). Nothing may be written while it is read. */
  scan(table: string, from: EntityKey): Iterable<StoredEntity>;
  /** The last Timestamp given out, empty at first. */
  lastTimestamp(): string;
  setLastTimestamp(timestamp: string): void;
}

/** Order of strings by code point, which is also that of their UTF-8 bytes. */
export function compareOrdinal(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;
