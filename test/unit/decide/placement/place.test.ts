import { describe, expect, it } from 'vitest';
import type { Ask } from '../../../../src/decide/placement/ask.ts';
import { createScheduler, type Placement } from '../../../../src/decide/placement/place.ts';
import { type Affinity, unplaced } from '../../../../src/model/placement.ts';
import type { PoolRow } from '../../../../src/model/state.ts';
import { aPool, at } from '../../../support/rows.ts';

const ask = (over: Partial<Ask> = {}): Ask => ({
  service: 'shop/web',
  cores: 1,
  memoryGiB: 1,
  pools: [],
  ...unplaced,
  ...over,
});
interface Asked extends Partial<Ask> {
  readonly avoid?: readonly string[];
  readonly lastPool?: string;
  /** Pools of the replicas that are there. */
  readonly own?: readonly string[];
}
const placed = ({ avoid = [], lastPool, own = [], ...over }: Asked, pools: readonly PoolRow[]): Placement =>
  createScheduler('shop', ask(over), pools, own).place({
    owner: 'shop/web/0/1',
    avoid: new Set(avoid),
    lastPool: lastPool ?? null,
  });
const east = aPool({ pool: 'east', order: 0 });
const west = aPool({ pool: 'west', order: 1 });
const held = (owner: string, cores = 1) => ({ owner, cores, at });
const full = (pool: PoolRow): PoolRow => ({
  ...pool,
  quota: { groups: 1, cores: 100 },
  reservations: [held('shop/x/0/1')],
});
const chosen = (asked: Asked, ...pools: PoolRow[]) => {
  const placement = placed(asked, pools);
  return placement.ok ? placement.pool : placement.reason;
};

