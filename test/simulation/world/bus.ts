/**
 * The command queue at its port. Sessions are worked off in order, one message at a time; delivery is at least once. A message that fails ten times goes
 * to the dead-letter queue, which has no sessions.
 */
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { type DeliveryFault, deliveryFaults, type ReplyFault } from '../faults/registry.ts';
import type { Cause, ReplyRecord } from '../types.ts';
import { clock } from '../virtual/clock.ts';
import { mayStrike, noteFault, type WorldCore } from './core.ts';

export interface Message {
  readonly id: string;
  readonly session: string;
  readonly body: string;
  readonly enqueuedAt: number;
  readonly sequence: number;
  readonly replyTo?: string | undefined;
  readonly replyToSessionId?: string | undefined;
  deliveries: number;
}

/** Runs the function on some live host; null when there is none. */
export type Deliver = (
  queue: 'commands' | 'commandDeadLetters',
  message: ServiceBusReceivedMessage,
  key: string,
) => Promise<boolean> | null;

export interface Sent {
  readonly id: string;
  readonly session: string;
  readonly body: string;
  readonly replyTo?: string | undefined;
  readonly replyToSessionId?: string | undefined;
  /** Never lost: Service Bus has taken it. Our own hints may be lost, so that nothing relies on them. */
  readonly kept?: boolean;
}

export interface Bus {
  send(message: Sent): void;
  /** A reply arrives at its queue; false: the queue does not take it. */
  reply(reply: ReplyRecord, cause: Cause | null): boolean;
  /** A host has started: what waits is tried. */
  wake(): void;
  readonly deadLetters: readonly Message[];
  readonly waiting: number;
}

const maxDeliveries = 10;
/** A lost message shows only when no later one of its app makes up for it: it has to happen often. */
const rateOf = (fault: DeliveryFault): number => (fault === 'lost' ? 0.15 : 0.03);
/** A receiver that lost its lock does not know it: the message comes again. */
const lockMs = 5 * 60_000;
/** Where replies may be sent. */
export const replyQueue = 'answers';
/** Duplicate detection of the queue. */
const dedupeMs = 10 * 60_000;

export function createBus(world: WorldCore, deliver: Deliver): Bus {
  return new WorldBus(world, deliver);
}

class WorldBus implements Bus {
  readonly #world: WorldCore;
  readonly #deliver: Deliver;
  readonly #sessions = new Map<string, Message[]>();
  readonly #busy = new Set<string>();
  readonly #seen = new Map<string, number>();
  readonly #dead: Message[] = [];
  #deadBusy = false;
  #sequence = 0;

  constructor(world: WorldCore, deliver: Deliver) {
    this.#world = world;
    this.#deliver = deliver;
  }

  get deadLetters(): readonly Message[] {
    return this.#dead;
  }

