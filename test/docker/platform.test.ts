/** A Compose app on real containers, by the commands that users type: up, ps, down; a killed container; and what is left however it ends. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import type Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AppResource } from '../../src/model/api.ts';
import { createPlace, descendantsOf, type Place, type Running } from '../support/flotilla-process.ts';
import { filesTelling } from '../support/secrecy.ts';
import { placesTelling, secretApp, values } from '../support/secret-app.ts';
import { buildImages, createDaemon, type Daemon, isRoot } from './daemon.ts';
import { ask, engine, engineId, eventually, leftOn } from './fixture.ts';

let docker: Docker;
let place: Place;
beforeAll(async () => {
  docker = await engine();
});
beforeEach(() => {
  place = createPlace();
});
afterEach(() => place.clear());

/** `redisHost` is known only once the queue runs: nothing resolves names yet. */
const compose = (redisHost = ''): string => {
  const path = join(place.directory, 'compose.yaml');
  writeFileSync(
    path,
    `name: shop
services:
  web:
    image: flotilla-test/nginx:1
    ports: ["80"]
    healthcheck: { test: ["CMD", "wget", "-qO-", "http://localhost:80/"], interval: 2s, timeout: 2s, retries: 3 }
  queue:
    image: flotilla-test/redis:1
    expose: ["6379"]
    healthcheck: { test: ["CMD", "redis-cli", "ping"], interval: 2s, timeout: 2s, retries: 3 }
    x-flotilla: { probes: { readiness: { tcp: { port: 6379 } } } }
  worker:
    image: flotilla-test/node:1
    environment: { REDIS_HOST: "${redisHost}" }
    depends_on: { queue: { condition: service_healthy } }
    healthcheck: { test: ["CMD", "test", "-f", "/tmp/alive"], interval: 1s, timeout: 2s, retries: 2, start_period: 2s }
`,
  );
  return path;
};

interface Started {
  readonly platform: Running;
  readonly api: string;
  readonly control: string;
}

const start = (...args: readonly string[]): Promise<Started> => startOn({}, ...args);
/** @param env may name another daemon */
const startOn = async (env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Started> => {
  const platform = place.startWith(env, '--containers', 'docker', '--port', '0', ...args);
  await platform.see(/^ *containers:? +Docker: real containers on Docker Engine \S+ at /);
  const [, api = ''] = await platform.see(/^ *API +(http:\S+)\/api\/v1/);
  const [, control = ''] = await platform.see(/fault console +(http:\S+)\/control/);
  await platform.see(/^Ctrl-C ends everything/);
  return { platform, api, control };
};

/** Of `container /name`. */
const kindOf = (left: string) => left.split(' ')[0];
const app = async (api: string, name = 'shop'): Promise<AppResource> =>
  JSON.parse((await place.flotilla('ps', name, '--json', '--api', api).finished).out.join('\n'));
const replicaOf = async (api: string, service: string) => {
  const found = (await app(api)).serviceList.find(({ name }) => name === service)?.replicas[0];
  if (!found) throw new Error(`no replica of ${service}`);
  return found;
};
const restartCountOf = async (control: string, group: string): Promise<number | undefined> => {
  const { groups } = (await (await fetch(`${control}/control/state`)).json()) as {
    groups: { name: string; containers: { restartCount: number }[] }[];
  };
  return groups.find(({ name }) => name === group)?.containers[0]?.restartCount;
};
const addressOf = async (api: string, service: string): Promise<string> =>
  (await replicaOf(api, service)).addresses[0] ?? '';

/** A command to Redis in its inline form, and what it says. */
const redis = (host: string, command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(6379, host, () => socket.write(`${command}\r\n`));
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().trim());
    });
  });

const worldsBelow = (pid: number): readonly number[] =>
  descendantsOf(pid).filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('world/main'));