describe('placement', () => {
  it.each<[string, string, string]>([
    ['the first pool of the configuration', chosen({}, west, east), 'east'],
    ['the first pool of the app', chosen({ pools: ['west', 'east'] }, east, west), 'west'],
    ['not a cordoned pool', chosen({}, { ...east, cordoned: true }, west), 'west'],
    ['not a retired pool', chosen({}, { ...east, retired: true }, west), 'west'],
    ['not a pool that is to move', chosen({}, { ...east, pending: west }, west), 'west'],
    ['not a pool without a group left', chosen({}, full(east), west), 'west'],
    [
      'not a pool without enough cores',
      chosen({ cores: 4 }, { ...east, quota: { groups: 9, cores: 3 } }, west),
      'west',
    ],
    [
      'the last core of a pool (near miss)',
      chosen({ cores: 3 }, { ...east, quota: { groups: 9, cores: 3 } }, west),
      'east',
    ],
    [
      'the pool that holds its reservation, though it is full',
      chosen({}, west, full({ ...east, reservations: [] }), {
        ...full(aPool({ pool: 'own', order: 9 })),
        reservations: [held('shop/web/0/1')],
      }),
      'own',
    ],
    [
      'not the pool that holds its reservation, once it is cordoned',
      chosen({}, { ...east, cordoned: true, reservations: [held('shop/web/0/1')] }, west),
      'west',
    ],
    [
      'not the pool that holds its reservation, once the app may not use it',
      chosen({ pools: ['west'] }, { ...east, reservations: [held('shop/web/0/1')] }, west),
      'west',
    ],
    ['another pool than the one that just refused', chosen({ avoid: ['east'] }, east, west), 'west'],
    ['the one that just refused, when there is no other', chosen({ avoid: ['east'] }, east), 'east'],
    ['none when all are full', chosen({}, full(east), full(west)), 'NoPoolWithRoom'],
    ['none when only unknown pools are named', chosen({ pools: ['north'] }, east), 'UnknownPool'],
    ['none when nothing is configured', chosen({}), 'UnknownPool'],
  ])('takes %s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });

  it('says of every pool why not', () => {
    const small = { ...west, quota: { groups: 5, cores: 2 } };
    const placement = placed({ cores: 3 }, [full(east), small]);
    expect(placement).toMatchObject({
      ok: false,
      message: expect.stringContaining('east holds 1 of 1 groups; west holds 0 of 2 cores and the group needs 3'),
    });
  });

  it('takes pools of the same rank by name, and by rank first', () => {
    const [a, b] = [aPool({ pool: 'a', order: 1 }), aPool({ pool: 'b', order: 1 })];
    expect([chosen({}, b, a), chosen({}, a, b), chosen({}, a, aPool({ pool: 'z', order: 0 }))]).toEqual([
      'a',
      'a',
      'z',
    ]);
  });

  it('the last group of a pool (near miss)', () => {
    expect(chosen({}, { ...full(east), quota: { groups: 2, cores: 100 } })).toBe('east');
  });

  it('adds up the cores that are taken', () => {
    const taken = {
      ...east,
      quota: { groups: 9, cores: 4 },
      reservations: [held('shop/x/0/1', 2), held('shop/x/1/2', 1)],
    };
    expect([chosen({ cores: 1 }, taken), chosen({ cores: 2 }, taken)]).toEqual(['east', 'NoPoolWithRoom']);
  });

  it('says which pools are retired, cordoned or not configured, and what there is', () => {
    const message = (asked: Asked, ...pools: PoolRow[]) => {
      const placement = placed(asked, pools);
      return placement.ok ? '' : placement.message;
    };
    expect(message({ pools: ['north'] }, west, east)).toBe('north is not configured; configured: east, west.');
    expect(message({ pools: ['north', 'east'] }, full(east))).toContain(
      'north is not configured; east holds 1 of 1 groups',
    );
    expect(message({ pools: ['east'] }, { ...east, retired: true }, west)).toBe(
      'east is no longer configured; configured: west.',
    );
    expect(message({}, { ...east, cordoned: true })).toContain('east is cordoned');
    expect(message({})).toBe('no pool is configured.');
  });
});

const north = aPool({ pool: 'north', order: 2, region: 'northeurope', labels: { tier: 'test' } });
const [eastern, western] = [
  { ...east, region: 'eastus', labels: { tier: 'live' } },
  { ...west, region: 'westus2', labels: { tier: 'live' } },
];
const all = [eastern, western, north];
const constraint = (attribute: string, operator: '==' | '!=' | 'in', ...values: string[]) => ({
  constraints: [{ attribute, operator, values, text: `${attribute} ${operator} ${values.join(', ')}` }],
});
const overRegions = (maxSkew: number | null) => ({ spread: [{ topology: 'region', maxSkew }] });
const to = (service: string, over: Partial<Affinity> = {}) => ({
  affinity: [{ service, topology: 'region', anti: false, required: true, weight: 100, ...over }],
});

describe('rules', () => {
  it.each<[string, Asked, readonly PoolRow[], string]>([
    ['a constraint that the first pool meets', constraint('pool.region', '==', 'eastus'), all, 'east'],
    ['a constraint that it does not meet', constraint('pool.region', '==', 'westus2'), all, 'west'],
    ['a constraint on a label', constraint('pool.labels.tier', '==', 'test'), all, 'north'],
    ['a constraint against a label', constraint('pool.labels.tier', '!=', 'live'), all, 'north'],
    ['a pool without the label, which is unlike every value', constraint('pool.labels.x', '!=', 'live'), all, 'east'],
    ['one of several values', constraint('pool.name', 'in', 'north', 'west'), all, 'west'],
    ['the kind of pool', constraint('pool.kind', '!=', 'aci-spot'), all, 'east'],
    ['no pool, when none meets the constraint', constraint('pool.name', '==', 'south'), all, 'NoFeasiblePool'],

    ['a wished spread: the emptiest region', { ...overRegions(null), own: ['east'] }, all, 'west'],
    ['a wished spread: of equals the first', { ...overRegions(null), own: ['east', 'west', 'north'] }, all, 'east'],
    [
      'a wished spread gives way when the others are full',
      { ...overRegions(null), own: ['east'] },
      [eastern, full(western)],
      'east',
    ],
    [
      'a required spread within its skew: order decides again',
      { ...overRegions(2), own: ['east'] },
      [eastern, western],
      'west',
    ],
    ['a required spread at its skew', { ...overRegions(1), own: ['east'] }, [eastern, western], 'west'],
    [
      'a full region does not hold the others back',
      { ...overRegions(1), own: ['east'] },
      [eastern, full(western)],
      'east',
    ],
    [
      'a cordoned region does not either',
      { ...overRegions(1), own: ['east'] },
      [eastern, { ...western, cordoned: true }],
      'east',
    ],
    [
      'a spread over a label leaves out pools without it',
      { spread: [{ topology: 'labels.tier', maxSkew: 1 }], own: ['east'] },
      [...all, aPool({ pool: 'bare', order: -1 })],
      'north',
    ],

    [
      'near to another service',
      to('shop/store'),
      [eastern, { ...western, reservations: [held('shop/store/0/1')] }],
      'west',
    ],
    [
      'not where only another app has a service of that name',
      to('shop/store'),
      [eastern, { ...western, reservations: [held('crm/store/0/1')] }],
      'NoFeasiblePool',
    ],
    [
      'away from another service',
      to('shop/store', { anti: true }),
      [{ ...eastern, reservations: [held('shop/store/0/1')] }, western],
      'west',
    ],
    ['near to itself, when it is nowhere yet', to('shop/web'), all, 'east'],
    ['near to itself', { ...to('shop/web'), own: ['west'] }, all, 'west'],
    ['away from itself', { ...to('shop/web', { anti: true }), own: ['east'] }, all, 'west'],
    [
      'away from itself, everywhere',
      { ...to('shop/web', { anti: true }), own: ['east', 'west', 'north'] },
      all,
      'NoFeasiblePool',
    ],
    [
      'a wish to be away gives way',
      { ...to('shop/web', { anti: true, required: false }), own: ['east', 'west', 'north'] },
      all,
      'east',
    ],
    [
      'a wish to be near gives way to the order of pools',
      to('shop/store', { required: false }),
      [eastern, { ...western, reservations: [held('shop/store/0/1')] }],
      'east',
    ],

    ['its last pool, of equals', { lastPool: 'west' }, [eastern, { ...western, order: 0 }], 'west'],
    ['its last pool gives way to the order', { lastPool: 'west' }, all, 'east'],
    [
      'the cheaper of equals',
      {},
      [
        { ...eastern, price: { coreHour: 2, gibHour: 0 } },
        { ...western, order: 0, price: { coreHour: 1, gibHour: 0 } },
      ],
      'west',
    ],
    [
      'the one with more room, of equals',
      {},
      [
        { ...eastern, reservations: [held('crm/x/0/1')] },
        { ...western, order: 0 },
      ],
      'west',
    ],
  ])('%s', (_, asked, pools, expected) => {
    expect(chosen(asked, ...pools)).toBe(expected);
  });

  it('every filter says what it turned down, and what would help', () => {
    const refusal = placed(
      { ...constraint('pool.labels.tier', '==', 'live'), ...overRegions(1), cores: 200, own: ['east'] },
      [eastern, { ...western, cordoned: true }, north],
    );
    expect(refusal).toEqual({
      ok: false,
      reason: 'NoFeasiblePool',
      message:
        'east holds 0 of 100 cores and the group needs 200; west is cordoned; north does not meet `pool.labels.tier == live`. ' +
        'To help: remove replicas, raise the quota, or allow another pool; open the pool again; relax `deploy.placement.constraints`, or label a pool.',
    });
  });

  it.each<[string, Asked, readonly PoolRow[], string | null]>([
    ['nothing, in the pool that the order prefers', {}, all, null],
    ['what turned the preferred pool down', {}, [full(eastern), western], 'east holds 1 of 1 groups'],
    ['that the slot was refused there', { avoid: ['east'] }, all, 'east has just refused this slot'],
    ['that a preference decided', { ...overRegions(null), own: ['east'] }, all, 'by its preferences'],
    [
      'which rule decided',
      { ...overRegions(1), own: ['east'] },
      all,
      'east would break the spread with 1 replica in region eastus already',
    ],
    ['nothing about pools that may not be used anyway', { pools: ['west'] }, all, null],
  ])('a placement tells %s', (_, asked, pools, because) => {
    expect(placed(asked, pools)).toMatchObject({ ok: true, because });
  });

  it('each placement sees those before it', () => {
    const scheduler = createScheduler(
      'shop',
      ask(overRegions(1)),
      [{ ...eastern, quota: { groups: 2, cores: 9 } }, western, north],
      [],
    );
    const pools = Array.from({ length: 8 }, (_, slot) => {
      const placement = scheduler.place({ owner: `shop/web/${slot}/${slot}`, lastPool: null, avoid: new Set() });
      return placement.ok ? placement.pool : placement.reason;
    });
    expect(pools).toEqual(['east', 'west', 'north', 'east', 'west', 'north', 'west', 'north']);
  });
});
