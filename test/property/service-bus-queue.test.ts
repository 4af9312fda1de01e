/**
 * Any sequence of sends, receipts, settlements, expiries, releases and crashes, played on the real queue over SQLite and on a model of a few lines:
 * what is left, its order, its failures and the refusals must be the same.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Settlement } from '../../src/local/servicebus/queue-definition.ts';
import type { HeldSession } from '../../src/local/servicebus/session-waiters.ts';
import { bodyOf, draft, Inbox, openQueue, type QueueFixture } from '../support/queue-fixture.ts';

const lockDurationMs = 100;
const maxDeliveryCount = 3;
const sessionIds = ['x', 'y', 'z'] as const;

type Op =
  | { readonly do: 'send'; readonly session: number }
  | { readonly do: 'receive'; readonly session: number; readonly any: boolean }
  | { readonly do: 'settle'; readonly delivery: number; readonly how: Settlement['kind'] }
  | { readonly do: 'ask'; readonly message: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'release'; readonly session: number }
  | { readonly do: 'crash' };

const index = fc.nat({ max: 2 });
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), session: index }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('receive' as const), session: index, any: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      delivery: fc.nat({ max: 5 }),
      how: fc.constantFrom<Settlement['kind']>('complete', 'abandon', 'release', 'defer', 'deadLetter'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ask' as const), message: fc.nat({ max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 40, 60, 100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), session: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
);

interface ModelMessage {
  readonly body: string;
  readonly sequence: number;
  isDeferred: boolean;
  readonly sessionId: string;
  deliveryCount: number;
  state: 'ready' | 'locked' | 'dead';
  /** Of the lock, in a queue without sessions. */
  lockedUntil: number;
}

interface Held {
  readonly until: number;
  readonly session: HeldSession;
  readonly inbox: Inbox;
  /** Asks for more. */
  wake(): void;
}

/** Settlements and expiries reach the store in the next turns of the loop. */
async function commits(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
}

class Play {
  readonly #requiresSession: boolean;
  #fixture: QueueFixture;
  #messages: ModelMessage[] = [];
  /** Every delivery ever made; `message` is what the model locked, undefined once the lock is gone. */
  #deliveries: { readonly token: string; message: ModelMessage | undefined }[] = [];
  readonly #held = new Map<string, Held>();
  #sent = 0;

  constructor(requiresSession: boolean) {
    this.#requiresSession = requiresSession;
    this.#fixture = openQueue({ requiresSession, lockDurationMs, maxDeliveryCount });
  }

  async run(operation: Op): Promise<void> {
    switch (operation.do) {
      case 'send':
        await this.#send(sessionIds[operation.session] ?? 'x');
        break;
      case 'receive':
        if (this.#requiresSession) this.#receiveInSession(sessionIds[operation.session] ?? 'x', operation.any);
        else this.#receive();
        break;
      case 'settle':
        await this.#settle(operation.delivery, operation.how);
        break;
      case 'ask':
        this.#ask(operation.message);
        break;
      case 'wait':
        this.#wait(operation.ms);
        break;
      case 'release':
        this.#release(sessionIds[operation.session] ?? 'x');
        break;
      case 'crash':
        this.#crash();
        break;
    }
    await commits();
    this.#check();
  }

  async #send(sessionId: string): Promise<void> {
    const body = `m${this.#sent++}`;
    expect((await this.#fixture.queue.send([draft(body, sessionId)])).ok).toBe(true);
    this.#messages.push({
      body,
      sessionId,
      sequence: this.#sent,
      isDeferred: false,
      deliveryCount: 0,
      state: 'ready',
      lockedUntil: 0,
    });
  }