  get waiting(): number {
    let count = this.#dead.length;
    for (const queue of this.#sessions.values()) count += queue.length;
    return count;
  }

  send({ kept = false, ...sent }: Sent): void {
    const { id, session } = sent;
    const known = this.#seen.get(id);
    if (known !== undefined && clock.now - known < dedupeMs) return;
    this.#seen.set(id, clock.now);
    const weights = [
      0,
      ...deliveryFaults.map((fault) =>
        mayStrike(this.#world, fault) && !(kept && fault === 'lost') ? rateOf(fault) * this.#world.plan.factor : 0,
      ),
    ];
    const fault = deliveryFaults[this.#world.choices.weighted(`bus deliver ${session}`, weights) - 1];
    if (fault) noteFault(this.#world, fault, { host: 'bus', fn: 'commands', instance: null, about: session }, id);
    if (fault === 'lost') return;
    this.#sequence += 1;
    const message: Message = { ...sent, enqueuedAt: clock.now, sequence: this.#sequence, deliveries: 0 };
    const enter = (entered: Message) => {
      const queue = this.#sessions.get(session) ?? [];
      this.#sessions.set(session, queue);
      queue.push(entered);
      this.#next(session);
    };
    const delayMs = fault === 'delayed' ? 150_000 : 1 + this.#world.choices.pick(`bus deliver ${session}/ms`, 40);
    clock.at(clock.now + delayMs, () => enter(message));
    if (fault === 'duplicated') clock.at(clock.now + delayMs + 20_000, () => enter({ ...message }));
    if (fault === 'poison')
      clock.at(clock.now + 1, () =>
        enter({ ...message, replyTo: undefined, id: `${id}-poison`, body: '{"app":7,"command":"nonsense"}' }),
      );
    // The lock is lost while the first delivery is still worked on.
    if (fault === 'redelivered')
      clock.at(clock.now + delayMs + 25, () => void this.#attempt('commands', { ...message, deliveries: 1 }));
  }

  reply(reply: ReplyRecord, cause: Cause | null): boolean {
    const world = this.#world;
    const key = `bus reply ${reply.to}`;
    const arrive = () => world.emit({ type: 'reply', at: clock.now, reply, cause });
    const strikes = (fault: ReplyFault, rate: number): boolean => {
      const weight = mayStrike(world, fault) ? rate * world.plan.factor : 0;
      if (world.choices.weighted(`${key}/${fault}`, [0, weight]) === 0) return false;
      noteFault(world, fault, cause, key);
      return true;
    };
    if (strikes('replyAway', 0.15)) return false;
    arrive();
    if (strikes('replyTwice', 0.05)) clock.at(clock.now + 20_000, arrive);
    return true;
  }

  wake(): void {
    for (const session of this.#sessions.keys()) this.#next(session);
    this.#nextDead();
  }

  #next(session: string): void {
    const [message] = this.#sessions.get(session) ?? [];
    if (!message || this.#busy.has(session)) return;
    const attempt = this.#attempt('commands', message);
    if (!attempt) return;
    this.#busy.add(session);
    const done = (handled: boolean) => {
      const queue = this.#sessions.get(session) ?? [];
      this.#busy.delete(session);
      if (handled || message.deliveries >= maxDeliveries) queue.splice(queue.indexOf(message), 1);
      if (!handled && message.deliveries >= maxDeliveries) {
        this.#dead.push({ ...message, deliveries: 0 });
        this.#nextDead();
      }
      // An abandoned message comes back at once.
      clock.at(clock.now + 1, () => this.#next(session));
    };
    let open = true;
    const once = (handled: boolean) => {
      if (!open) return;
      open = false;
      clock.cancel(expiry);
      done(handled);
    };
    const expiry = clock.at(clock.now + lockMs, () => once(false));
    void attempt.then(once);
  }

  #nextDead(): void {
    const [message] = this.#dead;
    if (!message || this.#deadBusy) return;
    const attempt = this.#attempt('commandDeadLetters', message);
    if (!attempt) return;
    this.#deadBusy = true;
    let open = true;
    const once = (handled: boolean) => {
      if (!open) return;
      open = false;
      clock.cancel(expiry);
      this.#deadBusy = false;
      if (handled) this.#dead.shift();
      clock.at(clock.now + (handled ? 1 : 1_000), () => this.#nextDead());
    };
    const expiry = clock.at(clock.now + lockMs, () => once(false));
    void attempt.then(once);
  }

  #attempt(queue: 'commands' | 'commandDeadLetters', message: Message): Promise<boolean> | null {
    message.deliveries += 1;
    const attempt = this.#deliver(queue, toReceived(message), `bus ${queue} ${message.session}`);
    if (!attempt) message.deliveries -= 1;
    return attempt;
  }
}

function toReceived(message: Message): ServiceBusReceivedMessage {
  return {
    body: message.body,
    messageId: message.id,
    sessionId: message.session,
    contentType: 'application/json',
    replyTo: message.replyTo,
    replyToSessionId: message.replyToSessionId,
    deliveryCount: message.deliveries - 1,
    enqueuedTimeUtc: new Date(message.enqueuedAt),
    sequenceNumber: message.sequence,
    lockToken: `${message.sequence}-${message.deliveries}`,
    applicationProperties: {},
  } as unknown as ServiceBusReceivedMessage;
}
