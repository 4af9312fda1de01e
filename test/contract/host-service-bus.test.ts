import { fileURLToPath } from 'node:url';
import { ServiceBusClient } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFunctionsHost, type FunctionsHost } from '../../src/local/host/functions-host.ts';
import type { LogLine } from '../../src/local/host/invoke.ts';
import { BrokerProcess } from '../support/broker-process.ts';

const appDir = fileURLToPath(new URL('./fixtures/queue-app', import.meta.url));

const lockMs = 1_000;

interface Run {
  readonly name: string;
  readonly message: { readonly n: number } | string;
  readonly metadata: Record<string, unknown>;
  readonly startedAt: number;
  readonly endedAt?: number;
}
const shared = globalThis as typeof globalThis & { queueRuns: Run[] };
const runsOf = (name: string) => shared.queueRuns.filter((run) => run.name === name);
const numbers = (name: string) =>
  runsOf(name).map((run) => (typeof run.message === 'string' ? run.message : run.message.n));

const queues = [
  { name: 'plain', maxDeliveryCount: 3, lockDurationMs: lockMs },
  { name: 'sessions', requiresSession: true, maxDeliveryCount: 3, lockDurationMs: lockMs },
];

let broker: BrokerProcess;
let sender: ServiceBusClient;
let host: FunctionsHost;
let lines: LogLine[];

beforeEach(async () => {
  shared.queueRuns = [];
  lines = [];
  broker = new BrokerProcess(queues);
  await broker.start();
  sender = new ServiceBusClient(broker.connectionString, {
    retryOptions: { timeoutInMs: 2_000, maxRetries: 1, retryDelayInMs: 100 },
  });
});
afterEach(async () => {
  await host.close();
  await sender.close();
  await broker.dispose();
});

async function startHost(): Promise<void> {
  const settings = { BUS: broker.connectionString, PLAIN_QUEUE: 'plain' };
  host = await createFunctionsHost({ appDir, port: 0, settings, log: (line) => lines.push(line) });
}

async function send(queue: string, ...messages: { n: number; sessionId?: string; waitMs?: number; fail?: boolean }[]) {
  const link = sender.createSender(queue);
  for (const { sessionId, ...body } of messages) {
    await link.sendMessages({
      body,
      contentType: 'application/json',
      applicationProperties: { Tenant: 'a' },
      ...(sessionId !== undefined && { sessionId }),
    });
  }
  await link.close();
}

