/** Where the Private DNS stand-in keeps its zones, links, record sets and operations: JSON documents by key. Two implementations, one that forgets. */
import type { DatabaseSync } from 'node:sqlite';

export interface Documents {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
  remove(key: string): void;
  /** Keys that begin with the prefix, ordered, with their values. */
  list(prefix: string): readonly (readonly [key: string, value: unknown])[];
}

export function createMemoryDocuments(): Documents {
  const values = new Map<string, unknown>();
  return {
    get: (key) => values.get(key),
    put: (key, value) => void values.set(key, value),
    remove: (key) => void values.delete(key),
    list: (prefix) => [...values].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}

/** Writes belong inside a transaction of the caller (`GroupCommit`). */
export function createSqliteDocuments(db: DatabaseSync): Documents {
  db.exec('CREATE TABLE IF NOT EXISTS dns_document (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID');
  const get = db.prepare('SELECT value FROM dns_document WHERE key = ?');
  const put = db.prepare('INSERT OR REPLACE INTO dns_document VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM dns_document WHERE key = ?');
  const list = db.prepare('SELECT key, value FROM dns_document WHERE key >= ? AND key < ? ORDER BY key');
  const parse = (row: unknown): unknown => JSON.parse((row as { value: string }).value);
  return {
    get(key) {
      const row = get.get(key);
      return row && parse(row);
    },
    put: (key, value) => void put.run(key, JSON.stringify(value)),
    remove: (key) => void remove.run(key),
    list: (prefix) => list.all(prefix, `${prefix}\u{10ffff}`).map((row) => [(row as { key: string }).key, parse(row)]),
  };
}
