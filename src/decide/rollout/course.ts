/**
 * Where the rollout of a service stands and where it goes next: it begins, counts what failed, stops or leads back, advances, comes to an end. Decided
 * from the rows and the record in every pass, before anything is replaced. Pure.
 */

import type { PlannedEvent, RevisionMark, RolloutChange } from '../../model/plan.ts';
import type { RolloutSpec } from '../../model/rollout.ts';
import { type RolloutCounts, type RolloutRow, rolloutId } from '../../model/rollout-record.ts';
import { type PlannerSettings, replicaKey } from '../../model/snapshot.ts';
import type { GuardRow, ReplicaRow, RevisionChange } from '../../model/state.ts';
import { isLive } from '../../model/transitions.ts';
import { advanceOf } from './advance.ts';
import { clearingAt, isOfRollout, tallyOf } from './faults.ts';
import { type Policy, policyOf } from './policy.ts';
import { begun, ended, paused } from './record.ts';
import { type Trip, tripOf } from './trip.ts';

export interface CourseFacts {
  readonly guard: GuardRow;
  readonly appGeneration: number;
  readonly spec: RolloutSpec | undefined;
  /** The rollout that the guard names. */
  readonly rollout: RolloutRow | null;
  /** Rows as this pass sees them, before it moves any. */
  readonly replicas: readonly ReplicaRow[];
  /** By `replicaKey`: whose group was read in this pass. */
  readonly looked: ReadonlySet<string>;
  /** Revisions that can be gone back to. */
  readonly known: (revision: number) => boolean;
  /** Its app is frozen or a dependency is not there: the progress clock stands still. */
  readonly isHeldUp: boolean;
  /** What ready replicas have to wait for anyway, ms (`Readiness.afterMs`). */
  readonly readyAfterMs: number;
  readonly settings: Pick<PlannerSettings, 'minReadyMs'>;
  readonly now: number;
}

export interface Course {
  readonly guard: GuardRow;
  /** Under way from now on; null = none. */
  readonly rollout: RolloutRow | null;
  readonly policy: Policy;
  /** Records to write besides that of `rollout`. */
  readonly over: readonly RolloutRow[];
  readonly marks: readonly RevisionMark[];
  readonly events: readonly PlannedEvent[];
  readonly appGeneration: number | null;
  /** When time alone changes something; null = never. */
  readonly lookAt: number | null;
}

export function courseOf(facts: CourseFacts): Course {
  const opened = open(facts);
  const { rollout } = opened;
  if (rollout === null) return opened;
  const counted = holding(counting(rollout, opened.policy, facts), facts.replicas);
  const watched = { ...opened, rollout: counted, lookAt: lookAtOf(counted, opened.policy, facts) };
  if (counted.phase === 'paused') return { ...watched, lookAt: null };
  const trip = tripOf(counted, opened.policy, facts);
  return trip === null ? advance(watched, facts) : fall(watched, trip, facts);
}

/** Ends what is not wanted any more, and begins what is. */
function open(facts: CourseFacts): Course {
  const { guard, rollout, spec, settings, now } = facts;
  const isNewer = guard.change !== null || rollout?.to !== guard.revision;
  const isOver = rollout !== null && (guard.removed || guard.desired === 0 || isNewer);
  const why = guard.removed ? 'The service is removed.' : (guard.change?.why ?? 'No replicas are wanted any more.');
  const over = isOver ? [ended(rollout, 'superseded', { reason: null, message: why }, now)] : [];
  const events = over.map((row) => told('RolloutSuperseded', row, why));
  const still = isOver ? null : rollout;
  const policy = policyOf(spec, still?.purpose ?? 'deploy', settings);
  const idle: Course = {
    guard: { ...guard, rollout: still?.number ?? null, change: guard.removed ? null : guard.change },
    rollout: still,
    policy,
    over,
    marks: [],
    events,
    appGeneration: null,
    lookAt: null,
  };
  const isWanted = guard.change !== null || guard.verifiedRevision !== guard.revision;
  if (still !== null || guard.removed || guard.desired === 0 || !isWanted) return idle;
  return begin(idle, guard.change ?? unproven(guard, now), facts);
}

