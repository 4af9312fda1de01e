/** Where a rollout goes, pass by pass: what counts as a failure, when it has failed, and what then; bake, steps, and its good end. */
import { describe, expect, it } from 'vitest';
import { courseOf } from '../../../src/decide/rollout/course.ts';
import { breakerOf, policyOf } from '../../../src/decide/rollout/policy.ts';
import { defaults } from '../../../src/model/defaults.ts';
import type { Reason } from '../../../src/model/reasons.ts';
import { defaultRollout, type RolloutSpec } from '../../../src/model/rollout.ts';
import type { RolloutRow } from '../../../src/model/rollout-record.ts';
import { replicaKey } from '../../../src/model/snapshot.ts';
import type { GuardRow, ReplicaRow } from '../../../src/model/state.ts';
import { aGuard, aRollout, at } from '../../support/rows.ts';
import { inState } from '../../support/snapshots.ts';

const desired = 4;
const revised = (over: Partial<GuardRow> = {}) =>
  aGuard({ desired, revision: 2, verifiedRevision: 1, rollouts: 1, rollout: 1, nextIncarnation: 20, ...over });
const underWay = (over: Partial<RolloutRow> = {}) =>
  aRollout({ counts: { desired, fresh: 0, ready: 0, old: 4 }, ...over });
const fresh = (slot: number, state: ReplicaRow['state'] = 'ready', over: Partial<ReplicaRow> = {}) =>
  inState(state, { slot, incarnation: 10 + slot, revision: 2, ...over });
const old = (slot: number) =>
  inState('ready', { slot, incarnation: 1 + slot, readyAt: at - 900_000, stateAt: at - 900_000 });
const olds = [0, 1, 2, 3].map(old);

const course = (
  replicas: readonly ReplicaRow[],
  over: Partial<Parameters<typeof courseOf>[0]> & { readonly read?: readonly ReplicaRow[] } = {},
) =>
  courseOf({
    guard: revised(),
    appGeneration: 2,
    spec: undefined,
    rollout: underWay(),
    replicas,
    looked: new Set((over.read ?? replicas).map(replicaKey)),
    known: () => true,
    isHeldUp: false,
    readyAfterMs: 0,
    settings: defaults,
    now: at,
    ...over,
  });
const spec = (over: Partial<RolloutSpec>): RolloutSpec => ({ ...defaultRollout, ...over });

describe('a rollout begins', () => {
  it('when a command changed the revision, and says why', () => {
    const change = { purpose: 'deploy', cause: 'op-7', at, why: 'web moves to revision 2.' } as const;
    const begun = course(olds, { guard: revised({ change, rollout: null }), rollout: null });
    expect(begun.rollout).toMatchObject({
      number: 2,
      from: 1,
      to: 2,
      cause: 'op-7',
      why: change.why,
      firstIncarnation: 20,
    });
    expect(begun.guard).toMatchObject({ rollouts: 2, rollout: 2, change: null });
    expect(begun.events).toMatchObject([{ type: 'RolloutStarted' }]);
  });

  it('in the place of one that is under way, which is superseded', () => {
    const change = { purpose: 'deploy', cause: 'op-8', at, why: 'web moves to revision 3.' } as const;
    const { over, rollout, guard } = course(olds, { guard: revised({ revision: 3, change }) });
    expect(over).toMatchObject([{ number: 1, phase: 'superseded', message: change.why, endedAt: at }]);
    expect(rollout).toMatchObject({ number: 2, to: 3, phase: 'progressing' });
    expect(guard.rollout).toBe(2);
  });

  it('for a revision that was never put to the test, once replicas are wanted', () => {
    const unproven = revised({ verifiedRevision: null, rollout: null });
    expect(course([], { guard: unproven, rollout: null }).rollout).toMatchObject({ to: 2, from: null });
    expect(course([], { guard: { ...unproven, desired: 0 }, rollout: null }).rollout).toBeNull();
  });

  it.each<[string, Partial<GuardRow>]>([
    ['its service is removed', { removed: true }],
    ['no replicas are wanted any more', { desired: 0 }],
    ['the guard means another revision', { revision: 3 }],
  ])('and is superseded when %s', (_, over) => {
    expect(course(olds, { guard: revised(over) }).over).toMatchObject([{ number: 1, phase: 'superseded' }]);
  });
});

