/** Laws of the planner in a world of its own: groups come up, crash, vanish; steps and observations get lost; the spec changes; the planner must cope. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { reconcile } from '../../src/decide/reconcile.ts';
import { clearingAt } from '../../src/decide/rollout/faults.ts';
import { paused, resumed } from '../../src/decide/rollout/record.ts';
import { defaults } from '../../src/model/defaults.ts';
import type { Plan, Step } from '../../src/model/plan.ts';
import { isActive, type RolloutRow } from '../../src/model/rollout-record.ts';
import { type Observation, replicaKey, type ServiceSnapshot } from '../../src/model/snapshot.ts';
import type { GuardRow, ReplicaRow } from '../../src/model/state.ts';
import { isLegal, isLive } from '../../src/model/transitions.ts';
import { aGuard, aPool, aTemplate, at } from '../support/rows.ts';
import { aContainer, aSnapshot, seen } from '../support/snapshots.ts';

interface Group {
  readonly createdAt: number;
  health: 'well' | 'failing' | 'crashed';
}

/** A tiny ARM and table: rows, groups by name, and the guard. */
class World {
  now = at;
  guard: GuardRow = aGuard({ workflow: 'deployment:shop.web:1', epoch: 1, desired: 2, revision: 1 });
  frozen = false;
  rows = new Map<string, ReplicaRow>();
  groups = new Map<string, Group>();
  /** When each replica was last in the endpoints. */
  endpointUntil = new Map<string, number>();
  names = new Set<string>();
  attempts = 0;
  rollout: RolloutRow | null = null;
  records = new Map<number, RolloutRow>();

  snapshot(silent: boolean): ServiceSnapshot {
    const replicas = [...this.rows.values()];
    const observations = new Map<string, Observation>(
      replicas
        .filter((row) => ['creating', 'starting', 'unready', 'deleting'].includes(row.state) || this.isDue(row))
        .filter((row) => !(row.state === 'creating' && row.attempt?.startedAt === null))
        .map((row) => [replicaKey(row), silent ? { kind: 'unknown', message: 'silent' } : this.look(row)]),
    );
    return aSnapshot({
      guard: this.guard,
      appGeneration: this.guard.generation,
      rollout: this.rollout,
      frozen: this.frozen,
      replicas,
      observations,
      templates: new Map([1, 2, 3, 4].map((revision) => [revision, aTemplate({ image: `nginx:${revision}` })])),
      pools: [aPool()],
      attemptIds: Array.from({ length: 45 }, () => `attempt-${this.attempts++}`),
    });
  }

  /** What is watched is read once more when its watch is over. */
  isDue(row: ReplicaRow): boolean {
    const at = this.rollout === null ? null : clearingAt(row, this.rollout, defaults.rollout.monitorMs);
    return at !== null && at <= this.now;
  }

  look(row: ReplicaRow): Observation {
    const group = this.groups.get(row.group);
    if (group === undefined) return { kind: 'missing' };
    if (this.now - group.createdAt < 2_000) return seen(row, { container: null, provisioningState: 'Creating' });
    if (group.health === 'crashed') {
      return seen(row, { container: aContainer({ state: 'Waiting', exitCode: 1, restartCount: 1 }) });
    }
    return seen(row, {}, group.health === 'well' ? 'passed' : 'failed');
  }

  commit(plan: Plan): void {
    for (const { row } of plan.replicas) {
      const before = this.rows.get(replicaKey(row));
      if (before?.endpoint && !row.endpoint) this.endpointUntil.set(replicaKey(row), this.now);
      this.rows.set(replicaKey(row), row);
    }
    for (const { insert, row } of plan.rollouts) {
      expect(this.records.has(row.number)).toBe(!insert);
      this.records.set(row.number, row);
    }
    this.guard = { ...this.guard, ...plan.guard };
    this.rollout = this.records.get(this.guard.rollout ?? 0) ?? null;
    const active = [...this.records.values()].filter(isActive);
    expect(active).toEqual(this.rollout === null ? [] : [this.rollout]);
  }

