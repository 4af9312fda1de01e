import { describe, expect, it } from 'vitest';
import { types } from '../../../../src/local/servicebus/amqp.ts';
import { messageLockLost } from '../../../../src/local/servicebus/errors.ts';
import type { Settlement } from '../../../../src/local/servicebus/queue-definition.ts';
import { type QueueStore, Store, type StoredMessage } from '../../../../src/local/servicebus/store.ts';
import { until } from '../../../support/manual-clock.ts';
import { draft, Inbox, openQueue, propertiesOf, SessionWait } from '../../../support/queue-fixture.ts';

const complete: Settlement = { kind: 'complete' };
const release: Settlement = { kind: 'release' };
const abandon = (properties: Record<string, string> = {}): Settlement => ({
  kind: 'abandon',
  properties: new Map(Object.entries(properties).map(([key, value]) => [key, types.wrap_string(value)])),
});
const deadLetter = (reason: string): Settlement => ({
  kind: 'deadLetter',
  properties: new Map([['DeadLetterReason', types.wrap_string(reason)]]),
});

/** Lets commits happen. */
const commits = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** A store whose writes wait until they are let go, or fail. */
function heldStore(requiresSession = false): QueueStore & { letGo(error?: Error): Promise<void> } {
  const store = new Store(':memory:').queue('q', requiresSession);
  let waiting: { run: () => Promise<unknown>; resolve: (value: never) => void; reject: (error: unknown) => void }[] =
    [];
  const hold = <T>(run: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => waiting.push({ run, resolve, reject }));
  return {
    load: (deadLetters) => store.load(deadLetters),
    peek: (...query) => store.peek(...query),
    add: (drafts, enqueuedAt, seenSince) => hold(() => store.add(drafts, enqueuedAt, seenSince)),
    remove: (sequence) => hold(() => store.remove(sequence)),
    update: (message, bodyChanged) => hold(() => store.update(message, bodyChanged)),
    bury: (message) => hold(() => store.bury(message)),
    activate: (message, enqueuedAt) => hold(() => store.activate(message, enqueuedAt)),
    sessionState: (sessionId) => store.sessionState(sessionId),
    setSessionState: (sessionId, state) => hold(() => store.setSessionState(sessionId, state)),
    letGo: async (error) => {
      const held = waiting;
      waiting = [];
      for (const { run, resolve, reject } of held)
        if (error) reject(error);
        else await run().then(resolve as (value: unknown) => void, reject);
      await commits();
    },
  };
}

describe('a queue', () => {
  it('delivers as much as a consumer has room for, and the rest when it has more', async () => {
    const { queue } = openQueue();
    const inbox = new Inbox(1);
    const attachment = queue.attach(inbox);
    await queue.send([draft('a'), draft('b')]);
    expect(inbox.seen).toEqual([['a', 0]]);
    inbox.room = 5;
    attachment.wake();
    expect(inbox.seen).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
  });

  it('takes turns among its consumers and passes over those without room', async () => {
    const { queue } = openQueue();
    const inboxes = [new Inbox(), new Inbox(0), new Inbox()];
    for (const inbox of inboxes) queue.attach(inbox);
    await queue.send(['a', 'b', 'c', 'd'].map((body) => draft(body)));
    expect(inboxes.map(({ deliveries }) => deliveries.length)).toEqual([2, 0, 2]);
  });

  it('delivers nothing to a consumer that was detached', async () => {
    const { queue } = openQueue();
    const inbox = new Inbox();
    queue.attach(inbox).detach();
    await queue.send([draft('a')]);
    expect(inbox.deliveries).toEqual([]);
  });

  it('shows a message only once it is stored', async () => {
    const store = heldStore();
    const { queue } = openQueue({}, store);
    const inbox = new Inbox();
    queue.attach(inbox);
    const sending = queue.send([draft('a')]);
    await commits();
    expect(inbox.deliveries).toEqual([]);
    await store.letGo();
    expect(await sending).toMatchObject({ ok: true });
    expect(inbox.seen).toEqual([['a', 0]]);
  });

  it('refuses what cannot be stored', async () => {
    const store = heldStore();
    const { queue } = openQueue({}, store);
    const sending = queue.send([draft('a')]);
    await store.letGo(new Error('the disk is full'));
    expect(await sending).toEqual({
      ok: false,
      refusal: { condition: 'amqp:internal-error', description: 'the disk is full' },
    });
  });

  it('takes messages until its size is reached, and again when it has shrunk', async () => {
    const size = draft('a').body.length;
    const { queue } = openQueue({ maxSizeBytes: 2 * size });
    const inbox = new Inbox();
    queue.attach(inbox);
    expect(await queue.send([draft('a'), draft('b')])).toMatchObject({ ok: true });
    expect(await queue.send([draft('c')])).toMatchObject({
      ok: false,
      refusal: { condition: 'amqp:resource-limit-exceeded' },
    });
    await queue.settle(inbox.token(0), complete);
    expect(await queue.send([draft('d')])).toMatchObject({ ok: true });
  });

  it('takes no messages for its dead letters', async () => {
    const { deadLetters, store } = openQueue();
    expect(await deadLetters.send([draft('a')])).toMatchObject({
      ok: false,
      refusal: { condition: 'amqp:not-allowed' },
    });
    expect(store.load(true)).toEqual([]);
  });
});

