/**
 * A plan says beforehand what happens: in a world without faults the real activities, walked over the ARM and Tables cores, come to what the forecast
 * told. What happened is reckoned from the rows and the audit, not by code of the planner.
 */
import { describe, expect, it } from 'vitest';
import { readPools } from '../../src/activities/pool-sync.ts';
import { planDocument } from '../../src/commands/plan-document.ts';
import type { ForecastResource } from '../../src/model/api.ts';
import type { EventRow, ReplicaRow } from '../../src/model/state.ts';
import { parseApp } from '../../src/spec/parse-app.ts';
import { type AppWorld, appWorld, converged, twoPools } from '../support/app-world.ts';

const service = (replicas: number, tag: number, over: object = {}) => ({
  image: `flotilla/http:${tag}`,
  ports: ['80'],
  deploy: { replicas, resources: { limits: { cpus: '1', memory: '1G' } } },
  healthcheck: { test: ['CMD', 'wget', '-qO-', 'http://localhost'], interval: '5s', retries: 3 },
  ...over,
});

async function forecast(world: AppWorld, document: object): Promise<ForecastResource> {
  const parsed = parseApp(document);
  const pools = await readPools(world.ports, world.settings);
  if (!parsed.ok || !pools.ok) throw new Error('a plan');
  return planDocument('shop', await world.rows(), pools.value, parsed.value, world.clock.now).forecast;
}

/** Groups of a pool that stand after each change since `from`: from the plan of an incarnation until its group is confirmed gone. */
function standing(replicas: readonly ReplicaRow[], pool: string, from: number): number {
  const here = replicas.filter((row) => row.pool === pool);
  const instants = here.flatMap((row) => [row.createdAt, row.state === 'gone' ? row.stateAt : from]);
  const at = (now: number): number =>
    here.filter((row) => row.createdAt <= now && (row.state !== 'gone' || row.stateAt > now)).length;
  return Math.max(...[from, ...instants.filter((now) => now >= from)].map(at));
}

const gains: ReadonlySet<EventRow['type']> = new Set<EventRow['type']>(['ReplicaReady']);
const losses: ReadonlySet<EventRow['type']> = new Set<EventRow['type']>([
  'ReplicaDraining',
  'ReplicaUnready',
  'ReplicaFailed',
]);

/** Fewest ready replicas of the service since `from`, by the audit; what one transaction writes happens at once. */
function lowest(events: readonly EventRow[], name: string, from: number): number {
  const own = events.filter((event) => event.service === name && (gains.has(event.type) || losses.has(event.type)));
  const ready = new Set<string>();
  let fewest = Number.POSITIVE_INFINITY;
  const transactions = Map.groupBy(own, ({ txId }) => txId);
  let settled = false;
  for (const transaction of [...transactions.values()].toSorted((a, b) => (a[0]?.at ?? 0) - (b[0]?.at ?? 0))) {
    if (!settled && (transaction[0]?.at ?? 0) >= from) {
      fewest = ready.size;
      settled = true;
    }
    for (const { type, replica } of transaction) {
      if (gains.has(type)) ready.add(replica ?? '');
      else ready.delete(replica ?? '');
    }
    if (settled) fewest = Math.min(fewest, ready.size);
  }
  return settled ? fewest : ready.size;
}

interface Stage {
  readonly name: string;
  readonly services: Readonly<Record<string, object>>;
}

/** Each follows the one before. */
const stages: readonly Stage[] = [
  { name: 'a first deployment', services: { web: service(3, 1) } },
  { name: 'a scale out', services: { web: service(6, 1) } },
  { name: 'a rollout with the default surge', services: { web: service(6, 2) } },
  {
    name: 'a rollout in place of two at a time',
    services: { web: service(6, 3, { 'x-flotilla': { rollout: { maxSurge: 0, maxUnavailable: 2 } } }) },
  },
  {
    name: 'a recreation',
    services: { web: service(6, 4, { 'x-flotilla': { rollout: { strategy: 'recreate' } } }) },
  },
  {
    name: 'a second service that waits for the first, which shrinks',
    services: { web: service(4, 4), api: service(2, 1, { depends_on: { web: { condition: 'service_healthy' } } }) },
  },
  { name: 'one that goes', services: { api: service(2, 1) } },
];

/** States are seen when they are looked for: up to some seconds late, which short changes feel. */
const seenLateMs = 5_000;

async function carryOut(world: AppWorld, { name, services }: Stage) {
  await world.elapse(1_000);
  const document = { name: 'shop', services };
  const told = await forecast(world, document);
  const from = world.clock.now;
  const before = (await world.rows()).replicas;
  await world.command('apply', 'shop', document);
  await world.until(name, converged, 60 * 60_000);
  const { replicas } = await world.rows();
  const events = await world.events();
  const until = Math.max(...events.filter(({ type }) => type === 'ServiceConverged').map(({ at }) => at));
  return { told, from, before, replicas, events, tookMs: until - from };
}

describe('what a plan tells is what happens', () => {
  it('in groups, at the worst moment of every quota, in ready replicas and in time, change after change', async () => {
    const [east, west] = twoPools;
    if (east === undefined || west === undefined) throw new Error('two pools');
    const world = appWorld({ pools: [{ ...east, quota: { groups: 4, cores: 100 } }, west] });
    for (const stage of stages) {
      const { told, from, before, replicas, events, tookMs } = await carryOut(world, stage);
      const isNew = ({ group }: ReplicaRow) => !before.some((row) => row.group === group);
      const wasGone = ({ group }: ReplicaRow) => before.some((row) => row.group === group && row.state === 'gone');
      const happened = ['eastus', 'westus2'].flatMap((pool) => {
        const here = replicas.filter((row) => row.pool === pool);
        const created = here.filter(isNew).length;
        const deleted = here.filter((row) => row.state === 'gone' && !wasGone(row)).length;
        if (created + deleted === 0) return [];
        return [{ pool, create: created, delete: deleted, groups: standing(replicas, pool, from) }];
      });
      const foretold = told.pools.map(({ pool, create, delete: remove, peak }) => {
        return { pool, create, delete: remove, groups: peak.groups };
      });
      const fewest = told.services.map(({ service: one }) => [one, lowest(events, one, from)]);
      expect([stage.name, foretold]).toEqual([stage.name, happened]);
      expect([stage.name, told.services.map((one) => [one.service, one.lowestReady])]).toEqual([stage.name, fewest]);
      expect(told.durationMs, stage.name).not.toBeNull();
      if (told.services.some(({ startMeasured }) => !startMeasured)) continue;
      const off = Math.abs((told.durationMs ?? 0) - tookMs);
      expect(off, `${stage.name}: ${told.durationMs} ms told, ${tookMs} taken`).toBeLessThan(
        Math.max(0.15 * tookMs, seenLateMs),
      );
    }
  });
});
