import { describe, expect, it } from 'vitest';
import { type PlacementRequest, place, withReservation } from '../../../src/decide/placement/place.ts';
import type { PoolRow } from '../../../src/model/state.ts';
import { aPool, at } from '../../support/rows.ts';

const request = (over: Partial<PlacementRequest> = {}): PlacementRequest => ({
  owner: 'shop/web/0/1',
  cores: 1,
  order: [],
  avoid: new Set(),
  ...over,
});
const east = aPool({ pool: 'east', order: 0 });
const west = aPool({ pool: 'west', order: 1 });
const held = (owner: string, cores = 1) => ({ owner, cores, at });
const full = (pool: PoolRow): PoolRow => ({
  ...pool,
  quota: { groups: 1, cores: 100 },
  reservations: [held('shop/x/0/1')],
});
const chosen = (over: Partial<PlacementRequest>, ...pools: PoolRow[]) => {
  const placement = place(request(over), pools);
  return placement.ok ? placement.pool.pool : placement.reason;
};

describe('placement', () => {
  it.each<[string, string, string]>([
    ['the first pool of the configuration', chosen({}, west, east), 'east'],
    ['the first pool of the app', chosen({ order: ['west', 'east'] }, east, west), 'west'],
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
      chosen({ order: ['west'] }, { ...east, reservations: [held('shop/web/0/1')] }, west),
      'west',
    ],
    ['another pool than the one that just refused', chosen({ avoid: new Set(['east']) }, east, west), 'west'],
    ['the one that just refused, when there is no other', chosen({ avoid: new Set(['east']) }, east), 'east'],
    ['none when all are full', chosen({}, full(east), full(west)), 'NoPoolWithRoom'],
    ['none when only unknown pools are named', chosen({ order: ['north'] }, east), 'UnknownPool'],
    ['none when nothing is configured', chosen({}), 'UnknownPool'],
  ])('takes %s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });

  it('says of every pool why not', () => {
    const small = { ...west, quota: { groups: 5, cores: 2 } };
    const placement = place(request({ cores: 3 }), [full(east), small]);
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
    const message = (over: Partial<PlacementRequest>, ...pools: PoolRow[]) => {
      const placement = place(request(over), pools);
      return placement.ok ? '' : placement.message;
    };
    expect(message({ order: ['north'] }, west, east)).toBe('north is not configured; configured: east, west.');
    expect(message({ order: ['north', 'east'] }, full(east))).toContain(
      'north is not configured; east holds 1 of 1 groups',
    );
    expect(message({ order: ['east'] }, { ...east, retired: true }, west)).toBe(
      'east is no longer configured; configured: west.',
    );
    expect(message({}, { ...east, cordoned: true })).toContain('east is cordoned');
    expect(message({})).toBe('no pool is configured.');
  });

  it('a reservation is added once, to its pool only', () => {
    const once = withReservation([east, west], 'east', held('shop/web/0/1'));
    expect(once).toEqual([{ ...east, reservations: [held('shop/web/0/1')] }, west]);
    expect(withReservation(once, 'east', held('shop/web/0/1'))).toEqual(once);
    expect(withReservation(once, 'east', held('shop/web/1/2'))[0]?.reservations).toHaveLength(2);
  });
});
