/**
 * A topic: gives each of its subscriptions a copy of what that one's rules let through. A subscription is a queue that only its topic sends to. All copies
 * of what was sent at once are stored in one commit, so that no crash leaves some subscriptions without.
 */
import type { Clock } from '../../model/clock.ts';
import { types } from './amqp.ts';
import {
  granted,
  internalError,
  messageNotFound,
  type OrRefusal,
  quotaExceeded,
  type Refusal,
  refused,
} from './errors.ts';
import { effectiveTtl } from './expiry.ts';
import { withApplicationProperties } from './message-sections.ts';
import type { Queue } from './queue.ts';
import type { Rules } from './rules.ts';
import { ScheduledMessages } from './scheduled-messages.ts';
import type { Draft, SqliteQueueStore, StoredMessage } from './store.ts';
import type { Copied, Copies, TopicStore } from './topic-store.ts';

export interface TopicDefinition {
  readonly name: string;
  /** As of a queue. */
  readonly duplicateWindowMs?: number;
  readonly defaultTtlMs?: number | undefined;
}

export interface Subscription {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly rules: Rules;
  readonly store: SqliteQueueStore;
}

export class Topic {
  readonly definition: TopicDefinition;
  readonly subscriptions: readonly Subscription[];
  readonly #store: TopicStore;
  readonly #clock: Clock;
  readonly #scheduled: ScheduledMessages;

  /** Takes over what waits in the store. */
  constructor(definition: TopicDefinition, subscriptions: readonly Subscription[], store: TopicStore, clock: Clock) {
    this.definition = definition;
    this.subscriptions = subscriptions;
    this.#store = store;
    this.#clock = clock;
    this.#scheduled = new ScheduledMessages(clock, async (message, now) =>
      this.#admit(await store.release(message, now, (drafts) => this.#share(drafts))),
    );
    for (const message of store.load()) this.#scheduled.add(message);
  }

  /** As of a queue; what was stored of scheduled messages comes back, in their order. */
  async send(drafts: readonly Draft[]): Promise<OrRefusal<StoredMessage[]>> {
    const full = this.subscriptions.find(({ queue }) => queue.isFull);
    if (full) return refused(quotaExceeded(full.queue.definition.name, full.queue.definition.maxSizeBytes));
    const { duplicateWindowMs, defaultTtlMs } = this.definition;
    try {
      const now = this.#clock.now();
      const seenSince = duplicateWindowMs === undefined ? undefined : now - duplicateWindowMs;
      const limited = drafts.map((draft) => ({ ...draft, ttlMs: effectiveTtl(draft.ttlMs, defaultTtlMs) }));
      const share = (ready: readonly Draft[]) => this.#share(ready);
      const { waiting, copies } = await this.#store.publish(limited, now, share, seenSince);
      for (const message of waiting) this.#scheduled.add(message);
      this.#admit(copies);
      return granted(waiting);
    } catch (error) {
      return refused(internalError(error));
    }
  }

  /** Removes scheduled messages before they are enqueued: all of them or none. */
  async cancelScheduled(sequences: readonly number[]): Promise<Refusal | undefined> {
    const missing = sequences.find((sequence) => !this.#scheduled.has(sequence));
    if (missing !== undefined) return messageNotFound(missing);
    const messages = sequences.map((sequence) => this.#scheduled.take(sequence)).filter((one) => one !== undefined);
    try {
      await Promise.all(messages.map(({ sequence }) => this.#store.remove(sequence)));
      return undefined;
    } catch (error) {
      for (const message of messages) this.#scheduled.add(message);
      return internalError(error);
    }
  }

  close(): void {
    this.#scheduled.close();
  }

  #share(drafts: readonly Draft[]): Copies[] {
    return this.subscriptions.flatMap(({ queue, rules, store }): Copies[] => {
      const { requiresSession, defaultTtlMs } = queue.definition;
      const wanted = drafts
        .filter(({ body }) => rules.lets(body))
        .map((draft) => ({ ...draft, ttlMs: effectiveTtl(draft.ttlMs, defaultTtlMs) }));
      const fits = (draft: Draft) => !requiresSession || draft.sessionId !== undefined;
      return [
        { to: store, drafts: wanted.filter(fits) },
        { to: store, drafts: wanted.filter((draft) => !fits(draft)).map(withoutSession), dead: true },
      ].filter((copies) => copies.drafts.length > 0);
    });
  }

  #admit(copied: readonly Copied[]): void {
    for (const { copies, messages } of copied) {
      const subscription = this.subscriptions.find(({ store }) => store === copies.to);
      (copies.dead ? subscription?.deadLetters : subscription?.queue)?.admit(messages);
    }
  }
}

/** A topic takes messages without a session; a subscription that requires one makes them dead letters (service-bus-dead-letter-queues). */
const withoutSession = (draft: Draft): Draft => ({
  ...draft,
  body: withApplicationProperties(
    draft.body,
    new Map([
      ['DeadLetterReason', types.wrap_string('Session ID is null')],
      [
        'DeadLetterErrorDescription',
        types.wrap_string("Session enabled entity doesn't allow a message whose session identifier is null."),
      ],
    ]),
  ),
});
