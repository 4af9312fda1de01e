import { describe, expect, it } from 'vitest';
import { moveOf } from '../../../src/decide/moves.ts';
import { judge } from '../../../src/decide/verdict.ts';
import { wakeOf } from '../../../src/decide/wake.ts';
import { defaults } from '../../../src/model/defaults.ts';
import type { ReplicaRow } from '../../../src/model/state.ts';
import { aGuard, aTemplate, at } from '../../support/rows.ts';
import { identity, inState } from '../../support/snapshots.ts';

const growth = { changes: [], steps: [], nextIncarnation: 1, shortage: null, backoffUntil: null };
const wake = (after: readonly ReplicaRow[], over: Partial<Parameters<typeof wakeOf>[0]> = {}) =>
  wakeOf({
    cut: false,
    decisions: [],
    after,
    growth,
    rolloutAt: null,
    isCalm: false,
    settings: defaults,
    now: at,
    ...over,
  }) - at;

/** A decision whose verdict asks to look at an instant, and one that wrote a row. */
const decision = (replica: ReplicaRow, lookAt: number | null, action: 'none' | 'confirmGone' | 'delete' = 'none') => {
  const facts = { identity, settings: defaults, now: at, peersReady: false };
  const verdict = { ...judge(replica, aTemplate(), undefined, facts), lookAt };
  const one = {
    replica,
    verdict,
    guard: aGuard(),
    keeper: true,
    leaving: false,
    restarting: false,
    drained: false,
    frozen: false,
    now: at,
  };
  const context = { epoch: 1, drainMs: 10_000, claimLeaseMs: 360_000, attemptId: 'new', now: at };
  return { case: one, action, move: moveOf(one, { action, reason: null, because: '' }, context) };
};

/** One whose verdict misses nothing but time. */
const waiting = (replica: ReplicaRow, lookAt: number) => {
  const { case: one, ...rest } = decision(replica, lookAt);
  return { ...rest, case: { ...one, verdict: { ...one.verdict, waitsForTime: true } } };
};

/** A decision that wrote what was observed. */
const observedAs = (row: ReplicaRow) => {
  const one = decision(inState('starting'), null);
  return { ...one, action: 'observe' as const, move: { ...one.move, change: { insert: false, row, events: [] } } };
};

describe('when the workflow looks again', () => {
  it.each<[string, number, number]>([
    ['half a minute later where nothing moves', wake([inState('ready')]), 30_000],
    [
      'at once where there is more to write',
      wake([], { cut: true, decisions: [decision(inState('failed'), null, 'delete')] }),
      0,
    ],
    ['not at once where there are only more steps to walk again', wake([inState('creating')], { cut: true }), 1_000],
    [
      'at once after one is gone, for it makes room',
      wake([], { decisions: [decision(inState('deleting'), null, 'confirmGone')] }),
      0,
    ],
    [
      'not at once after a deletion began',
      wake([], { decisions: [decision(inState('failed'), null, 'delete')] }),
      30_000,
    ],
    ['at once after a failure was written', wake([], { decisions: [observedAs(inState('failed'))] }), 0],
    [
      'not for the claim of a create that is being deleted: its deletion is looked at anyway',
      wake([
        inState('deleting', { stateAt: at - 90_000, attempt: { id: 'a', startedAt: at, expiresAt: at + 20_000 } }),
      ]),
      30_000,
    ],
    ['soon at a create', wake([inState('creating')]), 1_000],
    ['soon at a start', wake([inState('starting')]), 1_000],
    ['soon at one that is unready', wake([inState('unready')]), 1_000],
    ['soon at a deletion', wake([inState('deleting')]), 1_000],
    ['at half the age of a state', wake([inState('deleting', { stateAt: at - 8_000 })]), 4_000],
    ['when a drain ends', wake([inState('draining', { drainUntil: at + 7_000 })]), 7_000],
    [
      'when the claim on a create expires',
      wake([inState('creating', { stateAt: at - 60_000, attempt: { id: 'a', startedAt: at, expiresAt: at + 900 } })]),
      900,
    ],
    [
      'when ARM takes the deletion again',
      wake([inState('deleting', { stateAt: at - 60_000, redeleteAt: at + 900 })]),
      900,
    ],
    ['when a back-off ends', wake([], { growth: { ...growth, backoffUntil: at + 5_000 } }), 5_000],
    ['when time alone changes a verdict', wake([], { decisions: [decision(inState('ready'), at + 3_000)] }), 3_000],
    [
      'not before its time where a start misses nothing but time',
      wake([inState('starting')], { decisions: [waiting(inState('starting'), at + 9_000)] }),
      9_000,
    ],
    [
      'half a minute later at most, however long that time',
      wake([inState('unready')], { decisions: [waiting(inState('unready'), at + 300_000)] }),
      30_000,
    ],
    [
      'soon at another start all the same (near miss)',
      wake([inState('starting'), inState('starting', { slot: 1 })], {
        decisions: [waiting(inState('starting'), at + 9_000)],
      }),
      1_000,
    ],
    [
      'never in the past',
      wake([], { decisions: [decision(inState('ready'), at - 1), decision(inState('ready'), at)] }),
      30_000,
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });
});
