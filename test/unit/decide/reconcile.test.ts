import { describe, expect, it } from 'vitest';
import { ownerOf } from '../../../src/decide/group-spec.ts';
import { reconcile } from '../../../src/decide/reconcile.ts';
import type { Plan } from '../../../src/model/plan.ts';
import type { RolloutSpec } from '../../../src/model/rollout.ts';
import type { GuardRow, ReplicaRow } from '../../../src/model/state.ts';
import { aGuard, anApp, aPool, aService, aTemplate, at } from '../../support/rows.ts';
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

describe('rolling rollout', () => {
  const revised = guard({ desired: 4, revision: 2, generation: 2, nextIncarnation: 20 });
  const old = slots(4, 'ready');
  const fresh = (slot: number, over: Partial<ReplicaRow> = {}) =>
    inState('ready', { slot, incarnation: 10 + slot, revision: 2, readyAt: at - 10_000, ...over });
  const plan = (replicas: readonly ReplicaRow[], over: Partial<Parameters<typeof aSnapshot>[0]> = {}) =>
    reconcile(aSnapshot({ guard: revised, replicas, ...over }), at);
  const paced = (rollout: RolloutSpec) => ({ app: anApp('shop', [aService('web', { rollout })]) });

  it('begins with the surge, and takes nothing away', () => {
    const first = plan(old);
    expect(states(first)).toEqual(['0/20 creating']);
    expect(first.guard).toMatchObject({
      reason: 'RollingOut',
      message: '0 of 4 replicas of revision 2 are ready, 4 of older ones are left.',
    });
  });

  it('waits for the new one to be ready for long enough, and looks again exactly then', () => {
    const young = plan([...old, fresh(0, { readyAt: at - 4_000 })]);
    expect([states(young), young.wakeAt]).toEqual([[], at + 6_000]);
  });

  it('then drains an old one, in the slot of the new', () => {
    expect(states(plan([...old, fresh(0)]))).toEqual(['0/1 draining', '1/20 creating']);
  });

  it('does not wait for the drain before the next one comes: what drains is not counted', () => {
    const [first, ...others] = old;
    const replicas = [
      ...others,
      inState('draining', { ...first, state: 'draining', drainUntil: at + 5_000 }),
      fresh(0),
    ];
    expect(states(plan(replicas))).toEqual(['1/20 creating']);
  });

  it('removes old ones that are not ready at once, and fills their place', () => {
    expect(states(plan(slots(4, 'unready', { readyAt: null })))).toEqual([
      '0/1 deleting',
      '1/2 deleting',
      '2/3 deleting',
      '3/4 deleting',
      '0/20 creating',
      '1/21 creating',
      '2/22 creating',
      '3/23 creating',
    ]);
  });

  it('with a bad revision stops where it is: no old one leaves for a new one that is not ready', () => {
    const failing = fresh(0, { state: 'starting', readyAt: null, reason: 'ContainerCrashed', message: 'It crashed.' });
    const stuck = plan([...old, failing]);
    expect(states(stuck)).toEqual([]);
    expect(stuck.guard.message).toBe(
      '0 of 4 replicas of revision 2 are ready, 4 of older ones are left. Slot 0: It crashed.',
    );
  });

  it('without a surge an old one is gone before its successor is created', () => {
    const inPlace = paced({ strategy: 'rolling', maxSurge: 0, maxUnavailable: 1 });
    const [first, second, ...others] = old;
    const leaving = { ...inState('deleting', { slot: 0, incarnation: 1 }), reason: 'OldRevision' as const };
    expect(states(plan(old, inPlace))).toEqual(['0/1 draining']);
    expect(states(plan([leaving, second!, ...others], inPlace))).toEqual([]);
    expect(states(plan([{ ...first!, state: 'gone' }, second!, ...others], inPlace))).toEqual(['0/20 creating']);
  });

  it('without room for the surge it waits, and says what would help', () => {
    const full = {
      pools: [
        aPool({
          quota: { groups: 4, cores: 100 },
          reservations: old.map((row) => ({ owner: ownerOf(row), cores: 1, at })),
        }),
      ],
    };
    const parked = plan(old, full);
    expect(parked.replicas).toEqual([]);
    expect(parked.guard.reason).toBe('NoRoomForSurge');
    expect(parked.guard.message).toContain('east holds 4 of 4 groups');
    expect(parked.events.map(({ type, reason }) => [type, reason])).toEqual([['ServiceWaiting', 'NoRoomForSurge']]);
  });

  it('scaled in meanwhile lets old ones go first', () => {
    const smaller = { guard: { ...revised, desired: 2 } };
    expect(states(plan([...old, fresh(0)], smaller))).toEqual([
      '0/1 draining',
      '1/2 draining',
      '2/3 draining',
      '1/20 creating',
    ]);
  });

  it('overtaken by a newer revision replaces both, what is not ready first', () => {
    const newer = { guard: { ...revised, revision: 3 }, templates: new Map([[3, aTemplate()]]) };
    const half = [...old.slice(1), fresh(0, { state: 'starting', readyAt: null })];
    expect(states(plan(half, newer))).toEqual(['0/10 deleting', '0/20 creating', '1/21 creating']);
  });

  it('a lost old one is replaced by a new one', () => {
    expect(states(plan(old.slice(1)))).toEqual(['0/20 creating', '1/21 creating']);
  });

  it('is done when only the new ones are left', () => {
    const all = [0, 1, 2, 3].map((slot) => fresh(slot));
    expect(plan([...all, inState('draining', { slot: 3, incarnation: 4 })]).done).toBe(false);
    expect(plan(all)).toMatchObject({ done: true, guard: { verifiedRevision: 2, reason: null } });
  });
});