describe('a failure', () => {
  const counted = (row: ReplicaRow, over: Partial<RolloutRow> = {}) =>
    course([...olds, row], { rollout: underWay(over) }).rollout ?? underWay();

  it.each<[string, ReplicaRow, number]>([
    ['an image that cannot be pulled', fresh(0, 'failed', { reason: 'ImagePullFailed' }), 1],
    ['one that did not become ready in time', fresh(0, 'failed', { reason: 'StartDeadlineExceeded' }), 1],
    ['a container that ended and stays down', fresh(0, 'failed', { reason: 'ContainerExited' }), 1],
    ['a loss of readiness while it is watched', fresh(0, 'unready', { reason: 'ProbeFailed' }), 1],
    ['each restart in place', fresh(0, 'starting', { crashes: 3 }), 3],
    ['not: no capacity', fresh(0, 'failed', { reason: 'NoCapacity' }), 0],
    ['not: no quota', fresh(0, 'failed', { reason: 'QuotaExceeded' }), 0],
    ['not: a group that somebody else deleted', fresh(0, 'failed', { reason: 'GroupMissing' }), 0],
    ['not: platform maintenance', fresh(0, 'unready', { reason: 'PlatformMaintenance' }), 0],
    ['not: one that was never ready yet', fresh(0, 'unready', { reason: 'ProbeFailed', readyAt: null }), 0],
    ['not: an old replica', { ...fresh(0, 'failed', { reason: 'ImagePullFailed' }), revision: 1 }, 0],
    ['not: a replica that was there before', fresh(0, 'failed', { reason: 'ImagePullFailed', incarnation: 9 }), 0],
  ])('is %s', (_, row, strikes) => {
    // Under `continue`, so that nothing comes of it.
    const { rollout } = course([...olds, row], { spec: spec({ onFailure: 'continue' }) });
    expect(rollout).toMatchObject({ strikes, failed: Math.min(1, strikes) });
    expect(rollout?.failures.map(({ reason }) => reason)).toEqual(
      strikes === 0 ? [] : [row.reason ?? 'ContainerCrashed'],
    );
  });

  it('counts once per incarnation, however often it is seen, and each further restart for the breaker', () => {
    const row = fresh(0, 'starting', { crashes: 1 });
    const once = counted(row);
    const twice = course([...olds, row], { rollout: once }).rollout ?? underWay();
    expect(twice).toMatchObject({ strikes: 1, failed: 1 });
    expect(course([...olds, { ...row, crashes: 2 }], { rollout: twice }).rollout).toMatchObject({
      strikes: 2,
      failed: 1,
    });
  });

  it('does not count any more once a replica stayed ready for as long as it is watched', () => {
    const late = fresh(0, 'failed', { reason: 'ContainerExited' });
    expect(counted(late, { cleared: [10] })).toMatchObject({ strikes: 0, failed: 0 });
  });

  it('counts again while the whole revision bakes', () => {
    const late = fresh(0, 'unready', { reason: 'ContainerCrashed' });
    expect(counted(late, { cleared: [10], phase: 'baking', readyAt: at })).toMatchObject({ strikes: 1, failed: 1 });
  });
});

describe('a replica that stayed ready through its watch', () => {
  const monitored = fresh(0, 'ready', { stateAt: at - 30_000 });

  it('resets the breaker, once', () => {
    const first = course([...olds, monitored], { rollout: underWay({ strikes: 2 }) }).rollout ?? underWay();
    expect(first).toMatchObject({ strikes: 0, cleared: [10] });
    expect(course([...olds, monitored], { rollout: { ...first, strikes: 2 } }).rollout).toMatchObject({ strikes: 2 });
  });

  it.each<[string, ReplicaRow, readonly ReplicaRow[]]>([
    ['it is not over', fresh(0, 'ready', { stateAt: at - 29_999 }), [fresh(0)]],
    ['nobody has looked whether it was restarted', monitored, []],
    ['it is not ready', fresh(0, 'unready', { stateAt: at - 30_000, reason: null }), [fresh(0)]],
  ])('is none while %s', (_, row, read) => {
    expect(course([...olds, row], { rollout: underWay({ strikes: 2 }), read }).rollout).toMatchObject({
      strikes: 2,
      cleared: [],
    });
  });

  it('is looked at exactly when its watch ends', () => {
    expect(course([...olds, fresh(0, 'ready', { stateAt: at - 20_000 })]).lookAt).toBe(at + 10_000);
  });
});

describe('the circuit breaker', () => {
  it.each([
    [0, 3],
    [1, 3],
    [6, 3],
    [7, 4],
    [10, 5],
    [399, 200],
    [500, 200],
  ])('of %i desired replicas trips at %i failures', (count, threshold) => {
    expect(breakerOf(count)).toBe(threshold);
  });
});

