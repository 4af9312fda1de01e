/**
 * A {@link DurableStore} in SQLite (WAL, group commit). Histories are appended, never rewritten, except by continueAsNew, restart and rewind.
 * Ordering and prefixes compare bytes of UTF-8 where the port says UTF-16 code units: they agree for ids without surrogate pairs.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { GroupCommit, openDatabase } from '../../sqlite.ts';
import type { ParentInstance, RuntimeStatus } from './history.ts';
import {
  type ActivityRecord,
  type DurableStore,
  endedStatuses,
  type InstanceFilter,
  type InstanceRecord,
  type MessageRecord,
  type Write,
} from './store.ts';

const schema = `
CREATE TABLE IF NOT EXISTS instances (
  key INTEGER PRIMARY KEY, instance_id TEXT NOT NULL UNIQUE, execution_id TEXT NOT NULL, name TEXT NOT NULL, version TEXT,
  status TEXT NOT NULL, input TEXT, output TEXT, custom_status TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  parent TEXT, generation INTEGER);
CREATE TABLE IF NOT EXISTS history (
  key INTEGER NOT NULL, position INTEGER NOT NULL, events TEXT NOT NULL, PRIMARY KEY (key, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, execution_id TEXT, visible_at INTEGER NOT NULL, event TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS activities (
  id INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, execution_id TEXT NOT NULL, task_id INTEGER NOT NULL, name TEXT NOT NULL,
  input TEXT, lease_until INTEGER);
`;

/** `path` of the database file; `:memory:` keeps nothing. */
export function createSqliteStore(path: string): DurableStore {
  return new SqliteStore(openDatabase(path));
}

interface InstanceRow {
  readonly key: number;
  readonly instance_id: string;
  readonly execution_id: string;
  readonly name: string;
  readonly version: string | null;
  readonly status: string;
  readonly input: string | null;
  readonly output: string | null;
  readonly custom_status: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly parent: string | null;
  readonly generation: number | null;
}

