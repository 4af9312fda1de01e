/**
 * Sends what is due: shakes hands with new subscriptions, delivers events, settles what came of it inside a transaction. Nothing polls; a delivery that was
 * under way when the process was killed is still in the store and is made again.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../model/clock.ts';
import type { EventGrid } from './grid.ts';
import type { Delivery, Outcome, Subscription } from './model.ts';
import { handshakeOf, notification, type WebhookRequest } from './schema.ts';

export interface DeliveryOptions {
  readonly grid: EventGrid;
  readonly clock: Clock;
  /** Runs a change of the store in a transaction. */
  readonly run: (work: () => void) => Promise<void>;
  readonly fetch: typeof fetch;
  /** For people: what was given up, and why. */
  readonly log: (message: string) => void;
}

export interface DeliveryPump {
  /** The store may have changed: look again what is due, and when next. */
  follow(): void;
  close(): Promise<void>;
}

/** How long an endpoint may take. Source: delivery page, as in `grid.ts`. */
const ANSWER_WITHIN_MS = 30_000;
const WIDTH = 8;

export function createDeliveryPump(options: DeliveryOptions): DeliveryPump {
  return new Pump(options);
}

class Pump implements DeliveryPump {
  readonly #options: DeliveryOptions;
  readonly #sending = new Map<number, Promise<void>>();
  readonly #shaking = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  #cancel: (() => void) | undefined;
  #armedFor: number | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  follow(): void {
    if (this.#closing.signal.aborted) return;
    const { grid, clock } = this.#options;
    for (const subscription of grid.store.subscriptions()) {
      if (subscription.state === 'creating' && !this.#shaking.has(subscription.name)) this.#begin(subscription);
    }
    const now = clock.now();
    for (const delivery of grid.due(now, WIDTH + this.#sending.size)) {
      if (this.#sending.size >= WIDTH || this.#sending.has(delivery.id)) continue;
      this.#sending.set(delivery.id, this.#send(delivery));
    }
    const next = grid.nextAt();
    // What is due already is followed when a slot becomes free.
    this.#arm(next === undefined || next <= now ? undefined : next);
  }

  #arm(at: number | undefined): void {
    if (at === this.#armedFor) return;
    this.#cancel?.();
    this.#armedFor = at;
    this.#cancel =
      at === undefined
        ? undefined
        : this.#options.clock.at(at, () => {
            this.#armedFor = undefined;
            this.follow();
          });
  }

  async #send(delivery: Delivery): Promise<void> {
    const { grid, clock, run, log } = this.#options;
    const subscription = grid.store.subscriptions().find(({ name }) => name === delivery.subscription);
    const outcome = subscription ? await this.#call(subscription, notification(subscription, delivery)) : undefined;
    if (outcome && !this.#closing.signal.aborted) {
      let given: Delivery | undefined;
      await run(() => {
        given = grid.settle(delivery.id, outcome, clock.now());
      });
      if (given) {
        const { id, type, subject } = given.event;
        log(`Event Grid gave up the event ${id} (${type} of ${subject}): ${outcome.problem}`);
      }
    }
    this.#sending.delete(delivery.id);
    this.follow();
  }

  async #call({ endpoint }: Subscription, request: WebhookRequest): Promise<Outcome & { answer?: Answer }> {
    const signal = AbortSignal.any([AbortSignal.timeout(ANSWER_WITHIN_MS), this.#closing.signal]);
    try {
      const response = await this.#options.fetch(endpoint, { ...request, signal, redirect: 'manual' });
      const answer = { status: response.status, headers: response.headers, body: await response.text() };
      return { status: response.status, problem: `status ${response.status} ${answer.body.slice(0, 200)}`, answer };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      return { status: null, problem: cause };
    }
  }

  #begin(subscription: Subscription): void {
    const { name } = subscription;
    const shaken = this.#shake(subscription).finally(() => {
      this.#shaking.delete(name);
      this.follow();
    });
    this.#shaking.set(name, shaken);
  }

  async #shake(subscription: Subscription): Promise<void> {
    const { grid, clock, run, log } = this.#options;
    const handshake = handshakeOf(subscription, randomUUID(), clock.now());
    const { answer, problem } = await this.#call(subscription, handshake.request);
    if (this.#closing.signal.aborted) return;
    const accepted = answer !== undefined && handshake.accepts(answer);
    await run(() => {
      const current = grid.store.subscriptions().find(({ name }) => name === subscription.name);
      // It was replaced meanwhile: the new one is asked by itself.
      if (current?.endpoint !== subscription.endpoint || current.schema !== subscription.schema) return;
      const { problem: _, ...rest } = current;
      grid.store.putSubscription(
        accepted
          ? { ...rest, state: 'succeeded' }
          : { ...rest, state: 'failed', problem: `the endpoint did not shake hands: ${problem}` },
      );
    });
    if (!accepted) log(`The event subscription ${subscription.name} was not created: ${problem}`);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancel?.();
    await Promise.allSettled([...this.#sending.values(), ...this.#shaking.values()]);
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}