describe('rollout by recreate', () => {
  const revised = guard({ desired: 2, revision: 2, generation: 2 });
  const app = anApp('shop', [
    aService('web', { rollout: { strategy: 'recreate', maxSurge: 0, maxUnavailable: '100%' } }),
  ]);

  it('takes the old revision out of the endpoints and lets it drain before anything is created', () => {
    const plan = reconcile(aSnapshot({ app, guard: revised, replicas: slots(2, 'ready') }), at);
    expect(states(plan)).toEqual(['0/1 draining', '1/2 draining']);
    expect(plan.replicas.every(({ row }) => !row.endpoint && row.drainUntil === null)).toBe(true);
    expect(plan.steps).toEqual([]);
    expect(plan.wakeAt).toBe(at);
    expect(plan.guard.reason).toBe('RollingOut');
  });

  it('counts the drain from the pass that finds the removal committed, however long that commit took', () => {
    const left = slots(2, 'draining').map((row) => ({ ...row, drainUntil: null, stateAt: at - 25_000 }));
    const plan = reconcile(aSnapshot({ app, guard: revised, replicas: left }), at);
    expect(plan.replicas.map(({ row }) => [row.state, row.drainUntil])).toEqual([
      ['draining', at + 10_000],
      ['draining', at + 10_000],
    ]);
    expect([plan.steps, plan.wakeAt]).toEqual([[], at + 10_000]);
  });

  it.each(['draining', 'deleting', 'failed'] as const)('creates nothing while one old replica is %s', (state) => {
    const replicas = [inState('gone', { slot: 0 }), inState(state, { slot: 1, incarnation: 2 })];
    const plan = reconcile(aSnapshot({ app, guard: revised, replicas }), at);
    expect(plan.replicas.some(({ insert }) => insert)).toBe(false);
  });

  it('creates the new revision once all old ones are gone', () => {
    const replicas = slots(2, 'gone', { reason: 'OldRevision' });
    const plan = reconcile(aSnapshot({ app, guard: revised, replicas }), at);
    expect(plan.replicas.map(({ row }) => row.revision)).toEqual([2, 2]);
  });

  it('does not make a new revision wait for the failures of the old one', () => {
    const replicas = slots(2, 'gone', { failures: 6, reason: 'ImagePullFailed' });
    expect(reconcile(aSnapshot({ app, guard: revised, replicas }), at).replicas).toHaveLength(2);
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
    expect(plan.replicas.map(({ row }) => [row.slot, row.revision])).toEqual([[0, 2]]);
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
      guard: { observedGeneration: 2, verifiedRevision: 1 },
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

describe('a plan that does not fit into one transaction', () => {
  const expired = { id: 'a-1', startedAt: null, expiresAt: at };
  const gone = inState('deleting', { slot: 90, incarnation: 90, missing: 1 });
  const doubted = inState('deleting', { slot: 95, incarnation: 95 });
  const started = inState('starting', { slot: 80, incarnation: 80 });
  const failed = inState('failed', { slot: 70, incarnation: 70 });
  const standing = inState('deleting', { slot: 60, incarnation: 60, stateAt: at - 10_000, observedAt: null });
  const surplus = slots(40, 'ready');
  const retried = inState('creating', { slot: 41, incarnation: 41, attempt: expired });
  const observations = observed(
    [gone, { kind: 'missing' }],
    [doubted, { kind: 'missing' }],
    [started, seen(started, {}, 'passed')],
    [standing, seen(standing)],
  );
  const plan = reconcile(
    aSnapshot({
      guard: guard({ desired: 2, nextIncarnation: 100 }),
      replicas: [...surplus, retried, standing, failed, started, doubted, gone],
      observations,
    }),
    at,
  );

  it('takes the truth first, then what frees budget, then the rest', () => {
    expect(plan.replicas.slice(0, 5).map(({ row }) => `${row.slot} ${row.state}`)).toEqual([
      '90 gone',
      '95 deleting',
      '41 deleting',
      '70 deleting',
      '80 deleting',
    ]);
    expect(plan.replicas[1]?.row.missing).toBe(1);
    expect(plan.replicas[5]?.row).toMatchObject({ slot: 60, state: 'deleting', observedAt: at });
    expect(plan.replicas.slice(6).every(({ row }) => row.state === 'draining')).toBe(true);
    expect(plan.wakeAt).toBe(at);
    expect(plan.done).toBe(false);
  });

  it('fills the transaction, and no more', () => {
    const rows = plan.replicas.length + plan.replicas.flatMap(({ events }) => events).length;
    expect(rows).toBeGreaterThan(92);
    expect(rows).toBeLessThanOrEqual(95);
  });

  it('creates 45 at a time, each under its own attempt, together with what is tried again', () => {
    const again = [0, 1].map((slot) => inState('creating', { slot, incarnation: slot + 1, attempt: expired }));
    const grown = reconcile(aSnapshot({ guard: guard({ desired: 60 }), replicas: again }), at);
    const attempts = grown.steps.map((step) => (step.kind === 'createGroup' ? step.attempt : ''));
    expect(grown.replicas).toHaveLength(45);
    expect(new Set(attempts).size).toBe(45);
    expect(grown.replicas.map(({ row }) => row.attempt?.id)).toEqual(attempts);
  });

  const undeleted = (count: number) =>
    slots(count, 'deleting', { stateAt: at - 10_000, observedAt: null, reason: 'Surplus' });
  const standingAll = (replicas: readonly ReplicaRow[]) =>
    observed(...replicas.map((replica) => [replica, seen(replica)] as const));

  it.each([
    [44, 1],
    [45, 0],
    [20, 25],
  ])('after %i changes without events has room for %i creates', (changes, creates) => {
    const replicas = undeleted(changes);
    const grown = reconcile(
      aSnapshot({ guard: guard({ desired: 60, nextIncarnation: 99 }), replicas, observations: standingAll(replicas) }),
      at,
    );
    expect(grown.steps.filter(({ kind }) => kind === 'deleteGroup')).toHaveLength(changes);
    expect(grown.replicas.filter(({ insert }) => insert)).toHaveLength(creates);
    expect(grown.wakeAt).toBeGreaterThan(at);
  });

  it('stops after 45 changes, also where none has an event', () => {
    const replicas = undeleted(46);
    const first = reconcile(
      aSnapshot({ guard: guard({ removed: true }), replicas, observations: standingAll(replicas) }),
      at,
    );
    expect([first.replicas.length, first.steps.length, first.wakeAt]).toEqual([45, 45, at]);
  });

  it('stops after 45 steps, also where none has a change', () => {
    const claimed = slots(46, 'creating', { attempt: { id: 'a-1', startedAt: null, expiresAt: at + 360_000 } });
    const again = reconcile(aSnapshot({ guard: guard({ desired: 60 }), replicas: claimed }), at);
    expect([again.replicas.length, again.steps.length, again.wakeAt]).toEqual([0, 45, at + 1_000]);
  });

  it('leaves room for the events of what it creates', () => {
    const replicas = slots(25, 'ready', { revision: 1 }).map((row) => ({
      ...row,
      slot: row.slot + 100,
      state: 'failed' as const,
    }));
    const grown = reconcile(aSnapshot({ guard: guard({ desired: 90, nextIncarnation: 200 }), replicas }), at);
    const rows = grown.replicas.length + grown.replicas.flatMap(({ events }) => events).length;
    expect(grown.replicas.filter(({ insert }) => insert)).toHaveLength(20);
    expect(rows).toBe(90);
  });

  it('drains those first that are not ready any more', () => {
    const replicas = [inState('ready', { slot: 0, incarnation: 1 }), inState('lost', { slot: 1, incarnation: 2 })];
    const drained = reconcile(aSnapshot({ guard: guard({ removed: true }), replicas }), at);
    expect(drained.replicas.map(({ row }) => row.slot)).toEqual([1, 0]);
  });

  it('comes back at once when it ran out of attempt ids', () => {
    const again = [0, 1].map((slot) => inState('creating', { slot, incarnation: slot + 1, attempt: expired }));
    const starved = reconcile(aSnapshot({ guard: guard({ desired: 2 }), replicas: again, attemptIds: ['one'] }), at);
    expect(starved.steps).toHaveLength(1);
    expect(starved.wakeAt).toBe(at);
  });

  it('does not depend on the order in which the rows were read', () => {
    const replicas = [...slots(3, 'starting', { reason: 'ContainerCrashed' })];
    const given = (rows: readonly ReplicaRow[]) =>
      reconcile(aSnapshot({ guard: guard({ desired: 3 }), replicas: rows }), at);
    expect(given(replicas.toReversed())).toEqual(given(replicas));
    expect(given(replicas.toReversed()).guard.message).toContain('Slot 0');
  });
});

describe('an unready replica', () => {
  const unready = inState('unready', { slot: 0, incarnation: 1 });
  const late = at + 600_000;
  const given = (peer: ReplicaRow) =>
    reconcile(
      aSnapshot({
        guard: guard({ desired: 2 }),
        replicas: [unready, peer],
        observations: observed([unready, seen(unready, {}, 'failed')]),
      }),
      late,
    ).replicas.find(({ row }) => row.slot === 0)?.row.state;

  it.each<[string, ReplicaRow, string | undefined]>([
    ['a ready peer of its revision: it is given up', inState('ready', { slot: 1, incarnation: 2 }), 'failed'],
    ['an unready peer: it stays', inState('unready', { slot: 1, incarnation: 2 }), 'unready'],
  ])('beside %s', (_, peer, state) => {
    expect(given(peer)).toBe(state);
  });

  it('beside a ready replica of another revision: that proves nothing', () => {
    const old = inState('ready', { slot: 1, incarnation: 2, revision: 2 });
    const app = anApp('shop', [aService('web', { dependsOn: [{ service: 'api', condition: 'healthy' }] })]);
    const plan = reconcile(
      aSnapshot({
        app,
        guard: guard({ desired: 2, revision: 3 }),
        replicas: [unready, old],
        observations: observed([unready, seen(unready, {}, 'failed')]),
      }),
      late,
    );
    expect(plan.replicas.map(({ row }) => row.state)).toEqual(['unready']);
  });
});

describe('what is told', () => {
  const two = guard({ desired: 2 });

  it('wakes the app when something was reached that others wait for, or all is done', () => {
    const ready = slots(2, 'ready');
    const reached = { ...two, healthyRevision: 1, startedRevision: 1 };
    const surplus = [...ready, inState('deleting', { slot: 2, incarnation: 3 })];
    expect(reconcile(aSnapshot({ guard: two, replicas: surplus }), at)).toMatchObject({ wakeApp: true, done: false });
    expect(reconcile(aSnapshot({ guard: reached, replicas: surplus }), at).wakeApp).toBe(false);
    expect(reconcile(aSnapshot({ guard: reached, replicas: ready }), at)).toMatchObject({ wakeApp: true, done: true });
    const started = { ...two, healthyRevision: 1 };
    expect(reconcile(aSnapshot({ guard: started, replicas: surplus }), at).wakeApp).toBe(true);
  });

  it('convergence once, and again after a repair', () => {
    const told = (over: Partial<GuardRow>) =>
      reconcile(aSnapshot({ guard: { ...two, ...over }, replicas: slots(2, 'ready') }), at).events;
    expect(told({})).toEqual([{ type: 'ServiceConverged', message: '2 of 2 replicas are ready.' }]);
    expect(told({ observedGeneration: 1, reason: 'ReplicasNotReady' })).toHaveLength(1);
    expect(told({ observedGeneration: 1 })).toEqual([]);
    const removed = reconcile(aSnapshot({ guard: guard({ removed: true }) }), at);
    expect(removed.events).toEqual([{ type: 'ServiceConverged', message: 'Every replica is gone.' }]);
  });

  it.each<[string, Parameters<typeof aSnapshot>[0]]>([
    ['NoPoolWithRoom', { pools: [aPool({ quota: { groups: 0, cores: 0 } })] }],
    ['UnknownPool', { pools: [] }],
    ['BackingOff', { replicas: [inState('gone', { failures: 1, reason: 'ImagePullFailed' })] }],
  ])('a wait for %s once', (reason, over) => {
    const given = (before: GuardRow['reason']) =>
      reconcile(aSnapshot({ ...over, guard: guard({ reason: before }) }), at);
    const plan = given(null);
    expect(plan.events).toEqual([{ type: 'ServiceWaiting', reason, message: plan.guard.message }]);
    expect(given(plan.guard.reason).events).toEqual([]);
  });

  it('no event for a service that merely gets ready', () => {
    const plan = reconcile(aSnapshot({ guard: two, replicas: slots(2, 'starting') }), at);
    expect(plan.guard).toMatchObject({ reason: 'ReplicasNotReady', message: '0 of 2 replicas are ready.' });
    expect(plan.events).toEqual([]);
  });

  it.each<[string, readonly ReplicaRow[], Partial<GuardRow>, string, string]>([
    [
      'who is in trouble',
      [
        inState('ready'),
        inState('starting', { slot: 1, incarnation: 2, reason: 'ContainerCrashed', message: 'Boom.' }),
      ],
      {},
      'ReplicasNotReady',
      '1 of 2 replicas are ready. Slot 1: Boom.',
    ],
    [
      'that the last surplus goes',
      [
        ...slots(2, 'ready'),
        inState('deleting', { slot: 2, incarnation: 3 }),
        inState('gone', { slot: 3, incarnation: 4 }),
      ],
      {},
      'ScalingIn',
      '1 replicas are being removed.',
    ],
    [
      'how many of an older revision are left',
      slots(2, 'draining'),
      { revision: 2 },
      'RollingOut',
      '0 of 2 replicas of revision 2 are ready, 2 of older ones are left.',
    ],
    [
      'how many are left of a removed service',
      slots(2, 'draining'),
      { removed: true },
      'Removing',
      '2 replicas are left.',
    ],
  ])('the reason says %s', (_, replicas, over, reason, message) => {
    const plan = reconcile(aSnapshot({ guard: { ...two, ...over }, replicas }), at);
    expect(plan.guard).toMatchObject({ reason, message });
  });

  it('a removed service verifies, reaches and gates nothing', () => {
    const app = anApp('shop', [aService('web')]);
    const plan = reconcile(
      aSnapshot({ app, guard: guard({ removed: true, desired: 0, revision: 2, verifiedRevision: 1 }) }),
      at,
    );
    expect(plan.guard).toMatchObject({
      verifiedRevision: 1,
      healthyRevision: null,
      startedRevision: null,
      dependenciesMetRevision: null,
    });
  });

  it.each<[string, ReplicaRow, Partial<Parameters<typeof seen>[1]>]>([
    ['it waits', inState('starting'), { container: null }],
    ['it is going', inState('deleting'), {}],
  ])('a replica does not count as started while %s', (_, replica, group) => {
    const observations = observed([replica, seen(replica, group, 'failed')]);
    expect(
      reconcile(aSnapshot({ guard: guard(), replicas: [replica], observations }), at).guard.startedRevision,
    ).toBeNull();
  });

  it('nothing is reached while the gate is shut, even by replicas of the new revision', () => {
    const app = anApp('shop', [aService('web', { dependsOn: [{ service: 'api', condition: 'healthy' }] })]);
    expect(reconcile(aSnapshot({ app, guard: guard(), replicas: [inState('ready')] }), at).guard).toMatchObject({
      healthyRevision: null,
      startedRevision: null,
    });
  });

  it('silence of a pool once', () => {
    const replica = inState('starting');
    const observations = observed([replica, { kind: 'unknown', message: 'east does not answer' }]);
    const plan = reconcile(aSnapshot({ guard: guard(), replicas: [replica], observations }), at);
    expect(plan.events).toEqual([
      { type: 'ServiceWaiting', reason: 'PoolUnavailable', message: 'east does not answer' },
    ]);
  });

  it('replicas of an older revision make the new one neither healthy nor started', () => {
    const plan = reconcile(aSnapshot({ guard: guard({ desired: 1, revision: 2 }), replicas: [inState('ready')] }), at);
    expect(plan.guard).toMatchObject({ healthyRevision: null, startedRevision: null, observedGeneration: 0 });
  });
});

describe('the successor in a slot', () => {
  it.each(['Surplus', 'OldRevision', 'ServiceRemoved'] as const)('of one that ended for %s does not rest', (reason) => {
    const replicas = [inState('gone', { failures: 3, reason })];
    expect(reconcile(aSnapshot({ guard: guard(), replicas }), at).replicas[0]?.row.failures).toBe(0);
  });

  it('goes by the newest incarnation of its slot alone', () => {
    const replicas = [
      inState('gone', { slot: 0, incarnation: 1, failures: 6, reason: 'ImagePullFailed' }),
      inState('gone', { slot: 0, incarnation: 3, failures: 1, reason: 'ImagePullFailed' }),
      inState('gone', { slot: 0, incarnation: 2, failures: 4, reason: 'ImagePullFailed' }),
      inState('gone', { slot: 1, incarnation: 4, failures: 5, reason: 'ImagePullFailed' }),
    ];
    const plan = reconcile(aSnapshot({ guard: guard({ desired: 2 }), replicas }), at + 10_000);
    expect(plan.replicas.map(({ row }) => [row.slot, row.failures])).toEqual([[0, 1]]);
    expect(plan.wakeAt).toBe(at + 11_000);
    expect(plan.guard).toMatchObject({ reason: 'BackingOff' });
    expect(plan.guard.message).toContain('Slot 1 failed 5 times in a row');
  });

  it('of one that failed once is told so', () => {
    const replicas = [inState('gone', { failures: 1, reason: 'ImagePullFailed' })];
    const plan = reconcile(aSnapshot({ guard: guard(), replicas }), at);
    expect(plan.guard.message).toMatch(
      /^Slot 0 failed once; its successor starts at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\.$/,
    );
  });

  it('is waited for until the first of several rests ends', () => {
    const replicas = [
      inState('gone', { slot: 0, incarnation: 1, failures: 2, reason: 'ImagePullFailed' }),
      inState('gone', { slot: 1, incarnation: 2, failures: 1, reason: 'ImagePullFailed' }),
    ];
    const plan = reconcile(aSnapshot({ guard: guard({ desired: 2 }), replicas }), at);
    expect(plan.wakeAt).toBe(at + 10_000);
    expect(plan.guard.message).toContain('Slot 1');
  });

  it.each(['QuotaExceeded', 'NoCapacity'] as const)('of one refused for %s goes elsewhere', (reason) => {
    const pools = [aPool(), aPool({ pool: 'west', order: 1 })];
    const replicas = [inState('gone', { failures: 1, reason, pool: 'east' })];
    expect(reconcile(aSnapshot({ guard: guard(), replicas, pools }), at + 10_000).replicas[0]?.row.pool).toBe('west');
  });

  it('is placed after those of the same plan, in the pools the app names', () => {
    const one = { groups: 1, cores: 9 };
    const pools = [
      aPool({ quota: one }),
      aPool({ pool: 'west', order: 1, quota: one }),
      aPool({ pool: 'north', order: 2 }),
    ];
    const app = anApp('shop', [aService('web')], ['west', 'north']);
    const plan = reconcile(aSnapshot({ app, guard: guard({ desired: 3 }), pools }), at);
    expect(plan.replicas.map(({ row }) => row.pool)).toEqual(['west', 'north', 'north']);
    expect(plan.replicas[0]).toMatchObject({
      events: [{ type: 'ReplicaPlanned' }],
      row: { restartCount: 0, missing: 0 },
    });
  });
});

describe('the order of a plan', () => {
  const expired = { id: 'a-1', startedAt: null, expiresAt: at };
  const claimed = { id: 'a-2', startedAt: null, expiresAt: at + 360_000 };
  /** One replica for each action, as `slot` and `incarnation` say. */
  const one = {
    retry: (slot: number) => inState('creating', { slot, incarnation: slot + 1, attempt: expired }),
    create: (slot: number) => inState('creating', { slot, incarnation: slot + 1, attempt: claimed }),
    drain: (slot: number) => inState('unready', { slot, incarnation: slot + 1, readyAt: at }),
    beginDrain: (slot: number) => inState('draining', { slot, incarnation: slot + 1, drainUntil: null }),
    redelete: (slot: number) =>
      inState('deleting', { slot, incarnation: slot + 1, stateAt: at - 10_000, observedAt: null }),
    delete: (slot: number) => inState('failed', { slot, incarnation: slot + 1, reason: 'ImagePullFailed' }),
    observe: (slot: number) => inState('starting', { slot, incarnation: slot + 1 }),
    release: (slot: number) => inState('planned', { slot, incarnation: slot + 1 }),
    confirmGone: (slot: number) => inState('deleting', { slot, incarnation: slot + 1, missing: 1 }),
  } as const;
  type Name = keyof typeof one;

  /** Slots in the order in which the plan changes them, of replicas that stand in the slots 0, 1, 2 … */
  function changed(names: readonly Name[], desired: number) {
    const replicas = names.map((name, slot) => one[name](slot));
    const observations = observed(
      ...replicas.flatMap((replica, slot) => {
        if (names[slot] === 'confirmGone') return [[replica, { kind: 'missing' } as const] as const];
        if (names[slot] === 'redelete') return [[replica, seen(replica)] as const];
        return names[slot] === 'observe' ? [[replica, seen(replica, {}, 'passed')] as const] : [];
      }),
    );
    const plan = reconcile(aSnapshot({ guard: guard({ desired, nextIncarnation: 50 }), replicas, observations }), at);
    const done = plan.replicas.filter(({ insert }) => !insert).map(({ row }) => names[row.slot]);
    const steps = plan.steps.map((step) => names[step.slot]);
    return { done, steps };
  }

  it('is truth first, then what frees budget, then drains, then creates', () => {
    // The incarnations decide who is kept: those of the lowest slots.
    const names: readonly Name[] = [
      'retry',
      'observe',
      'delete',
      'drain',
      'redelete',
      'release',
      'beginDrain',
      'confirmGone',
    ];
    expect(changed(names, 2).done).toEqual([
      'release',
      'confirmGone',
      'observe',
      'delete',
      'redelete',
      'drain',
      'beginDrain',
      'retry',
    ]);
  });

  it.each<[Name, Name, number]>([
    ['confirmGone', 'release', 0],
    ['release', 'confirmGone', 0],
    ['drain', 'beginDrain', 0],
    ['beginDrain', 'drain', 0],
  ])('of equals is that of their slots: %s, then %s', (first, second, desired) => {
    expect(changed([first, second], desired).done).toEqual([first, second]);
  });

  it.each<[Name, Name]>([
    ['create', 'retry'],
    ['retry', 'create'],
  ])('of creates is that of their slots: %s, then %s', (first, second) => {
    expect(changed([first, second], 2).steps).toEqual([first, second]);
  });

  it('tells of the lowest slot in trouble, however the rows were read and numbered', () => {
    const rows = [
      inState('unready', { slot: 1, incarnation: 1, reason: 'ProbeFailed' }),
      inState('unready', { slot: 0, incarnation: 2, reason: 'ProbeFailed' }),
    ];
    expect(reconcile(aSnapshot({ guard: guard({ desired: 2 }), replicas: rows }), at).guard.message).toContain(
      'Slot 0',
    );
  });
});

describe('the rows of one transaction', () => {
  /** Becoming ready takes a row and two events. */
  const starting = (count: number) => slots(count, 'starting');
  const passing = (rows: readonly ReplicaRow[]) =>
    observed(...rows.map((row) => [row, seen(row, {}, 'passed')] as const));
  const written = (plan: Plan) => plan.replicas.length + plan.replicas.flatMap(({ events }) => events).length;
  const failing = (slot: number) => inState('failed', { slot, incarnation: slot + 1, reason: 'ImagePullFailed' });

  it('hold 95 for replicas and their events, and not one more', () => {
    const leaving = slots(40, 'ready');
    const going = { guard: guard({ removed: true, desired: 0 }), replicas: [...leaving, failing(90)] };
    const plan = reconcile(aSnapshot(going), at);
    expect([plan.replicas.length, written(plan)]).toEqual([32, 95]);
    const without = reconcile(aSnapshot({ ...going, replicas: leaving }), at);
    expect([without.replicas.length, written(without)]).toEqual([31, 93]);
  });

  it('that are full still take a step that writes nothing', () => {
    const claimed = { id: 'a-1', startedAt: null, expiresAt: at + 360_000 };
    const ready = starting(31);
    const plan = reconcile(
      aSnapshot({
        guard: guard({ desired: 32, nextIncarnation: 100 }),
        replicas: [...ready, failing(90), inState('creating', { slot: 60, incarnation: 61, attempt: claimed })],
        observations: passing(ready),
      }),
      at,
    );
    expect(written(plan)).toBe(95);
    expect(plan.steps.map(({ kind }) => kind)).toEqual(['deleteGroup', 'createGroup']);
  });

  it('leave room for one create behind 31 that get ready beside one that is, under the first attempt id', () => {
    const rows = starting(31);
    const plan = reconcile(
      aSnapshot({
        guard: guard({ desired: 40, nextIncarnation: 100 }),
        replicas: [...rows, inState('ready', { slot: 31, incarnation: 32 })],
        observations: passing(rows),
      }),
      at,
    );
    const created = plan.replicas.filter(({ insert }) => insert);
    expect(created.map(({ row }) => row.attempt?.id)).toEqual(['attempt-0']);
    expect(written(plan)).toBe(95);
  });

  it('are not all: at most 45 replicas change, also where that takes neither event nor step', () => {
    const leaving = slots(46, 'draining', { drainUntil: null });
    expect(reconcile(aSnapshot({ guard: guard({ removed: true }), replicas: leaving }), at).replicas).toHaveLength(45);
  });

  it('count what changes without a step against what is created', () => {
    const leaving = slots(40, 'draining', { drainUntil: null, reason: 'Surplus' });
    const plan = reconcile(aSnapshot({ guard: guard({ desired: 20, nextIncarnation: 99 }), replicas: leaving }), at);
    expect(plan.replicas.filter(({ insert }) => insert)).toHaveLength(5);
  });

  it('count nothing for replicas that are as they should be', () => {
    const plan = reconcile(
      aSnapshot({ guard: guard({ desired: 46, nextIncarnation: 99 }), replicas: slots(45, 'ready') }),
      at,
    );
    expect(plan.replicas).toHaveLength(1);
  });

  it('that are full to the last replica with work leave nothing for a next pass at once', () => {
    const workers = slots(45, 'starting', { ports: [] });
    const plan = reconcile(
      aSnapshot({
        guard: guard({ desired: 50, nextIncarnation: 99 }),
        replicas: [...workers, ...slots(50, 'ready').slice(45)],
        observations: passing(workers),
      }),
      at,
    );
    expect(plan.replicas).toHaveLength(45);
    expect(plan.wakeAt).toBeGreaterThan(at);
  });
});

describe('attempt ids', () => {
  const expired = { id: 'a-1', startedAt: null, expiresAt: at };

  it('go to creates alone, one each, in their order', () => {
    const replicas = [
      inState('failed', { slot: 0, incarnation: 1, reason: 'ImagePullFailed' }),
      ...[1, 2].map((slot) => inState('creating', { slot, incarnation: slot + 1, attempt: expired })),
    ];
    const plan = reconcile(aSnapshot({ guard: guard({ desired: 3 }), replicas }), at);
    const attempts = plan.steps.flatMap((step) => (step.kind === 'createGroup' ? [step.attempt] : []));
    // The last is that of the failed one's successor.
    expect(attempts).toEqual(['attempt-0', 'attempt-1', 'attempt-2']);
  });
});

describe('what a plan concludes for its service', () => {
  it('nothing is verified before it has converged', () => {
    const unproven = guard({ verifiedRevision: null });
    const plan = reconcile(aSnapshot({ guard: unproven, replicas: slots(1, 'starting') }), at);
    expect(plan.guard.verifiedRevision).toBeNull();
  });

  it('what is healthy wakes the app, though it was started before and others are still going', () => {
    const replicas = [...slots(1, 'ready'), inState('draining', { slot: 5, incarnation: 9 })];
    const plan = reconcile(aSnapshot({ guard: guard({ startedRevision: 1 }), replicas }), at);
    expect(plan).toMatchObject({ done: false, wakeApp: true, guard: { healthyRevision: 1 } });
  });

  it('what is on its way out does not count as started', () => {
    const replicas = [
      inState('starting', { slot: 0, incarnation: 1 }),
      inState('starting', { slot: 1, incarnation: 2 }),
    ];
    const [, surplus] = replicas as [ReplicaRow, ReplicaRow];
    const plan = reconcile(aSnapshot({ replicas, observations: observed([surplus, seen(surplus, {}, 'failed')]) }), at);
    expect(states(plan)).toEqual(['1/2 deleting']);
    expect(plan.guard.startedRevision).toBeNull();
  });

  it('old replicas that one transaction could not take away do not make a new revision healthy', () => {
    const plan = reconcile(aSnapshot({ guard: guard({ revision: 2 }), replicas: slots(40, 'ready') }), at);
    expect(plan.replicas).toHaveLength(31);
    expect(plan.guard).toMatchObject({ healthyRevision: null, startedRevision: null });
  });

  it('nothing is created of a revision whose template is not there', () => {
    const lost = reconcile(aSnapshot({ guard: guard({ revision: 7 }) }), at);
    expect(lost).toMatchObject({ replicas: [], steps: [] });
  });
});

describe('the rest of a slot', () => {
  const gone = (slot: number, over: Partial<ReplicaRow>) => inState('gone', { slot, incarnation: slot + 1, ...over });
  const two = guard({ desired: 2 });

  it('is none where nothing failed by itself', () => {
    const plan = reconcile(aSnapshot({ replicas: [gone(0, { reason: 'GroupMissing', failures: 0 })] }), at);
    expect(states(plan)).toEqual(['0/1 creating']);
  });

  it.each([
    [20_000, 0],
    [0, 20_000],
  ])('that ends first is told, whichever slot it is (%i ms, %i ms)', (first, second) => {
    const replicas = [first, second].map((laterMs, slot) =>
      gone(slot, { reason: 'ImagePullFailed', failures: 1, stateAt: at - 5_000 + laterMs }),
    );
    const plan = reconcile(aSnapshot({ guard: two, replicas }), at);
    expect(plan.guard.message).toContain(first < second ? 'Slot 0' : 'Slot 1');
    expect(plan.wakeAt).toBe(at + 5_000);
  });

  it('is told of the lowest slot where two end at once', () => {
    const replicas = [0, 1].map((slot) => gone(slot, { reason: 'ImagePullFailed', failures: 1 }));
    expect(reconcile(aSnapshot({ guard: two, replicas }), at).guard.message).toContain('Slot 0');
  });

  it('over, the successor goes where its predecessor crashed: only a refusal makes a pool to be avoided', () => {
    const pools = [aPool(), aPool({ pool: 'west', order: 1 })];
    const crashed = gone(0, { reason: 'ContainerCrashed', failures: 1, stateAt: at - 60_000 });
    const plan = reconcile(aSnapshot({ replicas: [crashed], pools }), at);
    expect(plan.replicas.map(({ row }) => row.pool)).toEqual(['east']);
  });
});