describe('a queue that detects duplicates', () => {
  const windowMs = 20_000;
  const sameId = (body: string) => ({ ...draft(body), messageId: 'id' });

  it('drops what has an id of the time window, completed, in the same batch or from before a crash', async () => {
    const before = openQueue({ duplicateWindowMs: windowMs });
    const inbox = new Inbox();
    before.queue.attach(inbox);
    expect(await before.queue.send([sameId('a'), sameId('b'), draft('c')])).toMatchObject({ ok: true });
    expect(inbox.seen).toEqual([
      ['a', 0],
      ['c', 0],
    ]);
    await before.queue.settle(inbox.token(0), complete);
    await before.queue.settle(inbox.token(1), complete);
    const { queue, store, clock } = before.restart();
    clock.advance(windowMs);
    expect(await queue.send([sameId('d')])).toMatchObject({ ok: true });
    expect(store.load(false)).toEqual([]);
    clock.advance(1);
    await queue.send([sameId('e')]);
    expect(store.load(false)).toMatchObject([{ sequence: 3 }]);
  });

  it('takes the id again when storing the first message failed', async () => {
    const store = heldStore();
    const { queue } = openQueue({ duplicateWindowMs: windowMs }, store);
    const inbox = new Inbox();
    queue.attach(inbox);
    void queue.send([sameId('a')]);
    await store.letGo(new Error('the disk is full'));
    void queue.send([sameId('b')]);
    await store.letGo();
    expect(inbox.seen).toEqual([['b', 0]]);
  });
});

describe('the lock of a message', () => {
  it('lasts to the millisecond', async () => {
    const { queue, clock } = openQueue({ lockDurationMs: 1_000 });
    const inbox = new Inbox();
    queue.attach(inbox);
    await queue.send([draft('a')]);
    expect(inbox.deliveries[0]?.lockedUntil).toBe(1_000);
    clock.advance(999);
    expect(queue.isLocked(inbox.token(0))).toBe(true);
    clock.advance(1);
    expect(queue.isLocked(inbox.token(0))).toBe(false);
    expect(await queue.settle(inbox.token(0), complete)).toBe(messageLockLost);
    await until(() => inbox.deliveries.length === 2, 'the message comes again');
    expect(inbox.seen[1]).toEqual(['a', 1]);
  });

  it('lasts anew from its renewal', async () => {
    const { queue, clock } = openQueue({ lockDurationMs: 1_000 });
    const inbox = new Inbox();
    queue.attach(inbox);
    await queue.send([draft('a'), draft('b')]);
    clock.advance(600);
    expect(queue.renewLock(inbox.token(0))).toEqual({ ok: true, value: 1_600 });
    clock.advance(400);
    expect([queue.isLocked(inbox.token(0)), queue.isLocked(inbox.token(1))]).toEqual([true, false]);
    clock.advance(600);
    expect(queue.renewLock(inbox.token(0))).toEqual({ ok: false, refusal: messageLockLost });
  });

  it('ends with the first settlement', async () => {
    const { queue } = openQueue();
    const inbox = new Inbox();
    queue.attach(inbox);
    await queue.send([draft('a')]);
    const both = [queue.settle(inbox.token(0), complete), queue.settle(inbox.token(0), abandon())];
    expect(await Promise.all(both)).toEqual([undefined, messageLockLost]);
    expect(await queue.settle('unknown', complete)).toBe(messageLockLost);
  });

  it('leaves no timer behind', async () => {
    const { queue, clock } = openQueue();
    const inbox = new Inbox();
    queue.attach(inbox);
    await queue.send([draft('a')]);
    await queue.settle(inbox.token(0), complete);
    clock.advance(1_000);
    expect(clock.nextAt()).toBeUndefined();
  });
});