  walk(step: Step): void {
    const key = replicaKey(step);
    const row = this.rows.get(key);
    if (row === undefined || row.epoch !== step.epoch) return;
    if (step.kind === 'deleteGroup') {
      expect(row.state).toBe('deleting');
      const out = this.endpointUntil.get(key);
      if (out !== undefined && row.failures === 0 && row.reason !== 'GroupMissing' && row.reason !== 'ProbeFailed') {
        expect(this.now - out).toBeGreaterThanOrEqual(this.guard.drainMs);
      }
      this.groups.delete(row.group);
      return;
    }
    if (row.state !== 'creating' || row.attempt?.id !== step.attempt || row.attempt.startedAt !== null) return;
    expect(this.groups.has(row.group)).toBe(false);
    this.groups.set(row.group, { createdAt: this.now, health: 'well' });
    this.rows.set(key, { ...row, state: 'starting', stateAt: this.now, attempt: null });
  }
}

const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
};

function expectLawful(world: World, snapshot: ServiceSnapshot, plan: Plan): void {
  expect(reconcile({ ...snapshot, replicas: snapshot.replicas.toReversed() }, world.now)).toEqual(plan);
  // The store leaves these out: nothing may follow from them.
  const atWork = snapshot.replicas.filter(({ state, failures }) => state !== 'gone' || failures > 0);
  expect(reconcile({ ...snapshot, replicas: atWork }, world.now)).toEqual(plan);
  const events = plan.replicas.flatMap((change) => change.events).length + plan.events.length;
  expect(plan.replicas.length).toBeLessThanOrEqual(45);
  expect(2 + plan.replicas.length + plan.rollouts.length + plan.marks.length + events).toBeLessThanOrEqual(100);
  const after = new Map(world.rows);
  for (const { insert, row } of plan.replicas) {
    const before = world.rows.get(replicaKey(row));
    expect(insert).toBe(before === undefined);
    if (before === undefined) {
      expect(world.names.has(row.group)).toBe(false);
      world.names.add(row.group);
      expect(row.incarnation).toBeLessThan(plan.guard.nextIncarnation);
    } else if (before.state !== row.state) {
      expect([before.state, row.state, isLegal('pass', before.state, row.state)]).toEqual([
        before.state,
        row.state,
        true,
      ]);
    }
    expectCareful(world, before, row);
    if (row.endpoint) expect(row.state).toBe('ready');
    after.set(replicaKey(row), row);
  }
  const present = [...after.values()].filter((row) => row.state !== 'gone');
  if (plan.replicas.some(({ insert }) => insert)) {
    const live = present.filter((row) => isLive(row.state));
    const isRolling = present.some(({ revision }) => revision !== plan.guard.revision);
    const ceiling = world.guard.desired + (isRolling ? Math.ceil(world.guard.desired / 4) : 0);
    expect(live.length).toBeLessThanOrEqual(ceiling);
    const fresh = live.filter(({ revision }) => revision === plan.guard.revision);
    expect(fresh.length).toBeLessThanOrEqual(world.guard.desired);
    expect(world.guard.removed).toBe(false);
  }
  if (world.frozen) expect([plan.steps, plan.replicas.filter(({ insert }) => insert)]).toEqual([[], []]);
  expectRestartFloor(world, after);
  expectRolloutFloor(world, plan);
  expectRollout(world, plan, present);
  if (plan.done) expect(plan.steps).toEqual([]);
  expect(plan.wakeAt).toBeGreaterThanOrEqual(world.now);
  const isCalm =
    world.frozen || plan.rollouts.some(({ row }) => row.phase !== 'progressing') || isResting(world.rollout);
  expect(plan.wakeAt).toBeLessThanOrEqual(world.now + (isCalm ? 300_000 : defaults.transitionWakeMs));
}

const isResting = (rollout: RolloutRow | null): boolean => rollout !== null && rollout.phase !== 'progressing';

function expectRollout(world: World, plan: Plan, present: readonly ReplicaRow[]): void {
  for (const { row } of plan.rollouts) {
    // A rollback is never rolled back.
    if (row.phase === 'failed') expect(row.purpose).toBe('deploy');
    if (row.phase === 'paused' || row.phase === 'failed') expect(row.reason).not.toBeNull();
    if (row.purpose === 'rollback') expect(row.to).toBe(world.guard.verifiedRevision);
  }
  for (const { revision, is } of plan.marks) {
    if (is !== 'verified') continue;
    const good = present.filter(
      (row) => row.revision === revision && (row.state === 'ready' || isRestarted(world, row)),
    );
    expect(good.length).toBeGreaterThanOrEqual(world.guard.desired);
  }
  if (plan.guard.verifiedRevision !== world.guard.verifiedRevision) expect(plan.marks).toHaveLength(1);
  const { rollout } = world;
  if (rollout?.phase !== 'paused' || plan.guard.rollout !== rollout.number) return;
  const held = rollout.held;
  const born = plan.replicas.filter(({ insert, row }) => insert && row.revision === rollout.to);
  // Paused by hand, what stands is noted by this very pass.
  if (held === null || held.of !== world.guard.desired) return;
  const fresh = present.filter((row) => row.revision === rollout.to && isLive(row.state));
  if (born.length > 0) expect(fresh.length).toBeLessThanOrEqual(held.replicas);
}

