/** Messages that may wait only so long, in time that the test moves. */
import { describe, expect, it } from 'vitest';
import { effectiveTtl } from '../../../../src/local/servicebus/expiry.ts';
import { type Draft, type QueueStore, Store } from '../../../../src/local/servicebus/store.ts';
import { bodyOf, draft, Inbox, openQueue, propertiesOf, SessionWait } from '../../../support/queue-fixture.ts';

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
const lasting = (body: string, ttlMs: number, sessionId?: string): Draft => ({ ...draft(body, sessionId), ttlMs });
const letters = (inbox: Inbox) => inbox.deliveries.map(({ message }) => bodyOf(message));

describe('the time to live of a message', () => {
  it.each([
    [undefined, undefined, undefined],
    [5, undefined, 5],
    [undefined, 7, 7],
    [5, 7, 5],
    [9, 7, 7],
  ])('%s on a queue whose default is %s is %s', (own, ofQueue, effective) => {
    expect(effectiveTtl(own, ofQueue)).toBe(effective);
  });
});

describe('a message whose time is over', () => {
  it('is gone without anybody asking, and its place in the quota with it', async () => {
    const { queue, clock, store } = openQueue({ maxSizeBytes: 1 });
    await queue.send([lasting('short', 1_000)]);
    expect((await queue.send([draft('refused')])).ok).toBe(false);
    clock.advance(1_000);
    await settled();
    expect(store.peek(false, 0, 9)).toEqual([]);
    expect((await queue.send([draft('taken')])).ok).toBe(true);
  });

  it('is delivered up to the last millisecond and not after', async () => {
    const { queue, clock } = openQueue();
    await queue.send([lasting('first', 1_000), lasting('second', 1_001)]);
    clock.advance(1_000);
    const inbox = new Inbox();
    queue.attach(inbox).wake();
    expect(letters(inbox)).toEqual(['second']);
  });

  it('becomes a dead letter with its reason, among the dead letters that never expire', async () => {
    const { queue, deadLetters, clock } = openQueue({ deadLetterExpired: true });
    await queue.send([lasting('short', 1_000), draft('stays')]);
    clock.advance(5_000);
    await settled();
    clock.advance(500_000);
    const inbox = new Inbox();
    deadLetters.attach(inbox).wake();
    expect(inbox.deliveries.map(({ message }) => propertiesOf(message))).toEqual([
      {
        DeadLetterReason: 'TTLExpiredException',
        DeadLetterErrorDescription: 'The message expired and was dead lettered.',
      },
    ]);
  });

  it('is gone after a crash during which it expired', async () => {
    const fixture = openQueue({ deadLetterExpired: true });
    await fixture.queue.send([lasting('short', 1_000), draft('stays')]);
    fixture.queue.close();
    fixture.clock.advance(60_000);
    const { queue, deadLetters } = fixture.restart();
    await settled();
    const [alive, dead] = [new Inbox(), new Inbox()];
    queue.attach(alive).wake();
    deadLetters.attach(dead).wake();
    expect([letters(alive), letters(dead)]).toEqual([['stays'], ['short']]);
  });

  it('may still be settled by who holds it, and is over when he gives it back', async () => {
    const { queue, clock } = openQueue({ lockDurationMs: 60_000 });
    await queue.send([lasting('kept', 1_000), lasting('returned', 1_000)]);
    const inbox = new Inbox();
    queue.attach(inbox).wake();
    clock.advance(2_000);
    expect(await queue.settle(inbox.token(0), { kind: 'complete' })).toBeUndefined();
    expect(await queue.settle(inbox.token(1), { kind: 'abandon', properties: new Map() })).toBeUndefined();
    await settled();
    expect(letters(inbox)).toEqual(['kept', 'returned']);
    expect(queue.peek(0, 9)).toEqual([]);
  });

  it('is not there for who asks for it by its number', async () => {
    const { queue, clock } = openQueue();
    await queue.send([lasting('aside', 1_000)]);
    const inbox = new Inbox();
    queue.attach(inbox).wake();
    await queue.settle(inbox.token(0), { kind: 'defer', properties: new Map() });
    clock.advance(2_000);
    const asked = queue.receiveDeferred([1], undefined, undefined);
    expect(asked).toMatchObject({ ok: false, refusal: { condition: 'com.microsoft:message-not-found' } });
  });

  it('makes no session available', async () => {
    const { queue, clock } = openQueue({ requiresSession: true });
    await queue.send([lasting('short', 1_000, 'a'), draft('stays', 'b')]);
    clock.advance(1_000);
    await settled();
    expect(new SessionWait(queue).session?.sessionId).toBe('b');
  });

  it('is tried again when the store fails, and delivered to nobody meanwhile', async () => {
    const store = new Store(':memory:').queue('q', false);
    let broken = true;
    const failing = new Proxy(store, {
      get: (target, name) => {
        if (name === 'remove' && broken) return () => Promise.reject(new Error('disk full'));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }) as QueueStore;
    const { queue, clock } = openQueue({}, failing);
    await queue.send([lasting('short', 1_000)]);
    clock.advance(1_000);
    await settled();
    const inbox = new Inbox();
    queue.attach(inbox).wake();
    expect(inbox.deliveries).toEqual([]);
    await settled();
    broken = false;
    clock.advance(2_000);
    await settled();
    expect(store.peek(false, 0, 9)).toEqual([]);
  });
});