  #receive(): void {
    const inbox = new Inbox(1);
    const attachment = this.#fixture.queue.attach(inbox);
    attachment.wake();
    attachment.detach();
    this.#arrived(inbox, this.#messages.find(isDeliverable), this.#fixture.clock.now() + lockDurationMs);
  }

  /** Receives one more message of a session, which is accepted first if it is not held. */
  #receiveInSession(wanted: string, any: boolean): void {
    const free = this.#messages.find((message) => isDeliverable(message) && !this.#held.has(message.sessionId));
    const sessionId = any ? free?.sessionId : wanted;
    const known = sessionId === undefined ? undefined : this.#held.get(sessionId);
    const held = known ?? this.#accept(any ? undefined : wanted, sessionId);
    if (!held || sessionId === undefined) return;
    held.inbox.room = 1;
    held.wake();
    held.inbox.room = 0;
    this.#arrived(
      held.inbox,
      this.#messages.find((message) => isDeliverable(message) && message.sessionId === sessionId),
      held.until,
    );
  }

  #accept(asked: string | undefined, expected: string | undefined): Held | undefined {
    const inbox = new Inbox(0);
    let held: Held | undefined;
    const withdraw = this.#fixture.queue.acceptSession({
      sessionId: asked,
      waitMs: 1_000_000,
      linkName: 'link',
      granted: (session) => {
        const attachment = session.start(inbox);
        held = { session, inbox, until: session.lockedUntil, wake: () => attachment.wake() };
      },
      refused: (refusal) => expect(refusal).toBe('never refused: the model asks for free sessions only'),
      lost: () => undefined,
    });
    withdraw();
    expect(held?.session.sessionId).toBe(expected);
    if (held) this.#held.set(held.session.sessionId, held);
    return held;
  }

  #arrived(inbox: Inbox, message: ModelMessage | undefined, lockedUntil: number): void {
    const delivery = inbox.deliveries.splice(0)[0];
    const observed = delivery && [bodyOf(delivery.message), delivery.message.deliveryCount, delivery.lockedUntil];
    expect(observed).toEqual(message && [message.body, message.deliveryCount, lockedUntil]);
    if (!delivery || !message) return;
    message.state = 'locked';
    message.lockedUntil = lockedUntil;
    this.#deliveries.unshift({ token: delivery.token, message });
  }

  async #settle(back: number, how: Settlement['kind']): Promise<void> {
    const delivery = this.#deliveries[back];
    if (!delivery) return;
    const properties = new Map<never, never>();
    const refusal = await this.#fixture.queue.settle(delivery.token, { kind: how, properties });
    const { message } = delivery;
    expect(refusal?.condition).toBe(message ? undefined : 'com.microsoft:message-lock-lost');
    if (!message) return;
    delivery.message = undefined;
    if (how === 'complete') this.#messages = this.#messages.filter((other) => other !== message);
    else if (how === 'abandon') fail(message);
    else if (how === 'deadLetter') bury(message);
    else {
      message.state = 'ready';
      message.isDeferred ||= how === 'defer';
    }
  }

  /** Asks for a message by its number: granted when it is deferred, free, and of a session that is held. */
  #ask(at: number): void {
    const message = this.#messages[at];
    if (!message) return;
    const held = this.#requiresSession ? this.#held.get(message.sessionId) : undefined;
    const answer = this.#fixture.queue.receiveDeferred([message.sequence], message.sessionId, 'link');
    const isHeld = !this.#requiresSession || held !== undefined;
    expect(answer.ok).toBe(isHeld && message.isDeferred && message.state === 'ready');
    const [delivery] = answer.ok ? answer.value : [];
    if (!delivery) return;
    expect([bodyOf(delivery.message), delivery.message.deliveryCount]).toEqual([message.body, message.deliveryCount]);
    message.state = 'locked';
    message.lockedUntil = held?.until ?? this.#fixture.clock.now() + lockDurationMs;
    this.#deliveries.unshift({ token: delivery.token, message });
  }

  #wait(ms: number): void {
    const { clock } = this.#fixture;
    clock.advance(ms);
    if (this.#requiresSession) {
      for (const [sessionId, held] of this.#held) {
        if (held.until > clock.now()) continue;
        this.#held.delete(sessionId);
        this.#unlock((message) => message.sessionId === sessionId, fail);
      }
    } else this.#unlock((message) => message.lockedUntil <= clock.now(), fail);
  }

  #release(sessionId: string): void {
    const held = this.#held.get(sessionId);
    if (!held) return;
    held.session.release();
    this.#held.delete(sessionId);
    this.#unlock((message) => message.sessionId === sessionId, ready);
  }

  #crash(): void {
    this.#fixture = this.#fixture.restart();
    this.#held.clear();
    this.#unlock(() => true, ready);
  }

  /** Ends the locks of those messages. */
  #unlock(which: (message: ModelMessage) => boolean, then: (message: ModelMessage) => void): void {
    for (const delivery of this.#deliveries) {
      if (!delivery.message || !which(delivery.message)) continue;
      then(delivery.message);
      delivery.message = undefined;
    }
  }

  /** Exactly what is not settled is stored, in order, with its failures. */
  #check(): void {
    const stored = (dead: boolean) =>
      this.#fixture.store.load(dead).map((message) => [bodyOf(message), message.deliveryCount]);
    const expected = (dead: boolean) =>
      this.#messages
        .filter(({ state }) => (state === 'dead') === dead)
        .map(({ body, deliveryCount }) => [body, deliveryCount]);
    expect([stored(false), stored(true)]).toEqual([expected(false), expected(true)]);
  }

  close(): void {
    this.#fixture.restart();
  }
}

function ready(message: ModelMessage): void {
  message.state = 'ready';
}

function fail(message: ModelMessage): void {
  message.deliveryCount += 1;
  message.state = 'ready';
  if (message.deliveryCount >= maxDeliveryCount) bury(message);
}

function bury(message: ModelMessage): void {
  message.state = 'dead';
  message.isDeferred = false;
}

const isDeliverable = ({ state, isDeferred }: ModelMessage): boolean => state === 'ready' && !isDeferred;

describe('any sequence of operations', () => {
  it.each([
    { kind: 'without sessions', requiresSession: false },
    { kind: 'with sessions', requiresSession: true },
  ])('leaves a queue $kind as the model has it', async ({ requiresSession }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { maxLength: 40, size: 'max' }), async (operations) => {
        const play = new Play(requiresSession);
        for (const operation of operations) await play.run(operation);
        play.close();
      }),
      { numRuns: 150 },
    );
  });
});
