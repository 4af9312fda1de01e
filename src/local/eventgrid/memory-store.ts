/** The store that forgets. `sqlite-store.ts` is its durable twin; one contract suite runs against both. */
import { DEAD_LETTERS_MAX, type DeadLetter, type Delivery, type EventStore, type Subscription } from './model.ts';

export function createMemoryEventStore(): EventStore {
  const subscriptions = new Map<string, Subscription>();
  const deliveries = new Map<number, Delivery>();
  const dead: DeadLetter[] = [];
  const metas = new Map<string, unknown>();
  let serial = 0;
  return {
    subscriptions: () => [...subscriptions.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    putSubscription: (subscription) => void subscriptions.set(subscription.name, subscription),
    removeSubscription(name) {
      subscriptions.delete(name);
      for (const [id, { subscription }] of deliveries) if (subscription === name) deliveries.delete(id);
    },
    deliveries: (limit) => [...deliveries.values()].sort((a, b) => a.nextAt - b.nextAt || a.id - b.id).slice(0, limit),
    delivery: (id) => deliveries.get(id),
    addDelivery(delivery) {
      serial += 1;
      deliveries.set(serial, { ...delivery, id: serial });
    },
    putDelivery: (delivery) => void deliveries.set(delivery.id, delivery),
    removeDelivery: (id) => void deliveries.delete(id),
    pending: () => deliveries.size,
    addDeadLetter(letter) {
      dead.push(letter);
      if (dead.length > DEAD_LETTERS_MAX) dead.shift();
    },
    deadLetters: () => dead,
    meta: (name) => metas.get(name),
    setMeta: (name, value) => void metas.set(name, value),
  };
}
