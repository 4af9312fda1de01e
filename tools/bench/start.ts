/**
 * The embedded platform as `npm start` starts it, from its build: how long until the last endpoint of `examples/voting` answers, and what the
 * converged platform then uses while nothing happens.
 */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiClient, createClient } from '../../src/client/client.ts';
import type { AppResource } from '../../src/model/api.ts';
import { localKeyOf } from '../../test/support/local-access.ts';
import type { Figure } from './figure.ts';
import { usageOfTree } from './processes.ts';

const main = resolve(import.meta.dirname, '../../dist/src/local/main.js');
/** What `npm start` brings up, and its services that listen, with the number of their replicas. */
const appName = 'voting';
const listening: Readonly<Record<string, number>> = { web: 3, queue: 1, store: 1 };
const deadlineMs = 120_000;
const pollMs = 100;
const idleMs = 60_000;

/** Takes about 75 s. @throws Error when the app does not converge. */
export async function startBench(): Promise<Figure[]> {
  const startedAt = performance.now();
  const home = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
  const env = { ...process.env, FLOTILLA_HOME: home };
  const platform = spawn(process.execPath, [main, '--port', '0'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const printed = follow(platform.stdout);
  try {
    const [, baseUrl = ''] = await printed(/API\s+(http:\S+)\/api\/v1/);
    const client = createClient({ baseUrl, key: localKeyOf(home, baseUrl), fetch, sleep: (ms) => sleep(ms) });
    await until(client, endpointsAnswer);
    const seconds = (performance.now() - startedAt) / 1000;
    await until(client, async ({ converged }) => converged);
    // The CLI that brought the app up has ended by then.
    await printed(/Ctrl-C ends everything/);
    return [
      { area: 'platform', figure: 'start.convergedSeconds', value: round(seconds, 2), unit: 's', aim: '<= 10' },
      ...(await idle(platform.pid ?? 0)),
    ];
  } finally {
    platform.kill('SIGTERM');
    if (platform.exitCode === null) await once(platform, 'exit');
    rmSync(home, { recursive: true, force: true });
  }
}

async function idle(pid: number): Promise<Figure[]> {
  const before = usageOfTree(pid);
  await sleep(idleMs);
  const after = usageOfTree(pid);
  const cpuPercent = ((after.cpuMs - before.cpuMs) / idleMs) * 100;
  return [
    { area: 'platform', figure: 'idle.memoryMiB', value: round(after.rssMiB, 0), unit: 'MiB', aim: '<= 350' },
    { area: 'platform', figure: 'idle.cpuPercent', value: round(cpuPercent, 2), unit: '% of a core', aim: '< 2' },
  ];
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** Waits for a pattern in all that was printed; fails when the output ends without it. */
function follow(output: Readable): (pattern: RegExp) => Promise<RegExpExecArray> {
  let text = '';
  let ended = false;
  const changed = new EventEmitter();
  output.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    changed.emit('change');
  });
  output.once('end', () => {
    ended = true;
    changed.emit('change');
  });
  return async (pattern) => {
    for (;;) {
      const match = pattern.exec(text);
      if (match) return match;
      if (ended) throw new Error(`the platform ended: ${text}`);
      await once(changed, 'change');
    }
  };
}

async function until(client: ApiClient, isSo: (app: AppResource) => Promise<boolean>): Promise<void> {
  const deadlineAt = performance.now() + deadlineMs;
  for (;;) {
    const app = await client.app(appName);
    if (app.ok && app.value.pendingOperations.length === 0 && (await isSo(app.value))) return;
    if (performance.now() > deadlineAt) throw new Error(`not within ${deadlineMs / 1000} s: ${JSON.stringify(app)}`);
    await sleep(pollMs);
  }
}

async function endpointsAnswer({ serviceList }: AppResource): Promise<boolean> {
  const addresses = Object.entries(listening).map(
    ([name, count]) =>
      serviceList
        .find((service) => service.name === name)
        ?.replicas.flatMap((replica) => replica.addresses)
        .slice(0, count) ?? [],
  );
  const wanted = Object.values(listening).reduce((sum, count) => sum + count, 0);
  if (addresses.flat().length < wanted) return false;
  const answers = await Promise.all(addresses.flat().map(answersAt));
  return answers.every(Boolean);
}

async function answersAt(address: string): Promise<boolean> {
  const { hostname, port } = new URL(address);
  const socket = connect({ host: hostname, port: Number(port) });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
