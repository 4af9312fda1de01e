/**
 * One way to open SQLite and one way to write to it for every embedded service.
 * Durability: WAL with synchronous NORMAL survives `kill -9` (the log is in the page cache), not a power cut.
 */
import { DatabaseSync } from 'node:sqlite';

/**
 * Opens (and creates) a database; `:memory:` keeps nothing.
 * @throws Error that names the file when it cannot be opened or is no database; nothing is overwritten.
 */
export function openDatabase(path: string): DatabaseSync {
  try {
    const db = new DatabaseSync(path);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
    return db;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`${path} cannot be used: ${cause}. Move or remove it, or choose another data directory.`);
  }
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
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}
