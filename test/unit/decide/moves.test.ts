import { describe, expect, it } from 'vitest';
import type { Action, Classification } from '../../../src/decide/classify.ts';
import { type MoveContext, moveOf } from '../../../src/decide/moves.ts';
import { judge } from '../../../src/decide/verdict.ts';
import { defaults } from '../../../src/model/defaults.ts';
import type { ReplicaRow } from '../../../src/model/state.ts';
import { aGuard, aTemplate, at } from '../../support/rows.ts';
import { identity, inState } from '../../support/snapshots.ts';

const now = at + 60_000;
const context: MoveContext = { epoch: 7, drainMs: 10_000, claimLeaseMs: 360_000, attemptId: 'new', now };
const moved = (
  replica: ReplicaRow,
  action: Action,
  reason: Classification['reason'] = null,
  over: Partial<MoveContext> = {},
) => {
  const verdict = judge(replica, aTemplate(), undefined, { identity, settings: defaults, now, peersReady: false });
  const one = {
    replica,
    verdict,
    guard: aGuard(),
    keeper: true,
    leaving: false,
    restarting: false,
    drained: false,
    frozen: false,
    now,
  };
  return moveOf(one, { action, reason, because: '' }, { ...context, ...over });
};
const step = (kind: 'createGroup' | 'deleteGroup', more: object = {}) => ({
  kind,
  app: 'shop',
  service: 'web',
  slot: 0,
  incarnation: 1,
  epoch: 7,
  ...more,
});
const types = ({ change }: ReturnType<typeof moveOf>) => change?.events.map(({ type }) => type);

describe('what a decision does to the row, and to the world', () => {
  it('nothing', () => {
    expect(moved(inState('ready'), 'none')).toEqual({ change: null, step: null, usesAttempt: false });
  });

  it('confirmed gone: nothing of it is left but its history', () => {
    const replica = inState('deleting', {
      endpoint: true,
      drainUntil: at,
      redeleteAt: at,
      attempt: { id: 'a', startedAt: at, expiresAt: at },
    });
    const move = moved(replica, 'confirmGone');
    expect(move.change?.row).toEqual({
      ...replica,
      state: 'gone',
      stateAt: now,
      endpoint: false,
      attempt: null,
      drainUntil: null,
      redeleteAt: null,
    });
    expect([types(move), move.step, move.usesAttempt]).toEqual([['ReplicaGone'], null, false]);
  });

  it('released: gone for the reason it was not wanted', () => {
    const move = moved(inState('planned'), 'release', 'Surplus');
    expect(move.change?.row).toMatchObject({ state: 'gone', reason: 'Surplus' });
    expect([types(move), move.step]).toEqual([['ReplicaGone'], null]);
  });

  it('deleted: out of the endpoints, its claim kept, and the group asked to go', () => {
    const replica = inState('unready', { endpoint: true, drainUntil: at, reason: 'ProbeFailed', message: 'Bad.' });
    const move = moved(replica, 'delete', 'Surplus');
    expect(move.change?.row).toEqual({
      ...replica,
      state: 'deleting',
      stateAt: now,
      endpoint: false,
      drainUntil: null,
      reason: 'Surplus',
      message: null,
    });
    expect([types(move), move.step, move.usesAttempt]).toEqual([['GroupDeleting'], step('deleteGroup'), false]);
    expect(moved(replica, 'delete').change?.row).toMatchObject({ reason: 'ProbeFailed', message: 'Bad.' });
  });

  it('deleted after its group was found: the claim is settled', () => {
    const replica = inState('creating');
    const facts = { identity, settings: defaults, now, peersReady: false };
    const verdict = { ...judge(replica, aTemplate(), undefined, facts), row: { ...replica, attempt: null } };
    const rest = { restarting: false, drained: false, frozen: false, now };
    const one = { replica, verdict, guard: aGuard(), keeper: false, leaving: false, ...rest };
    const { change } = moveOf(one, { action: 'delete', reason: 'Surplus', because: '' }, context);
    expect(change?.row).toMatchObject({ state: 'deleting', attempt: null, reason: 'Surplus' });
  });

  it('asked to go once more: noted, and no older wait stands in its way', () => {
    const move = moved(inState('deleting', { redeleteAt: now }), 'redelete');
    expect(move.change?.row).toMatchObject({ state: 'deleting', stateAt: at, observedAt: now, redeleteAt: null });
    expect([types(move), move.step]).toEqual([[], step('deleteGroup')]);
  });

  it('drained: out of the endpoints now, deleted later', () => {
    const move = moved(inState('ready', { message: 'Bad.' }), 'drain', 'Surplus');
    expect(move.change?.row).toMatchObject({
      state: 'draining',
      stateAt: now,
      reason: 'Surplus',
      message: null,
      endpoint: false,
      drainUntil: null,
    });
    expect([types(move), move.step, move.usesAttempt]).toEqual([['EndpointRemoved', 'ReplicaDraining'], null, false]);
  });

  it('begun to drain: the wait counts from now', () => {
    const move = moved(inState('draining', { drainUntil: null }), 'beginDrain');
    expect(move.change?.row).toMatchObject({ state: 'draining', stateAt: at, drainUntil: now + 10_000 });
    expect([types(move), move.step, move.usesAttempt]).toEqual([[], null, false]);
  });

  it('drained, and out of the endpoints before: the wait counts from then', () => {
    const move = moved(inState('unready', { stateAt: now - 4_000 }), 'drain', 'Surplus');
    expect(move.change?.row.drainUntil).toBe(now + 6_000);
    expect(types(move)).toEqual(['ReplicaDraining']);
  });

  it('created: a claim first, then the step under its attempt', () => {
    const move = moved(inState('planned', { reason: 'NoCapacity', message: 'Full.', missing: 1 }), 'create');
    expect(move.change?.row).toMatchObject({
      state: 'creating',
      stateAt: now,
      reason: null,
      message: null,
      missing: 0,
      attempt: { id: 'new', startedAt: null, expiresAt: now + 360_000 },
    });
    expect([move.change?.events, move.step, move.usesAttempt]).toEqual([
      [],
      step('createGroup', { attempt: 'new' }),
      true,
    ]);
  });

  it('created again after a step that was never walked: the same claim, and nothing to write', () => {
    const replica = inState('creating', { attempt: { id: 'old', startedAt: null, expiresAt: now + 1 } });
    expect(moved(replica, 'create')).toEqual({
      change: null,
      step: step('createGroup', { attempt: 'old' }),
      usesAttempt: false,
    });
  });

  it('tried again: a new claim, the age of the state kept', () => {
    const replica = inState('creating', { attempt: { id: 'old', startedAt: at, expiresAt: at } });
    const move = moved(replica, 'retry');
    expect(move.change?.row).toMatchObject({ state: 'creating', stateAt: at, attempt: { id: 'new' } });
    expect(move.usesAttempt).toBe(true);
  });

  it('tried again without an attempt id left: not now', () => {
    const replica = inState('creating', { attempt: { id: 'old', startedAt: at, expiresAt: at } });
    expect(moved(replica, 'retry', null, { attemptId: undefined })).toEqual({
      change: null,
      step: null,
      usesAttempt: false,
    });
  });
});
