import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerOptions, startBroker } from '../../../../src/local/servicebus/broker.ts';

let directory: string;
let running: Broker[];
beforeEach(() => {
  running = [];
  directory = mkdtempSync(join(tmpdir(), 'flotilla-broker-'));
});
afterEach(async () => {
  await Promise.all(running.map((broker) => broker.close()));
  rmSync(directory, { recursive: true, force: true });
});

const key = { name: 'policy', value: 'c2VjcmV0' };

async function start(options: Partial<BrokerOptions> = {}): Promise<Broker> {
  const broker = await startBroker({ port: 0, dataPath: ':memory:', key, queues: [{ name: 'q' }], ...options });
  running.push(broker);
  return broker;
}

describe('a broker', () => {
  it('gives the connection string of where it listens', async () => {
    const { port, connectionString } = await start();
    expect(connectionString).toBe(
      `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=policy;SharedAccessKey=c2VjcmV0;UseDevelopmentEmulator=true;`,
    );
  });

  it('says all that is wrong with its configuration at once', async () => {
    const queues = [
      { name: 'spaced out' },
      { name: 'twice' },
      { name: 'TWICE' },
      { name: 'a', maxDeliveryCount: 0 },
      { name: 'b', lockDurationMs: 300_001 },
      { name: 'c', forwardTo: 'a' } as { name: string },
      { name: 'd', requiresDuplicateDetection: true, duplicateDetectionHistoryTimeWindowMs: 1 },
      { name: 'e', defaultMessageTimeToLiveMs: 0 },
    ];
    const topics = [
      { name: 'a', subscriptions: [] },
      {
        name: 'events',
        subscriptions: [{ name: 'x' }, { name: 'X' }, { name: 'y', forwardTo: 'q' } as { name: string }],
      },
    ];
    const error = await start({ queues, topics, key: { name: '', value: 'x' } }).catch(
      (reason: Error) => reason.message,
    );
    expect(String(error).split('\n')).toEqual([
      "The broker's configuration is wrong:",
      'key: needs a non-empty name and value, as in a shared access policy.',
      "queues[0].name: 'spaced out' is no queue name; use letters, digits, '.', '-', '_' and inner '/'.",
      "queues[2].name: 'TWICE' is declared twice; remove one.",
      'queues[3].maxDeliveryCount: 0 is no whole number of at least 1.',
      'queues[4].lockDurationMs: 300001 is not in 1..300000.',
      'queues[5].forwardTo: the local Service Bus does not offer it; remove it.',
      'queues[6].duplicateDetectionHistoryTimeWindowMs: 1 is not in 20000..604800000.',
      'queues[7].defaultMessageTimeToLiveMs: 0 is no whole number of at least 1.',
      "topics[0].name: 'a' is declared twice; remove one.",
      "topics[1].subscriptions[1].name: 'X' is declared twice; remove one.",
      'topics[1].subscriptions[2].forwardTo: the local Service Bus does not offer it; remove it.',
    ]);
  });

  it('names the port that is taken', async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toThrow(new RegExp(`cannot listen on 127.0.0.1:${port}.*EADDRINUSE.*Choose`));
  });

  it('refuses to open a queue that was stored with the other kind of sessions', async () => {
    const dataPath = join(directory, 'bus.db');
    const first = await start({ dataPath });
    await first.close();
    running = [];
    await expect(start({ dataPath, queues: [{ name: 'Q', requiresSession: true }] })).rejects.toThrow(
      /queues\['Q'\]\.requiresSession: the stored queue has false/,
    );
  });

  it('refuses a file that is no database, names it, and leaves it as it is', async () => {
    const dataPath = join(directory, 'bus.db');
    writeFileSync(dataPath, 'These are not the bytes of a database, but they may be dear to somebody.');
    await expect(start({ dataPath })).rejects.toThrow(new RegExp(`${dataPath}.*not a database.*move it away`, 'i'));
    expect(readFileSync(dataPath, 'utf8')).toMatch(/^These are not the bytes/);
  });
});