describe('a rollout that failed', () => {
  const bad = [
    ...olds,
    fresh(0, 'unready', { reason: 'ContainerCrashed', message: 'It ended with exit code 1.', crashes: 3 }),
  ];

  it('leads back to the verified revision, as a rollout and a generation of its own', () => {
    const { over, rollout, guard, marks, appGeneration, events } = course(bad, { appGeneration: 7 });
    expect(over).toMatchObject([
      { number: 1, phase: 'failed', reason: 'BreakerTripped', successor: 2, endedAt: at, strikes: 3 },
    ]);
    expect(over[0]?.message).toContain('It ended with exit code 1.');
    expect(rollout).toMatchObject({ number: 2, purpose: 'rollback', from: 2, to: 1, cause: 'web.1', generation: 8 });
    expect(guard).toMatchObject({ revision: 1, generation: 8, dependenciesMetRevision: 1, rollout: 2 });
    expect(marks).toEqual([{ revision: 2, is: 'rolledBack' }]);
    expect(appGeneration).toBe(8);
    expect(events.map(({ type }) => type)).toEqual(['RolloutFailed', 'RolloutStarted']);
  });

  it.each<[string, Parameters<typeof course>[1], Reason]>([
    ['where no revision was ever verified', { guard: revised({ verifiedRevision: null }) }, 'NoVerifiedRevision'],
    [
      'where the verified revision is not stored any more',
      { known: (revision) => revision !== 1 },
      'NoVerifiedRevision',
    ],
    ['where it is told to', { spec: spec({ onFailure: 'pause' }) }, 'BreakerTripped'],
    ['on the way back', { rollout: underWay({ purpose: 'rollback' }) }, 'RollbackFailed'],
    ['when undone by hand', { rollout: underWay({ purpose: 'undo' }) }, 'RollbackFailed'],
  ])('stops %s, with a reason', (_, over, reason) => {
    const { rollout, marks, appGeneration } = course(bad, over);
    expect(rollout).toMatchObject({ number: 1, phase: 'paused', reason, held: { replicas: 1, of: 4 } });
    expect([marks, appGeneration]).toEqual([[], null]);
  });

  it.each([
    ['Failed to pull image "x:1"', 'The last, in slot 0: Failed to pull image "x:1". There is'],
    ['It ended with exit code 1.', 'The last, in slot 0: It ended with exit code 1. There is'],
  ])('tells what the last replica died of, %j, as a sentence among others', (message, told) => {
    const rows = [...olds, fresh(0, 'unready', { reason: 'ContainerCrashed', message, crashes: 3 })];
    const { events } = course(rows, { guard: revised({ verifiedRevision: null }) });
    expect(events.at(-1)?.message).toContain(told);
  });

  it('goes on where it is told to', () => {
    expect(course(bad, { spec: spec({ onFailure: 'continue' }) }).rollout).toMatchObject({ phase: 'progressing' });
  });

  it.each<[number | undefined, number, string]>([
    [undefined, 2, 'progressing'],
    [0, 0, 'progressing'],
    [0, 1, 'failed'],
    [0.25, 1, 'progressing'],
    [0.25, 2, 'failed'],
    [0.5, 2, 'progressing'],
  ])('with max_failure_ratio %s and %i of 4 failed is %s', (ratio, failures, phase) => {
    const failed = Array.from({ length: failures }, (_, slot) => fresh(slot, 'failed', { reason: 'ImagePullFailed' }));
    const asked = ratio === undefined ? undefined : spec({ maxFailureRatio: ratio });
    const { over, rollout } = course([...olds, ...failed], { spec: asked });
    expect((over[0] ?? rollout)?.phase).toBe(phase);
    if (phase === 'failed') expect(over[0]?.reason).toBe('TooManyFailures');
  });

  it('stops after a day, whatever it is told to do', () => {
    const long = underWay({ startedAt: at - 24 * 3_600_000 });
    const asked = spec({ onFailure: 'continue' });
    expect(course(olds, { rollout: long, spec: asked }).rollout).toMatchObject({
      phase: 'paused',
      reason: 'RolloutTooLong',
    });
  });

  it('is left alone while it is paused', () => {
    const paused = underWay({ phase: 'paused', reason: 'PausedByCommand', held: { replicas: 1, of: 4 } });
    expect(course(bad, { rollout: paused })).toMatchObject({
      rollout: { phase: 'paused', strikes: 3 },
      over: [],
      lookAt: null,
    });
  });
});

describe('the progress clock', () => {
  const starting = fresh(0, 'starting');

  it('begins with a replica that ARM has accepted, and is looked at when it ends', () => {
    expect(course([...olds, starting])).toMatchObject({ rollout: { clockAt: at }, lookAt: at + 600_000 });
  });

  it.each<[string, readonly ReplicaRow[], Parameters<typeof course>[1], number | null]>([
    ['runs on', [starting], {}, at - 5_000],
    ['begins anew with one that became ready', [starting, fresh(1, 'ready', { stateAt: at - 2_000 })], {}, at - 2_000],
    ['begins anew with one that ended', [starting, fresh(1, 'deleting', { stateAt: at - 1_000 })], {}, at - 1_000],
    ['stands while nothing is on its way', [fresh(1, 'creating')], {}, null],
    ['stands while the rollout is held up', [starting], { isHeldUp: true }, null],
  ])('%s', (_, replicas, over, clockAt) => {
    const rollout = underWay({ clockAt: at - 5_000 });
    expect(course([...olds, ...replicas], { rollout, ...over }).rollout?.clockAt).toBe(clockAt);
  });

  it('fails the rollout at its end, not before, and later where readiness takes its time', () => {
    const from = (ms: number, over = {}) =>
      course([...olds, starting], { rollout: underWay({ clockAt: at - ms }), ...over });
    expect(from(599_999).over).toEqual([]);
    expect(from(600_000).over).toMatchObject([{ phase: 'failed', reason: 'ProgressDeadlineExceeded' }]);
    expect(from(600_000, { readyAfterMs: 60_000 }).over).toEqual([]);
    expect(from(60_000, { spec: spec({ progressDeadlineMs: 60_000 }) }).over).toHaveLength(1);
  });
});