describe('a settlement', () => {
  it('that completes removes the message', async () => {
    const { queue, store } = openQueue();
    const inbox = new Inbox();
    queue.attach(inbox);
    await queue.send([draft('a')]);
    expect(await queue.settle(inbox.token(0), complete)).toBeUndefined();
    expect(store.load(false)).toEqual([]);
  });

  it('that cannot be stored gives the message back as it was', async () => {
    const store = heldStore();
    const { queue } = openQueue({}, store);
    const inbox = new Inbox();
    queue.attach(inbox);
    void queue.send([draft('a')]);
    await store.letGo();
    for (const [i, settlement] of [complete, abandon({ a: 'b' }), deadLetter('Bad')].entries()) {
      const settling = queue.settle(inbox.token(i), settlement);
      await store.letGo(new Error('the disk is full'));
      expect(await settling).toMatchObject({ condition: 'amqp:internal-error' });
    }
    expect(inbox.seen).toEqual(Array.from({ length: 4 }, () => ['a', 0]));
  });

  it('that abandons counts, changes properties, and shows the message before younger ones', async () => {
    const { queue } = openQueue();
    const inbox = new Inbox(1);
    const attachment = queue.attach(inbox);
    await queue.send([draft('a'), draft('b')]);
    await queue.settle(inbox.token(0), abandon({ why: 'busy' }));
    inbox.room = 2;
    attachment.wake();
    expect(inbox.seen).toEqual([
      ['a', 0],
      ['a', 1],
      ['b', 0],
    ]);
    const [, again] = inbox.deliveries;
    expect(again && propertiesOf(again.message)).toEqual({ why: 'busy' });
  });

  it('that releases does not count', async () => {
    const { queue } = openQueue();
    const inbox = new Inbox();
    queue.attach(inbox);
    await queue.send([draft('a')]);
    await queue.settle(inbox.token(0), release);
    expect(inbox.seen).toEqual([
      ['a', 0],
      ['a', 0],
    ]);
  });

  it('that is the last failure allowed dead-letters with the reason, keeping what the receiver changed', async () => {
    const { queue, deadLetters } = openQueue({ maxDeliveryCount: 2 });
    const [inbox, dead] = [new Inbox(), new Inbox()];
    queue.attach(inbox);
    deadLetters.attach(dead);
    await queue.send([draft('a')]);
    await queue.settle(inbox.token(0), abandon());
    await queue.settle(inbox.token(1), abandon({ why: 'broken' }));
    expect(inbox.deliveries).toHaveLength(2);
    expect(dead.seen).toEqual([['a', 2]]);
    expect(dead.deliveries[0] && propertiesOf(dead.deliveries[0].message)).toEqual({
      why: 'broken',
      DeadLetterReason: 'MaxDeliveryCountExceeded',
      DeadLetterErrorDescription: 'Message could not be consumed after 2 delivery attempts.',
    });
  });

  it('that dead-letters is refused for a dead letter, which stays locked', async () => {
    const { queue, deadLetters } = openQueue();
    const [inbox, dead] = [new Inbox(), new Inbox()];
    queue.attach(inbox);
    deadLetters.attach(dead);
    await queue.send([draft('a')]);
    await queue.settle(inbox.token(0), deadLetter('Bad'));
    expect(await deadLetters.settle(dead.token(0), deadLetter('Worse'))).toMatchObject({
      condition: 'amqp:not-allowed',
    });
    expect(await deadLetters.settle(dead.token(0), complete)).toBeUndefined();
  });
});

