/** What the sender of a command hears of it over Service Bus: the outcome, at least once, whatever fails in between. */
import { describe, expect, it } from 'vitest';
import { operationIdOf } from '../../../src/commands/accept.ts';
import type { Incoming } from '../../../src/commands/incoming.ts';
import { createQueueHandlers } from '../../../src/commands/queue-handlers.ts';
import { payDue } from '../../../src/commands/replies.ts';
import type { PortError } from '../../../src/ports/errors.ts';
import { type CommandFixture, commandFixture, document, incoming } from '../../support/command-fixture.ts';

const settings = { replyQueues: ['answers', 'other'] };
const hour = 60 * 60_000;

const apply = (idempotencyKey: string, image?: string) => ({
  command: 'apply',
  app: 'shop',
  idempotencyKey,
  document: document(image),
});
const idOf = (idempotencyKey: string) => operationIdOf({ app: 'shop', idempotencyKey });
const asks: Partial<Incoming> = { messageId: 'm-1', replyTo: 'answers', replyToSessionId: 'me' };

const take = (fixture: CommandFixture, body: unknown, over: Partial<Incoming> = asks) =>
  createQueueHandlers(fixture.ports, settings).onMessage(incoming(body, over), fixture.workflows);
const owed = async ({ store }: CommandFixture) => {
  const rows = await store.readReplies();
  return rows.ok ? rows.value : [];
};
const eventsOf = async ({ store }: CommandFixture, partition = 'shop') => {
  const page = await store.readEvents(partition, { limit: 50 });
  return page.ok ? page.value.events.map(({ type, reason, cause }) => ({ type, reason, cause })) : [];
};
const away: PortError = { kind: 'Unavailable', code: null, message: 'away', retryAfterMs: null };
const payAll = (fixture: CommandFixture) => payDue(fixture.ports, () => true);

describe('the sender of a command', () => {
  it('is told what became of it, in its session and with the id of its message', async () => {
    const fixture = commandFixture();
    await take(fixture, apply('k1'));
    expect(fixture.replies).toEqual([
      {
        to: 'answers',
        messageId: expect.stringMatching(/^[0-9a-f]{32}:applied$/),
        correlationId: 'm-1',
        sessionId: 'me',
        body: {
          app: 'shop',
          operationId: idOf('k1'),
          state: 'applied',
          generation: 1,
          reason: null,
          problems: [],
          problemsOmitted: 0,
        },
      },
    ]);
    expect(await owed(fixture)).toEqual([]);
  });

  it('that names no session finds its reply in one that is named like its message', async () => {
    const fixture = commandFixture();
    await take(fixture, apply('k1'), { messageId: 'm-1', replyTo: 'Answers' });
    expect(fixture.replies).toMatchObject([{ to: 'Answers', sessionId: 'm-1' }]);
  });

  it.each<[string, unknown, object]>([
    ['an invalid document', { ...apply('k1'), document: { name: 'shop' } }, { reason: 'InvalidDocument' }],
    [
      'a delete of an app that is not there',
      { command: 'delete', app: 'shop', idempotencyKey: 'k1' },
      { reason: 'AppNotFound' },
    ],
    [
      'a message with a field too many',
      { ...apply('k1'), extra: 1 },
      { reason: 'InvalidMessage', operationId: idOf('k1') },
    ],
    ['a message without an app', { command: 'apply' }, { reason: 'InvalidMessage', app: null, operationId: null }],
    ['text that is not JSON', 'hello', { reason: 'InvalidMessage', app: null }],
  ])('of %s is told why it is rejected', async (_, body, told) => {
    const fixture = commandFixture();
    await take(fixture, body);
    expect(fixture.replies.map(({ body: outcome }) => outcome)).toMatchObject([{ state: 'rejected', ...told }]);
    expect(await owed(fixture)).toEqual([]);
  });

  it('that uses a key again is never told the outcome of the first command', async () => {
    const fixture = commandFixture();
    await take(fixture, apply('k1', 'nginx:1'));
    await take(fixture, apply('k1', 'nginx:2'), { ...asks, messageId: 'm-2' });
    expect(fixture.replies[1]).toMatchObject({
      correlationId: 'm-2',
      body: { state: 'rejected', reason: 'KeyReused', operationId: null },
    });
    // The same with the malformed use of a key that was used well.
    await take(fixture, { ...apply('k1'), extra: 1 }, { ...asks, messageId: 'm-3' });
    expect(fixture.replies[2]).toMatchObject({
      correlationId: 'm-3',
      body: { state: 'rejected', reason: 'KeyReused' },
    });
  });

  it('that sends the same command twice hears of it twice, each time under the id of that message', async () => {
    const fixture = commandFixture();
    await take(fixture, apply('k1'));
    await take(fixture, apply('k1'), { ...asks, messageId: 'm-2' });
    expect(fixture.replies.map(({ correlationId }) => correlationId)).toEqual(['m-1', 'm-2']);
    expect(new Set(fixture.replies.map(({ messageId }) => messageId)).size).toBe(2);
  });

  it('hears the same again, under the same id, when its message is delivered again', async () => {
    const fixture = commandFixture();
    await take(fixture, apply('k1'));
    await take(fixture, apply('k1'));
    expect(fixture.replies).toHaveLength(2);
    expect(fixture.replies[1]).toEqual(fixture.replies[0]);
  });

  it('that asks for nothing gets nothing', async () => {
    const fixture = commandFixture();
    await take(fixture, apply('k1'), { replyTo: null });
    expect(fixture.replies).toEqual([]);
  });
});

