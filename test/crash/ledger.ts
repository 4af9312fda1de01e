/**
 * What the platform has committed so far, read from its own databases while it runs: only there is progress visible at the very instant of the
 * commit, before anybody has acted on it. Read-only; it decides when to strike and never whether the outcome was right.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface Sight {
  /** Audit events of the app by type: `GroupCreating` → 2. */
  readonly events: ReadonlyMap<string, number>;
  /** Commands written down for the app, and those not concluded yet. */
  readonly operations: number;
  readonly pending: number;
  /** States of the app's replicas: `creating` → 1. */
  readonly replicas: ReadonlyMap<string, number>;
  /** What ARM accepted and finished, by action: `create`, `update`, `delete`, `gone`. */
  readonly arm: ReadonlyMap<string, number>;
  /** Messages in the command queue, those being handled included. */
  readonly messages: number;
  readonly deadLetters: number;
  /** Replies written down and not struck off yet. */
  readonly owed: number;
  /** Replies in their queue. */
  readonly answers: number;
  /** Activities handed out or waiting. */
  readonly activities: number;
  /** Orchestrations that have not ended, by name. */
  readonly instances: ReadonlyMap<string, number>;
}

export interface Ledger {
  see(): Sight;
  /** Resolves with the first sight that `isDue` agrees to. @throws Error after `withinMs` (default 90 s). */
  until(what: string, isDue: (sight: Sight) => boolean, withinMs?: number): Promise<Sight>;
  close(): void;
}

/** A commit is acted upon by another process after a round trip over sockets, which takes longer than this. */
const pollMs = 1;

export function openLedger(dataDir: string, app: string): Ledger {
  const open = (name: string) => new DatabaseSync(join(dataDir, `${name}.db`), { readOnly: true, timeout: 5_000 });
  const [tables, aci, bus, durable] = [open('tables'), open('aci'), open('service-bus'), open('durable')];
  const count = (db: DatabaseSync, sql: string, ...values: string[]): number =>
    Number((db.prepare(sql).get(...values) as { n: number }).n);
  const counts = (db: DatabaseSync, sql: string, ...values: string[]): ReadonlyMap<string, number> =>
    new Map((db.prepare(sql).all(...values) as { name: string; n: number }[]).map(({ name, n }) => [name, n]));
  const property = (name: string) =>
    `(SELECT json_extract(value, '$[2]') FROM json_each(properties) WHERE json_extract(value, '$[0]') = '${name}')`;
  const byProperty = (kind: string, name: string) =>
    counts(
      tables,
      `SELECT ${property(name)} AS name, count(*) AS n FROM table_entities WHERE pk = ? AND rk >= ? AND rk < ? GROUP BY 1`,
      app,
      `${kind}|`,
      `${kind}}`,
    );
  const inQueue = (which: string) =>
    `SELECT count(*) AS n FROM message JOIN queue ON queue.id = queue_id WHERE name = ? AND ${which}`;
  const total = (map: ReadonlyMap<string, number>): number => [...map.values()].reduce((sum, n) => sum + n, 0);

  const see = (): Sight => {
    const operations = byProperty('op', 'state');
    return {
      events: byProperty('event', 'type'),
      operations: total(operations),
      pending: operations.get('accepted') ?? 0,
      replicas: byProperty('replica', 'state'),
      arm: counts(aci, `SELECT json_extract(record, '$.action') AS name, count(*) AS n FROM aci_audit GROUP BY 1`),
      messages: count(bus, inQueue('NOT dead'), 'flotilla-commands'),
      deadLetters: count(bus, inQueue('dead'), 'flotilla-commands'),
      answers: count(bus, inQueue('NOT dead'), 'flotilla-replies'),
      owed: count(tables, "SELECT count(*) AS n FROM table_entities WHERE pk = '~replies'"),
      activities: count(durable, 'SELECT count(*) AS n FROM activities'),
      instances: counts(
        durable,
        `SELECT name, count(*) AS n FROM instances WHERE status IN ('Pending', 'Running') GROUP BY 1`,
      ),
    };
  };
  const version = (): string =>
    [tables, aci, bus, durable].map((db) => Object.values(db.prepare('PRAGMA data_version').get() ?? {})).join();

  return {
    see,
    async until(what, isDue, withinMs = 90_000) {
      const deadlineAt = performance.now() + withinMs;
      for (let seen = ''; ; ) {
        const now = version();
        if (now !== seen) {
          seen = now;
          const sight = see();
          if (isDue(sight)) return sight;
        }
        if (performance.now() > deadlineAt) throw new Error(`${what}: not within ${withinMs} ms; ${describe(see())}`);
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    },
    close() {
      for (const db of [tables, aci, bus, durable]) db.close();
    },
  };
}

/** What was under way, in one line for the table of outcomes. */
export function describe({ operations, pending, replicas, arm, messages, activities, instances }: Sight): string {
  const list = (map: ReadonlyMap<string, number>) => [...map].map(([name, n]) => `${n} ${name}`).join(' ') || 'none';
  const groups = (arm.get('create') ?? 0) - (arm.get('gone') ?? 0);
  return (
    `ops ${operations - pending}/${operations}, messages ${messages}, ` +
    `instances ${list(instances)}, activities ${activities}, replicas ${list(replicas)}, groups ${groups}`
  );
}
