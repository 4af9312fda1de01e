/** A region that goes dark and comes back, from the probes to the container groups. ARM answers all the time: only packets are lost. */
import { describe, expect, it } from 'vitest';
import type { PoolRow, ReplicaRow } from '../../src/model/state.ts';
import { type AppWorld, appWorld, converged } from '../support/app-world.ts';

const http = (replicas: number) => ({
  image: 'flotilla/http:1',
  ports: ['80'],
  healthcheck: { test: ['CMD', 'wget', '-qO-', 'http://localhost'], interval: '5s', retries: 3 },
  deploy: { replicas },
});
const shop = (replicas: number) => ({ name: 'shop', services: { web: http(replicas), api: http(replicas) } });
const minute = 60_000;

/** Regions whose addresses do not answer, from now on. */
async function world(replicas = 3): Promise<{ readonly world: AppWorld; readonly dark: Set<string> }> {
  const dark = new Set<string>();
  const made = appWorld();
  const real = made.ports.prober.probe;
  Object.assign(made.ports.prober, {
    async probe(target: Parameters<typeof real>[0]) {
      const pool = (await made.rows()).replicas.find(({ ip }) => ip === target.ip)?.pool ?? '';
      return dark.has(pool)
        ? { passed: false, reached: false, detail: 'no answer within 1000 ms' }
        : await real(target);
    },
  });
  await made.command('apply', 'shop', shop(replicas));
  await made.until('convergence', converged);
  return { world: made, dark };
}

const live = async (made: AppWorld): Promise<readonly ReplicaRow[]> =>
  (await made.rows()).replicas.filter(({ state }) => state !== 'gone');
const inPool = async (made: AppWorld, pool: string, state: ReplicaRow['state']) =>
  (await live(made)).filter((row) => row.pool === pool && row.state === state).length;
const healthOf = async (made: AppWorld, name: string): Promise<string> => {
  const pools = await made.ports.pools();
  const pool = pools.ok ? pools.value.find((row: PoolRow) => row.pool === name) : undefined;
  return pool?.health?.state ?? 'healthy';
};
const calls = (made: AppWorld, method: string) => made.armLog.filter((line) => line.startsWith(method)).length;
const endpoints = async (made: AppWorld) => (await live(made)).filter(({ endpoint }) => endpoint).length;

describe('a region that goes dark', () => {
  it('is evacuated, and when it is back each old group is deleted exactly once', async () => {
    const { world: made, dark } = await world();
    expect(await inPool(made, 'eastus', 'ready')).toBe(6);
    dark.add('eastus');
    // Another region holds replicas too: it is not we who are cut off.
    await made.command('apply', 'other', {
      name: 'other',
      'x-flotilla': { pools: ['westus2'] },
      services: { a: http(1) },
    });
    await made.until('the other app', async () => (await made.rows('other')).replicas[0]?.state === 'ready');
    await made.until('the evacuation', async () => (await inPool(made, 'westus2', 'ready')) === 6, 6 * minute);
    expect(await healthOf(made, 'eastus')).toBe('down');
    expect(await inPool(made, 'eastus', 'lost')).toBe(6);
    expect(calls(made, 'DELETE')).toBe(0);
    expect(await converged(made)).toBe(true);

    dark.clear();
    await made.until('the return', async () => (await live(made)).length === 6, 10 * minute);
    expect(await inPool(made, 'westus2', 'ready')).toBe(6);
    expect(calls(made, 'DELETE')).toBe(6);
    expect(new Set(made.armLog.filter((line) => line.startsWith('DELETE'))).size).toBe(6);
    expect(await healthOf(made, 'eastus')).toBe('recovering');
    await made.until('trust', async () => (await healthOf(made, 'eastus')) === 'healthy', 12 * minute);
  });

  it('and back before anybody is replaced keeps its replicas', async () => {
    const { world: made, dark } = await world();
    dark.add('eastus');
    await made.elapse(2 * minute);
    dark.clear();
    await made.until('convergence', async () => (await inPool(made, 'eastus', 'ready')) === 6, 3 * minute);
    expect([calls(made, 'DELETE'), calls(made, 'PUT')]).toEqual([0, 6]);
  });

  it('with all that there is changes nothing: it is more likely we who are cut off', async () => {
    const { world: made, dark } = await world();
    dark.add('eastus').add('westus2');
    await made.elapse(15 * minute);
    expect(await healthOf(made, 'eastus')).toBe('down');
    expect(await inPool(made, 'eastus', 'ready')).toBe(6);
    expect(await endpoints(made)).toBe(6);
    expect([calls(made, 'DELETE'), calls(made, 'PUT')]).toEqual([0, 6]);
    expect((await made.events()).filter(({ type }) => type === 'CutOff').length).toBe(1);
    // Commands are accepted meanwhile, and wait.
    await made.command('scale', 'shop', { services: { web: 1 } });
    await made.elapse(5 * minute);
    expect(calls(made, 'DELETE')).toBe(0);
    expect((await made.rows()).guards.find(({ service }) => service === 'web')?.reason).toBe('CutOff');
    dark.clear();
    await made.until('the scale', async () => (await live(made)).length === 4, 15 * minute);
    expect(calls(made, 'DELETE')).toBe(2);
  });

  it('of one service alone is only suspect: it may be the service', async () => {
    const made = appWorld();
    await made.command('apply', 'shop', { name: 'shop', services: { web: http(6) } });
    await made.until('convergence', converged);
    Object.assign(made.ports.prober, { probe: async () => ({ passed: false, reached: false, detail: 'no answer' }) });
    await made.elapse(15 * minute);
    expect(await healthOf(made, 'eastus')).toBe('suspect');
    expect(await endpoints(made)).toBe(6);
    expect(calls(made, 'DELETE')).toBe(0);
  });
});
