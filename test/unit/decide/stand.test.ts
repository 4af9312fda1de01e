/** Plans under a rollout that is paused, a canary, blue/green, or on its way back: who stays, who goes, and what is created at which revision. */
import { describe, expect, it } from 'vitest';
import { reconcile } from '../../../src/decide/reconcile.ts';
import type { RolloutSpec } from '../../../src/model/rollout.ts';
import type { RolloutRow } from '../../../src/model/rollout-record.ts';
import type { GuardRow, PoolRow, ReplicaRow } from '../../../src/model/state.ts';
import { aGuard, anApp, aPool, aRollout, aService, at } from '../../support/rows.ts';
import { aSnapshot, inState } from '../../support/snapshots.ts';

const old = (slot: number, over: Partial<ReplicaRow> = {}) =>
  inState('ready', { slot, incarnation: 1 + slot, readyAt: at - 900_000, stateAt: at - 900_000, ...over });
const fresh = (slot: number, state: ReplicaRow['state'] = 'ready', over: Partial<ReplicaRow> = {}) =>
  inState(state, { slot, incarnation: 10 + slot, revision: 2, readyAt: at - 20_000, stateAt: at - 20_000, ...over });
const olds = [0, 1, 2, 3].map((slot) => old(slot));

interface Given {
  readonly spec?: RolloutSpec;
  readonly rollout?: Partial<RolloutRow>;
  readonly guard?: Partial<GuardRow>;
  readonly pools?: readonly PoolRow[];
}

/** `slot/revision state` of all that the plan creates or takes away. */
function planned(replicas: readonly ReplicaRow[], { spec, rollout, guard, pools }: Given = {}): readonly string[] {
  const plan = reconcile(
    aSnapshot({
      app: anApp('shop', [aService('web', { ...(spec && { rollout: spec }) })]),
      guard: aGuard({
        workflow: 'deployment:shop.web:1',
        epoch: 1,
        desired: 4,
        revision: 2,
        verifiedRevision: 1,
        rollouts: 1,
        rollout: 1,
        nextIncarnation: 20,
        ...guard,
      }),
      rollout: aRollout({ counts: { desired: 4, fresh: 0, ready: 0, old: 4 }, ...rollout }),
      replicas,
      ...(pools && { pools }),
    }),
    at,
  );
  return plan.replicas.map(({ row }) => `${row.slot}/r${row.revision} ${row.state}`);
}

const rolling: RolloutSpec = { strategy: 'rolling', maxSurge: 1, maxUnavailable: 0 };
const paused = (replicas: number): Given => ({
  spec: rolling,
  rollout: { phase: 'paused', reason: 'PausedByCommand', held: { replicas, of: 4 } },
});

describe('a paused rollout', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['replaces nothing, though it could', planned([...olds, fresh(0)], paused(1)), []],
    [
      'keeps what was on its way',
      planned([...olds, fresh(0, 'starting', { stateAt: at, readyAt: null })], paused(1)),
      [],
    ],
    ['makes up for a loss of the new at the new revision', planned(olds.slice(1), paused(1)), ['0/r2 creating']],
    [
      'makes up for a loss of the old at the old revision, in a slot of its own',
      planned([...olds.slice(2), fresh(0)], paused(1)),
      ['1/r1 creating'],
    ],
    [
      'notes what stands when it was paused by command',
      planned([...olds, fresh(0)], { spec: rolling, rollout: { phase: 'paused', held: null } }),
      [],
    ],
    [
      'makes up for nothing at a revision that was never verified',
      planned([...olds.slice(2), fresh(0)], { ...paused(1), guard: { verifiedRevision: null } }),
      [],
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual).toEqual(expected);
  });

  it('that is scaled keeps its share', () => {
    expect(planned([...olds.slice(1), fresh(0)], { ...paused(1), guard: { desired: 8 } })).toEqual([
      '4/r1 creating',
      '5/r1 creating',
      '6/r1 creating',
    ]);
  });
});

describe('a canary', () => {
  const spec: RolloutSpec = { ...rolling, strategy: 'canary', steps: [{ replicas: 1, bakeMs: 60_000 }] };

  it.each<[string, readonly string[], readonly string[]]>([
    ['begins with the replicas of its step', planned(olds, { spec }), ['0/r2 creating']],
    ['takes the place of as many old ones', planned([...olds, fresh(0)], { spec }), ['0/r1 draining']],
    ['goes no further', planned([...olds.slice(1), fresh(0)], { spec }), []],
    ['that is lost is replaced by a canary', planned(olds.slice(1), { spec }), ['0/r2 creating']],
    ['has old ones made up for at their revision', planned([...olds.slice(2), fresh(0)], { spec }), ['1/r1 creating']],
    [
      'is a plain rollout where there is nothing good beside it',
      planned([...olds.slice(1), fresh(0)], { spec, guard: { verifiedRevision: null } }),
      ['1/r2 creating'],
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual).toEqual(expected);
  });
});

describe('blue/green', () => {
  const spec: RolloutSpec = { strategy: 'blueGreen', maxSurge: '100%', maxUnavailable: 0, bakeMs: 60_000 };
  const green = [0, 1, 2, 3].map((slot) => fresh(slot));

  it.each<[string, readonly string[], readonly string[]]>([
    [
      'sets all new ones beside all old ones',
      planned(olds, { spec }),
      [0, 1, 2, 3].map((slot) => `${slot}/r2 creating`),
    ],
    ['takes none away before the last new one is ready and baked', planned([...olds, ...green], { spec }), []],
    [
      'then takes all away',
      planned([...olds, ...green], { spec, rollout: { step: 1 } }),
      [0, 1, 2, 3].map((slot) => `${slot}/r1 draining`),
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual).toEqual(expected);
  });
});

describe('a way back that finds no room beside bad replicas', () => {
  const back: Partial<RolloutRow> = { purpose: 'rollback', from: 2, to: 1, firstIncarnation: 20 };
  const guard = { revision: 1, verifiedRevision: 1 };
  const bad = [0, 1, 2, 3].map((slot) => fresh(slot));
  const full = [
    aPool({
      quota: { groups: 4, cores: 100 },
      reservations: [0, 1, 2, 3].map((n) => ({ owner: `shop/web/${n}/1${n}`, cores: 1, at })),
    }),
  ];

  it('lets one of them go first, and no more', () => {
    const given = { spec: rolling, guard, pools: full };
    expect(planned(bad, { ...given, rollout: back })).toEqual([]);
    expect(planned(bad, { ...given, rollout: { ...back, parked: true } })).toEqual(['0/r2 draining']);
    expect(planned(bad.slice(1), { ...given, rollout: { ...back, parked: true } })).toEqual([]);
  });

  it('waits where an upgrade is told to wait', () => {
    const given = { spec: rolling, pools: full, rollout: { parked: true } };
    expect(planned(olds, given)).toEqual([]);
    expect(planned(olds, { ...given, spec: { ...rolling, whenNoSurge: 'stopFirst' } })).toEqual(['0/r1 draining']);
  });
});