describe('a queue that is not listed', () => {
  it('gets no reply, while the command is carried out and the refusal recorded once', async () => {
    const fixture = commandFixture();
    const elsewhere = { ...asks, replyTo: 'elsewhere' };
    await take(fixture, apply('k1'), elsewhere);
    await take(fixture, apply('k1'), elsewhere);
    expect(fixture.replies).toEqual([]);
    expect(fixture.started).toEqual(['app:shop', 'app:shop']);
    const refusals = (await eventsOf(fixture)).filter(({ type }) => type === 'ReplyRefused');
    expect(refusals).toEqual([{ type: 'ReplyRefused', reason: 'ReplyNotAllowed', cause: idOf('k1') }]);
    expect(fixture.logged.join()).toContain('elsewhere');
  });

  it('is recorded with a command that is rejected, too', async () => {
    const fixture = commandFixture();
    await take(fixture, { ...apply('k1'), document: {} }, { ...asks, replyTo: 'elsewhere' });
    expect((await eventsOf(fixture)).map(({ type }) => type).toSorted()).toEqual(['OperationRejected', 'ReplyRefused']);
  });
});

describe('a reply that cannot be sent', () => {
  it('does not hold up the command, and is sent by the resync once the queue answers', async () => {
    const fixture = commandFixture();
    fixture.answerReplies({ ok: false, error: away });
    await take(fixture, apply('k1'));
    expect(await owed(fixture)).toHaveLength(1);
    fixture.answerReplies({ ok: true, value: undefined });
    await payAll(fixture);
    expect(fixture.replies).toHaveLength(1);
    fixture.clock.now += 60_000;
    await payAll(fixture);
    expect(fixture.replies).toHaveLength(2);
    expect(fixture.replies[1]).toEqual(fixture.replies[0]);
    expect(await owed(fixture)).toEqual([]);
  });

  it('is given up after a day, with an event that says so', async () => {
    const fixture = commandFixture();
    fixture.answerReplies({ ok: false, error: { ...away, kind: 'NotFound' } });
    await take(fixture, apply('k1'));
    for (let hours = 0; hours <= 25; hours += 1) {
      fixture.clock.now += hour;
      await payAll(fixture);
    }
    expect(await owed(fixture)).toEqual([]);
    expect(await eventsOf(fixture)).toContainEqual({
      type: 'ReplyDropped',
      reason: 'ReplyUndeliverable',
      cause: idOf('k1'),
    });
  });

  it('is not lost by a host that dies right after the command took effect', async () => {
    const fixture = commandFixture();
    const dying = {
      ...fixture.ports,
      bus: {
        ...fixture.ports.bus,
        reply: () => {
          throw new Error('the host is gone');
        },
      },
    };
    const handlers = createQueueHandlers(dying, settings);
    await expect(handlers.onMessage(incoming(apply('k1'), asks), fixture.workflows)).rejects.toThrow('gone');
    fixture.clock.now += hour;
    await payAll(fixture);
    expect(fixture.replies).toMatchObject([{ correlationId: 'm-1', body: { state: 'applied', generation: 1 } }]);
  });

  it('waits for a command that is accepted but not applied', async () => {
    const fixture = commandFixture();
    const stuck = {
      ...fixture.ports,
      store: { ...fixture.store, readApp: async () => ({ ok: false as const, error: away }) },
    };
    const handlers = createQueueHandlers(stuck, settings);
    await expect(handlers.onMessage(incoming(apply('k1'), asks), fixture.workflows)).rejects.toThrow('away');
    fixture.clock.now += hour;
    await payAll(fixture);
    expect(fixture.replies).toEqual([]);
    await take(fixture, apply('k1'));
    expect(fixture.replies).toMatchObject([{ body: { state: 'applied' } }]);
  });
});
