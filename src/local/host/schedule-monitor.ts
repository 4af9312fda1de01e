/** Keeps when each timer ran last and runs next, so that a run missed while the host was down is seen at the next start. */
import { openDatabase } from '../sqlite.ts';

/** Instants in epoch ms. */
export interface ScheduleStatus {
  /** `undefined` until the first run. */
  readonly lastAt: number | undefined;
  readonly nextAt: number;
  readonly lastUpdatedAt: number | undefined;
}

export interface ScheduleMonitor {
  status(timer: string): ScheduleStatus | undefined;
  update(timer: string, status: ScheduleStatus): void;
  close(): void;
}

/** `path` of a SQLite file, or `:memory:`. */
export function openScheduleMonitor(path: string): ScheduleMonitor {
  const db = openDatabase(path);
  db.exec(
    'CREATE TABLE IF NOT EXISTS timer (name TEXT PRIMARY KEY, last_at INTEGER, next_at INTEGER NOT NULL, updated_at INTEGER) WITHOUT ROWID',
  );
  const select = db.prepare('SELECT last_at, next_at, updated_at FROM timer WHERE name = ?');
  const upsert = db.prepare('INSERT OR REPLACE INTO timer (name, last_at, next_at, updated_at) VALUES (?, ?, ?, ?)');
  return {
    status(timer) {
      const row = select.get(timer) as
        | { last_at: number | null; next_at: number; updated_at: number | null }
        | undefined;
      if (!row) return undefined;
      return { lastAt: row.last_at ?? undefined, nextAt: row.next_at, lastUpdatedAt: row.updated_at ?? undefined };
    },
    update(timer, status) {
      upsert.run(timer, status.lastAt ?? null, status.nextAt, status.lastUpdatedAt ?? null);
    },
    close: () => db.close(),
  };
}

/**
 * Whether an occurrence was missed while the host was down. A schedule that changed since gives no past-due run for the old one.
 * Source: ScheduleMonitor.CheckPastDueAsync of azure-webjobs-sdk-extensions.
 */
export function checkPastDue(
  monitor: ScheduleMonitor,
  timer: string,
  nextAfter: (afterMs: number) => number,
  now: number,
): { readonly status: ScheduleStatus; readonly isPastDue: boolean } {
  const stored = monitor.status(timer);
  if (!stored) {
    const status = { lastAt: undefined, nextAt: nextAfter(now), lastUpdatedAt: now };
    monitor.update(timer, status);
    return { status, isPastDue: false };
  }
  const expectedNextAt = nextAfter(stored.lastAt ?? stored.lastUpdatedAt ?? now);
  if (expectedNextAt === stored.nextAt) return { status: stored, isPastDue: now > stored.nextAt };
  const status = { ...stored, nextAt: expectedNextAt, lastUpdatedAt: now };
  monitor.update(timer, status);
  return { status, isPastDue: now > expectedNextAt };
}
