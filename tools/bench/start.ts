/**
 * The embedded platform as `npm start` starts it, from its build: how long until the last endpoint of `examples/voting` answers, and what the
 * converged platform then uses while nothing happens.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiClient, createClient } from '../../src/client/client.ts';
import type { AppResource } from '../../src/model/api.ts';
import { checkComposeFile } from '../../src/spec/files/resolve.ts';
import type { Figure } from './figure.ts';
import { usageOfTree } from './processes.ts';

const example = resolve(import.meta.dirname, '../../examples/voting');
const main = resolve(import.meta.dirname, '../../dist/src/local/main.js');
const deadlineMs = 120_000;
const pollMs = 100;
const idleMs = 60_000;

/** Takes about 75 s. @throws Error when the app does not converge. */
export async function startBench(): Promise<Figure[]> {
  const startedAt = performance.now();
  const platform = spawn(process.execPath, [main, '--no-app', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const client = createClient({ baseUrl: await addressOf(platform.stdout), fetch, sleep: (ms) => sleep(ms) });
    const name = await bringUp(client);
    await until(client, name, endpointsAnswer);
    const startSeconds = (performance.now() - startedAt) / 1000;
    await until(client, name, async ({ converged }) => converged);
    return [
      {
        area: 'platform',
        figure: 'start.convergedSeconds',
        value: round(startSeconds, 2),
        unit: 's',
        aim: '<= 10',
      },
      ...(await idle(platform.pid ?? 0)),
    ];
  } finally {
    platform.kill('SIGTERM');
    if (platform.exitCode === null) await once(platform, 'exit');
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

/** From the banner, which names the API once it answers. The rest of the output is read and dropped. */
function addressOf(output: Readable): Promise<string> {
  let printed = '';
  return new Promise((done, fail) => {
    output.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      const url = /API (http:\S+)\/api\/v1/.exec(printed)?.[1];
      if (url !== undefined) done(url);
    });
    output.once('end', () => fail(new Error(`the platform ended without naming its API: ${printed}`)));
  });
}

async function bringUp(client: ApiClient): Promise<string> {
  const file = await checkComposeFile({
    path: join(example, 'compose.yaml'),
    projectDirectory: example,
    environment: {},
    profiles: [],
    readFile: readIfThere,
  });
  if (!file.ok) throw new Error(JSON.stringify(file.error));
  const { name } = file.value.app;
  const accepted = await client.apply(name, file.value.document, 'bench');
  if (!accepted.ok) throw new Error(JSON.stringify(accepted.error));
  return name;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function until(client: ApiClient, name: string, isSo: (app: AppResource) => Promise<boolean>): Promise<void> {
  const deadlineAt = performance.now() + deadlineMs;
  for (;;) {
    const app = await client.app(name);
    if (app.ok && app.value.pendingOperations.length === 0 && (await isSo(app.value))) return;
    if (performance.now() > deadlineAt) throw new Error(`not within ${deadlineMs / 1000} s: ${JSON.stringify(app)}`);
    await sleep(pollMs);
  }
}

/** The services of the example that listen, with the number of their replicas. */
const listening: Readonly<Record<string, number>> = { web: 3, queue: 1, store: 1 };

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
