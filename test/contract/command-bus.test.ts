import { ServiceBusClient } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCommandBus } from '../../src/azure/command-bus.ts';
import { type Broker, startBroker } from '../../src/local/servicebus/broker.ts';
import { names } from '../../src/model/names.ts';

let broker: Broker;
const closing: (() => Promise<void>)[] = [];
const key = { name: 'RootManageSharedAccessKey', value: 'c2VjcmV0' };

beforeEach(async () => {
  const queues = [{ name: names.queue, requiresSession: true }];
  broker = await startBroker({ port: 0, dataPath: ':memory:', key, queues });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await broker.close();
});

const busOf = (connectionString: string, callTimeoutMs = 5_000) => {
  const bus = createCommandBus({ connection: { connectionString }, callTimeoutMs });
  closing.push(() => bus.close());
  return bus;
};

describe('the command bus', () => {
  it('sends a hint whose session is the app and whose id names operation and attempt', async () => {
    const bus = busOf(broker.connectionString);
    const sent = await Promise.all([
      bus.send({ app: 'shop', operationId: 'op-1', attempt: 1 }),
      bus.send({ app: 'shop', operationId: 'op-1', attempt: 2 }),
    ]);
    expect(sent).toEqual([
      { ok: true, value: undefined },
      { ok: true, value: undefined },
    ]);
    const client = new ServiceBusClient(broker.connectionString);
    closing.push(() => client.close());
    const session = await client.acceptSession(names.queue, 'shop');
    const messages = await session.receiveMessages(2, { maxWaitTimeInMs: 5_000 });
    expect(
      messages.map(({ messageId, sessionId, contentType, body }) => [messageId, sessionId, contentType, body]),
    ).toEqual(
      [1, 2].map((attempt) => [`op-1:${attempt}`, 'shop', 'application/json', { app: 'shop', operationId: 'op-1' }]),
    );
  });

  it('sends a reply to the queue, session and message that asked for it', async () => {
    await broker.close();
    broker = await startBroker({
      port: 0,
      dataPath: ':memory:',
      key,
      queues: [{ name: names.queue }, { name: 'answers', requiresSession: true }],
    });
    const body = {
      app: 'shop',
      operationId: 'op-1',
      state: 'applied',
      generation: 3,
      reason: null,
      problems: [],
      problemsOmitted: 0,
    } as const;
    const reply = { to: 'answers', messageId: 'r-1:applied', correlationId: 'm-1', sessionId: 'me', body };
    expect(await busOf(broker.connectionString).reply(reply)).toEqual({ ok: true, value: undefined });
    const client = new ServiceBusClient(broker.connectionString);
    closing.push(() => client.close());
    const session = await client.acceptSession('answers', 'me');
    expect(await session.receiveMessages(1, { maxWaitTimeInMs: 5_000 })).toMatchObject([
      {
        body,
        messageId: 'r-1:applied',
        correlationId: 'm-1',
        subject: 'flotilla.outcome',
        contentType: 'application/json',
      },
    ]);
  });

  it('answers with an error when the queue of a reply is missing, and sends on to others', async () => {
    const bus = busOf(broker.connectionString);
    const to = (queue: string) =>
      bus.reply({ to: queue, messageId: 'r', correlationId: 'm', sessionId: 'shop', body: {} as never });
    expect(await to('nowhere')).toMatchObject({ ok: false, error: { kind: 'NotFound' } });
    expect(await to(names.queue)).toMatchObject({ ok: true });
  });

  it('opens nothing before its first message', async () => {
    const bus = busOf('Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true');
    await bus.close();
    expect(await bus.close()).toBeUndefined();
  });

  it('answers with an error in time when nobody listens', async () => {
    const address = broker.connectionString;
    await broker.close();
    const startedAt = performance.now();
    const result = await busOf(address, 2_000).send({ app: 'shop', operationId: 'op-1', attempt: 1 });
    expect(result.ok ? 'ok' : result.error.kind).toMatch(/^(Unknown|Unavailable)$/);
    expect(result.ok ? '' : result.error.message).toContain('send operation op-1 of shop');
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    broker = await startBroker({ port: 0, dataPath: ':memory:', key, queues: [{ name: names.queue }] });
  });

  it('answers with an error when the queue is missing', async () => {
    await broker.close();
    broker = await startBroker({ port: 0, dataPath: ':memory:', key, queues: [{ name: 'other' }] });
    const result = await busOf(broker.connectionString).send({ app: 'shop', operationId: 'op-1', attempt: 1 });
    expect(result).toMatchObject({ ok: false, error: { kind: 'NotFound' } });
  });
});
