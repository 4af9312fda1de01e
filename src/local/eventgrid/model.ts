/** What the embedded Event Grid knows: events as they are published, who gets them, and which are on their way. Plain JSON: the stores write it as text. */

/** An event before it has taken the form of a schema. */
export interface PublishedEvent {
  readonly id: string;
  /** `Microsoft.Resources.ResourceWriteSuccess` … */
  readonly type: string;
  /** Resource id of the source. */
  readonly topic: string;
  /** Resource id that the event is about. */
  readonly subject: string;
  /** Epoch ms. */
  readonly at: number;
  readonly data: unknown;
  readonly dataVersion: string;
}

export type Schema = 'EventGridSchema' | 'CloudEventSchemaV1_0';

export interface Subscription {
  readonly name: string;
  /** Where events are sent; holds a key and is never shown whole. */
  readonly endpoint: string;
  readonly schema: Schema;
  /** Absent = every type. */
  readonly eventTypes?: readonly string[];
  /** Compared without case. */
  readonly subjectBeginsWith?: string;
  /** 1 to 30; default 30. */
  readonly maxAttempts: number;
  /** How long an event is tried, in ms; default 24 h. */
  readonly ttlMs: number;
  /** `creating` until the endpoint has shaken hands; only then are events delivered. */
  readonly state: 'creating' | 'succeeded' | 'failed';
  /** Why it failed. */
  readonly problem?: string;
}

export interface Delivery {
  readonly id: number;
  readonly subscription: string;
  readonly event: PublishedEvent;
  readonly publishedAt: number;
  readonly nextAt: number;
  readonly attempts: number;
}

/** An event that was given up. Event Grid would put it into a storage account. */
export interface DeadLetter {
  readonly at: number;
  readonly subscription: string;
  readonly event: PublishedEvent;
  readonly attempts: number;
  readonly reason: 'MaxDeliveryAttemptsExceeded' | 'TimeToLiveExceeded' | 'NotRetriable';
  readonly lastError: string;
}

/** What the endpoint said to a delivery; `status` null = nothing. */
export interface Outcome {
  readonly status: number | null;
  readonly problem: string;
}

export const DEFAULT_MAX_ATTEMPTS = 30;
export const DEFAULT_TTL_MS = 24 * 3_600_000;

export interface EventStore {
  subscriptions(): readonly Subscription[];
  putSubscription(subscription: Subscription): void;
  /** Forgets what was on its way to it, too. */
  removeSubscription(name: string): void;
  /** Earliest first. */
  deliveries(limit: number): readonly Delivery[];
  delivery(id: number): Delivery | undefined;
  addDelivery(delivery: Omit<Delivery, 'id'>): void;
  putDelivery(delivery: Delivery): void;
  removeDelivery(id: number): void;
  pending(): number;
  /** Keeps the latest of them. */
  addDeadLetter(letter: DeadLetter): void;
  deadLetters(): readonly DeadLetter[];
  /** Small named values: faults. JSON only. */
  meta(name: string): unknown;
  setMeta(name: string, value: unknown): void;
}

export const DEAD_LETTERS_MAX = 1_000;
