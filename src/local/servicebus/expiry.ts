/**
 * When messages lose their right to be delivered. The instant is fixed when a message is enqueued (learn.microsoft.com/azure/service-bus-messaging/message-expiration);
 * what has become of expired messages in between is looked after in sweeps, so that many instants cost few of them.
 */
import type { Clock } from '../../model/clock.ts';
import { type AmqpMap, types } from './amqp.ts';
import type { StoredMessage } from './store.ts';

/** Least time between two sweeps, in ms. Nothing expired is delivered in between: deliveries look for themselves. */
const SWEEP_GAP_MS = 50;

/** Epoch ms; infinite for a message that is kept until somebody takes it. */
export const expiresAt = ({ enqueuedAt, ttlMs }: Pick<StoredMessage, 'enqueuedAt' | 'ttlMs'>): number =>
  ttlMs === undefined ? Number.POSITIVE_INFINITY : enqueuedAt + ttlMs;

/** The default of the queue holds for messages without a time to live, and is a ceiling for the others. */
export const effectiveTtl = (ttlMs: number | undefined, defaultTtlMs: number | undefined): number | undefined =>
  ttlMs === undefined || defaultTtlMs === undefined ? (ttlMs ?? defaultTtlMs) : Math.min(ttlMs, defaultTtlMs);

/** What an expired message is dead-lettered with, where that is wanted. */
export const expiredProperties = (): AmqpMap =>
  new Map([
    ['DeadLetterReason', types.wrap_string('TTLExpiredException')],
    ['DeadLetterErrorDescription', types.wrap_string('The message expired and was dead lettered.')],
  ]);

export class ExpiryTimer {
  readonly #clock: Clock;
  readonly #sweep: () => void;
  #timer: { readonly at: number; readonly stop: () => void } | undefined;
  #sweptAt = Number.NEGATIVE_INFINITY;

  /** @param sweep Called soon after an instant that was noted. */
  constructor(clock: Clock, sweep: () => void) {
    this.#clock = clock;
    this.#sweep = sweep;
  }

  /** Something expires at `at`, in epoch ms. */
  note(at: number): void {
    if (at === Number.POSITIVE_INFINITY || (this.#timer && this.#timer.at <= at)) return;
    this.#timer?.stop();
    const due = Math.max(at, this.#sweptAt + SWEEP_GAP_MS);
    const stop = this.#clock.at(due, () => {
      this.#timer = undefined;
      this.#sweptAt = this.#clock.now();
      this.#sweep();
    });
    this.#timer = { at, stop };
  }

  close(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }
}
