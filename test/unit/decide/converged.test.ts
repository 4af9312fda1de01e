/** When a service shows what its guard asks for, and when it has said so. */
import { describe, expect, it } from 'vitest';
import { isConverged, isSettled } from '../../../src/decide/converged.ts';
import { explain } from '../../../src/decide/explain.ts';
import { isMadeFrom } from '../../../src/decide/group-spec.ts';
import type { ReplicaRow } from '../../../src/model/state.ts';
import { aGuard, at } from '../../support/rows.ts';
import { aSnapshot, inState } from '../../support/snapshots.ts';

const ready = (slot: number, over: Partial<ReplicaRow> = {}) =>
  inState('ready', { slot, incarnation: slot + 1, ...over });

describe('a service', () => {
  it('whose replicas share a slot has not converged', () => {
    const guard = aGuard({ desired: 2 });
    expect(isConverged(guard, [ready(0), ready(1)])).toBe(true);
    expect(isConverged(guard, [ready(0), ready(0, { incarnation: 2 })])).toBe(false);
  });

  it('that converged on a generation nobody has seen yet is not settled', () => {
    expect(isSettled(aGuard({ generation: 2, observedGeneration: 2 }), [ready(0)])).toBe(true);
    expect(isSettled(aGuard({ generation: 2, observedGeneration: 1 }), [ready(0)])).toBe(false);
  });
});

describe('why a service has not converged', () => {
  const gate = { open: true, message: null };
  const growth = { changes: [], steps: [], nextIncarnation: 1, shortage: null, backoffUntil: null };
  const why = (desired: number, after: readonly ReplicaRow[]) =>
    explain(aSnapshot({ guard: aGuard({ desired, revision: 2 }) }), {
      gate,
      growth,
      after,
      converged: false,
      rollout: null,
    });
  const current = (row: ReplicaRow): ReplicaRow => ({ ...row, revision: 2 });

  it('one replica of an older revision is enough', () => {
    expect(why(1, [ready(0)])).toMatchObject({ reason: 'RollingOut' });
  });

  it('all are ready and some are on their way out', () => {
    const after = [current(ready(0)), current(inState('deleting', { slot: 1, stateAt: at }))];
    expect(why(1, after)).toEqual({ reason: 'ScalingIn', message: '1 replicas are being removed.' });
  });

  it('all are ready, and one more lives that nobody asked for yet to go', () => {
    const after = [current(ready(0)), current(inState('starting', { slot: 1 }))];
    expect(why(1, after)).toMatchObject({ reason: 'ReplicasNotReady' });
  });
});

it('a group is taken for what it says where the template of its revision is not at hand', () => {
  const tags = { 'flotilla-revision': '3', 'flotilla-revision-hash': 'ffffffffffff' };
  expect(isMadeFrom(tags, { revision: 3 }, undefined)).toBe(true);
  expect(isMadeFrom(tags, { revision: 2 }, undefined)).toBe(false);
});
