/** Opens what a namespace was declared to hold, and finds it by the paths under which clients know it. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../model/clock.ts';
import { type BrokerOptions, DUPLICATE_WINDOW_MS, type ReceivableOptions, type TopicOptions } from './options.ts';
import { Queue } from './queue.ts';
import type { QueueDefinition } from './queue-definition.ts';
import { DEFAULT_RULE, Rules } from './rules.ts';
import type { QueueStore, Store } from './store.ts';
import { type Subscription, Topic } from './topic.ts';
import { RuleStore, TopicStore } from './topic-store.ts';

/** What stands at a path. */
export type Entity =
  | { readonly kind: 'queue'; readonly queue: Queue }
  | { readonly kind: 'subscription'; readonly queue: Queue; readonly rules: Rules }
  | { readonly kind: 'topic'; readonly topic: Topic };

export interface Entities {
  /** Keyed by path in lower case: `orders`, `orders/$deadletterqueue`, `events`, `events/subscriptions/mine`. */
  readonly byPath: ReadonlyMap<string, Entity>;
  close(): void;
}

const DEFAULT_MAX_DELIVERY_COUNT = 10;
const DEFAULT_LOCK_DURATION_MS = 60_000;
/** `maxSizeInMegabytes` of a new queue in Azure. */
const MAX_SIZE_BYTES = 1024 * 1024 * 1024;

export function openEntities({ queues, topics = [] }: BrokerOptions, store: Store, clock: Clock): Entities {
  const byPath = new Map<string, Entity>();
  for (const options of queues) {
    const definition = { ...definitionOf(options.name, options), ...duplicates(options) };
    const { queue, deadLetters } = openQueue(definition, store.queue(options.name, definition.requiresSession), clock);
    byPath.set(deadLetters.definition.name.toLowerCase(), { kind: 'queue', queue: deadLetters });
    byPath.set(options.name.toLowerCase(), { kind: 'queue', queue });
  }
  for (const options of topics) {
    const subscriptions = options.subscriptions.map((one) => openSubscription(options.name, one, store, clock));
    for (const { queue, deadLetters, rules } of subscriptions) {
      byPath.set(deadLetters.definition.name.toLowerCase(), { kind: 'queue', queue: deadLetters });
      byPath.set(queue.definition.name.toLowerCase(), { kind: 'subscription', queue, rules });
    }
    byPath.set(options.name.toLowerCase(), { kind: 'topic', topic: openTopic(options, subscriptions, store, clock) });
  }
  return {
    byPath,
    close: () => {
      for (const entity of byPath.values()) (entity.kind === 'topic' ? entity.topic : entity.queue).close();
    },
  };
}

function definitionOf(name: string, options: ReceivableOptions): QueueDefinition {
  const { lockDurationMs = DEFAULT_LOCK_DURATION_MS, maxDeliveryCount = DEFAULT_MAX_DELIVERY_COUNT } = options;
  return {
    name,
    requiresSession: options.requiresSession ?? false,
    maxDeliveryCount,
    lockDurationMs,
    maxSizeBytes: MAX_SIZE_BYTES,
    defaultTtlMs: options.defaultMessageTimeToLiveMs,
    deadLetterExpired: options.deadLetteringOnMessageExpiration,
  };
}

function duplicates(
  options: Pick<TopicOptions, 'requiresDuplicateDetection' | 'duplicateDetectionHistoryTimeWindowMs'>,
): { readonly duplicateWindowMs?: number } {
  const { duplicateDetectionHistoryTimeWindowMs: duplicateWindowMs = DUPLICATE_WINDOW_MS.default } = options;
  return options.requiresDuplicateDetection ? { duplicateWindowMs } : {};
}

function openQueue(definition: QueueDefinition, store: QueueStore, clock: Clock): { queue: Queue; deadLetters: Queue } {
  const parts = { store, clock, newToken: randomUUID };
  const { duplicateWindowMs: _, ...shared } = definition;
  const name = `${definition.name}/$DeadLetterQueue`;
  const deadLetters = new Queue({ ...shared, name, requiresSession: false }, parts);
  return { queue: new Queue(definition, { ...parts, deadLetters }), deadLetters };
}

function openSubscription(
  topic: string,
  options: TopicOptions['subscriptions'][number],
  store: Store,
  clock: Clock,
): Subscription {
  const definition = definitionOf(`${topic}/Subscriptions/${options.name}`, options);
  const own = store.queue(definition.name, definition.requiresSession);
  const rules = new Rules(new RuleStore(store, own, options.rules ?? [DEFAULT_RULE]));
  return { ...openQueue(definition, own, clock), rules, store: own };
}

function openTopic(options: TopicOptions, subscriptions: readonly Subscription[], store: Store, clock: Clock): Topic {
  const definition = {
    name: options.name,
    defaultTtlMs: options.defaultMessageTimeToLiveMs,
    ...duplicates(options),
  };
  return new Topic(definition, subscriptions, new TopicStore(store, options.name), clock);
}
