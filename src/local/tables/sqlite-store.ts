/** Tables in SQLite. The caller owns the database and the transaction around a request; units are savepoints inside it. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { EdmType, EdmValue, Properties } from './edm.ts';
import type { StoredEntity, TableStore } from './store.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS table_names (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS table_entities (
    table_id TEXT NOT NULL, pk TEXT NOT NULL, rk TEXT NOT NULL, timestamp TEXT NOT NULL, properties TEXT NOT NULL,
    PRIMARY KEY (table_id, pk, rk)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS table_clock (id INTEGER PRIMARY KEY CHECK (id = 1), last TEXT NOT NULL) STRICT;
  INSERT OR IGNORE INTO table_clock VALUES (1, '');
`;

/** Creates its tables (`table_…`) in `db` when they are missing. */
export function sqliteTableStore(db: DatabaseSync): TableStore {
  db.exec(schema);
  const sql = {
    createTable: db.prepare('INSERT OR IGNORE INTO table_names VALUES (?, ?)'),
    deleteTable: db.prepare('DELETE FROM table_names WHERE id = ?'),
    deleteEntities: db.prepare('DELETE FROM table_entities WHERE table_id = ?'),
    hasTable: db.prepare('SELECT 1 FROM table_names WHERE id = ?'),
    tables: db.prepare('SELECT name FROM table_names WHERE id >= ? ORDER BY id'),
    get: db.prepare(
      'SELECT pk, rk, timestamp, properties FROM table_entities WHERE table_id = ? AND pk = ? AND rk = ?',
    ),
    put: db.prepare(
      `INSERT INTO table_entities VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET timestamp = excluded.timestamp, properties = excluded.properties`,
    ),
    delete: db.prepare('DELETE FROM table_entities WHERE table_id = ? AND pk = ? AND rk = ?'),
    scan: db.prepare(
      `SELECT pk, rk, timestamp, properties FROM table_entities
       WHERE table_id = ? AND (pk, rk) >= (?, ?) ORDER BY pk, rk`,
    ),
    last: db.prepare('SELECT last FROM table_clock'),
    setLast: db.prepare('UPDATE table_clock SET last = ?'),
  };
  return {
    attempt: (work, keep) => savepoint(db, work, keep),
    createTable: (name) => sql.createTable.run(name.toLowerCase(), name).changes === 1,
    deleteTable(name) {
      sql.deleteEntities.run(name.toLowerCase());
      return sql.deleteTable.run(name.toLowerCase()).changes === 1;
    },
    hasTable: (name) => sql.hasTable.get(name.toLowerCase()) !== undefined,
    *tables(from) {
      for (const row of sql.tables.iterate(from.toLowerCase())) yield String(row['name']);
    },
    get(table, key) {
      const row = sql.get.get(table.toLowerCase(), key.partitionKey, key.rowKey);
      return row && entityOf(row);
    },
    put(table, { partitionKey, rowKey, timestamp, properties }) {
      sql.put.run(table.toLowerCase(), partitionKey, rowKey, timestamp, propertiesText(properties));
    },
    delete(table, key) {
      sql.delete.run(table.toLowerCase(), key.partitionKey, key.rowKey);
    },
    *scan(table, from) {
      for (const row of sql.scan.iterate(table.toLowerCase(), from.partitionKey, from.rowKey)) yield entityOf(row);
    },
    lastTimestamp: () => String(sql.last.get()?.['last'] ?? ''),
    setLastTimestamp(timestamp) {
      sql.setLast.run(timestamp);
    },
  };
}

function savepoint<T>(db: DatabaseSync, work: () => T, keep: (result: T) => boolean): T {
  db.exec('SAVEPOINT tables_unit');
  let kept = false;
  try {
    const result = work();
    kept = keep(result);
    return result;
  } finally {
    db.exec(kept ? 'RELEASE tables_unit' : 'ROLLBACK TO tables_unit; RELEASE tables_unit');
  }
}

const propertiesText = (properties: Properties): string =>
  JSON.stringify(Array.from(properties, ([name, { type, value }]) => [name, type, value]));

function entityOf(row: Record<string, SQLOutputValue>): StoredEntity {
  const triples = JSON.parse(String(row['properties'])) as [string, EdmType, EdmValue['value']][];
  return {
    partitionKey: String(row['pk']),
    rowKey: String(row['rk']),
    timestamp: String(row['timestamp']),
    properties: new Map(triples.map(([name, type, value]) => [name, { type, value }])),
  };
}
