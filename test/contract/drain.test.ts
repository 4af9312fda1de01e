/** A pool is emptied by the real activities: nothing serves less meanwhile, nothing is left there, and what has no other place stays. */

import { HttpRequest } from '@azure/functions';
import { describe, expect, it } from 'vitest';
import { postPoolCommand } from '../../src/commands/http/pools.ts';
import { type AppWorld, appWorld, converged, twoPools } from '../support/app-world.ts';

const document = (replicas: number) => ({
  name: 'shop',
  services: {
    web: {
      image: 'flotilla/http',
      ports: ['80'],
      deploy: { replicas },
      healthcheck: { test: ['CMD', 'wget', '-qO-', 'http://localhost'], interval: '5s', retries: 3 },
    },
  },
});

const tell = async (world: AppWorld, pool: string, command: string): Promise<void> => {
  const request = new HttpRequest({
    method: 'POST',
    url: `http://flotilla/api/v1/pools/${pool}/commands`,
    headers: { 'content-type': 'application/json' },
    params: { pool },
    body: { bytes: Buffer.from(JSON.stringify({ command })) },
  });
  expect((await postPoolCommand(world.ports, request)).status).toBe(200);
};
const at = async (world: AppWorld) =>
  (await world.rows()).replicas
    .filter(({ state }) => state !== 'gone')
    .map(({ pool, state }) => `${state} ${pool}`)
    .sort();

describe('a drained pool', () => {
  it('is left by every replica, the successor first, and the app rests again', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', document(3));
    await world.until('convergence', converged);
    await world.elapse(10 * 60_000);
    expect(await at(world)).toEqual(['ready eastus', 'ready eastus', 'ready eastus']);
    await tell(world, 'eastus', 'drain');
    let fewest = Number.POSITIVE_INFINITY;
    await world.until(
      'an empty pool',
      async () => {
        const here = await at(world);
        fewest = Math.min(fewest, here.filter((one) => one.startsWith('ready')).length);
        expect(here.length).toBeLessThanOrEqual(3 + 2);
        return here.length === 3 && here.every((one) => one === 'ready westus2');
      },
      15 * 60_000,
    );
    expect(fewest).toBe(3);
    const left = (await world.events()).filter(({ type }) => type === 'ReplicaDraining');
    expect(left.map(({ reason }) => reason)).toEqual(['PoolDraining', 'PoolDraining', 'PoolDraining']);
    await world.elapse(10 * 60_000);
    expect((await world.reservations()).map((held) => held.length)).toEqual([0, 3]);
    const before = world.armLog.length;
    await tell(world, 'eastus', 'uncordon');
    await world.elapse(10 * 60_000);
    expect(world.armLog.slice(before).filter((line) => /^(PUT|DELETE)/.test(line))).toEqual([]);
    expect((await world.rows()).guards.map(({ workflow, reason }) => [workflow, reason])).toEqual([[null, null]]);
  });

  it('keeps what finds no other room, says so, and lets it go when there is', async () => {
    const [east, west] = twoPools;
    if (east === undefined || west === undefined) throw new Error('two pools');
    const world = appWorld({ pools: [east, { ...west, quota: { groups: 1, cores: 100 } }] });
    await world.command('apply', 'shop', document(2));
    await world.until('convergence', converged);
    await tell(world, 'eastus', 'drain');
    await world.until(
      'what fits has moved',
      async () => {
        const here = await at(world);
        return here.length === 2 && here.includes('ready westus2');
      },
      15 * 60_000,
    );
    await world.elapse(5 * 60_000);
    expect(await at(world)).toEqual(['ready eastus', 'ready westus2']);
    const [guard] = (await world.rows()).guards;
    expect(guard?.reason).toBe('PoolDraining');
    expect(guard?.message).toMatch(/1 replica has to leave eastus.*westus2 holds 1 of 1 groups/);
    await tell(world, 'eastus', 'uncordon');
    await world.until(
      'rest',
      async () => (await world.rows()).guards.every(({ workflow }) => workflow === null),
      5 * 60_000,
    );
    expect(await at(world)).toEqual(['ready eastus', 'ready westus2']);
  });
});