class SqliteStore implements DurableStore {
  readonly #db: DatabaseSync;
  readonly #group: GroupCommit;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(schema);
    this.#group = new GroupCommit(db);
  }

  lastId(): number {
    const sql =
      'SELECT max((SELECT ifnull(max(key), 0) FROM instances), (SELECT ifnull(max(id), 0) FROM messages), (SELECT ifnull(max(id), 0) FROM activities)) AS id';
    return (this.#sql(sql).get() as { id: number }).id;
  }

  instance(instanceId: string): InstanceRecord | undefined {
    const row = this.#sql('SELECT * FROM instances WHERE instance_id = ?').get(instanceId);
    return row && toInstance(row as unknown as InstanceRow);
  }

  unfinished(): InstanceRecord[] {
    const ended = [...endedStatuses].map((status) => `'${status}'`).join(', ');
    return this.#instances(`SELECT * FROM instances WHERE status NOT IN (${ended}) ORDER BY key`, []);
  }

  history(key: number): string[] {
    const rows = this.#sql('SELECT events FROM history WHERE key = ? ORDER BY position').all(key);
    return rows.map((row) => (row as { events: string }).events);
  }

  messages(): MessageRecord[] {
    return this.#sql('SELECT * FROM messages ORDER BY id')
      .all()
      .map((row) => {
        const r = row as Record<string, never>;
        return {
          id: r['id'],
          instanceId: r['instance_id'],
          executionId: r['execution_id'],
          visibleAtMs: r['visible_at'],
          event: r['event'],
        } as unknown as MessageRecord;
      });
  }

  activities(): ActivityRecord[] {
    return this.#sql('SELECT * FROM activities ORDER BY id')
      .all()
      .map((row) => {
        const r = row as Record<string, never>;
        return {
          id: r['id'],
          instanceId: r['instance_id'],
          executionId: r['execution_id'],
          taskId: r['task_id'],
          name: r['name'],
          input: r['input'],
          leaseUntilMs: r['lease_until'],
        } as unknown as ActivityRecord;
      });
  }

  query(filter: InstanceFilter): InstanceRecord[] {
    const where: string[] = ['1'];
    const values: (string | number)[] = [];
    const add = (condition: string, ...more: (string | number)[]) => {
      where.push(condition);
      values.push(...more);
    };
    const { instanceIdPrefix: prefix, statuses, createdFromMs, createdToMs, fromInstanceId } = filter;
    if (prefix !== undefined) add('substr(instance_id, 1, length(?)) = ?', prefix, prefix);
    if (statuses?.length) add(`status IN (${statuses.map(() => '?').join(', ')})`, ...statuses);
    if (createdFromMs !== undefined) add('created_at >= ?', createdFromMs);
    if (createdToMs !== undefined) add('created_at <= ?', createdToMs);
    if (fromInstanceId !== undefined) add('instance_id >= ?', fromInstanceId);
    const sql = `SELECT * FROM instances WHERE ${where.join(' AND ')} ORDER BY instance_id LIMIT ?`;
    return this.#instances(sql, [...values, filter.limit]);
  }

  commit(writes: readonly Write[]): Promise<void> {
    return this.#group.run(() => {
      for (const write of writes) this.#apply(write);
    });
  }

  close(): void {
    this.#db.close();
  }

  #instances(sql: string, values: readonly (string | number)[]): InstanceRecord[] {
    return this.#sql(sql)
      .all(...values)
      .map((row) => toInstance(row as unknown as InstanceRow));
  }

  /** Statements are compiled once per text. */
  #sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  #apply(write: Write): void {
    switch (write.op) {
      case 'putInstance':
        this.#putInstance(write.record);
        break;
      case 'updateInstance': {
        const { key, status, output, customStatus, updatedAtMs } = write.record;
        this.#sql('UPDATE instances SET status = ?, output = ?, custom_status = ?, updated_at = ? WHERE key = ?').run(
          status,
          output,
          customStatus,
          updatedAtMs,
          key,
        );
        break;
      }
      case 'deleteInstance':
        this.#sql('DELETE FROM instances WHERE key = ?').run(write.key);
        this.#sql('DELETE FROM history WHERE key = ?').run(write.key);
        this.#sql('DELETE FROM messages WHERE instance_id = ?').run(write.instanceId);
        this.#sql('DELETE FROM activities WHERE instance_id = ?').run(write.instanceId);
        break;
      case 'appendHistory':
        this.#sql('INSERT INTO history VALUES (?, ?, ?)').run(write.key, write.position, write.events);
        break;
      case 'clearHistory':
        this.#sql('DELETE FROM history WHERE key = ?').run(write.key);
        break;
      default:
        this.#applyWork(write);
    }
  }

  #applyWork(
    write: Extract<Write, { op: 'putMessage' | 'deleteMessage' | 'putActivity' | 'leaseActivity' | 'deleteActivity' }>,
  ): void {
    if (write.op === 'putMessage') {
      const m = write.record;
      this.#sql('INSERT INTO messages VALUES (?, ?, ?, ?, ?)').run(
        m.id,
        m.instanceId,
        m.executionId,
        m.visibleAtMs,
        m.event,
      );
    } else if (write.op === 'deleteMessage') {
      this.#sql('DELETE FROM messages WHERE id = ?').run(write.id);
    } else if (write.op === 'putActivity') {
      const a = write.record;
      this.#sql('INSERT INTO activities VALUES (?, ?, ?, ?, ?, ?, ?)').run(
        a.id,
        a.instanceId,
        a.executionId,
        a.taskId,
        a.name,
        a.input,
        a.leaseUntilMs,
      );
    } else if (write.op === 'leaseActivity') {
      this.#sql('UPDATE activities SET lease_until = ? WHERE id = ?').run(write.leaseUntilMs, write.id);
    } else {
      this.#sql('DELETE FROM activities WHERE id = ?').run(write.id);
    }
  }

  #putInstance(r: InstanceRecord): void {
    this.#sql('INSERT OR REPLACE INTO instances VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      r.key,
      r.instanceId,
      r.executionId,
      r.name,
      r.version,
      r.status,
      r.input,
      r.output,
      r.customStatus,
      r.createdAtMs,
      r.updatedAtMs,
      r.parent && JSON.stringify(r.parent),
      r.generation,
    );
  }
}

function toInstance(row: InstanceRow): InstanceRecord {
  return {
    key: row.key,
    instanceId: row.instance_id,
    executionId: row.execution_id,
    name: row.name,
    version: row.version,
    status: row.status as RuntimeStatus,
    input: row.input,
    output: row.output,
    customStatus: row.custom_status,
    createdAtMs: row.created_at,
    updatedAtMs: row.updated_at,
    parent: row.parent === null ? null : (JSON.parse(row.parent) as ParentInstance),
    generation: row.generation,
  };
}
