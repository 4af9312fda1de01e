/** The world dying over real containers: what is adopted, what begins again, what is removed. */
import { rmSync } from 'node:fs';
import type Docker from 'dockerode';
import { beforeAll, describe, expect, it } from 'vitest';
import { dockerHost } from './daemon.ts';
import { ask, engine, engineId, eventually, group, leftOn } from './fixture.ts';
import { directories, worlds } from './worlds.ts';

let docker: Docker;
beforeAll(async () => {
  docker = await engine();
});
const newDir = directories();
const { launch, kill, end, runs } = worlds();

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
    expect(await leftOn(docker, dataDir)).toEqual([]);
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
    expect(await leftOn(docker, gone, 'orphan')).toEqual([]);
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
    expect(await leftOn(docker, dataDir)).toEqual([]);
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
