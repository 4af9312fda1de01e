/** A second terminal: the built CLI against a platform that runs the example. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../../src/local/host/port-holder.ts';
import type { AppResource } from '../../src/model/api.ts';
import { createPlace, platformForTests } from '../support/flotilla-process.ts';

const example = resolve('examples/voting/compose.yaml');

describe('flotilla from a second terminal', { shuffle: false }, () => {
  const here = platformForTests();

  const flotilla = (...args: readonly string[]) => here.place.flotilla(...args, '--api', here.api);
  /** As a line of a shell, whose keyboard is whatever is piped in. */
  const exec = (...args: readonly string[]) =>
    `${process.execPath} ${resolve('dist/src/cli/main.js')} exec --api ${here.api} ${args.join(' ')}`;
  const app = async (): Promise<AppResource> =>
    JSON.parse((await flotilla('ps', 'voting', '--json').finished).out.join('\n'));
  const write = (text: string): string => {
    const path = join(here.place.directory, 'compose.yaml');
    writeFileSync(path, text);
    return path;
  };

  it('ps lists the app, and its replicas at addresses of the containers', async () => {
    expect((await flotilla('ps').finished).out[1]).toMatch(/^voting +converged +1 +4 +6\/6$/);
    const web = (await app()).serviceList.find(({ name }) => name === 'web');
    expect(web?.replicas.length).toBe(3);
    for (const { addresses, slot, group } of web?.replicas ?? []) {
      const answer = await (await fetch(addresses[0] ?? '')).json();
      expect(answer).toMatchObject({ service: 'web', slot: String(slot), group });
    }
  });

  it('is refused without the key of the platform, and finds it by itself', async () => {
    const answer = await fetch(`${here.api}/api/v1/apps`);
    expect([answer.status, await answer.text()]).toEqual([401, '']);
    const elsewhere = { env: { FLOTILLA_HOME: here.place.directory } };
    const cli = resolve('dist/src/cli/main.js');
    const { code, errors } = await here.place.run(process.execPath, [cli, 'ps', '--api', here.api], elsewhere).finished;
    expect(code).toBe(5);
    expect(errors[0]).toBe(`error: the API at ${here.api} wants a key.`);
  });

  it('events tells the way of a replica in order', async () => {
    const { code, out } = await flotilla('events', 'voting', '-n', '500').finished;
    expect(code).toBe(0);
    const types = out.filter((line) => line.includes('store/0/1')).map((line) => line.split(/ +/)[2]);
    expect(types).toEqual(['ReplicaPlanned', 'GroupCreating', 'GroupCreated', 'ReplicaReady', 'EndpointAdded']);
  });

  it('logs shows what every replica printed, and follows until Ctrl-C', async () => {
    const { code, out } = await flotilla('logs', 'voting.web').finished;
    expect(code).toBe(0);
    for (const slot of [0, 1, 2])
      expect(out.filter((line) => line.startsWith(`web.${slot} | `)).length).toBeGreaterThan(0);
    const following = flotilla('logs', '-f', 'voting.web.0', '--timestamps');
    await following.see(/^20\d\d-\d\d-\d\dT[\d:.]+Z .*ready, listening/);
    following.signal('SIGINT');
    expect((await following.finished).code).toBe(0);
    expect(await flotilla('logs', 'voting.wob').finished).toMatchObject({ code: 1 });
  });

  it('exec runs what is piped into a shell of a replica, and an event tells of it', async () => {
    const [replica] = (await app()).serviceList.find(({ name }) => name === 'web')?.replicas ?? [];
    const line = `printf 'hostname\\nexit\\n' | ${exec('voting.web.0', 'sh')}`;
    const { code, out, errors } = await here.place.run('sh', ['-c', line]).finished;
    expect({ code, errors }).toEqual({ code: 0, errors: [] });
    expect(out.map((shown) => shown.trim())).toContainEqual(expect.stringMatching(/^SandboxHost-/));
    const { out: told } = await flotilla('events', 'voting').finished;
    expect(told.at(-1)).toMatch(
      new RegExp(
        `ExecOpened +web/0/${replica?.incarnation} +A terminal was opened: sh in container web by .* from 127`,
      ),
    );
    expect(await here.place.flotilla('exec', '--api', here.api, 'voting.web.7', '--', 'sh').finished).toMatchObject({
      code: 1,
      errors: ['error: web has no replica in slot 7; slots: 0, 1, 2.'],
    });
  });

  it('exec leaves the terminal as it was', async () => {
    const [before, after] = ['before', 'after'].map((name) => join(here.place.directory, name));
    const inside = `stty -g >${before}; ${exec('voting.web', 'sh')}; echo ended with $?; stty -g >${after}`;
    const line = `printf 'echo typed\\r\\004' | script -qec "sh -c '${inside.replace('$?', '\\$?')}'" /dev/null`;
    const { out } = await here.place.run('sh', ['-c', line]).finished;
    expect(out.map((shown) => shown.trim().replace(/^# /, ''))).toEqual(
      expect.arrayContaining(['typed', 'ended with 0']),
    );
    expect(readFileSync(after ?? '', 'utf8')).toBe(readFileSync(before ?? '', 'utf8'));
  });

  it('run ends with the exit code of its program, shows what it printed, and leaves its record and its log', async () => {
    const env = ['-e', 'STANDIN_LOG=migrated', '-e', 'STANDIN_CRASH_AFTER_S=2', '-e', 'STANDIN_EXIT_CODE=7'];
    const { code, out, errors } = await flotilla('run', 'voting.worker', '--name', 'migration', ...env).finished;
    expect({ code, errors }).toEqual({ code: 7, errors: [] });
    expect(out).toContain('migrated');
    const { out: listed } = await flotilla('runs', 'voting').finished;
    const [id = '', name, state, exit] = listed[1]?.split(/ +/) ?? [];
    expect([name, state, exit]).toEqual(['migration', 'failed', '7']);
    const logs = await flotilla('logs', 'voting.worker', '--run', id.split('.')[1] ?? '').finished;
    expect(logs).toMatchObject({ code: 0 });
    expect(logs.out).toContain('migrated');
    expect((await app()).ready).toBe(6);
  });

  it('run -d does not wait, runs --cancel ends it, and nothing of it stands then', async () => {
    const { out } = await flotilla('run', '-d', 'voting.web').finished;
    const run = out[0] ?? '';
    expect(run).toMatch(/^web\.\d+$/);
    const state = async () =>
      JSON.parse((await flotilla('runs', 'voting', '--json').finished).out.join('')).runs.find(
        ({ id }: { id: string }) => id === run,
      );
    await expect.poll(async () => (await state()).state, { timeout: 60_000, interval: 500 }).toBe('running');
    expect(await flotilla('runs', 'voting', '--cancel', run).finished).toMatchObject({ code: 0 });
    await expect.poll(async () => (await state()).cleanedUp, { timeout: 60_000, interval: 500 }).toBe(true);
    expect(await state()).toMatchObject({ state: 'failed', exitCode: null, reason: 'RunCanceled' });
  });

  it('config prints a document that means the same', async () => {
    const { code, out } = await here.place.flotilla('config', '-f', example).finished;
    expect(code).toBe(0);
    const again = write(`${out.join('\n')}\n`);
    const { out: preview } = await flotilla('up', '-f', again).finished;
    expect(preview).toContain('  nothing to change');
  });

  it('a wrong file is refused with every problem, and changes nothing', async () => {
    const before = await app();
    const text = readFileSync(example, 'utf8')
      .replace('image: redis:7', 'imagee: redis:7')
      .replace('replicas: 3', 'replicas: many');
    const { code, errors } = await flotilla('up', '-f', write(text)).finished;
    expect(code).toBe(2);
    expect(errors.at(-1)).toMatch(/^[23] errors; nothing was sent\.$/);
    expect((await app()).generation).toBe(before.generation);
  });

  it('Ctrl-C leaves the operation running, and says how to follow it', async () => {
    const text = readFileSync(example, 'utf8').replace('replicas: 3', 'replicas: 2');
    const waiting = flotilla('up', '-f', write(text));
    await waiting.see(/Applied as generation 2/);
    waiting.signal('SIGINT');
    const { code, out, errors } = await waiting.finished;
    expect(code).toBe(130);
    expect(out).toContain('  ~ web  scale 3 → 2');
    expect(errors[0]).toContain(`flotilla events voting -f --api ${here.api}`);
    await expect.poll(async () => (await app()).converged, { timeout: 30_000, interval: 500 }).toBe(true);
    expect((await app()).ready).toBe(5);
  });

  it('scale, restart, stop, start, freeze and thaw wait until it is so', async () => {
    const web = async () => (await app()).serviceList.find(({ name }) => name === 'web');
    expect(await flotilla('scale', 'voting.web=3').finished).toMatchObject({ code: 0, errors: [] });
    const before = (await web())?.replicas.map(({ incarnation }) => incarnation) ?? [];
    expect(before).toHaveLength(3);
    const restarted = await flotilla('restart', 'voting.web').finished;
    expect(restarted).toMatchObject({ code: 0, errors: [] });
    expect(restarted.out).toContain('  ~ web  replace 3 replicas, one at a time');
    const after = (await web())?.replicas ?? [];
    expect(after.map(({ slot }) => slot)).toEqual([0, 1, 2]);
    expect(Math.min(...after.map(({ incarnation }) => incarnation))).toBeGreaterThan(Math.max(...before));
    expect(await flotilla('stop', 'voting.web').finished).toMatchObject({ code: 0 });
    expect((await flotilla('ps', 'voting').finished).out.some((line) => /^web +- +stopped/.test(line))).toBe(true);
    expect(await flotilla('freeze', 'voting').finished).toMatchObject({ code: 0 });
    expect(await flotilla('start', 'voting.web').finished).toMatchObject({ code: 3 });
    expect((await web())?.replicas).toEqual([]);
    expect(await flotilla('thaw', 'voting').finished).toMatchObject({ code: 0 });
    await expect.poll(async () => (await web())?.ready, { timeout: 60_000, interval: 500 }).toBe(3);
    expect(await flotilla('scale', 'voting.wbe=1').finished).toMatchObject({ code: 2 });
  });

  it('a service that is not in the file any more is shown and torn down, and events -f tells it as it happens', async () => {
    const following = flotilla('events', 'voting', '-f', '-n', '1');
    const text = readFileSync(example, 'utf8').replace(/^ {2}worker:[\s\S]*?(?=^ {2}queue:)/m, '');
    const { code, out } = await flotilla('up', '-f', write(text)).finished;
    expect(code).toBe(0);
    expect(out).toContain('  - worker  tear down 1 replica: not in the file any more');
    await following.see(/ReplicaGone +worker\/0\/1/);
    following.signal('SIGINT');
    expect((await following.finished).code).toBe(0);
    expect((await app()).serviceList.map(({ name }) => name)).toEqual(['queue', 'store', 'web']);
    const gone = await flotilla('logs', 'voting.worker', '--previous').finished;
    expect(gone.out[0]).toMatch(/^worker\.0 \| /);
  });

  it('--timeout ends with 4, and down waits until everything is gone', async () => {
    const early = await flotilla('down', 'voting', '--timeout', '1s').finished;
    expect(early.code).toBe(4);
    const { code, out } = await flotilla('down', 'voting').finished;
    expect(code).toBe(0);
    expect(out.at(-1)).toMatch(/^voting is gone after /);
    expect((await flotilla('ps').finished).out[0]).toMatch(/^There are no apps/);
    expect(await flotilla('down', 'voting').finished).toMatchObject({ code: 1 });
  });
});

