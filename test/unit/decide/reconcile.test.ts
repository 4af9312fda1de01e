import { describe, expect, it } from 'vitest';
import { reconcile } from '../../../src/decide/reconcile.ts';
import type { Plan } from '../../../src/model/plan.ts';
import type { GuardRow, ReplicaRow } from '../../../src/model/state.ts';
import { aGuard, anApp, aPool, aService, at } from '../../support/rows.ts';
import { aSnapshot, inState, observed, seen } from '../../support/snapshots.ts';

const guard = (over: Partial<GuardRow> = {}) =>
  aGuard({ workflow: 'deployment:shop.web:1', epoch: 1, nextIncarnation: 10, ...over });
const states = (plan: Plan) => plan.replicas.map(({ row }) => `${row.slot}/${row.incarnation} ${row.state}`);
const slots = (count: number, state: ReplicaRow['state'], over: Partial<ReplicaRow> = {}) =>
  Array.from({ length: count }, (_, slot) => inState(state, { slot, incarnation: slot + 1, ...over }));

describe('count', () => {
  it('creates what is missing, with a claim, a reserved name and a step each', () => {
    const plan = reconcile(aSnapshot({ guard: guard({ desired: 2 }) }), at);
    expect(plan.replicas).toMatchObject([
      {
        insert: true,
        row: {
          slot: 0,
          incarnation: 10,
          state: 'creating',
          pool: 'east',
          attempt: { id: 'attempt-0', startedAt: null, expiresAt: at + 360_000 },
        },
      },
      { insert: true, row: { slot: 1, incarnation: 11, attempt: { id: 'attempt-1' } } },
    ]);
    expect(plan.steps).toMatchObject([
      { kind: 'createGroup', slot: 0, incarnation: 10, epoch: 1, attempt: 'attempt-0' },
      { kind: 'createGroup', slot: 1, incarnation: 11, epoch: 1, attempt: 'attempt-1' },
    ]);
    expect(plan.guard.nextIncarnation).toBe(12);
    expect(plan.done).toBe(false);
  });

  it('fills the lowest free slots', () => {
    const replicas = [inState('ready', { slot: 1, incarnation: 5 })];
    const plan = reconcile(aSnapshot({ guard: guard({ desired: 3 }), replicas }), at);
    expect(states(plan)).toEqual(['0/10 creating', '2/11 creating']);
  });

  it('is done, verified and healthy when all are ready', () => {
    const plan = reconcile(aSnapshot({ guard: guard({ desired: 2 }), replicas: slots(2, 'ready') }), at);
    expect(plan).toMatchObject({
      done: true,
      steps: [],
      replicas: [],
      wakeApp: true,
      guard: { verifiedRevision: 1, healthyRevision: 1, startedRevision: 1, observedGeneration: 1, reason: null },
    });
    expect(plan.events.map(({ type }) => type)).toEqual(['ServiceConverged']);
  });

  it('wants nothing of a service of no replicas', () => {
    expect(reconcile(aSnapshot({ guard: guard({ desired: 0 }) }), at)).toMatchObject({ done: true, replicas: [] });
  });

  it('removes surplus: unready first, then the highest slot', () => {
    const replicas = [
      inState('unready', { slot: 0, incarnation: 1 }),
      ...[1, 2, 3].map((slot) => inState('ready', { slot, incarnation: slot + 1 })),
    ];
    const plan = reconcile(aSnapshot({ guard: guard({ desired: 2 }), replicas }), at + 60_000);
    expect(states(plan)).toEqual(['0/1 deleting', '3/4 draining']);
    expect(plan.replicas.map(({ row }) => row.reason)).toEqual(['Surplus', 'Surplus']);
  });

  it('removes the youngest of equals, whatever its slot', () => {
    const replicas = [0, 1, 2].map((slot) => inState('ready', { slot, incarnation: 9 - slot }));
    const plan = reconcile(aSnapshot({ guard: guard({ desired: 2 }), replicas }), at);
    expect(states(plan)).toEqual(['0/9 draining']);
  });

  it('changes at most 45 replicas at a time and comes back at once', () => {
    const plan = reconcile(aSnapshot({ guard: guard({ removed: true }), replicas: slots(60, 'ready') }), at);
    expect(plan.replicas.length).toBeLessThanOrEqual(45);
    expect(plan.replicas.length).toBeGreaterThan(20);
    const rows = plan.replicas.length + plan.replicas.flatMap(({ events }) => events).length + plan.events.length;
    expect(rows + 1).toBeLessThanOrEqual(100);
    expect(plan.wakeAt).toBe(at);
  });
});