/** It was ready up to this pass, which restarts it: that it is taken away says nothing against its revision. */
const isRestarted = (world: World, row: ReplicaRow): boolean =>
  row.state === 'draining' && row.reason === 'Restarting' && world.rows.get(replicaKey(row))?.state === 'ready';

const isLeaving = ({ state }: ReplicaRow): boolean => state === 'draining' || state === 'deleting';

/** Nothing of a frozen app is sent away, and a restart only sends away what was there before it. */
function expectCareful(world: World, before: ReplicaRow | undefined, row: ReplicaRow): void {
  if (before === undefined || isLeaving(before) || !isLeaving(row)) return;
  expect(world.frozen).toBe(false);
  if (row.reason === 'Restarting') expect(row.cycle).toBeLessThan(world.guard.cycle);
}

/** A restart leaves all ready replicas but one: those of the wanted revision count, whatever else becomes of the others. */
function expectRestartFloor(world: World, after: ReadonlyMap<string, ReplicaRow>): void {
  const taken = [...after].filter(([key, row]) => {
    const before = world.rows.get(key);
    return before?.state === 'ready' && isLeaving(row) && row.reason === 'Restarting';
  });
  if (taken.length === 0) return;
  expect(taken).toHaveLength(1);
  const ready = [...after.values()].filter(({ state }) => state === 'ready');
  expect(ready.length).toBeGreaterThanOrEqual(world.guard.desired - 1);
}

/** A plan that takes ready replicas of an older revision away leaves as many ready as are desired: the default rollout lets none be missing. */
function expectRolloutFloor(world: World, plan: Plan): void {
  const taken = plan.replicas.filter(({ row }) => {
    const before = world.rows.get(replicaKey(row));
    return before?.state === 'ready' && row.state === 'draining' && row.revision !== plan.guard.revision;
  });
  if (taken.length === 0 || world.guard.removed) return;
  const changed = new Map(plan.replicas.map(({ row }) => [replicaKey(row), row]));
  const after = [...world.rows.values()].map((row) => changed.get(replicaKey(row)) ?? row);
  const ready = after.filter(({ state }) => state === 'ready').length;
  expect(ready).toBeGreaterThanOrEqual(world.guard.desired);
}

function pass(world: World, loss: { readonly silent: boolean; readonly steps: number }): Plan {
  const snapshot = freeze(world.snapshot(loss.silent));
  const plan = reconcile(snapshot, world.now);
  expectLawful(world, snapshot, plan);
  world.commit(plan);
  // A workflow may die after any prefix of its steps.
  for (const step of plan.steps.slice(0, loss.steps)) world.walk(step);
  return plan;
}

const seldom = fc.nat(4).map((n) => n === 0);
const anAct = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('calm' as const), passes: fc.integer({ min: 1, max: 8 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      silent: seldom,
      steps: fc.oneof(fc.constant(3), fc.nat(3)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(500, 3_000, 12_000, 400_000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('scale' as const), desired: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('revise' as const), revision: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), removed: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('steer' as const), to: fc.constantFrom('pause', 'resume') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('freeze' as const), frozen: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('vanish' as const), n: fc.nat(5) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('ail' as const),
      n: fc.nat(5),
      health: fc.constantFrom('well' as const, 'failing', 'crashed'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('doubt' as const), n: fc.nat(5) }) },
);
type Act = typeof anAct extends fc.Arbitrary<infer A> ? A : never;

