/**
 * A process with nothing but a durable engine on a SQLite file, made to be killed: `node durable-child.ts <database> <log> <leaseMs> <count>`.
 * Starts the instances i0 … that are not there yet, prints their ids as they are acknowledged, and `done` when all have completed.
 */
import { randomUUID } from 'node:crypto';
import { createEngine } from '../../src/local/host/engine/engine.ts';
import { createSqliteStore } from '../../src/local/host/engine/sqlite-store.ts';
import { systemClock } from '../../src/local/system-clock.ts';
import { loadApp, workerOf, writeApp } from './durable-host.ts';

const [database = '', log = '', leaseMs = '', count = ''] = process.argv.slice(2);

const app = writeApp(`
import * as df from 'durable-functions';
import { appendFileSync } from 'node:fs';
df.app.activity('log', { handler: async (step) => {
  appendFileSync(${JSON.stringify(log)}, 'start ' + step + '\\n');
  await new Promise((resolve) => setImmediate(resolve));
  appendFileSync(${JSON.stringify(log)}, 'end ' + step + '\\n');
  return step;
} });
df.app.orchestration('ten', function* (c) {
  const out = [];
  for (let n = 0; n < 8; n++) out.push(yield c.df.callActivity('log', c.df.instanceId + '/' + n));
  out.push(...(yield c.df.Task.all([8, 9].map((n) => c.df.callActivity('log', c.df.instanceId + '/' + n)))));
  return out.length;
});
`);

const store = createSqliteStore(database);
const engine = createEngine({
  store,
  clock: systemClock,
  newId: randomUUID,
  hubName: 'Hub',
  activityLeaseMs: Number(leaseMs),
});
engine.attach(workerOf(await loadApp({ appDir: app.appDir })));
await engine.start();
const ids = Array.from({ length: Number(count) }, (_, i) => `i${i}`);
await Promise.all(
  ids.map(async (instanceId) => {
    if (engine.client.status(instanceId)) return;
    await engine.client.startNew({ name: 'ten', input: null, instanceId });
    process.stdout.write(`${instanceId}\n`);
  }),
);
await Promise.all(ids.map((id) => engine.client.waitForEnd(id, 60_000)));
const failed = ids.map((id) => engine.client.status(id)).filter((s) => s?.status !== 'Completed' || s.output !== '10');
process.stdout.write(failed.length === 0 ? 'done\n' : `failed ${JSON.stringify(failed[0])}\n`);
await engine.stop();
store.close();
app.remove();
