/**
 * Event Grid: the embedded one's rules over its memory store, between ARM and the hosts. Events come late by nature; as faults they are lost, come twice or
 * minutes late, and are forged by somebody who has the webhook's key.
 */
import { createEventGrid, type EventGrid, type Fate } from '../../../src/local/eventgrid/grid.ts';
import { createMemoryEventStore } from '../../../src/local/eventgrid/memory-store.ts';
import type { Delivery, PublishedEvent } from '../../../src/local/eventgrid/model.ts';
import { toCloudEvent, toEventGridEvent } from '../../../src/local/eventgrid/schema.ts';
import { type EventFault, eventFaults } from '../faults/registry.ts';
import type { Facts } from '../types.ts';
import { causes, clock, type Scheduled } from '../virtual/clock.ts';
import { mayStrike, noteFault, type WorldCore } from './core.ts';

/** Runs the function on some live host; null when there is none. */
type Deliver = (event: unknown) => Promise<boolean> | null;

export interface Events {
  /** `label`: name of the group in keys, stable from run to run. */
  publish(event: PublishedEvent, label: string): void;
}

interface EventParts {
  readonly world: WorldCore;
  readonly facts: Facts;
  readonly deliver: Deliver;
}

const rates: Readonly<Record<EventFault, number>> = { eventLost: 0.15, eventTwice: 0.05, eventLate: 0.1 };
/** A host that dies answers nothing: Event Grid waits so long. */
const answerMs = 30_000;
const width = 20;

export function createEvents(parts: EventParts): Events {
  return new WorldEvents(parts);
}

class WorldEvents implements Events {
  readonly #parts: EventParts;
  readonly #grid: EventGrid;
  readonly #sending = new Set<number>();
  #timer: Scheduled | null = null;

  constructor(parts: EventParts) {
    this.#parts = parts;
    const store = createMemoryEventStore();
    this.#grid = createEventGrid({ store });
    const schema = parts.facts.eventSchema;
    const ttlMs = 24 * 3_600_000;
    store.putSubscription({ name: 'sim', endpoint: '', schema, maxAttempts: 30, ttlMs, state: 'succeeded' });
  }

  publish(event: PublishedEvent, label: string): void {
    this.#grid.publish(event, clock.now, this.#fateOf(label));
    this.#follow();
  }

  #fateOf(label: string): Fate {
    const { world } = this.#parts;
    const onTheWayMs = 200 + 250 * world.choices.pick(`event ${label}/ms`, 20);
    const weights = [
      0,
      ...eventFaults.map((fault) => (mayStrike(world, fault) ? rates[fault] * world.plan.factor : 0)),
    ];
    const fault = eventFaults[world.choices.weighted(`event ${label}/fate`, weights) - 1];
    if (fault) noteFault(world, fault, null, label);
    if (fault === 'eventLost') return [];
    if (fault === 'eventTwice') return [onTheWayMs, onTheWayMs + 15_000];
    return [onTheWayMs + (fault === 'eventLate' ? 200_000 : 0)];
  }

  /** Under nobody's name, whoever made ARM tell. */
  #follow(): void {
    const at = this.#grid.nextAt();
    if (this.#timer?.fn && this.#timer.at === at) return;
    if (this.#timer) clock.cancel(this.#timer);
    this.#timer =
      at === undefined ? null : causes.run(undefined, () => clock.at(Math.max(at, clock.now + 1), () => this.#send()));
  }

  #send(): void {
    for (const delivery of this.#grid.due(clock.now, width)) {
      if (this.#sending.has(delivery.id)) continue;
      this.#sending.add(delivery.id);
      this.#attempt(delivery);
    }
    // What is on its way is due still; it is looked at again when it is settled.
    const next = this.#grid.store.deliveries(1_000).find(({ id }) => !this.#sending.has(id))?.nextAt;
    if (next !== undefined) this.#timer = clock.at(Math.max(next, clock.now + 1), () => this.#send());
  }

  #attempt({ id, event }: Delivery): void {
    const form = this.#parts.facts.eventSchema === 'EventGridSchema' ? toEventGridEvent(event) : toCloudEvent(event);
    const settle = (status: number | null) => {
      if (!this.#sending.delete(id)) return;
      clock.cancel(expiry);
      this.#grid.settle(id, { status, problem: '' }, clock.now);
      this.#follow();
    };
    const expiry = clock.at(clock.now + answerMs, () => settle(null));
    const answer = this.#parts.deliver(form);
    if (answer === null) settle(null);
    else void answer.then((ok) => settle(ok ? 202 : 500));
  }
}
