/**
 * The rules of Event Grid on a store: who gets an event, when it is tried again, when it is given up. Told what time it is; opens no socket
 * (`delivery.ts` does). Source: "Event Grid message delivery and retry" (learn.microsoft.com/azure/event-grid/delivery-and-retry, read 2026-11-24).
 */
import type { Delivery, EventStore, Outcome, PublishedEvent, Subscription } from './model.ts';

/** When each copy of an event leaves, in ms from its publication: none = it is lost, two = it is delivered twice. */
export type Fate = readonly number[];

export interface EventGrid {
  readonly store: EventStore;
  /** Keeps a delivery for each subscription that wants it. `[0]`: as it should be. */
  publish(event: PublishedEvent, now: number, fate: Fate): void;
  /** What is to be sent now, in order; nothing to a subscription that has not shaken hands. */
  due(now: number, limit: number): readonly Delivery[];
  nextAt(): number | undefined;
  /** What became of an attempt. A delivery that is given up is answered, for the log. */
  settle(id: number, outcome: Outcome, now: number): Delivery | undefined;
}

const MINUTE_MS = 60_000;
/** Waits before the next attempts; the last one repeats. */
export const RETRY_SCHEDULE_MS: readonly number[] = [
  10_000,
  30_000,
  MINUTE_MS,
  5 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  60 * MINUTE_MS,
  180 * MINUTE_MS,
  360 * MINUTE_MS,
  720 * MINUTE_MS,
];
/** Webhooks that answer these are not asked again. */
const NOT_RETRIED: ReadonlySet<number> = new Set([400, 401, 403, 413]);
const LEAST_WAITS_MS: Readonly<Record<number, number>> = { 408: 2 * MINUTE_MS, 503: 30_000 };

export interface GridOptions {
  readonly store: EventStore;
  /** Stretches or shrinks the waits between attempts; default 1. */
  readonly retryScale?: number;
}

export function createEventGrid({ store, retryScale = 1 }: GridOptions): EventGrid {
  const ready = () =>
    new Set(store.subscriptions().flatMap(({ name, state }) => (state === 'succeeded' ? [name] : [])));
  const earliest = (limit: number) => {
    const names = ready();
    return store.deliveries(limit).filter(({ subscription }) => names.has(subscription));
  };
  return {
    store,
    publish(event, now, fate) {
      for (const subscription of store.subscriptions()) {
        if (subscription.state !== 'succeeded' || !wants(subscription, event)) continue;
        for (const delayMs of fate) {
          const { name } = subscription;
          store.addDelivery({ subscription: name, event, publishedAt: now, nextAt: now + delayMs, attempts: 0 });
        }
      }
    },
    due: (now, limit) => earliest(limit).filter(({ nextAt }) => nextAt <= now),
    nextAt: () => earliest(LOOK_AHEAD)[0]?.nextAt,
    settle(id, outcome, now) {
      const delivery = store.delivery(id);
      const subscription = store.subscriptions().find(({ name }) => name === delivery?.subscription);
      if (!delivery || !subscription) return undefined;
      const verdict = judge(subscription, { ...delivery, attempts: delivery.attempts + 1 }, outcome, now, retryScale);
      if ('nextAt' in verdict) {
        store.putDelivery(verdict);
        return undefined;
      }
      store.removeDelivery(id);
      if (verdict.delivered) return undefined;
      const { event, attempts } = delivery;
      const { reason } = verdict;
      const lastError = outcome.problem;
      store.addDeadLetter({
        at: now,
        subscription: subscription.name,
        event,
        attempts: attempts + 1,
        reason,
        lastError,
      });
      return delivery;
    },
  };
}

/** Deliveries of subscriptions that are not ready may stand in front. */
const LOOK_AHEAD = 200;

type Verdict =
  | Delivery
  | { readonly delivered: true }
  | {
      readonly delivered: false;
      readonly reason: 'MaxDeliveryAttemptsExceeded' | 'TimeToLiveExceeded' | 'NotRetriable';
    };

function judge(
  subscription: Subscription,
  delivery: Delivery,
  { status }: Outcome,
  now: number,
  retryScale: number,
): Verdict {
  if (status !== null && status >= 200 && status < 205) return { delivered: true };
  if (status !== null && NOT_RETRIED.has(status)) return { delivered: false, reason: 'NotRetriable' };
  if (delivery.attempts >= subscription.maxAttempts) return { delivered: false, reason: 'MaxDeliveryAttemptsExceeded' };
  const scheduledMs = RETRY_SCHEDULE_MS[Math.min(delivery.attempts, RETRY_SCHEDULE_MS.length) - 1] ?? 0;
  const waitMs = Math.max(scheduledMs, LEAST_WAITS_MS[status ?? 0] ?? 0) * retryScale;
  const nextAt = now + Math.round(waitMs);
  if (nextAt >= delivery.publishedAt + subscription.ttlMs) return { delivered: false, reason: 'TimeToLiveExceeded' };
  return { ...delivery, nextAt };
}

export function wants({ eventTypes, subjectBeginsWith = '' }: Subscription, event: PublishedEvent): boolean {
  if (eventTypes && !eventTypes.includes(event.type)) return false;
  return event.subject.toLowerCase().startsWith(subjectBeginsWith.toLowerCase());
}