describe('a rollout that replaced everything', () => {
  const all = [0, 1, 2, 3].map((slot) => fresh(slot, 'ready', { stateAt: at - 30_000 }));
  const cleared = [10, 11, 12, 13];

  it('is watched until each new replica was ready for long enough', () => {
    const young = all.map((row) => ({ ...row, stateAt: at - 10_000 }));
    const { rollout, guard } = course(young);
    expect(rollout).toMatchObject({ phase: 'baking', readyAt: at, reason: 'Baking' });
    expect(guard.verifiedRevision).toBe(1);
  });

  it('has come to a good end then, and its revision is verified', () => {
    const { over, rollout, guard, marks } = course(all);
    expect(over).toMatchObject([{ phase: 'succeeded', endedAt: at, reason: null }]);
    expect([rollout, guard.rollout, guard.verifiedRevision]).toEqual([null, null, 2]);
    expect(marks).toEqual([{ revision: 2, is: 'verified' }]);
  });

  it('bakes for as long as it is told to', () => {
    const asked = spec({ bakeMs: 60_000 });
    const baking = (readyAt: number) =>
      course(all, { rollout: underWay({ phase: 'baking', readyAt, cleared }), spec: asked });
    expect(baking(at - 59_999)).toMatchObject({ rollout: { phase: 'baking' }, lookAt: at + 1 });
    expect(baking(at - 60_000).rollout).toBeNull();
  });

  it('begins its bake anew after a loss', () => {
    const lost = all.slice(1);
    const rollout = underWay({ phase: 'baking', readyAt: at - 5_000, cleared });
    expect(course(lost, { rollout }).rollout).toMatchObject({ phase: 'progressing', readyAt: null, reason: null });
  });

  it('waits for what is still on its way out', () => {
    expect(course([...all, inState('draining', { slot: 3, incarnation: 4 })]).rollout).toMatchObject({
      phase: 'progressing',
    });
  });
});

describe('a canary', () => {
  const canary = spec({
    strategy: 'canary',
    steps: [
      { replicas: 1, bakeMs: 60_000 },
      { replicas: '50%', bakeMs: 0, gate: 'manual' },
    ],
  });
  const one = fresh(0, 'ready', { stateAt: at - 30_000 });
  const canaries = [one, ...olds.slice(1)];

  it('bakes its first step, and then takes the next', () => {
    const first = course(canaries, { spec: canary }).rollout ?? underWay();
    expect(first).toMatchObject({ step: 0, readyAt: at, reason: 'Baking' });
    const rollout = { ...first, readyAt: at - 60_000 };
    expect(course(canaries, { spec: canary, rollout })).toMatchObject({
      rollout: { step: 1, readyAt: null },
      events: [{ type: 'RolloutAdvanced' }],
    });
  });

  it('begins the bake of a step anew with a canary that is lost', () => {
    const rollout = underWay({ readyAt: at - 50_000 });
    expect(course(olds, { spec: canary, rollout }).rollout?.readyAt).toBeNull();
  });

  it('waits at a gate for a person, however long', () => {
    const two = [one, fresh(1, 'ready', { stateAt: at - 30_000 }), ...olds.slice(2)];
    const rollout = underWay({ step: 1, readyAt: at - 900_000, cleared: [10, 11] });
    expect(course(two, { spec: canary, rollout }).rollout).toMatchObject({ step: 1, reason: 'AwaitingPromotion' });
    expect(course(two, { spec: canary, rollout: { ...rollout, promoted: true } }).rollout).toMatchObject({
      step: 2,
      promoted: false,
    });
  });

  it('tries nothing out where there is nothing to compare it with, nor on the way back', () => {
    expect(course([one], { spec: canary, rollout: underWay({ from: null }) }).rollout).toMatchObject({ readyAt: null });
    expect(policyOf(canary, 'rollback', defaults)).toMatchObject({
      steps: [],
      spec: { strategy: 'rolling' },
      onFailure: 'pause',
    });
  });
});