describe('a Compose app on Docker', () => {
  it('answers over HTTP, is killed and restarts, is updated, and is torn down without a trace', async () => {
    const { platform, api, control } = await start('--file', compose());
    const web = await addressOf(api, 'web');
    expect(await ask(web)).toBe('a real web server\n');
    const queue = new URL((await addressOf(api, 'queue')).replace(/^tcp/, 'http')).hostname;
    expect(await redis(queue, 'PING')).toBe('+PONG');

    const { group, slot, incarnation } = await replicaOf(api, 'web');
    await docker.getContainer(await engineId(docker, group, 'run')).kill();
    // The app sees a restart when it has reason to read the group; ARM knows at once.
    await eventually(
      () => restartCountOf(control, group),
      (count) => count === 1,
    );
    const restarted = await eventually(
      () => replicaOf(api, 'web'),
      (replica) => replica.state === 'ready',
    );
    expect(restarted).toMatchObject({ group, slot, incarnation });
    expect(await ask(web)).toBe('a real web server\n');

    const updated = await place.flotilla('up', '-f', compose(queue), '--api', api).finished;
    expect(updated).toMatchObject({ code: 0, errors: [] });
    await eventually(
      () => redis(queue, 'GET ticks'),
      (reply) => Number(reply.split('\r\n')[1]) > 2,
    );

    const line = `printf 'cat /var/www/html/index.html\\nexit 3\\n' | ${process.execPath} ${resolve('dist/src/cli/main.js')} exec --api ${api} shop.web -- sh`;
    const shell = await place.run('sh', ['-c', line]).finished;
    expect(shell).toMatchObject({ code: 0, errors: [] });
    // The prompt stands in front of what is printed, or above it.
    expect(shell.out.join('\n')).toContain('a real web server');

    const script = 'echo $COLOUR $((6 * 7)); exit 9';
    const ran = await place.flotilla('run', '--api', api, 'shop.web', '-e', 'COLOUR=red', '--', 'sh', '-c', script)
      .finished;
    expect(ran).toEqual({ code: 9, signal: null, out: ['red 42'], errors: [] });
    const { runs } = JSON.parse((await place.flotilla('runs', 'shop', '--json', '--api', api).finished).out.join(''));
    expect(runs).toMatchObject([{ service: 'web', state: 'failed', exitCode: 9, cleanedUp: true }]);

    const down = await place.flotilla('down', 'shop', '--api', api).finished;
    expect(down).toMatchObject({ code: 0, errors: [] });
    expect((await leftOn(docker, place.directory)).map(kindOf)).toEqual(['network']);
    platform.signal('SIGINT', 'group');
    expect((await platform.finished).code).toBe(0);
    expect(await leftOn(docker, place.directory)).toEqual([]);
  });
});

describe('the voting example on Docker', () => {
  it('answers over HTTP, is killed and restarts, and is torn down without a trace', async () => {
    const { platform, api, control } = await start('--file', resolve('examples/voting/compose.yaml'));
    const replicas = (await app(api, 'voting')).serviceList.find(({ name }) => name === 'web')?.replicas ?? [];
    expect(replicas).toHaveLength(3);
    for (const { addresses } of replicas) expect(await ask(addresses[0] ?? '')).toBe('a real web server\n');
    const [{ group, addresses } = { group: '', addresses: [] }] = replicas;
    await docker.getContainer(await engineId(docker, group, 'run')).kill();
    await eventually(
      () => restartCountOf(control, group),
      (count) => count === 1,
    );
    expect(await ask(addresses[0] ?? '')).toBe('a real web server\n');
    expect(await place.flotilla('down', 'voting', '--api', api).finished).toMatchObject({ code: 0, errors: [] });
    expect((await leftOn(docker, place.directory)).map(kindOf)).toEqual(['network']);
    platform.signal('SIGINT', 'group');
    expect((await platform.finished).code).toBe(0);
    expect(await leftOn(docker, place.directory)).toEqual([]);
  });
});