describe('a deferred message', () => {
  const defer: Settlement = { kind: 'defer', properties: new Map([['why', types.wrap_string('later')]]) };

  async function deferred(settings = {}) {
    const fixture = openQueue(settings);
    const inbox = new Inbox();
    fixture.queue.attach(inbox);
    await fixture.queue.send([draft('a')]);
    await fixture.queue.settle(inbox.token(0), defer);
    const ask = (queue = fixture.queue) => {
      const answer = queue.receiveDeferred([1], undefined, undefined);
      if (!answer.ok || !answer.value[0]) throw new Error('it is not there');
      return answer.value[0];
    };
    return { ...fixture, inbox, ask };
  }

  it('comes to nobody but who asks for its number, with the changed properties', async () => {
    const { inbox, ask } = await deferred();
    expect(inbox.deliveries).toHaveLength(1);
    const { message, lockedUntil } = ask();
    expect([propertiesOf(message), message.state, message.deliveryCount, lockedUntil]).toEqual([
      { why: 'later' },
      'deferred',
      0,
      1_000,
    ]);
  });

  it('is given to one receiver at a time, and with others or not at all', async () => {
    const { queue, ask } = await deferred();
    const missing = { ok: false, refusal: { condition: 'com.microsoft:message-not-found' } };
    expect(queue.receiveDeferred([1, 2], undefined, undefined)).toMatchObject(missing);
    ask();
    expect(queue.receiveDeferred([1], undefined, undefined)).toMatchObject(missing);
  });

  it('stays deferred when it is abandoned or its lock runs out, until that was too often', async () => {
    const { queue, deadLetters, clock, inbox, ask } = await deferred({ maxDeliveryCount: 3 });
    const dead = new Inbox();
    deadLetters.attach(dead);
    await queue.settle(ask().token, abandon());
    ask();
    clock.advance(1_000);
    await commits();
    expect(ask().message.deliveryCount).toBe(2);
    clock.advance(1_000);
    await until(() => dead.deliveries.length === 1, 'the message is dead-lettered');
    expect([dead.seen, dead.deliveries[0]?.message.state, inbox.deliveries.length]).toEqual([[['a', 3]], 'active', 1]);
  });

  it('is still deferred after a crash', async () => {
    const { restart, ask } = await deferred();
    ask();
    const { queue } = restart();
    const inbox = new Inbox();
    queue.attach(inbox).wake();
    expect(inbox.deliveries).toEqual([]);
    expect(await queue.settle(ask(queue).token, complete)).toBeUndefined();
  });

  it('of a session is given to the holder of the session only', async () => {
    const { queue } = openQueue({ requiresSession: true });
    await queue.send([draft('1', 'x'), draft('2', 'x')]);
    const first = new SessionWait(queue, 'x', 0, 'first');
    await queue.settle(first.inbox.token(0), defer);
    new SessionWait(queue, 'y', 0, 'other');
    const condition = (answer: ReturnType<typeof queue.receiveDeferred>) =>
      answer.ok ? 'ok' : answer.refusal.condition;
    expect(condition(queue.receiveDeferred([1], 'y', 'other'))).toBe('com.microsoft:message-not-found');
    expect(condition(queue.receiveDeferred([1], 'x', 'other'))).toBe('com.microsoft:session-lock-lost');
    expect(condition(queue.receiveDeferred([1], 'x', 'first'))).toBe('ok');
  });
});

