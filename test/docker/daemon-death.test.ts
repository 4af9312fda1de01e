/** The daemon dying under real containers, without live restore: at many points of a group's life; every group converges, and nothing is left. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImages, createDaemon, type Daemon, isRoot } from './daemon.ts';
import { type Blow, createDeadlyProxy, type DeadlyProxy } from './deadly-proxy.ts';
import { ask, engine, eventually, group, leftOn } from './fixture.ts';
import { directories, worlds } from './worlds.ts';

const newDir = directories();
const { launch, end, runs } = worlds(() => proxy.host);
let daemon: Daemon;
let proxy: DeadlyProxy;
let docker: Docker;

const sh = (script: string) => ['sh', '-c', script];
const secret = Buffer.from('hunter2\n').toString('base64');
/** One prepares, one serves what was prepared: a wrong order or an empty volume makes it fail. */
const prepared = group(
  [
    {
      image: 'busybox:1.37',
      command: sh('cat /work/made /etc/secrets/token && trap exit TERM && while :; do sleep 0.2; done'),
      mounts: { scratch: '/work', secrets: '/etc/secrets' },
    },
  ],
  {
    volumes: [
      { name: 'scratch', emptyDir: {} },
      { name: 'secrets', secret: { token: secret } },
    ],
    initContainers: [
      {
        name: 'first',
        properties: {
          image: 'busybox:1.37',
          command: sh('echo made >/work/made'),
          volumeMounts: [{ name: 'scratch', mountPath: '/work' }],
        },
      },
    ],
  },
);

const on = {
  volumeCreate: ['POST', /^\/volumes\/create/],
  sandboxCreate: ['POST', /^\/containers\/create\?.*-steady(&|$)/],
  sandboxStart: ['POST', /^\/containers\/[^/]*-steady\/start/],
  fill: ['PUT', /^\/containers\/.*\/archive/],
  initCreate: ['POST', /^\/containers\/create\?.*-first-\d+(&|$)/],
  initStart: ['POST', /^\/containers\/[^/]*-first-\d+\/start/],
  mainCreate: ['POST', /^\/containers\/create\?.*-main-\d+(&|$)/],
  mainStart: ['POST', /^\/containers\/[^/]*-main-\d+\/start/],
  stop: ['POST', /^\/containers\/[^/]*\/stop/],
  containerRemove: ['DELETE', /^\/containers\//],
  volumeRemove: ['DELETE', /^\/volumes\//],
} as const satisfies Record<string, readonly [Blow['method'], RegExp]>;
const before = (step: keyof typeof on): Blow => ({ when: 'before', method: on[step][0], path: on[step][1] });
const after = (step: keyof typeof on): Blow => ({ when: 'after', method: on[step][0], path: on[step][1] });

describe.skipIf(!isRoot())('a daemon that is killed', () => {
  beforeAll(async () => {
    daemon = createDaemon({ isolated: true, dataMiB: 512 });
    await daemon.start();
    buildImages(daemon.host, 'busybox', 'node');
    docker = await engine(daemon.host);
    proxy = await createDeadlyProxy(daemon, join(newDir(), 'docker.sock'));
  });
  afterAll(async () => {
    await proxy?.close();
    await daemon?.remove();
  });

  /** Every blow has fallen, and the daemon is back. */
  const struck = async () => {
    await eventually(
      async () => proxy.left,
      (left) => left === 0,
    );
    await proxy.settled();
  };

  it.each([
    {
      name: 'while the sandbox and its volumes are made',
      deploy: [before('volumeCreate'), after('volumeCreate'), after('sandboxCreate'), before('sandboxStart')],
      teardown: [],
    },
    {
      name: 'while volumes are filled and the init container runs',
      deploy: [after('sandboxStart'), before('fill'), after('fill'), after('initCreate')],
      teardown: [],
    },
    {
      name: 'while the container starts, and when it has been stopped',
      deploy: [after('initStart'), before('mainCreate'), after('mainCreate'), after('mainStart')],
      teardown: [after('stop')],
    },
    {
      name: 'while the group is taken down',
      deploy: [],
      teardown: [before('stop'), after('containerRemove'), before('volumeRemove'), after('volumeRemove')],
    },
  ])(
    '$name, again and again: the group converges and leaves nothing',
    { timeout: 240_000 },
    async ({ deploy, teardown }) => {
      const dataDir = newDir();
      const world = await launch(dataDir);
      try {
        proxy.arm(deploy);
        await world.arm.put('steady', prepared);
        await struck();
        await runs('steady', world.arm);
        const log = await eventually(() => world.arm.logs('steady'), Boolean);
        expect(log).toMatch(/^(made\nhunter2\n)+$/);

        proxy.arm(teardown);
        await world.arm.remove('steady');
        await struck();
        await world.arm.untilGone('steady');
        expect(await docker.listContainers({ all: true })).toEqual([]);
        expect((await docker.listVolumes()).Volumes).toEqual([]);
      } finally {
        await end(world);
      }
      expect(await leftOn(docker, dataDir)).toEqual([]);
    },
  );

  it('whose disk is full says so in the events of the group, which runs as soon as there is room', async () => {
    const dataDir = newDir();
    const world = await launch(dataDir);
    const filler = join(daemon.dataRoot, 'filler');
    execFileSync('sh', ['-c', `dd if=/dev/zero of=${filler} bs=1M 2>/dev/null || true`]);
    await world.arm.put('steady', prepared);
    const told = await world.arm.until('steady', 'its events say it', ({ events, containers }) =>
      [...events, ...containers.flatMap((one) => one.events)].some(({ message }) => message.includes('no space left')),
    );
    expect(told.provisioningState).not.toBe('Succeeded');
    rmSync(filler);
    await runs('steady', world.arm);
    await world.arm.remove('steady');
    await world.arm.untilGone('steady');
    await end(world);
    expect(await leftOn(docker, dataDir)).toEqual([]);
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'by %s: every group runs again at its address when it is back',
    async (signal) => {
      const dataDir = newDir();
      const world = await launch(dataDir);
      await world.arm.put('survivor', group([{}]));
      await world.arm.put('job', group([{}], { restartPolicy: 'Never' }));
      const { ip } = await runs('survivor', world.arm);
      await runs('job', world.arm);
      await daemon.end(signal);
      await world.arm.put('meanwhile', group([{}]));
      expect(await world.arm.get('survivor')).toBeDefined();
      await daemon.start();
      const back = await world.arm.until(
        'survivor',
        'it was restarted',
        (seen) => seen.first.restartCount > 0 && seen.first.currentState.state === 'Running',
      );
      expect(back.ip).toBe(ip);
      await ask(`http://${ip}:8080/`);
      await runs('meanwhile', world.arm);
      const job = await world.arm.until('job', 'it ended', (seen) => seen.first.currentState.state === 'Terminated');
      expect(job.first.restartCount).toBe(0);
      await end(world);
      expect(await leftOn(docker, dataDir)).toEqual([]);
    },
  );
});