describe('rollout by recreate', () => {
  const revised = guard({ desired: 2, revision: 2, generation: 2 });

  it('takes the old revision out of the endpoints and lets it drain before anything is created', () => {
    const plan = reconcile(aSnapshot({ guard: revised, replicas: slots(2, 'ready') }), at);
    expect(states(plan)).toEqual(['0/1 draining', '1/2 draining']);
    expect(plan.replicas.every(({ row }) => !row.endpoint && row.drainUntil === at + 10_000)).toBe(true);
    expect(plan.steps).toEqual([]);
    expect(plan.wakeAt).toBe(at + 10_000);
    expect(plan.guard.reason).toBe('RollingOut');
  });

  it.each(['draining', 'deleting', 'failed'] as const)('creates nothing while one old replica is %s', (state) => {
    const replicas = [inState('gone', { slot: 0 }), inState(state, { slot: 1, incarnation: 2 })];
    const plan = reconcile(aSnapshot({ guard: revised, replicas }), at);
    expect(plan.replicas.some(({ insert }) => insert)).toBe(false);
  });

  it('creates the new revision once all old ones are gone', () => {
    const replicas = slots(2, 'gone', { reason: 'OldRevision' });
    const plan = reconcile(aSnapshot({ guard: revised, replicas }), at);
    expect(plan.replicas.map(({ row }) => row.revision)).toEqual([2, 2]);
  });

  it('does not make a new revision wait for the failures of the old one', () => {
    const replicas = slots(2, 'gone', { failures: 6, reason: 'ImagePullFailed' });
    expect(reconcile(aSnapshot({ guard: revised, replicas }), at).replicas).toHaveLength(2);
  });
});

describe('dependencies', () => {
  const app = anApp('shop', [
    aService('web', {
      dependsOn: [
        { service: 'api', condition: 'healthy' },
        { service: 'db', condition: 'started' },
      ],
    }),
  ]);
  const api = aGuard({ service: 'api', revision: 3, healthyRevision: 3 });
  const db = aGuard({ service: 'db', revision: 1, startedRevision: 1 });
  const given = (dependencies: readonly GuardRow[], over: Partial<GuardRow> = {}, replicas: ReplicaRow[] = []) =>
    reconcile(
      aSnapshot({
        app,
        guard: guard(over),
        replicas,
        dependencies: new Map(dependencies.map((row) => [row.service, row])),
      }),
      at,
    );

  it('gate the first start, and say what is missing', () => {
    const plan = given([{ ...api, healthyRevision: 2 }, db]);
    expect(plan.replicas).toEqual([]);
    expect(plan.guard).toMatchObject({ reason: 'AwaitingDependency', dependenciesMetRevision: null });
    expect(plan.guard.message).toBe('Waiting for api to be healthy.');
    expect(plan.events.map(({ type }) => type)).toEqual(['ServiceWaiting']);
  });

  it('once met are recorded', () => {
    const plan = given([api, db]);
    expect(plan.replicas).toHaveLength(1);
    expect(plan.guard.dependenciesMetRevision).toBe(1);
  });

  it('once recorded do not gate repair', () => {
    expect(given([], { dependenciesMetRevision: 1 }).replicas).toHaveLength(1);
  });

  it('keep the old revision until the new one may start', () => {
    const plan = given([{ ...api, healthyRevision: null }, db], { revision: 2, dependenciesMetRevision: 1 }, [
      inState('ready'),
    ]);
    expect(plan.replicas).toEqual([]);
    expect(plan.guard).toMatchObject({ reason: 'AwaitingDependency', healthyRevision: null });
  });

  it('do not gate repair and scaling of the revision before', () => {
    const plan = given(
      [{ ...api, healthyRevision: null }, db],
      { revision: 2, dependenciesMetRevision: 1, desired: 3 },
      [inState('ready', { slot: 1 }), inState('gone', { slot: 0, incarnation: 2, reason: 'GroupMissing' })],
    );
    expect(plan.replicas.map(({ row }) => [row.slot, row.revision])).toEqual([
      [0, 1],
      [2, 1],
    ]);
    expect(plan.guard).toMatchObject({ reason: 'AwaitingDependency', dependenciesMetRevision: 1 });
  });

  it('let a rollout end that was under way when a newer revision had to wait', () => {
    const plan = given([{ ...api, healthyRevision: null }, db], { revision: 3, dependenciesMetRevision: 2 }, [
      inState('ready', { revision: 1 }),
    ]);
    expect(states(plan)).toEqual(['0/1 draining']);
  });

  it('`started` counts every replica that runs, ready or not', () => {
    const starting = inState('starting', { slot: 0, incarnation: 1 });
    const unready = inState('unready', { slot: 1, incarnation: 2 });
    const snapshot = aSnapshot({
      guard: guard({ desired: 2 }),
      replicas: [starting, unready],
      observations: observed([starting, seen(starting, {}, 'failed')], [unready, seen(unready, {}, 'failed')]),
    });
    expect(reconcile(snapshot, at).guard).toMatchObject({ startedRevision: 1, healthyRevision: null });
  });

  it('never hold up a teardown', () => {
    expect(states(given([], { removed: true }, [inState('ready')]))).toEqual(['0/1 draining']);
  });
});

