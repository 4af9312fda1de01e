/**
 * Measures the broker end to end: a broker process on a file database, the real client in this process, 300-byte bodies, no batches; a message
 * counts once it has been sent, received and durably completed.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServiceBusClient } from '@azure/service-bus';

const QUEUE = 'bench';
const WARM_UP_MESSAGES = 3_000;
const MEASURED_MESSAGES = 20_000;
const IN_FLIGHT = 16;
const BODY_BYTES = 300;
const DEADLINE_MS = 120_000;

interface Figure {
  readonly area: 'platform';
  readonly figure: 'broker.messagesPerSecond';
  readonly value: number;
  readonly unit: '1/s';
  readonly aim: '>= 3000';
}

export async function brokerBench(): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-bench-broker-'));
  const broker = await startProcess(join(directory, 'servicebus.db'));
  try {
    const client = new ServiceBusClient(broker.connectionString);
    await messagesPerSecond(client, WARM_UP_MESSAGES);
    const value = Math.round(await messagesPerSecond(client, MEASURED_MESSAGES));
    await client.close();
    return [{ area: 'platform', figure: 'broker.messagesPerSecond', value, unit: '1/s', aim: '>= 3000' }];
  } finally {
    await broker.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function messagesPerSecond(client: ServiceBusClient, count: number): Promise<number> {
  const body = randomBytes(BODY_BYTES / 2).toString('hex');
  const sender = client.createSender(QUEUE);
  const receiver = client.createReceiver(QUEUE);
  const startedAt = performance.now();
  let [sent, completed] = [0, 0];
  const finished = new Promise<void>((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`only ${completed} of ${count} completed`)), DEADLINE_MS);
    receiver.subscribe(
      {
        processMessage: async (message) => {
          await receiver.completeMessage(message);
          completed += 1;
          if (completed < count) return;
          clearTimeout(deadline);
          resolve();
        },
        processError: async ({ error }) => reject(error),
      },
      { maxConcurrentCalls: IN_FLIGHT, autoCompleteMessages: false },
    );
  });
  const send = async () => {
    while (sent < count) {
      sent += 1;
      await sender.sendMessages({ body });
    }
  };
  await Promise.all([finished, ...Array.from({ length: IN_FLIGHT }, send)]);
  const seconds = (performance.now() - startedAt) / 1000;
  await Promise.all([sender.close(), receiver.close()]);
  return count / seconds;
}

async function startProcess(dataPath: string): Promise<{ connectionString: string; stop(): Promise<void> }> {
  const options = { port: 0, dataPath, key: { name: 'bench', value: 'bench' }, queues: [{ name: QUEUE }] };
  const main = fileURLToPath(new URL('../../src/local/servicebus/main.ts', import.meta.url));
  const child = fork(main, [JSON.stringify(options)], { execArgv: ['--disable-warning=ExperimentalWarning'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = () => {
    child.kill('SIGTERM');
    return exited;
  };
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the broker ended before it was ready')));
    child.once('message', (message: { type: string; connectionString: string; message?: string }) => {
      if (message.type === 'ready') resolve({ connectionString: message.connectionString, stop });
      else reject(new Error(message.message));
    });
  });
}
