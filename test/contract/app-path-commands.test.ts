/** Scaling, restarting, stopping and freezing, from the accepted command to the container groups. */
import { describe, expect, it } from 'vitest';
import type { ReplicaRow } from '../../src/model/state.ts';
import { type AppWorld, appWorld, converged, deleted, HostDied, twoPools } from '../support/app-world.ts';

const http = (image: string, deploy: object = {}) => ({
  image,
  ports: ['80'],
  healthcheck: { test: ['CMD', 'wget', '-qO-', 'http://localhost'], interval: '5s', retries: 3 },
  deploy,
});
const shop = (image = 'flotilla/http:1', replicas: number | null = 3) => ({
  name: 'shop',
  services: { web: http(image, replicas === null ? {} : { replicas }), api: http('flotilla/http:1', { replicas: 1 }) },
});

async function settled(options: Parameters<typeof appWorld>[0] = {}): Promise<AppWorld> {
  const world = appWorld(options);
  await world.command('apply', 'shop', shop());
  await world.until('convergence', converged);
  return world;
}

const live = async (world: AppWorld, service = 'web'): Promise<readonly ReplicaRow[]> =>
  (await world.rows()).replicas.filter((row) => row.service === service && row.state !== 'gone');
const incarnations = async (world: AppWorld) => (await live(world)).map(({ slot, incarnation }) => [slot, incarnation]);
const puts = (world: AppWorld) => world.armLog.filter((line) => line.startsWith('PUT')).length;

describe('restart', () => {
  it('gives every slot a new incarnation at the same revision, one at a time, and touches nothing else', async () => {
    const world = await settled();
    const api = (await live(world, 'api'))[0]?.incarnation;
    await world.command('restart', 'shop', { services: ['web'] });
    let fewest = 3;
    await world.until('the restart', async () => {
      const ready = (await live(world)).filter(({ state }) => state === 'ready').length;
      fewest = Math.min(fewest, ready);
      return await converged(world);
    });
    expect(fewest).toBe(2);
    expect(await incarnations(world)).toEqual([
      [0, 4],
      [1, 5],
      [2, 6],
    ]);
    expect((await live(world)).every(({ revision, cycle }) => revision === 1 && cycle === 1)).toBe(true);
    expect((await live(world, 'api'))[0]?.incarnation).toBe(api);
    expect(puts(world)).toBe(4 + 3);
  });

  it.each([10, 25, 40, 60, 90])('replaces nobody twice when a host dies at its call %d', async (deathAt) => {
    let calls = Number.NEGATIVE_INFINITY;
    const world = await settled({
      onCall: () => {
        calls += 1;
        if (calls === deathAt) throw new HostDied();
      },
    });
    calls = 0;
    await world.command('restart', 'shop', { services: ['web'] });
    await world.until('the restart', converged, 60 * 60_000);
    expect(await incarnations(world)).toEqual([
      [0, 4],
      [1, 5],
      [2, 6],
    ]);
  });
});

describe('stop and start', () => {
  it('leave no container group, and bring back what the spec or a scale says', async () => {
    const world = await settled();
    await world.command('scale', 'shop', { services: { web: 2 } });
    await world.until('two', converged);
    await world.command('stop', 'shop', null);
    await world.until('the stop', converged);
    expect(await world.groups()).toEqual([]);
    expect((await world.reservations()).flat()).toEqual([]);
    // A new revision of what is stopped starts nothing.
    await world.command('apply', 'shop', shop('flotilla/http:2', null));
    await world.until('the apply', converged);
    expect(await world.groups()).toEqual([]);
    await world.command('start', 'shop', null);
    await world.until('the start', converged);
    expect((await live(world)).map(({ state, revision }) => [state, revision])).toEqual([
      ['ready', 2],
      ['ready', 2],
    ]);
    expect(await live(world, 'api')).toHaveLength(1);
  });
});

describe('a frozen app', () => {
  it('notes commands and acts on none of them until it is thawed', async () => {
    const world = await settled();
    await world.command('freeze', 'shop', null);
    const before = world.armLog.length;
    await world.command('scale', 'shop', { services: { web: 5 } });
    await world.command('restart', 'shop', { services: ['api'] });
    await world.elapse(20 * 60_000);
    expect(world.armLog.length).toBe(before);
    const { guards, operations } = await world.rows();
    expect(guards.map(({ service, reason }) => [service, reason])).toEqual([
      ['api', 'Frozen'],
      ['web', 'Frozen'],
    ]);
    expect(operations.every(({ state }) => state === 'applied')).toBe(true);
    await world.command('thaw', 'shop', null);
    await world.until('what waited', converged, 5 * 60_000);
    expect(await live(world)).toHaveLength(5);
    expect((await live(world, 'api')).map(({ cycle }) => cycle)).toEqual([1]);
  });

  it('goes on being observed: a group that vanishes is noticed, and replaced after the thaw', async () => {
    const world = await settled();
    await world.command('freeze', 'shop', null);
    const [victim] = await live(world, 'api');
    const before = puts(world);
    const [pool] = twoPools;
    if (pool === undefined) throw new Error('no pool');
    await world.ports.groups.delete(pool, victim?.group ?? '');
    await world.until('the loss', async () => (await live(world, 'api')).some(({ state }) => state === 'failed'));
    await world.elapse(10 * 60_000);
    expect(puts(world)).toBe(before);
    await world.command('thaw', 'shop', null);
    await world.until(
      'the repair',
      async () => (await live(world, 'api')).some(({ state }) => state === 'ready'),
      5 * 60_000,
    );
  });

  it('halts a teardown, which ends after the thaw', async () => {
    const world = await settled();
    await world.command('freeze', 'shop', null);
    await world.command('delete', 'shop', null);
    await world.elapse(10 * 60_000);
    expect(await world.groups()).toHaveLength(4);
    await world.command('thaw', 'shop', null);
    await world.until('the teardown', deleted, 5 * 60_000);
    expect(await world.groups()).toEqual([]);
    expect((await world.rows()).app?.frozen).toBe(false);
  });
});

describe('one replica by hand', () => {
  const replica = { service: 'web', slot: 1, incarnation: 2 };

  it('is replaced in its own slot, and no other is touched', async () => {
    const world = await settled();
    await world.command('replaceReplica', 'shop', { replica });
    await world.until('the replacement', converged);
    expect(await incarnations(world)).toEqual([
      [0, 1],
      [1, 4],
      [2, 3],
    ]);
    expect(puts(world)).toBe(4 + 1);
  });

  it('is not replaced twice by the same command given late', async () => {
    const world = await settled();
    await world.command('replaceReplica', 'shop', { replica });
    await world.until('the replacement', converged);
    await world.command('replaceReplica', 'shop', { replica });
    await world.until('convergence', converged);
    expect(puts(world)).toBe(4 + 1);
  });

  it('is left alone by `forget` while it serves', async () => {
    const world = await settled();
    await world.command('forgetReplica', 'shop', { replica });
    await world.until('convergence', converged);
    expect((await incarnations(world)).length).toBe(3);
    expect(puts(world)).toBe(4);
  });
});
