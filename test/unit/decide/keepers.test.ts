import { describe, expect, it } from 'vitest';
import { compare, keepersOf } from '../../../src/decide/keepers.ts';
import type { ReplicaRow } from '../../../src/model/state.ts';
import { aPool } from '../../support/rows.ts';
import { inState } from '../../support/snapshots.ts';

const pools = [
  aPool(),
  aPool({ pool: 'shut', cordoned: true }),
  aPool({ pool: 'old', retired: true }),
  aPool({ pool: 'leaving', pending: aPool() }),
];
const kept = (desired: number, ...replicas: readonly ReplicaRow[]) =>
  [...keepersOf(desired, 2, replicas, pools, null)].map(({ incarnation }) => incarnation).sort();
const one = (incarnation: number, over: Partial<ReplicaRow> = {}) =>
  inState('ready', { slot: incarnation, incarnation, revision: 2, ...over });

describe('which replicas stay when there are too many', () => {
  it.each<[string, number[], number[]]>([
    ['as many as are desired', kept(2, one(1), one(2), one(3)), [1, 2]],
    ['all of them, when they are too few', kept(9, one(1), one(2)), [1, 2]],
    ['none, when none is desired', kept(0, one(1)), []],
    ['ready before unready, whatever its age', kept(1, one(1, { state: 'unready' }), one(2)), [2]],
    ['ready before what only starts', kept(1, one(1, { state: 'starting' }), one(2)), [2]],
    [
      'ready of an old revision before unready of the new',
      kept(1, one(1, { state: 'unready' }), one(2, { revision: 1 })),
      [2],
    ],
    ['the revision that is wanted before an old one', kept(1, one(1, { revision: 1 }), one(2)), [2]],
    [
      'the wanted revision in a closed pool before an old one in an open one',
      kept(1, one(1, { revision: 1 }), one(2, { pool: 'shut' })),
      [2],
    ],
    ['those in an open pool before those in a cordoned one', kept(1, one(1, { pool: 'shut' }), one(2)), [2]],
    ['those in an open pool before those in a retired one', kept(1, one(1, { pool: 'old' }), one(2)), [2]],
    ['those in an open pool before those in one that is to move', kept(1, one(1, { pool: 'leaving' }), one(2)), [2]],
    ['the older of equals, whatever their slots', kept(1, one(2, { slot: 0 }), one(1, { slot: 5 })), [1]],
    ['one per slot', kept(2, one(1, { slot: 0 }), one(2, { slot: 0 }), one(3)), [1, 3]],
    [
      'none of those on their way out',
      kept(3, one(1, { state: 'draining' }), one(2, { state: 'deleting' }), one(3)),
      [3],
    ],
    ['none that is gone', kept(2, one(1, { state: 'gone' }), one(2)), [2]],
  ])('%s', (_, actual, expected) => {
    expect(actual).toEqual(expected);
  });
});

describe('which replicas of a service that is spread stay', () => {
  const places = [
    aPool({ pool: 'a1', region: 'a' }),
    aPool({ pool: 'a2', region: 'a' }),
    aPool({ pool: 'b', region: 'b' }),
  ];
  const spread = (desired: number, ...replicas: readonly ReplicaRow[]) =>
    [...keepersOf(desired, 2, replicas, places, 'region')].map(({ incarnation }) => incarnation).sort();
  const [first, second, third] = [one(1, { pool: 'a1' }), one(2, { pool: 'a2' }), one(3, { pool: 'b' })];

  it.each<[string, number[], number[]]>([
    ['the younger in a domain that would be empty', spread(2, first, second, third), [1, 3]],
    ['the older of equals', spread(1, first, second, third), [1]],
    ['the ready one, whatever the spread', spread(2, first, second, { ...third, state: 'unready' }), [1, 2]],
  ])('%s', (_, actual, expected) => {
    expect(actual).toEqual(expected);
  });
});

it('lists are compared by their first difference', () => {
  expect([compare([1, 2], [1, 3]), compare([2, 0], [1, 9]), compare([1, 2], [1, 2]), compare([1, 1], [1])]).toEqual([
    -1, 1, 0, 1,
  ]);
});
