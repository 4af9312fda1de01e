/** The supervisor dies by SIGKILL in the middle of a deployment: nothing of it lives on, and another one on the same data directory goes on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { localKeyOf } from '../support/local-access.ts';
import { openLedger } from './ledger.ts';
import { appName, replicaCount } from './trial.ts';

/** A port that no other test uses: two platforms of the defaults would give out the same addresses. */
const port = 18_412;
const document = {
  name: appName,
  services: {
    web: {
      image: 'nginx',
      ports: [`${port}:${port}`],
      deploy: { replicas: replicaCount },
      'x-flotilla': { probes: { readiness: { http: { path: '/', port } } } },
    },
  },
};

let dataDir: string;
/** Outside the data directory: the key of its secrets is here. */
let home: string;
const started: ChildProcess[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'flotilla-supervisor-'));
  home = mkdtempSync(join(tmpdir(), 'flotilla-home-'));
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const made of [dataDir, home]) rmSync(made, { recursive: true, force: true });
});

/** `npm start` without npm and without an app of its own. */
async function start() {
  const main = resolve(import.meta.dirname, '../../dist/src/local/main.js');
  const args = [main, '--no-app', '--containers', 'standin', '--port', '0', '--data', dataDir];
  const env = { ...process.env, FLOTILLA_HOME: home };
  const supervisor = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(supervisor);
  const baseUrl = await addressOf(supervisor.stdout);
  const key = localKeyOf(home, baseUrl);
  return { supervisor, client: createClient({ baseUrl, key, fetch, sleep: (ms) => sleep(ms) }) };
}

/** From the banner. The rest of the output is read and dropped. */
function addressOf(output: Readable): Promise<string> {
  let printed = '';
  return new Promise((done, fail) => {
    output.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      const url = /API\s+(http:\S+)\/api\/v1/.exec(printed)?.[1];
      if (url !== undefined) done(url);
    });
    output.once('end', () => fail(new Error(`the platform ended without naming its API: ${printed}`)));
  });
}

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it.runIf(process.platform === 'linux')(
  'leaves no process behind, and its successor finishes the deployment',
  async () => {
    const first = await start();
    const children = childrenOf(first.supervisor.pid ?? 0);
    expect(children).toHaveLength(3);
    const ledger = openLedger(dataDir, appName);
    expect(await first.client.apply(appName, document, 'up')).toMatchObject({ ok: true });
    // Later than the creates: a claim on one, left open, is only taken over when it expires, in minutes.
    await ledger.until('every create accepted', ({ events }) => events.get('GroupCreated') === replicaCount);
    first.supervisor.kill('SIGKILL');
    await once(first.supervisor, 'exit');
    await expect.poll(() => children.filter(lives), { timeout: 20_000 }).toEqual([]);
    ledger.close();

    const { client, supervisor } = await start();
    const app = async () => {
      const answer = await client.app(appName);
      return answer.ok ? answer.value : undefined;
    };
    await expect.poll(async () => (await app())?.converged, { timeout: 120_000, interval: 200 }).toBe(true);
    const replicas = (await app())?.serviceList.flatMap((service) => service.replicas) ?? [];
    expect(replicas.map(({ state }) => state)).toEqual(Array(replicaCount).fill('ready'));
    for (const { addresses, group } of replicas) {
      expect(await (await fetch(addresses[0] ?? '')).text()).toContain(group);
    }
    supervisor.kill('SIGTERM');
    await once(supervisor, 'exit');
  },
);
