/**
 * The durable store: the outbox of events. It shares the database of ARM, so that a change and its event are one transaction. Writes belong inside a
 * transaction of the caller (`GroupCommit`).
 */
import type { DatabaseSync } from 'node:sqlite';
import { DEAD_LETTERS_MAX, type DeadLetter, type Delivery, type EventStore, type Subscription } from './model.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS event_subscription (name TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS event_delivery (id INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, next_at INTEGER NOT NULL, record TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS event_delivery_due ON event_delivery (next_at, id);
  CREATE TABLE IF NOT EXISTS event_dead_letter (seq INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS event_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

export function createSqliteEventStore(db: DatabaseSync): EventStore {
  db.exec(SCHEMA);
  const sql = {
    subscriptions: db.prepare('SELECT record FROM event_subscription ORDER BY name'),
    putSubscription: db.prepare('INSERT OR REPLACE INTO event_subscription (name, record) VALUES (?, ?)'),
    removeSubscription: db.prepare('DELETE FROM event_subscription WHERE name = ?'),
    removeDeliveriesOf: db.prepare('DELETE FROM event_delivery WHERE subscription = ?'),
    deliveries: db.prepare('SELECT id, record FROM event_delivery ORDER BY next_at, id LIMIT ?'),
    delivery: db.prepare('SELECT id, record FROM event_delivery WHERE id = ?'),
    addDelivery: db.prepare('INSERT INTO event_delivery (subscription, next_at, record) VALUES (?, ?, ?)'),
    putDelivery: db.prepare('UPDATE event_delivery SET next_at = ?, record = ? WHERE id = ?'),
    removeDelivery: db.prepare('DELETE FROM event_delivery WHERE id = ?'),
    pending: db.prepare('SELECT count(*) AS n FROM event_delivery'),
    addDeadLetter: db.prepare('INSERT INTO event_dead_letter (record) VALUES (?)'),
    trimDeadLetters: db.prepare(
      'DELETE FROM event_dead_letter WHERE seq <= (SELECT max(seq) FROM event_dead_letter) - ?',
    ),
    deadLetters: db.prepare('SELECT record FROM event_dead_letter ORDER BY seq'),
    meta: db.prepare('SELECT value FROM event_meta WHERE name = ?'),
    setMeta: db.prepare('INSERT OR REPLACE INTO event_meta (name, value) VALUES (?, ?)'),
  };
  const recordOf = <T>(row: unknown): T => JSON.parse((row as { record: string }).record) as T;
  const deliveryOf = (row: unknown): Delivery => ({ ...recordOf<Delivery>(row), id: (row as { id: number }).id });
  return {
    subscriptions: () => sql.subscriptions.all().map((row) => recordOf<Subscription>(row)),
    putSubscription: (subscription) => void sql.putSubscription.run(subscription.name, JSON.stringify(subscription)),
    removeSubscription(name) {
      sql.removeSubscription.run(name);
      sql.removeDeliveriesOf.run(name);
    },
    deliveries: (limit) => sql.deliveries.all(limit).map(deliveryOf),
    delivery(id) {
      const row = sql.delivery.get(id);
      return row === undefined ? undefined : deliveryOf(row);
    },
    addDelivery: (delivery) =>
      void sql.addDelivery.run(delivery.subscription, delivery.nextAt, JSON.stringify(delivery)),
    putDelivery: (delivery) => void sql.putDelivery.run(delivery.nextAt, JSON.stringify(delivery), delivery.id),
    removeDelivery: (id) => void sql.removeDelivery.run(id),
    pending: () => Number((sql.pending.get() as { n: number }).n),
    addDeadLetter(letter) {
      sql.addDeadLetter.run(JSON.stringify(letter));
      sql.trimDeadLetters.run(DEAD_LETTERS_MAX);
    },
    deadLetters: () => sql.deadLetters.all().map((row) => recordOf<DeadLetter>(row)),
    meta(name) {
      const row = sql.meta.get(name);
      return row === undefined ? undefined : JSON.parse((row as { value: string }).value);
    },
    setMeta: (name, value) => void sql.setMeta.run(name, JSON.stringify(value)),
  };
}
