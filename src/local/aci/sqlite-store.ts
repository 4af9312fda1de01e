/** The durable store of the ARM stand-in. Writes belong inside a transaction of the caller (`GroupCommit`). */
import type { DatabaseSync } from 'node:sqlite';
import { type AuditEntry, type GroupRecord, nextInstant, type OperationRecord } from './model.ts';
import { type AciStore, LOG_LIMIT_BYTES, type LogLine } from './store.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS aci_group (key TEXT PRIMARY KEY, next_at INTEGER, record TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS aci_group_due ON aci_group (next_at) WHERE next_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS aci_operation (id TEXT PRIMARY KEY, start_at INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS aci_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS aci_audit (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, record TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS aci_audit_at ON aci_audit (at);
  CREATE TABLE IF NOT EXISTS aci_log (seq INTEGER PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS aci_log_name ON aci_log (name, seq);
`;

export function createSqliteAciStore(db: DatabaseSync): AciStore {
  db.exec(SCHEMA);
  let revision = 0;
  // Real containers print much: adding up a whole log for each line would cost more than the line. A rollback makes it a little too large.
  const logSizes = new Map<string, number>();
  const recordOf = <T>(row: unknown): T | undefined =>
    row === undefined ? undefined : (JSON.parse((row as { record: string }).record) as T);
  const records = <T>(rows: readonly unknown[]): T[] =>
    rows.map((row) => JSON.parse((row as { record: string }).record) as T);
  const sql = statements(db);
  return {
    volatile: new Map(),
    get revision() {
      return revision;
    },
    group: (key) => recordOf<GroupRecord>(sql.group.get(key)),
    groups: () => records<GroupRecord>(sql.groups.all()),
    putGroup(record) {
      sql.putGroup.run(record.key, nextInstant(record) ?? null, JSON.stringify(record));
      revision += 1;
    },
    removeGroup(key) {
      sql.removeGroup.run(key);
      sql.removeLogs.run(`${key}\n`, `${key}\n\u{10ffff}`);
      for (const name of logSizes.keys()) if (name.startsWith(`${key}\n`)) logSizes.delete(name);
      revision += 1;
    },
    dueGroups: (now) => records<GroupRecord>(sql.dueGroups.all(now)),
    nextAt: () => (sql.nextAt.get() as { at: number | null }).at ?? undefined,
    operation: (id) => recordOf<OperationRecord>(sql.operation.get(id)),
    putOperation: (operation) => void sql.putOperation.run(operation.id, operation.startAt, JSON.stringify(operation)),
    forgetOperationsBefore: (at) => void sql.forgetOperations.run(at),
    meta(name) {
      const row = sql.meta.get(name) as { value: string } | undefined;
      return row && JSON.parse(row.value);
    },
    setMeta(name, value) {
      sql.setMeta.run(name, JSON.stringify(value));
      revision += 1;
    },
    appendAudit: (entry) => void sql.appendAudit.run(entry.at, JSON.stringify(entry)),
    audit: (fromAt) => records<AuditEntry>(sql.audit.all(fromAt)),
    appendLog(groupKey, container, line) {
      const name = `${groupKey}\n${container}`;
      let size = logSizes.get(name) ?? (sql.logSize.get(name) as { size: number }).size;
      sql.appendLog.run(name, line.at, line.text);
      size += Buffer.byteLength(line.text) + 1;
      while (size > LOG_LIMIT_BYTES) size -= (sql.trimLog.get(name) as { size: number }).size;
      logSizes.set(name, size);
    },
    logs: (groupKey, container) => sql.logs.all(`${groupKey}\n${container}`) as unknown as LogLine[],
  };
}

function statements(db: DatabaseSync) {
  return {
    group: db.prepare('SELECT record FROM aci_group WHERE key = ?'),
    groups: db.prepare('SELECT record FROM aci_group ORDER BY key'),
    putGroup: db.prepare('INSERT OR REPLACE INTO aci_group VALUES (?, ?, ?)'),
    removeGroup: db.prepare('DELETE FROM aci_group WHERE key = ?'),
    dueGroups: db.prepare('SELECT record FROM aci_group WHERE next_at <= ? ORDER BY next_at, key'),
    nextAt: db.prepare('SELECT MIN(next_at) AS at FROM aci_group WHERE next_at IS NOT NULL'),
    operation: db.prepare('SELECT record FROM aci_operation WHERE id = ?'),
    putOperation: db.prepare('INSERT OR REPLACE INTO aci_operation VALUES (?, ?, ?)'),
    forgetOperations: db.prepare('DELETE FROM aci_operation WHERE start_at < ?'),
    meta: db.prepare('SELECT value FROM aci_meta WHERE name = ?'),
    setMeta: db.prepare('INSERT OR REPLACE INTO aci_meta VALUES (?, ?)'),
    appendAudit: db.prepare('INSERT INTO aci_audit (at, record) VALUES (?, ?)'),
    audit: db.prepare('SELECT record FROM aci_audit WHERE at >= ? ORDER BY seq'),
    appendLog: db.prepare('INSERT INTO aci_log (name, at, text) VALUES (?, ?, ?)'),
    logs: db.prepare('SELECT at, text FROM aci_log WHERE name = ? ORDER BY seq'),
    logSize: db.prepare('SELECT COALESCE(SUM(LENGTH(CAST(text AS BLOB)) + 1), 0) AS size FROM aci_log WHERE name = ?'),
    trimLog: db.prepare(
      'DELETE FROM aci_log WHERE seq = (SELECT MIN(seq) FROM aci_log WHERE name = ?) RETURNING LENGTH(CAST(text AS BLOB)) + 1 AS size',
    ),
    removeLogs: db.prepare('DELETE FROM aci_log WHERE name >= ? AND name < ?'),
  };
}
