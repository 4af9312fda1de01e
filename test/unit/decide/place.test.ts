import { describe, expect, it } from 'vitest';
import { type PlacementRequest, place } from '../../../src/decide/placement/place.ts';
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
});