describe('a scheduled message', () => {
  const scheduled = (body: string, dueAt: number, sessionId?: string) => ({ ...draft(body, sessionId), dueAt });

  it('is enqueued when it is due, behind what came before, with a new number', async () => {
    const { queue, clock } = openQueue();
    const inbox = new Inbox();
    queue.attach(inbox);
    await queue.send([scheduled('later', 500), scheduled('soon', 200), scheduled('at once', 0)]);
    clock.advance(199);
    await commits();
    await queue.send([draft('now')]);
    expect(inbox.seen).toEqual([
      ['at once', 0],
      ['now', 0],
    ]);
    expect(queue.peek(1, 2).map(({ state }) => state)).toEqual(['scheduled', 'scheduled']);
    clock.advance(1);
    await until(() => inbox.deliveries.length === 3, 'the first is enqueued');
    clock.advance(300);
    await until(() => inbox.deliveries.length === 4, 'the second is enqueued');
    expect(
      inbox.deliveries.slice(2).map(({ message }) => [message.sequence, message.enqueuedAt, message.state]),
    ).toEqual([
      [5, 200, 'active'],
      [6, 500, 'active'],
    ]);
  });

  it('is enqueued after a crash, at once if it was due meanwhile', async () => {
    const before = openQueue();
    await before.queue.send([scheduled('b', 600), scheduled('a', 500), scheduled('c', 5_000)]);
    before.queue.close();
    before.clock.advance(1_000);
    const { queue, clock } = before.restart();
    const inbox = new Inbox();
    queue.attach(inbox);
    clock.advance(0);
    await until(() => inbox.deliveries.length === 2, 'both are enqueued');
    expect(inbox.seen).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
  });

  it('can be cancelled until it is due, with others or not at all', async () => {
    const { queue, clock, store } = openQueue();
    await queue.send([scheduled('a', 500), scheduled('b', 500)]);
    const missing = { condition: 'com.microsoft:message-not-found' };
    expect(await queue.cancelScheduled([1, 9])).toMatchObject(missing);
    expect(await queue.cancelScheduled([1])).toBeUndefined();
    expect(await queue.cancelScheduled([1])).toMatchObject(missing);
    clock.advance(500);
    expect(await queue.cancelScheduled([2])).toMatchObject(missing);
    await commits();
    expect(store.load(false).map(({ sequence }) => sequence)).toEqual([3]);
  });

  it('is tried again when it could not be stored as enqueued', async () => {
    const store = heldStore();
    const { queue, clock } = openQueue({}, store);
    const inbox = new Inbox();
    queue.attach(inbox);
    void queue.send([scheduled('a', 500)]);
    await store.letGo();
    clock.advance(500);
    await store.letGo(new Error('the disk is full'));
    expect(inbox.deliveries).toEqual([]);
    clock.advance(1_000);
    await store.letGo();
    expect(inbox.seen).toEqual([['a', 0]]);
  });

  it('offers its session when it is due', async () => {
    const { queue, clock } = openQueue({ requiresSession: true });
    const wait = new SessionWait(queue);
    await queue.send([scheduled('a', 500, 'x')]);
    expect(wait.session).toBeUndefined();
    clock.advance(500);
    await until(() => wait.session !== undefined, 'the session is offered');
    expect(wait.inbox.seen).toEqual([['a', 0]]);
  });
});

describe('who peeks', () => {
  it('sees what is there from a number on, locked, deferred or not, of one session if wanted', async () => {
    const { queue, deadLetters } = openQueue({ requiresSession: true });
    await queue.send([draft('1', 'x'), draft('2', 'y'), draft('3', 'x'), draft('4', 'x')]);
    const { inbox } = new SessionWait(queue, 'x');
    await queue.settle(inbox.token(0), deadLetter('Bad'));
    await queue.settle(inbox.token(1), { kind: 'defer', properties: new Map() });
    const seen = (messages: readonly StoredMessage[]) => messages.map(({ sequence, state }) => [sequence, state]);
    expect(seen(queue.peek(0, 10))).toEqual([
      [2, 'active'],
      [3, 'deferred'],
      [4, 'active'],
    ]);
    expect(seen(queue.peek(3, 1))).toEqual([[3, 'deferred']]);
    expect(seen(queue.peek(0, 10, 'y'))).toEqual([[2, 'active']]);
    expect(seen(deadLetters.peek(0, 10))).toEqual([[1, 'active']]);
  });
});

describe('a queue made again after a crash', () => {
  it('has what was not settled, unlocked, with failures counted and in order', async () => {
    const before = openQueue();
    const inbox = new Inbox();
    before.queue.attach(inbox);
    await before.queue.send(['a', 'b', 'c'].map((body) => draft(body)));
    await before.queue.settle(inbox.token(0), abandon({ why: 'busy' }));
    await before.queue.settle(inbox.token(1), complete);
    const { queue } = before.restart();
    const again = new Inbox();
    queue.attach(again).wake();
    expect(again.seen).toEqual([
      ['a', 1],
      ['c', 0],
    ]);
    expect(again.deliveries[0] && propertiesOf(again.deliveries[0].message)).toEqual({ why: 'busy' });
  });

  it('has its dead letters, even those that failed there with changed properties', async () => {
    const before = openQueue({ maxDeliveryCount: 1 });
    const [inbox, dead] = [new Inbox(), new Inbox(1)];
    before.queue.attach(inbox);
    before.deadLetters.attach(dead);
    await before.queue.send([draft('a')]);
    await before.queue.settle(inbox.token(0), abandon());
    await before.deadLetters.settle(dead.token(0), abandon({ why: 'still bad' }));
    const { queue, deadLetters } = before.restart();
    const [none, letters] = [new Inbox(), new Inbox()];
    queue.attach(none).wake();
    deadLetters.attach(letters).wake();
    expect([none.seen, letters.seen]).toEqual([[], [['a', 2]]]);
  });
});