function act(world: World, move: Act): void {
  switch (move.kind) {
    case 'pass':
      return void pass(world, { silent: move.silent, steps: move.steps === 3 ? 99 : move.steps });
    case 'calm':
      for (let n = 0; n < move.passes; n += 1) {
        const { wakeAt } = pass(world, { silent: false, steps: 99 });
        world.now = Math.max(world.now, wakeAt);
      }
      return;
    case 'time':
      world.now += move.ms;
      return;
    case 'scale':
      world.guard = { ...world.guard, desired: move.desired, generation: world.guard.generation + 1 };
      return;
    case 'revise':
      world.guard = { ...world.guard, revision: move.revision, generation: world.guard.generation + 1 };
      return;
    case 'remove':
      world.guard = { ...world.guard, removed: move.removed, generation: world.guard.generation + 1 };
      return;
    case 'steer':
      steer(world, move.to);
      return;
    case 'restart':
      world.guard = { ...world.guard, cycle: world.guard.cycle + 1, generation: world.guard.generation + 1 };
      return;
    case 'freeze':
      world.frozen = move.frozen;
      return;
    case 'vanish': {
      const name = [...world.groups.keys()][move.n];
      if (name !== undefined) world.groups.delete(name);
      return;
    }
    case 'ail': {
      const group = [...world.groups.values()][move.n];
      if (group !== undefined) group.health = move.health;
      return;
    }
    case 'doubt': {
      // What the sweep does to a ready replica whose probe fails.
      const row = [...world.rows.values()].filter(({ state }) => state === 'ready')[move.n];
      if (row === undefined) return;
      world.endpointUntil.set(replicaKey(row), world.now);
      world.rows.set(replicaKey(row), {
        ...row,
        state: 'unready',
        stateAt: world.now,
        endpoint: false,
        reason: 'ProbeFailed',
      });
      return;
    }
  }
}

/** What the commands do. */
function steer(world: World, to: string): void {
  const { rollout, now } = world;
  if (rollout === null) return;
  const why = { reason: 'PausedByCommand' as const, message: 'By hand.' };
  const isPaused = rollout.phase === 'paused';
  if (isPaused && to === 'resume') world.rollout = resumed(rollout, 'By hand.', now);
  if (!isPaused && to === 'pause') world.rollout = paused(rollout, why, now);
  world.records.set(rollout.number, world.rollout ?? rollout);
}

/** The pass that verifies the revision also takes the first replica away for the restart. */
const restartedWhileWatched: Act[] = [
  { kind: 'revise', revision: 2 },
  { kind: 'pass', silent: true, steps: 3 },
  { kind: 'time', ms: 3_000 },
  { kind: 'pass', silent: false, steps: 3 },
  { kind: 'restart' },
  { kind: 'time', ms: 400_000 },
];

it('every plan is lawful, and once the world is calm the plans converge and stay so', () => {
  fc.assert(
    fc.property(fc.array(anAct, { maxLength: 60 }), (acts) => {
      const world = new World();
      for (const move of acts) act(world, move);
      for (const group of world.groups.values()) group.health = 'well';
      world.frozen = false;
      // The sweep finds ready replicas whose group is gone.
      for (const row of world.rows.values()) {
        if (row.state !== 'ready' || world.groups.has(row.group)) continue;
        world.rows.set(replicaKey(row), {
          ...row,
          state: 'failed',
          stateAt: world.now,
          reason: 'GroupMissing',
          endpoint: false,
        });
      }
      let plan = pass(world, { silent: false, steps: 99 });
      for (let n = 0; n < 400 && !plan.done; n += 1) {
        // A rollout that stopped waits for somebody who knows better.
        steer(world, 'resume');
        world.now = Math.max(world.now + 100, plan.wakeAt);
        plan = pass(world, { silent: false, steps: 99 });
      }
      expect(plan.done).toBe(true);
      const live = [...world.rows.values()].filter(({ state }) => state !== 'gone');
      expect(live.map(({ state }) => state)).toEqual(live.map(() => 'ready'));
      expect(live.every(({ cycle }) => cycle === world.guard.cycle)).toBe(true);
      expect(live).toHaveLength(world.guard.removed ? 0 : world.guard.desired);
      expect([...world.groups.keys()].toSorted()).toEqual(live.map(({ group }) => group).toSorted());
      const again = pass(world, { silent: false, steps: 99 });
      expect(again).toMatchObject({ replicas: [], steps: [], events: [], done: true });
    }),
    { numRuns: 300, examples: [[restartedWhileWatched]] },
  );
}, 60_000);
