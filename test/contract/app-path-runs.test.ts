/** One-off commands from the accepted command to the exit code, through the real SDK clients: what is made, what is kept, and what is left. */
import { describe, expect, it } from 'vitest';
import { isRun, type RunRow } from '../../src/model/run.ts';
import { type AppWorld, appWorld, converged, deleted, HostDied } from '../support/app-world.ts';

const shop = {
  name: 'shop',
  services: { web: { image: 'flotilla/http:1', ports: ['80'], deploy: { replicas: 2 } } },
};
/** It ends after so many seconds, with this code. */
const errand = (seconds: number, code: number, over: object = {}) => ({
  service: 'web',
  environment: { STANDIN_CRASH_AFTER_S: String(seconds), STANDIN_EXIT_CODE: String(code), STANDIN_LOG: 'done so far' },
  ...over,
});

async function settled(options: Parameters<typeof appWorld>[0] = {}): Promise<AppWorld> {
  const world = appWorld(options);
  await world.command('apply', 'shop', shop);
  await world.until('convergence', converged);
  return world;
}

const runsOf = async (world: AppWorld): Promise<readonly RunRow[]> => {
  const rows = await world.ports.store.readWholeApp('shop');
  return rows.ok ? rows.value.replicas.filter((row) => isRun(row)) : [];
};
const over = async (world: AppWorld): Promise<boolean> => {
  const [run] = await runsOf(world);
  return run?.state === 'gone' && (await converged(world));
};
const puts = (world: AppWorld) => world.armLog.filter((line) => line.startsWith('PUT')).length;

describe('a run', () => {
  it('has one container group of its own, ends with the code of its program, keeps its log, and leaves nothing', async () => {
    const world = await settled();
    const before = await world.groups();
    await world.command('run', 'shop', errand(20, 3, { program: ['./migrate', '--all'] }));
    await world.until('the run', over);
    const [run] = await runsOf(world);
    expect(run).toMatchObject({ slot: 10_003, failures: 0, run: { end: { exitCode: 3, reason: null } } });
    expect(puts(world)).toBe(2 + 1);
    const body = world.armBodies.at(-1) ?? '';
    expect(body).toContain('"command":["./migrate","--all"]');
    expect(body).toContain('"restartPolicy":"Never"');
    expect(body).not.toContain('"ipAddress"');
    expect(await world.groups()).toEqual(before);
    expect((await world.reservations()).flat()).toHaveLength(2);
    const kept = await world.ports.store.readLogs('shop', { service: 'web', limit: 5 });
    expect(
      kept.ok && kept.value.map(({ slot, lines }) => [slot, lines.some(({ text }) => text === 'done so far')]),
    ).toEqual([[10_003, true]]);
  });

  it.each([3, 8, 14, 20, 27, 35, 50])(
    'is made once, and over with its code, when a host dies at its call %d',
    async (deathAt) => {
      let calls = Number.NEGATIVE_INFINITY;
      const world = await settled({
        onCall: () => {
          calls += 1;
          if (calls === deathAt) throw new HostDied();
        },
      });
      calls = 0;
      await world.command('run', 'shop', errand(60, 7));
      await world.until('the run', over, 60 * 60_000);
      const [run] = await runsOf(world);
      expect(run?.run.end).toMatchObject({ exitCode: 7 });
      expect(puts(world)).toBe(2 + 1);
      expect(await world.groups()).toHaveLength(2);
    },
  );

  it('is ended at its deadline, by command, and with its app', async () => {
    const world = await settled();
    await world.command('run', 'shop', { service: 'web', timeoutMs: 90_000 });
    await world.until('the deadline', over);
    expect((await runsOf(world))[0]?.run.end).toMatchObject({ exitCode: null, reason: 'RunTimedOut' });
    await world.command('run', 'shop', { service: 'web' });
    await world.command('cancel', 'shop', { run: 'web.4' });
    await world.until('the end', async () => (await runsOf(world)).every(({ state }) => state === 'gone'));
    expect((await runsOf(world))[1]?.run.end).toMatchObject({ reason: 'RunCanceled' });
    await world.command('run', 'shop', { service: 'web' });
    await world.command('delete', 'shop', null);
    await world.until('the deletion', deleted);
    expect((await runsOf(world))[2]?.run.end).toMatchObject({ reason: 'ServiceRemoved' });
    expect(await world.groups()).toEqual([]);
    expect((await world.reservations()).flat()).toEqual([]);
  });

  it('waits while its app is frozen, and runs where nothing else of its service does', async () => {
    const world = await settled();
    await world.command('stop', 'shop', null);
    await world.until('the stop', converged);
    await world.command('freeze', 'shop', null);
    await world.command('run', 'shop', errand(5, 0));
    const until = world.clock.now + 120_000;
    await world.until('two minutes', async () => world.clock.now >= until);
    expect(await world.groups()).toEqual([]);
    await world.command('thaw', 'shop', null);
    await world.until('the run', over);
    expect((await runsOf(world))[0]?.run.end).toMatchObject({ exitCode: 0 });
  });
});
