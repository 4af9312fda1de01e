/** Volumes of container groups on real containers: who shares what, how long it lives, and where secrets are. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labels } from '../../src/docker/labels.ts';
import { startWorld, type World, type WorldConfig } from '../../src/local/world/world.ts';
import { dockerHost } from './daemon.ts';
import { type ArmRest, armRest, engine, engineId, eventually, type GroupView, group, leftOn } from './fixture.ts';

let world: World;
let arm: ArmRest;
let docker: Docker;
const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-docker-'));
const config: WorldConfig = {
  dataDir,
  settings: { provisioningMs: 100 },
  runtime: { containers: 'docker', dockerHost: dockerHost() },
};

beforeAll(async () => {
  docker = await engine();
  world = await startWorld(config);
  arm = await armRest(world, world.identityHeader);
});
afterAll(async () => {
  await world.close();
  // Shares outlive the world: they are somebody's data.
  const { Volumes } = await docker.listVolumes({ filters: { label: [labels.share] } });
  const shares = Volumes.map(({ Name }) => `volume ${Name}`);
  expect(await leftOn(docker, dataDir)).toEqual(shares);
  expect(shares).toHaveLength(1);
  for (const { Name } of Volumes) await docker.getVolume(Name).remove();
  rmSync(dataDir, { recursive: true });
});

const sh = (script: string) => ['sh', '-c', script];
const idle = 'trap exit TERM; while :; do sleep 0.2; done';
const box = (name: string, script: string, mounts: Record<string, string>, over: object = {}) => ({
  name,
  image: 'busybox:1.37',
  command: sh(script),
  mounts,
  port: 8000 + name.length,
  ...over,
});
const emptyDir = { name: 'scratch', emptyDir: {} };
const secret = (files: Readonly<Record<string, string>>) => ({
  name: 'secrets',
  secret: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')])),
});
const key = Buffer.from('key').toString('base64');
const share = (over: object = {}) => ({
  name: 'files',
  azureFile: { shareName: 'share', storageAccountName: 'account', storageAccountKey: key, ...over },
});
const running = (seen: GroupView): boolean =>
  seen.provisioningState === 'Succeeded' &&
  seen.containers.every(({ currentState }) => currentState.state === 'Running');
const says = (name: string, container: string, text: string) =>
  eventually(
    () => arm.logs(name, container).catch(() => ''),
    (log) => log.includes(text),
  );
/** What a command prints inside the container that runs now. */
const inside = async (name: string, command: readonly string[]): Promise<string> => {
  const id = await engineId(docker, name, 'run');
  return execFileSync('docker', ['exec', id, ...command], { encoding: 'utf8', env: { ...process.env } });
};
describe.concurrent('an empty directory', () => {
  it('is shared by the containers of its group, writable for every user, and hides what the image has there', async () => {
    const writer = box('writer', `stat -c %a /mnt; echo hello >/mnt/greeting; ${idle}`, { scratch: '/mnt' });
    const reader = box('reader-1', `until cat /usr/share/greeting; do sleep 0.1; done; ls /usr/share; ${idle}`, {
      scratch: '/usr/share',
    });
    await arm.put('sharing', group([writer, reader], { volumes: [emptyDir] }));
    await arm.until('sharing', 'it runs', running);
    await says('sharing', 'reader-1', 'hello\ngreeting\n');
    expect(await arm.logs('sharing', 'writer')).toBe('777\n');
    await arm.remove('sharing');
    await arm.untilGone('sharing');
    expect(await leftOn(docker, dataDir, 'sharing')).toEqual([]);
  });

  it('lives through a restart in place, and not through a stop of the group', async () => {
    const script = `echo line >>/mnt/starts; echo starts: $(wc -l </mnt/starts); ${idle}`;
    await arm.put('lasting', group([box('counter', script, { scratch: '/mnt' })], { volumes: [emptyDir] }));
    await arm.until('lasting', 'it runs', running);
    await says('lasting', 'counter', 'starts: 1');
    await docker.getContainer(await engineId(docker, 'lasting', 'run')).kill();
    await says('lasting', 'counter', 'starts: 2');
    await arm.post('lasting', 'stop');
    await arm.until('lasting', 'it is stopped', ({ state, provisioningState }) => {
      return state === 'Stopped' && provisioningState === 'Succeeded';
    });
    await eventually(
      () => leftOn(docker, dataDir, 'lasting'),
      (left) => left.length === 0,
    );
    await arm.post('lasting', 'start');
    await arm.until('lasting', 'it runs again', running);
    await eventually(
      () => arm.logs('lasting', 'counter'),
      (log) => log.trimEnd().endsWith('starts: 1'),
    );
  });

  it.each([
    { by: 'maintenance', over: {}, words: ['maintenance', 'moved-by-maintenance'] },
    {
      by: 'a Spot eviction',
      over: { priority: 'Spot', ipAddress: undefined },
      words: ['evict-spot', 'moved-by-eviction', 'for=1s'],
    },
  ])('does not go along when the platform moves the group by $by', async ({ over, words }) => {
    const name = words[1] ?? '';
    const script = `echo line >>/mnt/starts; echo starts: $(wc -l </mnt/starts); ${idle}`;
    await arm.put(name, group([box('counter', script, { scratch: '/mnt' })], { volumes: [emptyDir], ...over }));
    await arm.until(name, 'it runs', running);
    await says(name, 'counter', 'starts: 1');
    await arm.control('POST', '/control/console', { words });
    await arm.until(name, 'it runs again', (seen) => running(seen) && seen.first.restartCount === 1);
    await eventually(
      () => arm.logs(name, 'counter'),
      (log) => log === 'starts: 1\nstarts: 1\n',
    );
  });

  it('is what an init container prepares, and is prepared again with a lost sandbox', async () => {
    const init = {
      name: 'prepare',
      properties: {
        image: 'busybox:1.37',
        command: sh('echo made >>/work/index'),
        volumeMounts: [{ name: 'scratch', mountPath: '/work' }],
      },
    };
    const main = box('main', `echo found $(cat /mnt/index); ${idle}`, { scratch: '/mnt' });
    await arm.put('prepared', group([main], { volumes: [emptyDir], initContainers: [init] }));
    await arm.until('prepared', 'it runs', running);
    await says('prepared', 'main', 'found made\n');
    await docker.getContainer(await engineId(docker, 'prepared', 'sandbox')).remove({ force: true });
    await arm.until('prepared', 'it runs again', (seen) => running(seen) && seen.first.restartCount === 1);
    await eventually(
      () => arm.logs('prepared', 'main'),
      (log) => log === 'found made\nfound made\n',
    );
  });
});