/** After a time without replicas, or under a version that kept no records. */
const unproven = ({ revision }: GuardRow, now: number): RevisionChange => ({
  purpose: 'deploy',
  cause: 'rule:unproven',
  at: now,
  why: `Revision ${revision} was not verified yet.`,
});

function begin(course: Course, change: RevisionChange, { replicas, spec, settings, now }: CourseFacts): Course {
  const { guard } = course;
  const policy = policyOf(spec, change.purpose, settings);
  const from = baseOf(guard.revision, replicas) ?? guard.verifiedRevision;
  const before = from === guard.revision ? null : from;
  const row = begun({ guard, from: before, change, strategy: policy.spec.strategy, now });
  return {
    ...course,
    guard: { ...guard, rollouts: row.number, rollout: row.number, change: null },
    rollout: row,
    policy,
    events: [...course.events, told('RolloutStarted', row, change.why)],
  };
}

/** The revision that most of the others have; the newest of several. */
function baseOf(target: number, replicas: readonly ReplicaRow[]): number | null {
  const counts = new Map<number, number>();
  for (const { state, revision } of replicas) {
    if (isLive(state) && revision !== target) counts.set(revision, (counts.get(revision) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([a, many], [b, more]) => more - many || b - a);
  return most?.[0] ?? null;
}

/** Writes down what failed and what stayed ready for long enough. */
function counting(rollout: RolloutRow, { monitorMs }: Policy, facts: CourseFacts): RolloutRow {
  // What is gone was seen while it was on its way out; the store leaves most of that out.
  const own = facts.replicas.filter((row) => row.state !== 'gone' && isOfRollout(rollout, row));
  const clears = own.filter((row) => {
    const at = clearingAt(row, rollout, monitorMs);
    return at !== null && at <= facts.now && facts.looked.has(replicaKey(row));
  });
  const isWatched = ({ incarnation }: ReplicaRow): boolean =>
    rollout.phase === 'baking' || !rollout.cleared.includes(incarnation);
  const { failures, failed, strikes } = tallyOf(rollout, own.filter(isWatched), facts.now);
  const present = new Set(own.map(({ incarnation }) => incarnation));
  const cleared = [...rollout.cleared, ...clears.map(({ incarnation }) => incarnation)];
  return {
    ...rollout,
    counts: countsOf(rollout, facts.guard.desired, facts.replicas),
    failures,
    failed: rollout.failed + failed,
    strikes: (clears.length > 0 ? 0 : rollout.strikes) + strikes,
    cleared: cleared.filter((incarnation) => present.has(incarnation)),
    clockAt: clockOf(rollout, own, facts),
  };
}

export function countsOf({ to }: RolloutRow, desired: number, replicas: readonly ReplicaRow[]): RolloutCounts {
  const present = replicas.filter(({ state }) => state !== 'gone');
  const fresh = present.filter(({ state, revision }) => revision === to && isLive(state));
  return {
    desired,
    fresh: fresh.length,
    ready: fresh.filter(({ state }) => state === 'ready').length,
    old: present.filter(({ revision }) => revision !== to).length,
  };
}

/** Runs while a new replica is on its way from an accepted PUT to its readiness, from the last one that arrived or ended. */
function clockOf({ clockAt, phase }: RolloutRow, own: readonly ReplicaRow[], facts: CourseFacts): number | null {
  const isRunning = own.some(({ state }) => state === 'starting');
  if (!isRunning || facts.isHeldUp || phase !== 'progressing') return null;
  const arrivals = own
    .filter(({ state }) => state !== 'creating' && state !== 'starting')
    .map(({ stateAt }) => stateAt);
  return clockAt === null ? facts.now : Math.max(clockAt, ...arrivals);
}

function lookAtOf(rollout: RolloutRow, policy: Policy, { replicas, readyAfterMs, now }: CourseFacts): number | null {
  const instants = [
    ...replicas.map((row) => clearingAt(row, rollout, policy.monitorMs)),
    rollout.clockAt === null ? null : rollout.clockAt + policy.progressDeadlineMs + readyAfterMs,
    rollout.startedAt + policy.maxDurationMs,
  ].filter((at) => at !== null && at > now);
  return instants.length === 0 ? null : Math.min(...(instants as number[]));
}

/** It failed: it stops, or another rollout leads back to what was verified. */
function fall(course: Course, trip: Trip, facts: CourseFacts): Course {
  const { guard, policy } = course;
  const rollout = course.rollout as RolloutRow;
  if (rollout.purpose !== 'deploy') return stop(course, { ...trip, reason: 'RollbackFailed' }, facts);
  if (policy.onFailure !== 'rollback' || trip.isPause) return stop(course, trip, facts);
  const target = guard.verifiedRevision;
  if (target === null || target === rollout.to || !facts.known(target)) {
    const message = `${trip.message} There is no verified revision to go back to.`;
    return stop(course, { reason: 'NoVerifiedRevision', message }, facts);
  }
  const successor = rollout.number + 1;
  const over = { ...ended(rollout, 'failed', trip, facts.now), successor };
  const why = `Back to revision ${target}, the last one that was verified: ${trip.message}`;
  const change: RevisionChange = { purpose: 'rollback', cause: rolloutId(rollout), at: facts.now, why };
  const generation = facts.appGeneration + 1;
  // What a verified revision needed was there once; a way back waits for nobody.
  const back = { ...guard, revision: target, dependenciesMetRevision: target, generation };
  const left: Course = {
    ...course,
    guard: back,
    over: [...course.over, over],
    marks: [{ revision: rollout.to, is: 'rolledBack' }],
    events: [...course.events, { ...told('RolloutFailed', over, trip.message), reason: trip.reason }],
    appGeneration: generation,
    lookAt: facts.now,
  };
  return begin(left, change, facts);
}

function stop(course: Course, why: Pick<Trip, 'reason' | 'message'>, { replicas, now }: CourseFacts): Course {
  const rollout = course.rollout as RolloutRow;
  const row = holding(paused(rollout, { reason: why.reason, message: why.message }, now), replicas);
  const event = { ...told('RolloutPaused', row, why.message), reason: why.reason };
  return { ...course, rollout: row, events: [...course.events, event], lookAt: null };
}

/** What has the new revision when a rollout is paused keeps it, and is repaired at it. What has failed is not: its successors would fail as well. */
function holding(row: RolloutRow, replicas: readonly ReplicaRow[]): RolloutRow {
  if (row.phase !== 'paused' || row.held !== null) return row;
  const fresh = replicas.filter(({ state, revision }) => revision === row.to && isLive(state) && state !== 'failed');
  return { ...row, held: { replicas: Math.min(fresh.length, row.counts.desired), of: row.counts.desired } };
}

function advance(course: Course, facts: CourseFacts): Course {
  const rollout = course.rollout as RolloutRow;
  const { row, event, lookAt } = advanceOf(rollout, course.policy, facts);
  const events = event === null ? course.events : [...course.events, told(event, row, row.message ?? row.why)];
  const earliest = [course.lookAt, lookAt].filter((at) => at !== null);
  const next = earliest.length === 0 ? null : Math.min(...(earliest as number[]));
  if (row.phase !== 'succeeded') return { ...course, rollout: row, events, lookAt: next };
  return {
    ...course,
    guard: { ...course.guard, rollout: null, verifiedRevision: row.to },
    rollout: null,
    over: [...course.over, row],
    marks: [...course.marks, { revision: row.to, is: 'verified' }],
    events,
    lookAt: null,
  };
}

const told = (type: PlannedEvent['type'], row: RolloutRow, message: string): PlannedEvent => ({
  type,
  message: `${rolloutId(row)}: ${message}`,
});

/** Records in the order of their numbers, without those that say nothing new. */
export function rolloutChanges(
  before: RolloutRow | null,
  { over, rollout }: Pick<Course, 'over' | 'rollout'>,
): readonly RolloutChange[] {
  return [...over, ...(rollout === null ? [] : [rollout])]
    .map((row) => ({ insert: row.number !== before?.number, row }))
    .filter(({ insert, row }) => insert || JSON.stringify(row) !== JSON.stringify(before));
}