describe('a Compose app with secrets and configs on Docker', () => {
  it('hands them to real containers, and leaves none of their values anywhere', async () => {
    const dataDir = join(place.directory, 'data');
    const hashes = '/run/secrets/token /run/web/db /run/pages/page.html';
    const secretive = secretApp(
      place,
      `  web:
    image: flotilla-test/node:1
    ports: ["8080"]
    x-flotilla: { secretEnvironment: { PASSWORD: token } }
  reader:
    image: busybox:1.37
    command: ["sh", "-c", "sha256sum ${hashes}; trap exit TERM; while :; do sleep 0.2; done"]
    secrets: [token, { source: db, target: /run/web/db }]
    configs: [{ source: page, target: /run/pages/page.html }]`,
    );
    const sha = (value: string) => createHash('sha256').update(value).digest('hex');
    const { platform, api } = await start('--no-app', '--data', dataDir, '--verbose');
    for (const value of [values.token, values.later]) {
      expect(await secretive.store(api, value)).toMatchObject({ code: 0 });
      expect(await secretive.up(api)).toMatchObject({ code: 0 });
      const web = (await app(api, 'secretive')).serviceList.find(({ name }) => name === 'web');
      const ready = web?.replicas.find(({ state }) => state === 'ready');
      expect(JSON.parse(await ask(ready?.addresses[0] ?? ''))).toMatchObject({ secret: value });
      const logs = () => place.flotilla('logs', 'secretive.reader', '--api', api).finished;
      const { out } = await eventually(logs, (said) => said.out.join('\n').includes(sha(value)));
      for (const other of [values.db, values.page]) expect(out.join('\n')).toContain(sha(other));
      expect(await placesTelling(place, platform, dataDir)).toEqual([]);
    }
    expect(await place.flotilla('down', 'secretive', '--api', api).finished).toMatchObject({ code: 0 });
    expect(await placesTelling(place, platform, dataDir)).toEqual([]);
    platform.signal('SIGINT', 'group');
    expect((await platform.finished).code).toBe(0);
    for (const value of Object.values(values)) expect(filesTelling(dataDir, value)).toEqual([]);
    expect(await leftOn(docker, place.directory)).toEqual([]);
  });
});

describe.skipIf(!isRoot())('a Docker disk that is full', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = createDaemon({ isolated: true, dataMiB: 384 });
    await daemon.start();
    buildImages(daemon.host, 'busybox');
  });
  afterAll(() => daemon?.remove());

  it('is told of in the events of the app, with the daemon’s words; the app converges as soon as there is room', async () => {
    const file = join(place.directory, 'compose.yaml');
    writeFileSync(
      file,
      'name: full\nservices:\n  job:\n    image: busybox:1.37\n    command: ["sh", "-c", "trap exit TERM; while :; do sleep 0.2; done"]\n    volumes: ["/scratch"]\n',
    );
    const { api } = await startOn({ DOCKER_HOST: daemon.host }, '--no-app');
    const filler = join(daemon.dataRoot, 'filler');
    execFileSync('sh', ['-c', `dd if=/dev/zero of=${filler} bs=64k 2>/dev/null || true`]);
    const up = place.flotilla('up', '-f', file, '--api', api);
    const events = () => place.flotilla('events', 'full', '--api', api).finished;
    const told = await eventually(events, ({ out }) => out.some((line) => line.includes('no space left')));
    expect(told.out.filter((line) => line.includes('ReplicaDelayed'))).toHaveLength(1);
    const { out } = await place.flotilla('ps', 'full', '--api', api).finished;
    expect(out.join('\n')).toMatch(/StartDelayed|no space left/);
    rmSync(filler);
    expect((await up.finished).code).toBe(0);
    expect(await place.flotilla('down', 'full', '--api', api).finished).toMatchObject({ code: 0 });
  });
});

describe('the end of npm start with real containers', () => {
  it.each([
    { name: 'SIGINT', end: (platform: Running) => platform.signal('SIGINT', 'group') },
    { name: 'SIGKILL', end: (platform: Running) => platform.signal('SIGKILL') },
  ])('leaves no container, network, volume or file after $name', async ({ end }) => {
    const { platform } = await start('--file', compose());
    expect((await leftOn(docker, place.directory)).length).toBeGreaterThan(6);
    end(platform);
    await platform.finished;
    await eventually(
      () => leftOn(docker, place.directory),
      (left) => left.length === 0,
    );
    await eventually(
      async () => place.leftovers(),
      (left) => left.every((name) => name === 'compose.yaml'),
    );
  });

  it('leaves nothing when the world is killed just before', async () => {
    const { platform } = await start('--file', compose());
    const [world] = worldsBelow(platform.pid);
    process.kill(world ?? 0, 'SIGKILL');
    platform.signal('SIGTERM');
    await platform.finished;
    await eventually(
      () => leftOn(docker, place.directory),
      (left) => left.length === 0,
    );
  });
});
