import { describe, expect, it } from 'vitest';
import { type Forecast, forecastOf } from '../../../../src/decide/forecast/forecast.ts';
import { startMsOf } from '../../../../src/decide/forecast/start-time.ts';
import type { ServiceSpec } from '../../../../src/model/app-spec.ts';
import { defaults } from '../../../../src/model/defaults.ts';
import type { GuardRow, PoolRow, ReplicaRow } from '../../../../src/model/state.ts';
import { aGuard, anApp, aPool, aReplica, aService, aTemplate, at } from '../../../support/rows.ts';
import { inState } from '../../../support/snapshots.ts';

const east = aPool({ pool: 'east', quota: { groups: 100, cores: 100 } });
const ready = (count: number, over: Partial<ReplicaRow> = {}): readonly ReplicaRow[] =>
  Array.from({ length: count }, (_, slot) =>
    inState('ready', { slot, incarnation: slot + 1, stateAt: at - 3_600_000, readyAt: at - 3_600_000, ...over }),
  );
const holding = (pool: PoolRow, rows: readonly ReplicaRow[], cores = 1): PoolRow => ({
  ...pool,
  reservations: rows
    .filter((row) => row.pool === pool.pool)
    .map(({ app, service, slot, incarnation }) => ({
      owner: `${app}/${service}/${slot}/${incarnation}`,
      cores,
      at: at - 7_200_000,
    })),
});

interface World {
  readonly services?: readonly Partial<ServiceSpec>[];
  readonly guards: readonly Partial<GuardRow>[];
  readonly rows?: readonly ReplicaRow[];
  readonly pools?: readonly PoolRow[];
  readonly frozen?: boolean;
}
const look = ({ services = [{}], guards, rows = [], pools = [east], frozen = false }: World): Forecast =>
  forecastOf({
    app: anApp(
      'shop',
      services.map(({ name = 'web', ...over }) => aService(name, over)),
    ),
    frozen,
    guards: guards.map((guard) => aGuard({ nextIncarnation: rows.length + 1, ...guard })),
    templateOf: () => aTemplate(),
    replicas: rows,
    pools: pools.map((pool) => holding(pool, rows)),
    settings: defaults,
    now: at,
    startMs: () => 20_000,
    deletionMs: 5_000,
  });

const pool = (create: number, remove: number, groups: number) => ({
  pool: 'east',
  create,
  delete: remove,
  peak: { groups, cores: groups },
});