describe('failure', () => {
  const gone = (failures: number, over: Partial<ReplicaRow> = {}) =>
    inState('gone', { failures, reason: 'ImagePullFailed', ...over });

  it('is deleted with its reason kept', () => {
    const replica = inState('failed', { reason: 'ImagePullFailed', message: 'no such image', failures: 1 });
    const plan = reconcile(aSnapshot({ guard: guard(), replicas: [replica] }), at);
    expect(plan.replicas[0]?.row).toMatchObject({
      state: 'deleting',
      reason: 'ImagePullFailed',
      message: 'no such image',
    });
    expect(plan.steps.map(({ kind }) => kind)).toEqual(['deleteGroup']);
  });

  it.each([
    [1, 10_000],
    [2, 20_000],
    [5, 160_000],
    [6, 300_000],
    [60, 300_000],
  ])('after %i in a row the successor waits %i ms', (failures, waitMs) => {
    const snapshot = aSnapshot({ guard: guard(), replicas: [gone(failures)] });
    const early = reconcile(snapshot, at + waitMs - 1);
    expect(early.replicas).toEqual([]);
    expect(early.guard.reason).toBe('BackingOff');
    expect(early.wakeAt).toBe(at + waitMs);
    expect(reconcile(snapshot, at + waitMs).replicas[0]?.row).toMatchObject({ slot: 0, incarnation: 10, failures });
  });

  it('is not held against a slot that we emptied ourselves', () => {
    const replicas = [gone(6, { reason: 'Surplus' })];
    expect(reconcile(aSnapshot({ guard: guard(), replicas }), at).replicas[0]?.row.failures).toBe(0);
  });

  it('for want of quota tries another pool next', () => {
    const pools = [aPool(), aPool({ pool: 'west', order: 1 })];
    const replicas = [gone(1, { reason: 'QuotaExceeded', pool: 'east' })];
    expect(reconcile(aSnapshot({ guard: guard(), replicas, pools }), at + 10_000).replicas[0]?.row.pool).toBe('west');
  });

  it('a successor does not wait for a deletion that hangs', () => {
    const replicas = [inState('deleting', { failures: 1, reason: 'ImagePullFailed' })];
    expect(states(reconcile(aSnapshot({ guard: guard(), replicas }), at + 10_000))).toEqual(['0/10 creating']);
  });

  it('of ARM to answer decides nothing and is told', () => {
    const replica = inState('starting');
    const observations = observed([replica, { kind: 'unknown', message: 'east does not answer' }]);
    const plan = reconcile(aSnapshot({ guard: guard(), replicas: [replica], observations }), at + 24 * 3_600_000);
    expect(plan).toMatchObject({ replicas: [], steps: [], guard: { reason: 'PoolUnavailable' } });
  });
});

