import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFunctionsHost, type FunctionsHost } from '../../src/local/host/functions-host.ts';
import type { LogLine } from '../../src/local/host/invoke.ts';

const appDir = fileURLToPath(new URL('./fixtures/durable-app', import.meta.url));
const hostPath = fileURLToPath(new URL('../../src/local/host/main.ts', import.meta.url));

interface Status {
  readonly runtimeStatus: string;
  readonly output: unknown;
}

/** Waits on the management API, as a client of Azure would. */
async function ended(statusUrl: string): Promise<Status> {
  const endsAt = Date.now() + 15_000;
  for (;;) {
    const response = await fetch(statusUrl);
    if (response.status === 200) return (await response.json()) as Status;
    if (Date.now() > endsAt) throw new Error(`${statusUrl} has not ended: ${response.status} ${await response.text()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function start(url: string, name: string, input: unknown = {}, id = ''): Promise<Record<string, string>> {
  const response = await fetch(`${url}/api/start/${name}/${id}`, { method: 'POST', body: JSON.stringify(input) });
  if (response.status !== 202) throw new Error(`start answered ${response.status} ${await response.text()}`);
  expect(response.headers.get('retry-after')).toBe('10');
  const links = (await response.json()) as Record<string, string>;
  expect(response.headers.get('location')).toBe(links['statusQueryGetUri']);
  return links;
}

const statusUrl = (links: Record<string, string>) => links['statusQueryGetUri'] ?? '';

describe('durable functions on the host', () => {
  let host: FunctionsHost;
  const lines: LogLine[] = [];
  beforeAll(async () => {
    host = await createFunctionsHost({ appDir, port: 0, log: (line) => lines.push(line) });
  });
  afterAll(() => host.close());

  it('are started by an HTTP function that answers with links that work', async () => {
    const links = await start(host.url, 'sum', { n: 5 });
    expect(statusUrl(links)).toContain(`${host.url}/runtime/webhooks/durabletask/instances/`);
    expect(statusUrl(links)).toContain('taskHub=FixtureHub');
    expect(await ended(statusUrl(links))).toMatchObject({ runtimeStatus: 'Completed', output: 20 });
  });

  it('take events through the links', async () => {
    const links = await start(host.url, 'waits');
    const eventUrl = links['sendEventPostUri']?.replace('{eventName}', 'approval') ?? '';
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(eventUrl, { method: 'POST', headers, body: '"yes"' })).status).toBe(202);
    expect(await ended(statusUrl(links))).toMatchObject({ output: { approval: 'yes' } });
  });

  it('may use the durable client inside an activity', async () => {
    const links = await start(host.url, 'chains', {}, 'chain-1');
    expect(await ended(statusUrl(links))).toMatchObject({ runtimeStatus: 'Completed', output: 'chain-1-child' });
    const child = statusUrl(links).replace('chain-1', 'chain-1-child');
    expect(await ended(child)).toMatchObject({ output: 6 });
  });

  it('fail with the text of the function that failed, which is logged with its name', async () => {
    const status = await ended(statusUrl(await start(host.url, 'breaks')));
    expect(status.runtimeStatus).toBe('Failed');
    expect(status.output).toContain("Activity function 'fails' failed:  kaput");
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', functionName: 'fails' }));
  });

  it('accept entity registrations with a warning and refuse each use', async () => {
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warning', functionName: 'counter' }));
    const status = await ended(statusUrl(await start(host.url, 'usesEntity')));
    expect(status).toMatchObject({ runtimeStatus: 'Failed', output: expect.stringMatching(/entit/i) });
  });

  it('are not reached through a management address without the key', async () => {
    const links = await start(host.url, 'sum', { n: 1 });
    const url = new URL(statusUrl(links));
    url.searchParams.set('code', 'guess');
    expect((await fetch(url)).status).toBe(401);
  });
});

/** The host as the platform runs it. */
class HostProcess {
  readonly #child: ChildProcess;
  readonly ready: Promise<{ readonly port: number; readonly url: string }>;

  constructor(config: Record<string, unknown>) {
    this.#child = fork(hostPath, [JSON.stringify(config)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.ready = new Promise((resolve, reject) => {
      this.#child.once('message', (message: { type: string; message?: string; port: number; url: string }) =>
        message.type === 'ready' ? resolve(message) : reject(new Error(message.message)),
      );
      this.#child.once('exit', (code, signal) => reject(new Error(`host ended: ${code ?? signal}`)));
    });
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const gone = new Promise<number | null>((resolve) => this.#child.once('exit', (code) => resolve(code)));
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    this.#child.kill(signal);
    return await gone;
  }
}

describe('the host as a process', () => {
  it('says why it cannot start, and ends', async () => {
    const host = new HostProcess({
      appDir: fileURLToPath(new URL('./fixtures/throwing-app', import.meta.url)),
      port: 0,
    });
    await expect(host.ready).rejects.toThrow(/broken\.js: failed while it was loaded: Error: configuration is missing/);
  });

  it('survives kill -9: an unfinished activity runs again, may use the durable client at once, and old links still work', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-host-'));
    const file = join(dataDir, 'marks');
    const config = { appDir, dataDir, port: 0, activityLeaseMs: 200 };
    const first = new HostProcess({ ...config, env: { SLOW_START: '1' } });
    const { port, url } = await first.ready;
    const links = await start(url, 'recovers', { file, instanceId: 'after-kill' });
    const endsAt = Date.now() + 10_000;
    while (!existsSync(file)) {
      if (Date.now() > endsAt) throw new Error('the activity has not begun');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await first.end('SIGKILL');

    const second = new HostProcess({ ...config, port });
    await second.ready;
    expect(await ended(statusUrl(links))).toMatchObject({ runtimeStatus: 'Completed', output: 'recovered' });
    expect(readFileSync(file, 'utf8')).toBe('begun\nbegun\ndone\n');
    expect(await ended(statusUrl(links).replace(links['id'] ?? '', 'after-kill'))).toMatchObject({ output: 12 });
    expect(await second.end('SIGTERM')).toBe(0);
  });
});