describe('a queue with sessions', () => {
  const open = (settings = {}) => openQueue({ requiresSession: true, ...settings });

  it('stores nothing of a batch that holds a message without a session id', async () => {
    const { queue, store } = open();
    expect(await queue.send([draft('a', 's'), draft('b')])).toMatchObject({
      ok: false,
      refusal: { condition: 'amqp:not-allowed' },
    });
    expect(store.load(false)).toEqual([]);
  });

  it('offers the session whose first message is the oldest', async () => {
    const { queue } = open();
    await queue.send([draft('1', 'x'), draft('2', 'y'), draft('3', 'x')]);
    expect(new SessionWait(queue).session?.sessionId).toBe('x');
    expect(new SessionWait(queue).session?.sessionId).toBe('y');
    expect(new SessionWait(queue).session).toBeUndefined();
  });

  it('gives a waiting receiver the session of the next message, first come first served', async () => {
    const { queue } = open();
    const waits = [new SessionWait(queue), new SessionWait(queue, 'y'), new SessionWait(queue)];
    // A named session is granted at once, with or without messages.
    expect(waits.map(({ session }) => session?.sessionId)).toEqual([undefined, 'y', undefined]);
    await queue.send([draft('1', 'y'), draft('2', 'x')]);
    expect(waits.map(({ session }) => session?.sessionId)).toEqual(['x', 'y', undefined]);
    expect(waits[0]?.inbox.seen).toEqual([['2', 0]]);
  });

  it('refuses who waits, when the time is over and not before', () => {
    const { queue, clock } = open();
    const wait = new SessionWait(queue, undefined, 700);
    clock.advance(699);
    expect(wait.refusal).toBeUndefined();
    clock.advance(1);
    expect(wait.refusal).toMatchObject({ condition: 'com.microsoft:timeout' });
  });

  it('forgets who has withdrawn', async () => {
    const { queue, clock } = open();
    const wait = new SessionWait(queue);
    wait.withdraw();
    await queue.send([draft('1', 'x')]);
    clock.advance(10_000);
    expect([wait.session, wait.refusal]).toEqual([undefined, undefined]);
    expect(new SessionWait(queue).session?.sessionId).toBe('x');
  });

  it('refuses a session that is held', () => {
    const { queue } = open();
    new SessionWait(queue, 'x');
    expect(new SessionWait(queue, 'x').refusal).toMatchObject({ condition: 'com.microsoft:session-cannot-be-locked' });
  });

  it('takes a session away when its lock runs out, counting what was delivered', async () => {
    const { queue, clock } = open({ lockDurationMs: 1_000 });
    await queue.send([draft('1', 'x'), draft('2', 'x')]);
    const first = new SessionWait(queue, 'x');
    expect(first.session?.lockedUntil).toBe(1_000);
    clock.advance(400);
    const second = new SessionWait(queue);
    clock.advance(600);
    expect(first.lost).toMatchObject({ condition: 'com.microsoft:session-lock-lost' });
    await until(() => second.session !== undefined, 'the session is handed over');
    expect(second.inbox.seen).toEqual([
      ['1', 1],
      ['2', 1],
    ]);
    expect(await queue.settle(first.inbox.token(0), complete)).toBe(messageLockLost);
  });

  it('renews a session for its holder only', async () => {
    const { queue, clock } = open({ lockDurationMs: 1_000 });
    new SessionWait(queue, 'x', 0, 'holder');
    clock.advance(500);
    expect(queue.renewSession('x', 'holder')).toEqual({ ok: true, value: 1_500 });
    expect(queue.renewSession('x', 'somebody')).toMatchObject({ ok: false });
    clock.advance(999);
    expect(queue.renewSession('x', 'holder')).toEqual({ ok: true, value: 2_499 });
    clock.advance(1_000);
    expect(queue.renewSession('x', 'holder')).toMatchObject({ ok: false });
  });

  it('keeps a state with a session for whoever holds it, and through a crash', async () => {
    const before = open();
    new SessionWait(before.queue, 'x', 0, 'holder');
    expect(before.queue.sessionState('x', 'holder')).toEqual({ ok: true, value: undefined });
    expect(await before.queue.keepSessionState('x', 'holder', Buffer.from('state'))).toBeUndefined();
    const lost = { condition: 'com.microsoft:session-lock-lost' };
    expect(await before.queue.keepSessionState('x', 'somebody', Buffer.from('other'))).toMatchObject(lost);
    expect(before.queue.sessionState('y', undefined)).toMatchObject({ ok: false, refusal: lost });
    const { queue } = before.restart();
    expect(queue.sessionState('x', 'holder')).toMatchObject({ ok: false, refusal: lost });
    new SessionWait(queue, 'x', 0, 'next');
    expect(queue.sessionState('x', 'next')).toEqual({ ok: true, value: Buffer.from('state') });
    await queue.keepSessionState('x', 'next', undefined);
    expect(queue.sessionState('x', 'next')).toEqual({ ok: true, value: undefined });
  });

  it('refuses to renew the lock of one message', async () => {
    const { queue } = open();
    await queue.send([draft('1', 'x')]);
    const wait = new SessionWait(queue);
    expect(queue.renewLock(wait.inbox.token(0))).toMatchObject({
      ok: false,
      refusal: { condition: 'amqp:not-allowed' },
    });
  });

  it('gives back what the holder has not settled, uncounted and in order, when the session is released', async () => {
    const { queue } = open();
    await queue.send([draft('1', 'x'), draft('2', 'x'), draft('3', 'x')]);
    const first = new SessionWait(queue, 'x');
    await queue.settle(first.inbox.token(1), complete);
    first.session?.release();
    expect(new SessionWait(queue).inbox.seen).toEqual([
      ['1', 0],
      ['3', 0],
    ]);
  });

  it('waits for a failed message that is on its way back before it delivers a younger one', async () => {
    const store = heldStore(true);
    const { queue } = openQueue({ requiresSession: true }, store);
    void queue.send([draft('1', 'x'), draft('2', 'x')]);
    await store.letGo();
    const session = new SessionWait(queue, 'x', 0, 'link', 1);
    const { inbox } = session;
    void queue.settle(inbox.token(0), abandon());
    inbox.room = 1;
    session.wake();
    await store.letGo();
    expect(inbox.seen).toEqual([
      ['1', 0],
      ['1', 1],
    ]);
  });

  it('is not granted to the next one while a failed message is on its way back', async () => {
    const store = heldStore(true);
    const { queue } = openQueue({ requiresSession: true }, store);
    void queue.send([draft('1', 'x'), draft('2', 'x')]);
    await store.letGo();
    const first = new SessionWait(queue, 'x');
    void queue.settle(first.inbox.token(0), abandon());
    void queue.settle(first.inbox.token(1), release);
    first.session?.release();
    const second = new SessionWait(queue);
    expect(second.session).toBeUndefined();
    await store.letGo();
    expect(second.inbox.seen).toEqual([
      ['1', 1],
      ['2', 0],
    ]);
  });

  it('does not let a former holder release the session of the next', async () => {
    const { queue, clock } = open({ lockDurationMs: 1_000 });
    const first = new SessionWait(queue, 'x');
    clock.advance(1_000);
    new SessionWait(queue, 'x');
    first.session?.release();
    expect(new SessionWait(queue, 'x').refusal).toMatchObject({ condition: 'com.microsoft:session-cannot-be-locked' });
  });

  it('offers every session again after a crash', async () => {
    const before = open();
    await before.queue.send([draft('1', 'x'), draft('2', 'y')]);
    new SessionWait(before.queue, 'x');
    const { queue } = before.restart();
    expect([new SessionWait(queue), new SessionWait(queue)].map(({ session }) => session?.sessionId)).toEqual([
      'x',
      'y',
    ]);
  });
});
