/** Throughput of the durable engine: orchestrations of three activities, JSON wire, every turn committed to a SQLite file before the next. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine, type DurableEngine } from '../../src/local/host/engine/engine.ts';
import { createSqliteStore } from '../../src/local/host/engine/sqlite-store.ts';
import { systemClock } from '../../src/local/system-clock.ts';
import { loadApp, workerOf, writeApp } from '../../test/support/durable-host.ts';
import type { Figure } from './figure.ts';

const inFlight = 64;
const warmUp = 500;
const measured = 3_000;

const app = `
import * as df from 'durable-functions';
df.app.activity('step', { handler: (n) => n + 1 });
df.app.orchestration('threeSteps', function* (context) {
  let n = context.df.getInput();
  n = yield context.df.callActivity('step', n);
  n = yield context.df.callActivity('step', n);
  n = yield context.df.callActivity('step', n);
  return n;
});
`;

/** Real `durable-functions` turns through the invocation model; takes a few seconds. */
export async function engineBench(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
  const written = writeApp(app);
  const store = createSqliteStore(join(dir, 'durable.db'));
  const engine = createEngine({ store, clock: systemClock, newId: randomUUID, hubName: 'Bench' });
  try {
    engine.attach(workerOf(await loadApp({ appDir: written.appDir })));
    await engine.start();
    await run(engine, warmUp);
    const startedAt = performance.now();
    await run(engine, measured);
    const value = Math.round(measured / ((performance.now() - startedAt) / 1000));
    return [{ area: 'platform', figure: 'engine.orchestrationsPerSecond', value, unit: '1/s', aim: '>= 1000' }];
  } finally {
    await engine.stop();
    store.close();
    written.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function run(engine: DurableEngine, count: number): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left > 0) {
      left--;
      await one(engine);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

async function one({ client }: DurableEngine): Promise<void> {
  const started = await client.startNew({ name: 'threeSteps', input: '1' });
  if (!started.ok) throw new Error(`not started: ${started.reason}`);
  const ended = await client.waitForEnd(started.instanceId, 60_000);
  const status = client.status(started.instanceId);
  if (!ended || status?.output !== '4') throw new Error(`orchestration ended as ${JSON.stringify(status)}`);
}
