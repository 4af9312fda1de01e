/** Container groups as real containers: what the image does, what ends it, and what of it ARM shows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../../src/local/world/world.ts';
import { dockerHost } from './daemon.ts';
import {
  type ArmRest,
  armRest,
  ask,
  engine,
  engineId,
  eventually,
  type GroupView,
  group,
  isSilent,
  leftOn,
} from './fixture.ts';

let world: World;
let arm: ArmRest;
let docker: Docker;
const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-docker-'));

beforeAll(async () => {
  docker = await engine();
  world = await startWorld({
    dataDir,
    settings: { provisioningMs: 100 },
    runtime: { containers: 'docker', dockerHost: dockerHost(), ephemeral: true },
  });
  arm = await armRest(world, world.identityHeader);
});
afterAll(async () => {
  await world.close();
  const left = await leftOn(docker, dataDir);
  rmSync(dataDir, { recursive: true });
  expect(left).toEqual([]);
});

const runs = (seen: GroupView): boolean => seen.first.currentState.state === 'Running';
const names = (seen: GroupView): string[] => seen.first.events.map(({ name }) => name);
const create = async (name: string, body: object): Promise<GroupView> => {
  await arm.put(name, body);
  return arm.until(name, 'it runs', (seen) => seen.provisioningState === 'Succeeded' && runs(seen));
};

describe.concurrent('a container group', () => {
  it('is a real web server at the address of the group, and its log is the container’s', async () => {
    const { ip } = await create('web', group([{ image: 'flotilla-test/nginx:1', port: 80 }]));
    expect(await ask(`http://${ip}/`)).toBe('a real web server\n');
    await eventually(
      () => arm.logs('web'),
      (log) => log.includes('"GET / HTTP/1.1" 200'),
    );
  });

  it('gives its containers one address and one localhost', async () => {
    const app = { name: 'app', env: { REDIS_HOST: '127.0.0.1' } };
    const { ip } = await create('pair', group([{ image: 'flotilla-test/redis:1', port: 6379 }, app]));
    const reply = await new Promise<string>((resolve, reject) => {
      const socket = connect(6379, ip, () => socket.write('PING\r\n'));
      socket.once('data', (data) => resolve(data.toString()));
      socket.once('error', reject);
    });
    expect(reply).toBe('+PONG\r\n');
    await eventually(
      () => arm.logs('pair', 'app'),
      (log) => log.includes('counted :2'),
    );
  });

  it('reaches another group at its address', async () => {
    const { ip } = await create('server', group([{ image: 'flotilla-test/redis:1', port: 6379 }]));
    await create('client', group([{ env: { REDIS_HOST: ip } }]));
    await eventually(
      () => arm.logs('client'),
      (log) => log.includes('counted :1'),
    );
  });

  it('hands environment and secure values to the process', async () => {
    const { ip } = await create('env', group([{ env: { GREETING: 'a=b c' }, secret: { PASSWORD: 'hunter2' } }]));
    expect(JSON.parse(await ask(`http://${ip}:8080/`))).toEqual({ greeting: 'a=b c', secret: 'hunter2', path: '/' });
  });

  it('runs the command instead of the image’s', async () => {
    const command = ['sh', '-c', 'echo "one $0"; exit 5', 'two'];
    await arm.put('command', group([{ command }], { restartPolicy: 'Never' }));
    const ended = await arm.until('command', 'it ended', ({ state }) => state === 'Failed');
    expect(ended.first.currentState).toMatchObject({ state: 'Terminated', exitCode: 5, detailStatus: 'Error' });
    expect(await arm.logs('command')).toBe('one two\n');
  });

  it('restarts a killed container in place, counts it, and begins with a fresh file system', async () => {
    const { ip } = await create('victim', group([{}]));
    await ask(`http://${ip}:8080/mark`);
    expect(JSON.parse(await ask(`http://${ip}:8080/marker`))).toMatchObject({ marker: true });
    await docker.getContainer(await engineId(docker, 'victim', 'run')).kill();
    const down = await arm.until('victim', 'it is down', (seen) => !runs(seen));
    expect(down.first.currentState).toMatchObject({ state: 'Waiting', detailStatus: 'CrashLoopBackOff' });
    const again = await arm.until('victim', 'it runs again', runs);
    expect(again.first).toMatchObject({ restartCount: 1, previousState: { state: 'Terminated', exitCode: 137 } });
    expect(again.ip).toBe(ip);
    expect(JSON.parse(await ask(`http://${ip}:8080/marker`))).toMatchObject({ marker: false });
    expect((await arm.logs('victim')).match(/ready/g)).toHaveLength(2);
  });

  it('does not restart what ended under OnFailure with code 0, and keeps its log', async () => {
    await arm.put('done', group([{ command: ['echo', 'all done'] }], { restartPolicy: 'OnFailure' }));
    const ended = await arm.until('done', 'it ended', ({ state }) => state === 'Succeeded');
    expect(ended.first).toMatchObject({ restartCount: 0, currentState: { exitCode: 0, detailStatus: 'Completed' } });
    expect(await arm.logs('done')).toBe('all done\n');
  });

  it('kills what takes more memory than it may', async () => {
    const eater = { env: { EAT_MIB: '1' }, memoryInGB: 0.15 };
    await arm.put('eater', group([eater], { restartPolicy: 'Never' }));
    const ended = await arm.until('eater', 'it ended', ({ state }) => state === 'Failed');
    expect(ended.first.currentState).toMatchObject({ exitCode: 137, detailStatus: 'OOMKilled' });
  });

  it('tells in an event why a command cannot start', async () => {
    await arm.put('typo', group([{ command: ['no-such-program'] }]));
    const seen = await arm.until('typo', 'it failed', (one) => names(one).includes('Failed'));
    const told = seen.first.events.find(({ name }) => name === 'Failed');
    expect(told?.message).toMatch(/^Error: failed to start container "main": .*"no-such-program": executable file not/);
    expect(seen.first.previousState).toMatchObject({ exitCode: 127, detailStatus: 'ContainerCannotRun' });
  });

  it('tells in the daemon’s words why an image cannot be pulled', async () => {
    await arm.put('missing', group([{ image: 'registry.invalid/nobody/nothing:1' }]));
    const seen = await arm.until('missing', 'it failed', ({ provisioningState }) => provisioningState === 'Failed');
    expect(names(seen)).toEqual(['Pulling', 'Failed', 'BackOff']);
    expect(seen.first.events[1]?.message).toMatch(
      /^Failed to pull image "registry.invalid\/nobody\/nothing:1": Error response from daemon: .*registry.invalid/,
    );
  });

  it('kills a hanging container whose command probe fails, and starts it again', async () => {
    const command = ['wget', '-q', '-T', '1', '-O', '/dev/null', 'http://127.0.0.1:8080/'];
    const livenessProbe = { exec: { command }, periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 3 };
    await create('hanging', group([{ env: { STANDIN_HANG_AFTER_S: '3' }, livenessProbe }]));
    const again = await arm.until('hanging', 'it was restarted', (seen) => seen.first.restartCount === 1);
    expect(names(again)).toEqual(expect.arrayContaining(['Unhealthy', 'Killing', 'BackOff']));
    expect(again.first.events.find(({ name }) => name === 'Unhealthy')?.message).toMatch(/^Liveness probe failed: /);
    expect(again.first.previousState).toMatchObject({ exitCode: 137 });
  });

  it('leaves alone what a probe over HTTP finds well', async () => {
    const livenessProbe = { httpGet: { port: 8080, path: '/' }, initialDelaySeconds: 3, periodSeconds: 1 };
    const { ip } = await create('well', group([{ livenessProbe }]));
    await ask(`http://${ip}:8080/`);
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const seen = await arm.until('well', 'it runs', runs);
    expect(names(seen)).toEqual(['Pulling', 'Pulled', 'Created', 'Started']);
  });

  it('freezes on demand: it accepts and never answers', async () => {
    const { ip } = await create('frozen', group([{}]));
    await ask(`http://${ip}:8080/`);
    await arm.control('POST', '/control/groups/frozen/containers/main/hang');
    await eventually(() => isSilent(`http://${ip}:8080/`), Boolean);
  });

  it('comes back after a container that somebody removed', async () => {
    await create('removed', group([{}]));
    await docker.getContainer(await engineId(docker, 'removed', 'run')).remove({ force: true });
    const again = await arm.until('removed', 'it runs again', (seen) => runs(seen) && seen.first.restartCount === 1);
    expect(again.first.previousState).toMatchObject({ exitCode: 137 });
  });

  it('takes the loss of its sandbox for maintenance: everything begins again at the same address', async () => {
    const { ip } = await create('host', group([{}]));
    await docker.getContainer(await engineId(docker, 'host', 'sandbox')).remove({ force: true });
    const again = await arm.until('host', 'it runs again', (seen) => runs(seen) && seen.first.restartCount === 1);
    expect(again.first.previousState).toMatchObject({ exitCode: 7147 });
    expect(again.ip).toBe(ip);
    expect(JSON.parse(await ask(`http://${ip}:8080/x`))).toMatchObject({ path: '/x' });
  });

  it('is cut off with its region, runs on, and is reached again at the same address', async () => {
    const { ip } = await create('far', { ...group([{}]), location: 'westus2' });
    await ask(`http://${ip}:8080/`);
    await arm.control('PUT', '/control/regions/westus2', { containersDown: true });
    await eventually(() => isSilent(`http://${ip}:8080/`), Boolean);
    await arm.control('PUT', '/control/regions/westus2', {});
    expect(JSON.parse(await ask(`http://${ip}:8080/back`))).toMatchObject({ path: '/back' });
    expect((await arm.get('far'))?.first.restartCount).toBe(0);
  });

  it('moves to another address without a restart', async () => {
    const { ip } = await create('mover', group([{}]));
    await arm.control('POST', '/control/groups/mover/address');
    const moved = await arm.until('mover', 'it moved', (seen) => seen.ip !== ip);
    expect(JSON.parse(await ask(`http://${moved.ip}:8080/y`))).toMatchObject({ path: '/y' });
    expect(moved.first.restartCount).toBe(0);
  });

  it('is measured: Azure Monitor tells what its containers use, in millicores and bytes, and what the group receives', async () => {
    const busy = { command: ['node', '-e', 'for (;;);'] };
    const server = { name: 'server', port: 8081, env: { PORT: '8081' } };
    await create('measured', group([busy, server]));
    const ip = (await arm.get('measured'))?.ip;
    const noise = setInterval(() => void fetch(`http://${ip}:8081/`).catch(() => undefined), 500);
    const metricnames = 'CpuUsage,MemoryUsage,NetworkBytesReceivedPerSecond,NetworkBytesTransmittedPerSecond';
    const path = 'Microsoft.ContainerInstance/containerGroups/measured/providers/Microsoft.Insights/metrics';
    const latest = async (names: string, filter = '') => {
      const { value } = JSON.parse(await arm.send('GET', path, `2018-01-01&metricnames=${names}${filter}`)) as {
        value: { timeseries: { data: { average?: number }[] }[] }[];
      };
      return value.map(({ timeseries }) =>
        timeseries.map(({ data }) => data.flatMap((one) => one.average ?? []).at(-1)),
      );
    };
    try {
      const deadline = Date.now() + 220_000; // a whole minute, and another one late
      const isThere = (values: (number | undefined)[][]) => values.every(([value]) => value !== undefined && value > 0);
      let values = await latest(metricnames);
      while (!isThere(values) && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        values = await latest(metricnames);
      }
      const [[millicores = 0] = [], [bytes = 0] = [], [received = 0] = [], [sent = 0] = []] = values;
      // One of them takes all it may have, 250, and is given what a busy machine can spare.
      expect(millicores).toBeGreaterThan(5);
      expect(millicores).toBeLessThan(510);
      expect(bytes).toBeGreaterThan(20 * 1024 ** 2);
      expect(bytes).toBeLessThan(512 * 1024 ** 2);
      expect(received).toBeGreaterThan(100);
      expect(sent).toBeGreaterThan(100);
      const [[main = 0, other = 0] = []] = await latest('CpuUsage', "&$filter=containerName eq '*'");
      expect(main).toBeGreaterThan(other);
    } finally {
      clearInterval(noise);
    }
  });

  it('leaves nothing when it is deleted, volumes that its image asked for included', async () => {
    await create('gone', group([{ image: 'flotilla-test/redis:1', port: 6379 }]));
    const inspected = await docker.getContainer(await engineId(docker, 'gone', 'run')).inspect();
    const volume = inspected.Mounts[0]?.Name ?? '';
    expect(volume).not.toBe('');
    await arm.remove('gone');
    await arm.untilGone('gone');
    expect(await leftOn(docker, dataDir, 'gone')).toEqual([]);
    await expect(docker.getVolume(volume).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it('leaves nothing when it vanishes without a delete', async () => {
    await create('vanished', group([{}]));
    await arm.control('POST', '/control/groups/vanished/vanish');
    await eventually(
      () => leftOn(docker, dataDir, 'vanished'),
      (left) => left.length === 0,
    );
  });
});