describe('what a command comes to', () => {
  const inPlace = { rollout: { strategy: 'rolling', maxSurge: 0, maxUnavailable: 1 } } as const;
  const recreate = { rollout: { strategy: 'recreate', maxSurge: 0, maxUnavailable: '100%' } } as const;
  it.each<{ name: string; world: World; pools: readonly ReturnType<typeof pool>[]; lowest: number }>([
    {
      name: 'nothing to do: no group, no time',
      world: { guards: [{ desired: 2, observedGeneration: 1 }], rows: ready(2) },
      pools: [],
      lowest: 2,
    },
    { name: 'a first deployment', world: { guards: [{ desired: 3 }] }, pools: [pool(3, 0, 3)], lowest: 0 },
    {
      name: 'a scale out: what serves goes on',
      world: { guards: [{ desired: 5 }], rows: ready(2) },
      pools: [pool(3, 0, 5)],
      lowest: 2,
    },
    {
      name: 'a scale in',
      world: { guards: [{ desired: 1 }], rows: ready(3) },
      pools: [pool(0, 2, 3)],
      lowest: 1,
    },
    {
      name: 'a rollout in place: one is missing all the time',
      world: { services: [inPlace], guards: [{ desired: 3, revision: 2 }], rows: ready(3) },
      pools: [pool(3, 3, 3)],
      lowest: 2,
    },
    {
      name: 'a recreation: nothing serves for a while',
      world: { services: [recreate], guards: [{ desired: 3, revision: 2 }], rows: ready(3) },
      pools: [pool(3, 3, 3)],
      lowest: 0,
    },
  ])('$name', ({ world, pools, lowest }) => {
    const { durationMs, services, ...told } = look(world);
    expect(told.pools).toEqual(pools);
    expect(services).toEqual([{ service: 'web', lowestReady: lowest }]);
    expect(told.waits).toEqual([]);
    expect(durationMs).not.toBeNull();
  });

  it('a rollout with a surge: none is missing, and old ones that drain are in use beside new ones', () => {
    const { pools, services } = look({ guards: [{ desired: 4, revision: 2 }], rows: ready(4) });
    expect(services[0]?.lowestReady).toBe(4);
    expect(pools[0]).toMatchObject({ create: 4, delete: 4 });
    expect(pools[0]?.peak.groups).toBeGreaterThan(4);
    expect(pools[0]?.peak.groups).toBeLessThanOrEqual(6);
  });

  it('a dependency first: the other starts when it is ready', () => {
    const dependsOn = [{ service: 'db', condition: 'healthy' }] as const;
    const both = {
      services: [{ name: 'db' }, { name: 'web', dependsOn }],
      guards: [
        { service: 'db', desired: 1 },
        { service: 'web', desired: 1, dependenciesMetRevision: null },
      ],
    };
    const alone = look({ guards: [{ desired: 1 }] }).durationMs ?? 0;
    const { durationMs } = look(both);
    expect(durationMs).toBeGreaterThanOrEqual(2 * 20_000);
    expect(durationMs).toBeGreaterThan(alone);
  });

  it('more than may be created in 5 minutes takes longer than that; a fifth is kept for repairs', () => {
    const large = aPool({ pool: 'east', quota: { groups: 300, cores: 300 } });
    const eighty = look({ guards: [{ desired: 80 }], pools: [large] });
    const more = look({ guards: [{ desired: 81 }], pools: [large] });
    expect(eighty.durationMs).toBeLessThan(2 * 60_000);
    expect(more.durationMs).toBeGreaterThan(5 * 60_000);
    expect(more.durationMs).toBeLessThan(7 * 60_000);
  });

  it('what has no room is told with its reason, and what fits is still done', () => {
    const small = aPool({ pool: 'east', quota: { groups: 2, cores: 100 } });
    const { durationMs, pools, waits } = look({ guards: [{ desired: 3 }], pools: [small] });
    expect(durationMs).toBeNull();
    expect(pools).toEqual([pool(2, 0, 2)]);
    expect(waits).toMatchObject([{ service: 'web', reason: 'NoPoolWithRoom' }]);
    expect(waits[0]?.message).toContain('2 of 2 groups');
  });

  it('of a frozen app nothing happens', () => {
    const { durationMs, pools, waits } = look({ guards: [{ desired: 3 }], frozen: true });
    expect({ durationMs, pools, waits }).toEqual({ durationMs: null, pools: [], waits: [] });
  });

  it('costs are those of the groups that stand, with what overlaps; without a price there is none', () => {
    const priced = aPool({ pool: 'east', price: { coreHour: 0.04, gibHour: 0.005 } });
    expect(look({ guards: [{ desired: 4 }], rows: ready(2), pools: [priced] }).costPerHour).toEqual({
      before: 0.09,
      peak: 0.18,
      after: 0.18,
    });
    expect(look({ guards: [{ desired: 4 }], rows: ready(2) }).costPerHour).toBeNull();
  });

  it('changes nothing of what it was given', () => {
    const rows = Object.freeze(ready(3).map((row) => Object.freeze(row)));
    expect(() => look({ guards: [Object.freeze({ desired: 3, revision: 2 })], rows })).not.toThrow();
  });
});

describe('how long a start takes', () => {
  const took = (service: string, ms: number) => aReplica({ service, createdAt: at, readyAt: at + ms });
  it.each<[string, number | null, readonly ReplicaRow[]]>([
    ['the median of its own replicas', 8_000, [took('web', 5_000), took('web', 8_000), took('web', 60_000)]],
    ['where it has none, that of the app', 7_000, [took('db', 7_000)]],
    ['unknown where none was ready yet', null, [aReplica({ readyAt: null })]],
  ])('%s', (_, expected, rows) => {
    expect(startMsOf('web', rows, () => aTemplate())).toBe(expected);
  });

  it('leaves out what readiness itself waits for', () => {
    const quiet = aTemplate({ readiness: { kind: 'running', afterMs: 10_000 } });
    expect(startMsOf('web', [took('web', 13_000)], () => quiet)).toBe(3_000);
  });
});