describe.concurrent('a secret volume', () => {
  it('is files that are read and never written, in memory', async () => {
    const script = `cat /etc/secrets/token; echo x >/etc/secrets/token || echo refused; ${idle}`;
    const volumes = [secret({ token: 'hunter2\n', 'other.file': 'x' })];
    await arm.put('hiding', group([box('main', script, { secrets: '/etc/secrets' })], { volumes }));
    await arm.until('hiding', 'it runs', running);
    await says('hiding', 'main', 'refused');
    expect(await arm.logs('hiding')).toContain('hunter2\n');
    expect(await inside('hiding', ['stat', '-f', '-c', '%T', '/etc/secrets'])).toBe('tmpfs\n');
    expect(await inside('hiding', ['ls', '/etc/secrets'])).toBe('other.file\ntoken\n');
  });

  it('is there again after the loss of the sandbox', async () => {
    const main = box('main', `cat /etc/secrets/token; ${idle}`, { secrets: '/etc/secrets' });
    await arm.put('restored', group([main], { volumes: [secret({ token: 'again\n' })] }));
    await arm.until('restored', 'it runs', running);
    await docker.getContainer(await engineId(docker, 'restored', 'sandbox')).remove({ force: true });
    await eventually(
      () => arm.logs('restored').catch(() => ''),
      (log) => log === 'again\nagain\n',
    );
  });

  it('has its new content after an update', async () => {
    const main = box('main', `cat /etc/secrets/token; ${idle}`, { secrets: '/etc/secrets' });
    await arm.put('updated', group([main], { volumes: [secret({ token: 'old\n' })] }));
    await arm.until('updated', 'it runs', running);
    await says('updated', 'main', 'old');
    await arm.put('updated', group([main], { volumes: [secret({ token: 'new\n' })] }));
    await says('updated', 'main', 'new');
    const seen = await arm.until('updated', 'it runs', running);
    expect(seen.first.restartCount).toBe(0);
  });
});

describe('a file share', () => {
  it('is one directory for all groups that name it, kept when they are gone; read-only for who asked for that', async () => {
    const write = box('main', `echo kept >/mnt/file; ${idle}`, { files: '/mnt' });
    await arm.put('writing', group([write], { volumes: [share()] }));
    await arm.until('writing', 'it runs', running);
    await arm.remove('writing');
    await arm.untilGone('writing');
    const read = box('main', `cat /data/file; { echo x >/data/file; } 2>/dev/null || echo refused; ${idle}`, {
      files: '/data',
    });
    await arm.put('reading', group([read], { volumes: [share({ readOnly: true })] }));
    await says('reading', 'main', 'kept\nrefused');
  });
});
