/** `npm start` as a process of its own: how it ends, and that nothing of it is left. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPlace, descendantsOf, isAlive, type Place, type Running } from '../support/flotilla-process.ts';
import { localAccessOf } from '../support/local-access.ts';

let place: Place;
beforeEach(() => {
  place = createPlace();
});
afterEach(() => place.clear());

const composeFile = (text: string): string => {
  const path = join(place.directory, 'compose.yaml');
  writeFileSync(path, text);
  return path;
};

async function nothingIsLeft(processes: readonly number[]): Promise<void> {
  await expect.poll(() => processes.filter(isAlive), { timeout: 15_000 }).toEqual([]);
  await expect.poll(() => place.leftovers(), { timeout: 5_000 }).toEqual([]);
}

describe('npm start -- --once', () => {
  it('brings the example up, shows addresses that answer, ends with 0 and leaves nothing', async () => {
    const started = place.start('--once', '--port', '0');
    const { code, out, errors } = await started.finished;
    expect({ code, errors }).toEqual({ code: 0, errors: [] });
    const rows = out.filter((line) => /^(queue|store|web|worker) +\d/.test(line)).map((line) => line.split(/ {2,}/));
    expect(rows.map(([service, slot, state, , , answer]) => [service, slot, state, answer])).toEqual([
      ['queue', '0', 'ready', 'accepts connections'],
      ['store', '0', 'ready', 'accepts connections'],
      ['web', '0', 'ready', 'HTTP 200'],
      ['web', '1', 'ready', 'HTTP 200'],
      ['web', '2', 'ready', 'HTTP 200'],
      ['worker', '0', 'ready', 'no port'],
    ]);
    expect(out.at(-1)).toMatch(/^API {2}http:\/\/127\.0\.0\.1:\d+\/api\/v1$/);
    expect(out.filter((line) => line !== '').length).toBe(new Set(out.filter((line) => line !== '')).size);
    await nothingIsLeft([]);
  });

  it('ends with the reason when the app cannot converge', async () => {
    const file = composeFile('name: broken\nservices:\n  web:\n    image: nobody/has-this:1\n');
    const { code, errors } = await place.start('--once', '--port', '0', '--file', file).finished;
    expect(code).toBe(1);
    expect(errors[0]).toMatch(
      /^error: rollout web\.1: 3 failures of revision 1, .* The last, in slot 0: .*nobody\/has-this:1 not found\. There is no verified/,
    );
  });

  it('ends with 2 and every problem when the file is wrong', async () => {
    const file = composeFile('name: broken\nservices:\n  web:\n    image: 7\n    privileged: true\n');
    const { code, errors } = await place.start('--once', '--port', '0', '--file', file).finished;
    expect(code).toBe(2);
    expect(errors.filter((line) => line.startsWith('error: '))).toEqual([
      expect.stringContaining('compose.yaml:4:5 services.web.image:'),
      expect.stringContaining('compose.yaml:5:5 services.web.privileged:'),
    ]);
  });

  it('names the process that holds the port, and starts nothing', async () => {
    const holder = createServer();
    const port = await new Promise<number>((resolve) =>
      holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port)),
    );
    const { code, errors } = await place.start('--once', '--port', String(port)).finished;
    holder.close();
    expect(code).toBe(1);
    expect(errors[0]).toContain(`port ${port} on 127.0.0.1 is taken by process ${process.pid} (`);
    expect(place.leftovers()).toEqual([]);
  });

  it.each([
    ['--port', '70000'],
    ['--port', 'x'],
    ['--prot', '1'],
  ])('refuses %s %s', async (...args) => {
    const { code, errors } = await place.start(...args).finished;
    expect(code).toBe(2);
    expect(errors[0]).toMatch(/^error: /);
  });
});

describe('the end of npm start', () => {
  interface Row {
    readonly name: string;
    readonly end: (platform: Running) => void;
    readonly code: number | null;
  }

  const rows: readonly Row[] = [
    { name: 'Ctrl-C', end: (platform) => platform.signal('SIGINT', 'group'), code: 0 },
    { name: 'SIGINT', end: (platform) => platform.signal('SIGINT'), code: 0 },
    { name: 'SIGTERM', end: (platform) => platform.signal('SIGTERM'), code: 0 },
    { name: 'a closed terminal', end: (platform) => platform.signal('SIGHUP', 'group'), code: 0 },
    { name: 'SIGKILL', end: (platform) => platform.signal('SIGKILL'), code: null },
  ];

  it.each(rows)('leaves no process and no file after $name', async ({ end, code }) => {
    const platform = place.start('--no-app', '--port', '0');
    await platform.see(/^Ctrl-C ends everything/);
    const processes = descendantsOf(platform.pid);
    expect(processes.length).toBe(3);
    end(platform);
    expect((await platform.finished).code).toBe(code);
    await nothingIsLeft(processes);
  });

  it.each(rows)('leaves nothing after $name while the app is coming up', async ({ end }) => {
    const platform = place.start('--port', '0');
    await platform.see(/Applied as generation 1/);
    const processes = descendantsOf(platform.pid);
    expect(processes.length).toBe(4);
    end(platform);
    const { errors } = await platform.finished;
    expect(errors).toEqual([]);
    await nothingIsLeft(processes);
  });

  it('leaves nothing when it is npm that is ended', async () => {
    const npm = place.run('npm', ['start', '--', '--no-app', '--port', '0'], {
      env: { NODE_DISABLE_COMPILE_CACHE: '1', npm_config_update_notifier: 'false' },
    });
    await npm.see(/^Ctrl-C ends everything/);
    const processes = descendantsOf(npm.pid);
    expect(processes.length).toBeGreaterThanOrEqual(4);
    npm.signal('SIGTERM');
    await npm.finished;
    await nothingIsLeft(processes);
  });

  it('leaves nothing when it is interrupted before it is up', async () => {
    const platform = place.start('--no-app', '--port', '0');
    await expect.poll(() => descendantsOf(platform.pid).length).toBeGreaterThan(0);
    const processes = descendantsOf(platform.pid);
    platform.signal('SIGINT', 'group');
    expect((await platform.finished).code).toBe(130);
    await nothingIsLeft(processes);
  });

  it('keeps everything with --data, and goes on from there', async () => {
    const data = join(place.directory, 'data');
    const compose = composeFile(
      'name: kept\nservices:\n  web:\n    image: flotilla/http\n    ports: ["8080"]\n    healthcheck: { test: ["CMD", "wget", "-qO-", "http://localhost:8080/"] }\n',
    );
    expect((await place.start('--once', '--port', '0', '--data', data, '--file', compose).finished).code).toBe(0);
    const again = place.start('--no-app', '--port', '0', '--data', data);
    const [, api = ''] = await again.see(/API\s+(http:\S+)\/api\/v1/);
    const shown = await place.flotilla('ps', 'kept', '--api', api).finished;
    expect(shown.out[0]).toMatch(/^kept: \w+, generation 1/);
    again.signal('SIGTERM');
    await again.finished;
  });
});

describe('the processes of npm start', () => {
  it('show no key among their arguments, which everybody on the machine may read', async () => {
    const platform = place.start('--no-app', '--port', '0');
    const [, api = ''] = await platform.see(/API\s+(http:\S+)\/api\/v1/);
    const { key, serviceBus = '' } = localAccessOf(place.home, api);
    const busKey = /SharedAccessKey=([^;]+)/.exec(serviceBus)?.[1] ?? '';
    const shown = execFileSync('ps', ['-ww', '-o', 'args=', '-p', descendantsOf(platform.pid).join(',')], {
      encoding: 'utf8',
    });
    expect(shown).toMatch(/servicebus\/main/);
    expect([key, busKey].map((secret) => secret.length > 20 && shown.includes(secret))).toEqual([false, false]);
    expect(shown).not.toMatch(/identityHeader|"value"/);
    platform.signal('SIGTERM');
    await platform.finished;
  });
});

describe('npm start -- --data DIR', () => {
  const dataDir = () => join(place.directory, 'data');
  const start = () => place.start('--no-app', '--port', '0', '--data', dataDir());

  it('is refused while another platform has the directory, and takes over what a killed one left', async () => {
    const first = start();
    await first.see(/API +http/);
    const second = await start().finished;
    expect(second.code).toBe(1);
    expect(second.errors).toEqual([
      expect.stringMatching(
        new RegExp(
          `^error: ${dataDir()} is in use by another platform \\(process ${first.pid}, since .*\\)\\. Stop that one, or choose`,
        ),
      ),
    ]);
    first.signal('SIGKILL');
    const third = start();
    await third.see(/API +http/);
    third.signal('SIGTERM');
    expect((await third.finished).code).toBe(0);
    rmSync(dataDir(), { recursive: true });
  });

  it.each(['service-bus.db', 'tables.db', 'aci.db', 'durable.db'])(
    'names %s when that is damaged, and leaves it as it is',
    async (file) => {
      mkdirSync(dataDir());
      writeFileSync(join(dataDir(), file), 'this was a database once, and is not any more');
      const { code, errors } = await start().finished;
      expect(code).toBe(1);
      expect(errors.join('\n')).toContain(
        `${join(dataDir(), file)} cannot be used: file is not a database. Nothing in it was changed.`,
      );
      expect(readFileSync(join(dataDir(), file), 'utf8')).toBe('this was a database once, and is not any more');
      rmSync(dataDir(), { recursive: true });
    },
  );
});
