/** The world and the daemon dying under real containers: what is adopted, what begins again, what is removed. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorldConfig, WorldPorts } from '../../src/local/world/world.ts';
import { dockerHost, ownDaemon, startDaemon, stopDaemon } from './daemon.ts';
import { type ArmRest, armRest, ask, engine, engineId, eventually, group, leftOn, type Told } from './fixture.ts';

interface Child extends Told {
  readonly child: ChildProcess;
  readonly ports: WorldPorts;
  readonly arm: ArmRest;
}

const dirs: string[] = [];
const children: ChildProcess[] = [];
let docker: Docker;
beforeAll(async () => {
  docker = await engine();
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

const newDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'flotilla-docker-'));
  dirs.push(dir);
  return dir;
};

async function launch(dataDir: string, over: Partial<WorldConfig> = {}): Promise<Child> {
  const config: WorldConfig = {
    dataDir,
    identityHeader: 'header',
    settings: { provisioningMs: 100 },
    runtime: { containers: 'docker', dockerHost: dockerHost() },
    ...over,
  };
  const child = fork(join(import.meta.dirname, '../../src/local/world/main.ts'), [JSON.stringify(config)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  children.push(child);
  const [message] = (await once(child, 'message')) as [Child & { type: string; message?: string }];
  if (message.type !== 'ready') throw new Error(message.message);
  return { ...message, child, arm: await armRest(message, 'header') };
}

async function kill({ child }: Child): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function end({ child }: Child): Promise<void> {
  child.disconnect();
  await once(child, 'exit');
}

const runs = (name: string, arm: ArmRest) =>
  arm.until(
    name,
    'it runs',
    (seen) => seen.provisioningState === 'Succeeded' && seen.first.currentState.state === 'Running',
  );

describe('a world that is killed', () => {
  it('finds its containers where it left them: they never noticed', async () => {
    const dataDir = newDir();
    const first = await launch(dataDir);
    await first.arm.put('kept', group([{}]));
    const { ip } = await runs('kept', first.arm);
    await ask(`http://${ip}:8080/`);
    const id = await engineId(docker, 'kept', 'run');
    await first.arm.put('half-way', group([{}]));
    await first.arm.put('dying', group([{}]));
    await runs('dying', first.arm);
    await first.arm.remove('dying');
    await kill(first);

    const second = await launch(dataDir, { ports: first.ports });
    const kept = await runs('kept', second.arm);
    expect(await engineId(docker, 'kept', 'run')).toBe(id);
    expect(kept).toMatchObject({ ip, first: { restartCount: 0 } });
    expect((await second.arm.logs('kept')).match(/ready/g)).toHaveLength(1);
    await runs('half-way', second.arm);
    await second.arm.untilGone('dying');
    await end(second);
    expect(await leftOn(docker)).toEqual([]);
  });

  it('learns what ended while it was away, with its code', async () => {
    const dataDir = newDir();
    const first = await launch(dataDir);
    await first.arm.put(
      'short',
      group([{ env: { STANDIN_CRASH_AFTER_S: '4', STANDIN_EXIT_CODE: '9' } }], { restartPolicy: 'Never' }),
    );
    await runs('short', first.arm);
    await kill(first);
    const state = async () => (await docker.getContainer(id).inspect()).State.Running;
    const id = await engineId(docker, 'short', 'run');
    await eventually(state, (running) => !running);
    const second = await launch(dataDir);
    const ended = await second.arm.until('short', 'it ended', (seen) => seen.state === 'Failed');
    expect(ended.first.currentState).toMatchObject({ exitCode: 9 });
    await end(second);
  });

  it('is cleared up after by the next one, when its directory went with it', async () => {
    const gone = newDir();
    const first = await launch(gone, { runtime: { containers: 'docker', dockerHost: dockerHost(), ephemeral: true } });
    await first.arm.put('orphan', group([{}]));
    await runs('orphan', first.arm);
    await kill(first);
    rmSync(gone, { recursive: true });
    const second = await launch(newDir());
    expect(await leftOn(docker, 'orphan')).toEqual([]);
    await end(second);
  });
});

describe('a world that ends', () => {
  it('leaves nothing running, and starts its groups again from its directory: maintenance, to them', async () => {
    const dataDir = newDir();
    const first = await launch(dataDir);
    await first.arm.put('again', group([{}]));
    const { ip } = await runs('again', first.arm);
    await end(first);
    expect(await leftOn(docker)).toEqual([]);
    const second = await launch(dataDir);
    const again = await second.arm.until('again', 'it was restarted', (seen) => seen.first.restartCount === 1);
    expect(again).toMatchObject({ ip, first: { previousState: { exitCode: 7147 } } });
    await ask(`http://${ip}:8080/`);
    await end(second);
  });

  it('refuses to go on with stand-ins where it had real containers', async () => {
    const dataDir = newDir();
    const first = await launch(dataDir);
    await first.arm.put('real', group([{}]));
    await end(first);
    await expect(launch(dataDir, { runtime: { containers: 'standin' } })).rejects.toThrow(
      /run on Docker, not on stand-ins; start with --containers docker/,
    );
    await end(await launch(dataDir, { runtime: { containers: 'auto', dockerHost: dockerHost() } }));
  });
});

describe.skipIf(!ownDaemon())('a daemon that is killed', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'by %s: every group runs again at its address when it is back',
    async (signal) => {
      const directory = ownDaemon() ?? '';
      const world = await launch(newDir());
      await world.arm.put('survivor', group([{}]));
      await world.arm.put('job', group([{}], { restartPolicy: 'Never' }));
      const { ip } = await runs('survivor', world.arm);
      await runs('job', world.arm);
      await stopDaemon(directory, signal);
      await world.arm.put('meanwhile', group([{}]));
      expect(await world.arm.get('survivor')).toBeDefined();
      await startDaemon(directory);
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
      expect(await leftOn(docker)).toEqual([]);
    },
  );
});
