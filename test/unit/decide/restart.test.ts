import { describe, expect, it } from 'vitest';
import { reconcile } from '../../../src/decide/reconcile.ts';
import { restartingOf } from '../../../src/decide/restart.ts';
import type { ReplicaRow, ReplicaState } from '../../../src/model/state.ts';
import { aGuard, aRollout, at } from '../../support/rows.ts';
import { aSnapshot, inState } from '../../support/snapshots.ts';

/** `ready/0`: its state and its cycle; the slots are numbered as they come. */
const rowsOf = (...texts: readonly string[]): readonly ReplicaRow[] =>
  texts.map((text, slot) => {
    const [state = 'ready', cycle = '0', revision = '1'] = text.split('/');
    return inState(state as ReplicaState, {
      slot,
      incarnation: slot + 1,
      cycle: Number(cycle),
      revision: Number(revision),
    });
  });

describe('whose turn it is in a restart', () => {
  it.each<{ name: string; rows: readonly string[]; desired?: number; cycle?: number; slots: readonly number[] }>([
    { name: 'nobody when none was asked for', rows: ['ready', 'ready'], cycle: 0, slots: [] },
    { name: 'one of those that are all ready', rows: ['ready', 'ready', 'ready'], slots: [0] },
    { name: 'the only one, too', rows: ['ready'], slots: [0] },
    { name: 'nobody ready while another is not', rows: ['ready', 'starting/1', 'ready'], slots: [] },
    { name: 'the next once the successor is ready', rows: ['ready/1', 'ready', 'ready'], slots: [1] },
    { name: 'nobody once all are of this cycle', rows: ['ready/1', 'ready/1'], slots: [] },
    { name: 'all that are not ready, at once', rows: ['unready', 'starting', 'creating', 'ready'], slots: [0, 1, 2] },
    { name: 'also one that its restart policy keeps down', rows: ['failed', 'ready/1'], slots: [0] },
    { name: 'nobody ready while the service is short', rows: ['ready', 'ready'], desired: 3, slots: [] },
    { name: 'nobody of another revision, which is replaced anyway', rows: ['ready/0/2', 'ready'], slots: [1] },
  ])('is $name', ({ rows, desired = rows.length, cycle = 1, slots }) => {
    const guard = aGuard({ desired, cycle });
    const turn = restartingOf(guard, 1, new Set(rowsOf(...rows)));
    expect([...turn].map(({ slot }) => slot)).toEqual(slots);
  });
});

describe('a restart', () => {
  const guard = aGuard({ workflow: 'deployment:shop.web:1', epoch: 1, desired: 2, cycle: 1, nextIncarnation: 9 });
  const plan = (...replicas: readonly ReplicaRow[]) => reconcile(aSnapshot({ guard, replicas }), at + 60_000);

  it('drains one replica and creates nothing beside it', () => {
    const { replicas, steps, guard: next } = plan(...rowsOf('ready', 'ready'));
    expect(replicas.map(({ row }) => [row.slot, row.state, row.reason])).toEqual([[0, 'draining', 'Restarting']]);
    expect(steps).toEqual([]);
    expect(next).toMatchObject({ reason: 'Restarting', observedGeneration: 0 });
  });

  it('gives its slot to a successor of this cycle once the group is being deleted, without a back-off', () => {
    const [first, second] = rowsOf('deleting', 'ready');
    const { replicas, done } = plan(
      { ...(first as ReplicaRow), reason: 'Restarting', failures: 3 },
      second as ReplicaRow,
    );
    const [created] = replicas.filter(({ insert }) => insert);
    expect(created?.row).toMatchObject({ slot: 0, incarnation: 9, revision: 1, cycle: 1, failures: 0 });
    expect(done).toBe(false);
  });

  it('keeps the place of what drains: no other slot is filled meanwhile', () => {
    const [first, second] = rowsOf('draining', 'ready');
    const { replicas } = plan(
      { ...(first as ReplicaRow), reason: 'Restarting', drainUntil: at + 99_000 },
      second as ReplicaRow,
    );
    expect(replicas).toEqual([]);
  });

  it('goes on in the very pass that verifies the revision: whatever was watched was ready up to then', () => {
    const replicas = rowsOf('ready/1', 'ready');
    const rollout = aRollout({ from: null, to: 1, phase: 'baking', readyAt: at, cleared: [1, 2], firstIncarnation: 1 });
    const verifying = { ...guard, rollout: 1, rollouts: 1, verifiedRevision: null };
    const plan = reconcile(aSnapshot({ guard: verifying, rollout, replicas }), at + 60_000);
    expect(plan.rollouts).toMatchObject([{ row: { phase: 'succeeded' } }]);
    expect(plan.guard).toMatchObject({ verifiedRevision: 1, rollout: null });
    expect(plan.replicas.map(({ row }) => [row.slot, row.state, row.reason])).toEqual([[1, 'draining', 'Restarting']]);
    expect(plan.done).toBe(false);
  });

  it('is over when every replica is of this cycle', () => {
    expect(plan(...rowsOf('ready/1', 'ready/1'))).toMatchObject({ done: true, guard: { reason: null } });
  });
});

describe('a frozen app', () => {
  const frozen = (guard: Parameters<typeof aGuard>[0], ...replicas: readonly ReplicaRow[]) =>
    reconcile(
      aSnapshot({ frozen: true, guard: aGuard({ workflow: 'deployment:shop.web:1', epoch: 1, ...guard }), replicas }),
      at + 60_000,
    );

  it.each([
    { name: 'too few replicas', guard: { desired: 3 }, rows: ['ready'] },
    { name: 'too many', guard: { desired: 0 }, rows: ['ready', 'starting'] },
    { name: 'an old revision', guard: { desired: 1, revision: 2 }, rows: ['ready'] },
    { name: 'a restart', guard: { desired: 1, cycle: 1 }, rows: ['ready'] },
    { name: 'a teardown', guard: { removed: true, desired: 0 }, rows: ['ready', 'draining'] },
    { name: 'a failed replica', guard: { desired: 1 }, rows: ['failed'] },
  ])('with $name is left as it is, and says why', ({ guard, rows }) => {
    const plan = frozen(guard, ...rowsOf(...rows));
    expect(plan).toMatchObject({ replicas: [], steps: [], done: false, guard: { reason: 'Frozen' } });
    expect(plan.guard.message).toContain('flotilla thaw shop');
    expect(plan.events).toMatchObject([{ type: 'ServiceWaiting', reason: 'Frozen' }]);
  });

  it('is looked at every five minutes while nothing of it is in transition', () => {
    expect(frozen({ desired: 3 }, ...rowsOf('ready')).wakeAt).toBe(at + 60_000 + 5 * 60_000);
    expect(frozen({ desired: 3 }, ...rowsOf('starting')).wakeAt).toBeLessThan(at + 60_000 + 60_000);
  });

  it('that is as it should be has converged', () => {
    expect(frozen({ desired: 1 }, ...rowsOf('ready'))).toMatchObject({ done: true, guard: { reason: null } });
  });
});
