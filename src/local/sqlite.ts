/**
 * One way to open SQLite and one way to write to it for every embedded service.
 * Durability: WAL with synchronous NORMAL survives `kill -9` (the log is in the page cache), not a power cut.
 */
import { DatabaseSync } from 'node:sqlite';

/**
 * Opens (and creates) a database; `:memory:` keeps nothing.
 * @throws Error that names the file and what to do when it cannot be opened, is no database or is damaged; nothing is overwritten.
 */
export function openDatabase(path: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    db.exec('PRAGMA busy_timeout = 5000;');
    const damage = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (damage.quick_check !== 'ok') throw new Error(damage.quick_check.replaceAll('\n', ' '));
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    return db;
  } catch (error) {
    db?.close();
    throw new Error(`${path} cannot be used: ${causeOf(error)}. ${remedyFor(error, path)}`);
  }
}

const causeOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
export const sqliteCodes = { permission: 3, busy: 5, readOnly: 8, ioError: 10, full: 13, cannotOpen: 14 } as const;

/** `errcode` of node:sqlite is the extended code; 0 for an error of another kind. */
export const sqliteCodeOf = (error: unknown): number =>
  Number((error as { errcode?: unknown } | null)?.errcode ?? 0) & 0xff;

const hasNoRoom = (error: unknown): boolean =>
  sqliteCodeOf(error) === sqliteCodes.full || sqliteCodeOf(error) === sqliteCodes.ioError;

function remedyFor(error: unknown, path: string): string {
  const code = sqliteCodeOf(error);
  if (hasNoRoom(error)) return 'Make room on its disk and start again.';
  if (code === sqliteCodes.cannotOpen || code === sqliteCodes.readOnly || code === sqliteCodes.permission)
    return 'Let this user read and write it and its directory, or choose another data directory.';
  return (
    `Nothing in it was changed. Put back a copy of it, or move it away together with ${path}-wal and ${path}-shm to begin without what it holds, ` +
    'or choose another data directory.'
  );
}

/** A write that failed, in words that name the file: what asked for it was not acknowledged and may be asked for again. */
function explained(error: unknown, db: DatabaseSync): unknown {
  if (!hasNoRoom(error)) return error;
  const file = db.location() ?? 'the database';
  return new Error(
    `${file} cannot be written: ${causeOf(error)}. Make room on its disk; nothing of this request was kept.`,
    {
      cause: error,
    },
  );
}

interface Pending {
  readonly write: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Collects the writes of one event-loop turn into one transaction and answers each writer only after the commit.
 * A write that throws fails alone: the batch is rolled back and every write of it is run again in a transaction of its own,
 * so `write` must keep its state in the database only.
 */
export class GroupCommit {
  #pending: Pending[] = [];
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Runs `write` inside the next transaction; resolves with its result once that is durable. */
  run<T>(write: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#pending.push({ write, resolve: resolve as (value: never) => void, reject });
      if (this.#pending.length === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const batch = this.#pending;
    this.#pending = [];
    try {
      const results = this.#transaction(() => batch.map((p) => p.write()));
      batch.forEach((p, i) => {
        p.resolve(results[i] as never);
      });
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error);
      else for (const pending of batch) this.#runAlone(pending);
    }
  }

  #runAlone(pending: Pending): void {
    try {
      pending.resolve(this.#transaction(pending.write) as never);
    } catch (error) {
      pending.reject(error);
    }
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk makes SQLite roll back by itself.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw explained(error, this.#db);
    }
  }
}