async function until(what: string, condition: () => boolean, timeoutMs = 15_000): Promise<void> {
  const endsAt = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > endsAt)
      throw new Error(`${what} did not happen within ${timeoutMs} ms; runs: ${JSON.stringify(shared.queueRuns)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Completed for good: with the host gone and every lock run out, nobody is offered a message. */
async function expectNothingLeft(): Promise<void> {
  await host.close();
  const receiver = sender.createReceiver('plain');
  expect(await receiver.receiveMessages(1, { maxWaitTimeInMs: lockMs + 500 })).toEqual([]);
  await receiver.close();
  await expect(sender.acceptNextSession('sessions')).rejects.toMatchObject({ code: 'ServiceTimeout' });
}

describe('a Service Bus queue trigger', () => {
  it('hands over the parsed body and the metadata, and completes the message', async () => {
    await startHost();
    await send('plain', { n: 1 });
    await until('the run', () => runsOf('plain').length === 1);
    expect(runsOf('plain')[0]?.message).toEqual({ n: 1 });
    expect(runsOf('plain')[0]?.metadata).toMatchObject({
      messageId: expect.any(String),
      deliveryCount: 1,
      sequenceNumber: expect.any(Number),
      contentType: 'application/json',
      enqueuedTimeUtc: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      applicationProperties: { tenant: 'a' },
    });
    await expectNothingLeft();
  });

  it('delivers again what a function failed, then reads it as a dead letter', async () => {
    await startHost();
    await send('plain', { n: 1, fail: true });
    await until('the dead letter', () => runsOf('deadLetters').length >= 1);
    expect(runsOf('plain').map((run) => run.metadata['deliveryCount'])).toEqual([1, 2, 3]);
    expect(runsOf('deadLetters')[0]?.metadata).toMatchObject({ deadLetterReason: 'MaxDeliveryCountExceeded' });
  });

  it('runs up to maxConcurrentCalls at a time', async () => {
    await startHost();
    await send('plain', ...Array.from({ length: 8 }, (_, n) => ({ n, waitMs: 300 })));
    await until('all runs', () => runsOf('plain').filter((run) => run.endedAt).length === 8);
    const overlaps = runsOf('plain').map(
      (run) =>
        runsOf('plain').filter((other) => other.startedAt <= run.startedAt && (other.endedAt ?? 0) > run.startedAt)
          .length,
    );
    expect(Math.max(...overlaps)).toBeLessThanOrEqual(4);
    expect(Math.max(...overlaps)).toBeGreaterThan(1);
  });

  it('keeps the lock of a message while its function runs longer than the lock', async () => {
    await startHost();
    await send('plain', { n: 1, waitMs: 2_500 });
    await until('the end of the run', () => runsOf('plain').some((run) => run.endedAt));
    await expectNothingLeft();
    expect(runsOf('plain')).toHaveLength(1);
  });

  it('works a session off in order, one message at a time, and at most maxConcurrentSessions at once', async () => {
    await startHost();
    const sessions = ['a', 'b', 'c', 'd'];
    for (let n = 0; n < 3; n++) await send('sessions', ...sessions.map((sessionId) => ({ n, sessionId, waitMs: 100 })));
    await until('all runs', () => runsOf('sessions').filter((run) => run.endedAt).length === 12);
    for (const sessionId of sessions) {
      const runs = runsOf('sessions').filter((run) => run.metadata['sessionId'] === sessionId);
      expect(runs.map((run) => typeof run.message === 'object' && run.message.n)).toEqual([0, 1, 2]);
      expect(runs.every((run, i) => i === 0 || run.startedAt >= (runs[i - 1]?.endedAt ?? Infinity))).toBe(true);
    }
    const overlaps = runsOf('sessions').map(
      (run) =>
        runsOf('sessions').filter((other) => other.startedAt <= run.startedAt && (other.endedAt ?? 0) > run.startedAt)
          .length,
    );
    expect(Math.max(...overlaps)).toBe(2);
    await expectNothingLeft();
  });

  it('delivers a failed message of a session again before the next one', async () => {
    await startHost();
    await send('sessions', { n: 1, sessionId: 's', fail: true }, { n: 2, sessionId: 's' });
    await until('the second message', () => numbers('sessions').includes(2));
    expect(numbers('sessions')).toEqual([1, 1, 1, 2]);
  });

  it('keeps the lock of a session while its function runs longer than the lock', async () => {
    await startHost();
    await send('sessions', { n: 1, sessionId: 's', waitMs: 2_500 });
    await until('the end of the run', () => runsOf('sessions').some((run) => run.endedAt));
    await expectNothingLeft();
    expect(runsOf('sessions')).toHaveLength(1);
  });

  it('starts without a broker, and receives once there is one', async () => {
    await send('plain', { n: 1 });
    await send('sessions', { n: 1, sessionId: 's' });
    await broker.kill();
    await startHost();
    await until('the complaint', () =>
      lines.some((line) => line.level === 'warning' && line.functionName === 'sessions'),
    );
    await broker.start();
    await until('both runs', () => runsOf('plain').length >= 1 && runsOf('sessions').length >= 1);
  });

  it('finds a broker again that was killed while functions ran, and loses nothing', async () => {
    await startHost();
    await send('plain', { n: 1, waitMs: 300 });
    await send('sessions', { n: 1, sessionId: 's', waitMs: 300 }, { n: 2, sessionId: 's' });
    await until('the first runs', () => runsOf('plain').length === 1 && runsOf('sessions').length === 1);
    for (let round = 0; round < 2; round++) {
      await broker.kill();
      await broker.start();
    }
    await send('plain', { n: 3 });
    await send('sessions', { n: 3, sessionId: 's' }, { n: 4, sessionId: 'other' });
    await until('everything', () => {
      const seen = new Set(numbers('sessions'));
      return [1, 2, 3, 4].every((n) => seen.has(n)) && new Set(numbers('plain')).has(3);
    });
    await expectNothingLeft();
  });

  it('gives up quickly when the host closes while idle', async () => {
    await startHost();
    await send('sessions', { n: 1, sessionId: 's' });
    await until('the run', () => runsOf('sessions').length === 1);
    const before = performance.now();
    await host.close();
    expect(performance.now() - before).toBeLessThan(3_000);
  });
});