describe('npx flotilla', () => {
  it('runs the sources from the checkout, with whatever Node is on the PATH, without a build and a network', async () => {
    const place = createPlace();
    const env = {
      PATH: process.env['PATH']
        ?.split(':')
        .filter((entry) => !entry.includes('node_modules'))
        .join(':'),
    };
    const { code, out, errors } = await place.run('npx', ['flotilla', 'config', '-f', example, '--json'], {
      cwd: resolve('examples'),
      env: { ...env, npm_config_offline: 'true', npm_config_cache: join(place.directory, 'cache') },
    }).finished;
    place.clear();
    expect({ code, errors }).toEqual({ code: 0, errors: [] });
    expect(JSON.parse(out.join('\n'))).toMatchObject({ name: 'voting' });
  });

  it('says what to do where no API answers', async () => {
    const place = createPlace();
    const closed = createServer();
    const port = await listenOnLoopback(closed, 0);
    closed.close();
    const { code, errors } = await place.flotilla('ps', '--api', `http://127.0.0.1:${port}`).finished;
    place.clear();
    expect(code).toBe(5);
    expect(errors[0]).toMatch(/^error: the API at http:\/\/127\.0\.0\.1:\d+ does not answer \(connect ECONNREFUSED/);
    expect(errors[1]).toContain('npm start');
  });
});
