import { describe, expect, it } from 'vitest';
import { paceOf } from '../../../src/decide/rollout/pace.ts';
import { leavingOf, roomOf } from '../../../src/decide/rollout/turn.ts';
import { type Amount, defaultRollout } from '../../../src/model/rollout.ts';
import type { ReplicaRow } from '../../../src/model/state.ts';
import { aPool, at } from '../../support/rows.ts';
import { inState } from '../../support/snapshots.ts';

describe('the pace of a rollout', () => {
  // Rows of Kubernetes' TestResolveFenceposts and of its documentation of maxSurge and maxUnavailable, where they are whole numbers or shares.
  it.each<[number, Amount, Amount, number, number]>([
    [1, '25%', 0, 2, 1],
    [3, '25%', 0, 4, 3],
    [4, '25%', '25%', 5, 3],
    [5, '25%', '25%', 7, 4],
    [10, '30%', '30%', 13, 7],
    [10, '0%', '0%', 10, 9],
    [10, 0, '5%', 10, 9],
    [2, 1, 0, 3, 2],
    [2, 0, 1, 2, 1],
    [2, 0, 5, 2, 0],
    [0, '25%', 0, 0, 0],
    [3, '100%', 0, 6, 3],
  ])(
    'of %i replicas with surge %s and unavailable %s: at most %i live, at least %i ready',
    (desired, maxSurge, maxUnavailable, ceiling, floor) => {
      expect(paceOf({ strategy: 'rolling', maxSurge, maxUnavailable }, desired)).toMatchObject({ ceiling, floor });
    },
  );

  it('of a recreate leaves none', () => {
    expect(paceOf({ ...defaultRollout, strategy: 'recreate' }, 3)).toEqual({
      strategy: 'recreate',
      ceiling: 3,
      floor: 0,
      overlaps: false,
    });
  });
});

const rolling = paceOf(defaultRollout, 4);
const whole = { fresh: 4, old: 0, base: null, isHeld: false };
const row = (revision: number, slot: number, state: ReplicaRow['state'] = 'ready', over: Partial<ReplicaRow> = {}) =>
  inState(state, { slot, incarnation: revision * 10 + slot, revision, readyAt: at - 60_000, ...over });
const pools = [aPool({ pool: 'east' }), aPool({ pool: 'shut', cordoned: true })];
const leaving = (replicas: readonly ReplicaRow[], pace = rolling) =>
  [
    ...leavingOf({ desired: 4, target: 2, replicas, pace, share: whole, pools, minReadyMs: 10_000, now: at }).replicas,
  ].map(({ incarnation }) => incarnation);
const old = [0, 1, 2, 3].map((slot) => row(1, slot));

describe('who leaves', () => {
  it.each<[string, number[], number[]]>([
    ['nobody while no new one is ready', leaving(old), []],
    ['one for each new one that is ready', leaving([...old, row(2, 0)]), [10]],
    ['not for one that just became ready', leaving([...old, row(2, 0, 'ready', { readyAt: at - 9_999 })]), []],
    [
      'for one that is ready for exactly as long as is asked',
      leaving([...old, row(2, 0, 'ready', { readyAt: at - 10_000 })]),
      [10],
    ],
    ['the one whose slot has a successor', leaving([...old, row(2, 2)]), [12]],
    [
      'first the one in a closed pool',
      leaving([...old.slice(0, 3), row(1, 3, 'ready', { pool: 'shut' }), row(2, 0)]),
      [13],
    ],
    ['those that are not ready, beside', leaving([row(1, 0, 'unready'), ...old.slice(1), row(2, 0)]), [10]],
    ['nobody of the new', leaving([row(2, 0), row(2, 1, 'unready')]), []],
    ['nobody who is on the way out already', leaving([row(1, 0, 'draining'), ...old.slice(1), row(2, 0)]), []],
    [
      'as many as may be missing',
      leaving(old, paceOf({ ...defaultRollout, maxSurge: 0, maxUnavailable: 2 }, 4)),
      [10, 11],
    ],
    [
      'everybody, in a recreate',
      leaving(old, paceOf({ ...defaultRollout, strategy: 'recreate' }, 4)),
      [10, 11, 12, 13],
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual).toEqual(expected);
  });
});

describe('room for new ones', () => {
  const room = (replicas: readonly ReplicaRow[], over = {}) =>
    roomOf({ desired: 4, target: 2, replicas, pace: paceOf({ ...defaultRollout, ...over }, 4), share: whole });
  const inPlace = { maxSurge: 0, maxUnavailable: 1 };

  it.each<[string, number, number]>([
    ['is what is missing, where nothing is rolled out', room([row(2, 0)]), 3],
    ['is the surge at first', room(old), 1],
    ['is none while the surge is used', room([...old, row(2, 0, 'starting')]), 0],
    ['grows with each that drains', room([row(1, 0, 'draining'), ...old.slice(1), row(2, 0)]), 1],
    ['never is more than is missing', room([row(1, 0), row(2, 0), row(2, 1), row(2, 2)]), 1],
    ['in place: none while an old one drains', room([row(1, 0, 'draining'), ...old.slice(1)], inPlace), 0],
    ['in place: none while it is being deleted', room([row(1, 0, 'deleting'), ...old.slice(1)], inPlace), 0],
    ['in place: one when it is gone', room([row(1, 0, 'gone'), ...old.slice(1)], inPlace), 1],
    ['recreate: none before the last is gone', room([row(1, 0, 'deleting')], { strategy: 'recreate' }), 0],
    ['recreate: all of it then', room([row(1, 0, 'gone')], { strategy: 'recreate' }), 4],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });
});
