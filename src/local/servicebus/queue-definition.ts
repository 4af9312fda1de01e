import type { AmqpMap } from './amqp.ts';

export interface QueueDefinition {
  readonly name: string;
  readonly requiresSession: boolean;
  /** Failed deliveries after which a message is dead-lettered. */
  readonly maxDeliveryCount: number;
  readonly lockDurationMs: number;
  /** No message is taken once the queue holds so much. */
  readonly maxSizeBytes: number;
  /** For how long the id of a message is remembered, and others with it are dropped silently. Undefined: no detection of duplicates. */
  readonly duplicateWindowMs?: number;
  /** Of messages that name none, and the most that a message may name, in ms. Undefined: for ever. */
  readonly defaultTtlMs?: number | undefined;
  /** Expired messages become dead letters; otherwise they are dropped. */
  readonly deadLetterExpired?: boolean | undefined;
}

/** What a receiver wants done with a message it holds. */
export type Settlement =
  | { readonly kind: 'complete' }
  /** Back to its place without counting as a failure. */
  | { readonly kind: 'release' }
  | { readonly kind: 'abandon'; readonly properties: AmqpMap }
  /** Aside, until it is asked for by its sequence number. */
  | { readonly kind: 'defer'; readonly properties: AmqpMap }
  /** `properties` may hold `DeadLetterReason` and `DeadLetterErrorDescription`. */
  | { readonly kind: 'deadLetter'; readonly properties: AmqpMap };
