/** What only the embedded broker does: it survives `kill -9`, explains likely mistakes, and refuses by name what it does not offer. */
import { connect } from 'node:net';
import { ServiceBusClient, type ServiceBusReceivedMessage, type ServiceBusReceiver } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BrokerProcess } from '../support/broker-process.ts';
import { refusals } from './service-bus/refusals.ts';

const lockMs = 1_000;
const queues = [
  { name: 'plain', maxDeliveryCount: 100, lockDurationMs: 60_000 },
  { name: 'short', maxDeliveryCount: 100, lockDurationMs: lockMs },
  { name: 'sessions', requiresSession: true, lockDurationMs: 60_000 },
];

const topics = [{ name: 'events', subscriptions: [{ name: 'mine' }, { name: 'theirs' }] }];

let broker: BrokerProcess;
let clients: ServiceBusClient[];

beforeEach(async () => {
  clients = [];
  broker = new BrokerProcess(queues, topics);
  await broker.start();
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await broker.dispose();
});

function client(connectionString = broker.connectionString, maxRetries = 0): ServiceBusClient {
  const retryOptions = { timeoutInMs: 2_000, retryDelayInMs: 50, maxRetries };
  const opened = new ServiceBusClient(connectionString, { retryOptions });
  clients.push(opened);
  return opened;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const endsAt = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > endsAt) throw new Error(`${what} did not happen within 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function receiveAll(receiver: ServiceBusReceiver): Promise<ServiceBusReceivedMessage[]> {
  const all: ServiceBusReceivedMessage[] = [];
  for (;;) {
    const more = await receiver.receiveMessages(200, { maxWaitTimeInMs: 500 });
    if (more.length === 0) return all;
    all.push(...more);
  }
}

const bodies = (messages: readonly ServiceBusReceivedMessage[]): unknown[] => messages.map(({ body }) => body);
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('a broker that was killed and started again', () => {
  it('has every acknowledged message, none that was completed, and no lock', async () => {
    const before = client();
    const sender = before.createSender('plain');
    for (const n of numbers(0, 30)) await sender.sendMessages({ body: n });
    const receiver = before.createReceiver('plain');
    const held = await receiver.receiveMessages(20, { maxWaitTimeInMs: 5_000 });
    for (const message of held.slice(0, 10)) await receiver.completeMessage(message);
    await broker.kill();
    await broker.start();
    const left = await receiveAll(client().createReceiver('plain'));
    expect(bodies(left)).toEqual(numbers(10, 30));
    expect(left.map(({ deliveryCount }) => deliveryCount)).toEqual(left.map(() => 0));
  });

  it('keeps failures, changed properties and dead letters', async () => {
    const receiver = client().createReceiver('plain');
    await client()
      .createSender('plain')
      .sendMessages([{ body: 'failed' }, { body: 'dead' }]);
    const [failed, dead] = await receiver.receiveMessages(2, { maxWaitTimeInMs: 5_000 });
    if (!failed || !dead) throw new Error('two messages were sent');
    await receiver.deadLetterMessage(dead, { deadLetterReason: 'Bad', deadLetterErrorDescription: '' });
    await receiver.abandonMessage(failed, { why: 'no' });
    await broker.kill();
    await broker.start();
    expect(await receiveAll(client().createReceiver('plain'))).toMatchObject([
      { body: 'failed', deliveryCount: 1, applicationProperties: { why: 'no' } },
    ]);
    const letters = client().createReceiver('plain', { subQueueType: 'deadLetter' });
    expect(await receiveAll(letters)).toMatchObject([{ body: 'dead', deadLetterReason: 'Bad' }]);
  });

  it('never gives a sequence number twice, not even when the queue was empty', async () => {
    const receiver = client().createReceiver('plain');
    await client().createSender('plain').sendMessages({ body: 1 });
    const [first] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 5_000 });
    if (!first) throw new Error('a message was sent');
    await receiver.completeMessage(first);
    await broker.kill();
    await broker.start();
    await client().createSender('plain').sendMessages({ body: 2 });
    const [second] = await client().createReceiver('plain').receiveMessages(1, { maxWaitTimeInMs: 5_000 });
    expect(second?.sequenceNumber?.greaterThan(first.sequenceNumber ?? 0)).toBe(true);
  });

  it('offers the sessions that were held, each in its order', async () => {
    const before = client();
    const sender = before.createSender('sessions');
    for (const n of numbers(0, 6)) await sender.sendMessages({ body: n, sessionId: n % 2 ? 'odd' : 'even' });
    const odd = await before.acceptSession('sessions', 'odd');
    const [one] = await odd.receiveMessages(1, { maxWaitTimeInMs: 5_000 });
    if (!one) throw new Error('a message was sent');
    await odd.completeMessage(one);
    await before.acceptSession('sessions', 'even');
    await broker.kill();
    await broker.start();
    const after = client();
    expect(bodies(await receiveAll(await after.acceptSession('sessions', 'odd')))).toEqual([3, 5]);
    expect(bodies(await receiveAll(await after.acceptSession('sessions', 'even')))).toEqual([0, 2, 4]);
  });

  it('has lost nothing and repeats nothing, killed again and again while clients send and receive', async () => {
    const count = 600;
    const kills = [60, 200, 350, 500];
    const acknowledged = new Set<number>();
    const received = new Set<number>();
    const completed = new Set<string>();
    const cameBack: string[] = [];
    let underWay = 0;

    const receiver = client(undefined, 3).createReceiver('short', { maxAutoLockRenewalDurationInMs: 0 });
    const complete = async (message: ServiceBusReceivedMessage) => {
      const sequence = String(message.sequenceNumber);
      if (completed.has(sequence)) cameBack.push(sequence);
      received.add(message.body as number);
      underWay += 1;
      // A complete that was under way in a kill may fail, done or not: the message comes again, or not.
      await receiver.completeMessage(message).then(
        () => completed.add(sequence),
        () => undefined,
      );
      underWay -= 1;
    };
    receiver.subscribe(
      { processMessage: complete, processError: async () => undefined },
      { maxConcurrentCalls: 16, autoCompleteMessages: false },
    );

    const sender = client(undefined, 8).createSender('short');
    let next = 0;
    const send = async () => {
      while (next < count) {
        const n = next++;
        while (!acknowledged.has(n))
          await sender.sendMessages({ body: n }).then(
            () => acknowledged.add(n),
            () => undefined,
          );
      }
    };
    const killing = async () => {
      for (const at of kills) {
        await until(`the acknowledgement of ${at} messages`, () => acknowledged.size >= at);
        await broker.kill();
        await broker.start();
      }
    };
    await Promise.all([killing(), ...numbers(0, 16).map(send)]);
    await until('everything received', () => received.size === count && underWay === 0);
    await receiver.close();

    expect(cameBack).toEqual([]);
    expect(completed.size).toBeGreaterThan(0);
    const rest = client().createReceiver('short');
    const left = await rest.receiveMessages(200, { maxWaitTimeInMs: lockMs + 500 });
    // What is left was never completed: sent twice by the client, or its complete failed.
    expect(left.filter((message) => completed.has(String(message.sequenceNumber)))).toEqual([]);
  }, 120_000);
});

describe('a broker that was killed while a topic was sent to', () => {
  it('gives every subscription each message that was acknowledged, and none without the others', async () => {
    const acknowledged: number[] = [];
    const sender = client(undefined, 8).createSender('events');
    let killing: Promise<void> = Promise.resolve();
    for (const n of numbers(0, 120)) {
      if (n % 40 === 20) killing = broker.kill().then(() => broker.start());
      await sender.sendMessages({ body: n, messageId: `m${n}` }).then(
        () => acknowledged.push(n),
        () => undefined,
      );
    }
    await killing;
    const [mine, theirs] = await Promise.all(
      ['mine', 'theirs'].map(async (name) =>
        bodies(await receiveAll(client().createReceiver('events', name, { receiveMode: 'receiveAndDelete' }))),
      ),
    );
    expect(mine).toEqual(theirs);
    expect(new Set(mine)).toEqual(new Set([...acknowledged, ...(mine as number[])]));
    expect(acknowledged.length).toBeGreaterThan(60);
  }, 60_000);
});

describe('a client that is set up wrongly', () => {
  it('is explained to who reads the output, when it speaks TLS', async () => {
    const secure = client(broker.connectionString.replace('UseDevelopmentEmulator=true;', ''));
    await expect(secure.createSender('plain').sendMessages({ body: 1 })).rejects.toThrow();
    await until('the explanation', () => /speaks TLS.*UseDevelopmentEmulator=true/.test(broker.output));
  });

  it('is explained, when it speaks HTTP', async () => {
    const socket = connect(broker.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.end('GET /plain?api-version=2021-05 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.resume();
    await closed;
    await until('the explanation', () => /speaks HTTP.*declared/.test(broker.output));
  });

  it('does not disturb others', async () => {
    const socket = connect(broker.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const header = Buffer.from('AMQP\x00\x01\x00\x00', 'latin1');
    const frameOfNonsense = Buffer.from([0, 0, 0, 16, 2, 0, 0, 0, 0, 0x53, 0x99, 0xff, 0xff, 0xff, 0xff, 0xff]);
    socket.write(Buffer.concat([header, frameOfNonsense]));
    socket.resume();
    await closed;
    await client().createSender('plain').sendMessages({ body: 1 });
    expect(bodies(await receiveAll(client().createReceiver('plain')))).toEqual([1]);
  });
});

describe('what is not offered', () => {
  it.each(refusals)('is refused by name: $name', async ({ says, act }) => {
    await expect(act(client(), broker.port)).rejects.toThrow(says);
  });
});