describe('a create', () => {
  const claimed = inState('creating', { attempt: { id: 'a-1', startedAt: null, expiresAt: at + 360_000 } });

  it('that was claimed but not started is walked again under the same attempt, without a write', () => {
    const plan = reconcile(aSnapshot({ guard: guard(), replicas: [claimed] }), at);
    expect(plan.replicas).toEqual([]);
    expect(plan.steps).toMatchObject([{ kind: 'createGroup', attempt: 'a-1', incarnation: 1 }]);
  });

  it('whose claim expired and that ARM twice did not know is made again, by the same name', () => {
    const replica = inState('creating', { missing: 1 });
    const observations = observed([replica, { kind: 'missing' }]);
    const plan = reconcile(aSnapshot({ guard: guard(), replicas: [replica], observations }), at + 360_000);
    expect(plan.replicas[0]?.row).toMatchObject({
      incarnation: 1,
      group: replica.group,
      missing: 0,
      attempt: { id: 'attempt-0', startedAt: null },
    });
    expect(plan.steps).toMatchObject([{ kind: 'createGroup', attempt: 'attempt-0', incarnation: 1 }]);
  });

  it('that is no longer wanted is deleted, its claim kept until it cannot land any more', () => {
    const replica = inState('creating');
    const plan = reconcile(aSnapshot({ guard: guard({ removed: true }), replicas: [replica] }), at);
    expect(plan.replicas[0]?.row).toMatchObject({ state: 'deleting', attempt: replica.attempt });
  });

  it('waits for room, and says of every pool why not', () => {
    const full = aPool({ quota: { groups: 0, cores: 0 } });
    const plan = reconcile(aSnapshot({ guard: guard(), pools: [full] }), at);
    expect(plan).toMatchObject({ replicas: [], guard: { reason: 'NoPoolWithRoom' } });
    expect(plan.guard.message).toContain('east holds 0 of 0 groups');
  });
});

describe('removal', () => {
  const removed = guard({ removed: true, desired: 3, generation: 2 });

  it('ends when every replica is confirmed gone, and not before', () => {
    const replica = inState('deleting', { missing: 1 });
    const missing = observed([replica, { kind: 'missing' }]);
    const standing = observed([replica, seen(replica, { provisioningState: 'Deleting' })]);
    expect(reconcile(aSnapshot({ guard: removed, replicas: [replica], observations: missing }), at)).toMatchObject({
      done: true,
      guard: { observedGeneration: 2, verifiedRevision: null },
    });
    expect(reconcile(aSnapshot({ guard: removed, replicas: [replica], observations: standing }), at).done).toBe(false);
    expect(reconcile(aSnapshot({ guard: removed, replicas: [replica] }), at).done).toBe(false);
  });

  it('creates nothing', () => {
    expect(reconcile(aSnapshot({ guard: removed }), at)).toMatchObject({ done: true, replicas: [], steps: [] });
  });
});

describe('deletions that ARM does not carry out', () => {
  const stuck = slots(60, 'deleting', { reason: 'Surplus' });
  const standing = observed(...stuck.map((replica) => [replica, seen(replica)] as const));

  it('are asked for again every 10 s, not at every look', () => {
    const snapshot = aSnapshot({
      guard: guard({ removed: true }),
      replicas: stuck.slice(0, 1),
      observations: standing,
    });
    const again = reconcile(snapshot, at + 10_000);
    expect(again.steps.map(({ kind }) => kind)).toEqual(['deleteGroup']);
    const replicas = again.replicas.map(({ row }) => row);
    expect(reconcile({ ...snapshot, replicas }, at + 19_999).steps).toEqual([]);
    expect(reconcile({ ...snapshot, replicas }, at + 20_000).steps).toHaveLength(1);
  });

  it('do not keep the rest of the service waiting, however many they are', () => {
    const surplus = inState('ready', { slot: 99, incarnation: 99 });
    let replicas: readonly ReplicaRow[] = [...stuck, surplus];
    for (let pass = 0; pass < 3; pass += 1) {
      const plan = reconcile(
        aSnapshot({ guard: guard({ desired: 0 }), replicas, observations: standing }),
        at + 10_000,
      );
      const changed = new Map(plan.replicas.map(({ row }) => [row.incarnation, row]));
      replicas = replicas.map((row) => changed.get(row.incarnation) ?? row);
    }
    expect(replicas.find(({ slot }) => slot === 99)?.state).toBe('draining');
  });
});

describe('when to look again', () => {
  it.each([
    [0, 1_000],
    [2_000, 1_000],
    [10_000, 5_000],
    [200_000, 30_000],
  ])('a state %i ms old is looked at after %i ms', (ageMs, waitMs) => {
    const plan = reconcile(aSnapshot({ guard: guard(), replicas: [inState('starting')] }), at + ageMs);
    expect(plan.wakeAt).toBe(at + ageMs + waitMs);
  });

  it('never later than half a minute', () => {
    const plan = reconcile(aSnapshot({ guard: guard(), pools: [] }), at);
    expect(plan.wakeAt).toBe(at + 30_000);
  });
});
