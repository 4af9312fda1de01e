/**
 * The door of the planner: everything known of a service, and the time → what to write first and what to do then. No input or output, no clock, no
 * chance.
 */
import { serviceNamed } from '../model/app-spec.ts';
import { limits } from '../model/limits.ts';
import type { Plan, PlannedEvent } from '../model/plan.ts';
import type { RolloutRow } from '../model/rollout-record.ts';
import { isRun } from '../model/run.ts';
import { replicaKey, type ServiceSnapshot } from '../model/snapshot.ts';
import type { ReplicaRow } from '../model/state.ts';
import { isLive } from '../model/transitions.ts';
import { type Action, type Case, classify } from './classify.ts';
import { isConverged } from './converged.ts';
import { type Gate, gateOf } from './dependencies.ts';
import { hasToLeave } from './drain.ts';
import { explain } from './explain.ts';
import { type Growth, grow, noGrowth } from './growth.ts';
import { compare } from './keepers.ts';
import { applied, type Decision, moveOf } from './moves.ts';
import { type Course, countsOf, courseOf, rolloutChanges } from './rollout/course.ts';
import { type Stand, standOf } from './rollout/stand.ts';
import { baseRoomOf, roomOf } from './rollout/turn.ts';
import { withRuns } from './runs.ts';
import { judge, type Verdict } from './verdict.ts';
import { wakeOf } from './wake.ts';

/** Rows of one transaction besides the guard that changes and their events may fill; the rest is for events of the service itself. */
const rowBudget = 95;

/** Truth first, then what frees budget, then the rest: a plan cut short at any place is still a right one. */
const urgency: Readonly<Record<Action, number>> = {
  confirmGone: 0,
  release: 0,
  observe: 1,
  delete: 2,
  redelete: 3,
  drain: 4,
  beginDrain: 4,
  retry: 5,
  create: 5,
  none: 6,
};

export function reconcile(snapshot: ServiceSnapshot, now: number): Plan {
  return withRuns(reconcileReplicas(withoutRuns(snapshot), now), snapshot, now);
}

function reconcileReplicas(snapshot: ServiceSnapshot, now: number): Plan {
  const { replicas, course, steered, gate, stand, cases } = study(snapshot, now);
  const { guard } = course;
  const budget = rowBudget - rowsOf(course);
  const { decisions, cut } = decide(cases, steered, budget, now);
  const changes = decisions.flatMap(({ move }) => (move.change === null ? [] : [move.change]));
  const kept = applied(replicas, changes);
  const growth = growthOf(steered, stand, kept, { decisions, budget }, now);
  const after = [...kept, ...growth.changes.map((change) => change.row)];
  const steps = [...decisions.flatMap(({ move }) => (move.step === null ? [] : [move.step])), ...growth.steps];
  const rollout = recorded(course, growth, after);
  const next = nextGuard(steered, { gate, growth, after, cases, rollout });
  const isOver = rollout === null && (guard.change === null || guard.desired === 0);
  const converged = isConverged(guard, after);
  const done = !cut && steps.length === 0 && converged && isOver && !hasToLeave(after, stand.drained);
  return {
    replicas: [...changes, ...growth.changes],
    guard: next,
    rollouts: rolloutChanges(snapshot.rollout, { ...course, rollout }),
    marks: course.marks,
    appGeneration: course.appGeneration,
    events: [...course.events, ...serviceEvents(steered, next, converged)],
    steps,
    done,
    wakeAt: wakeOf({
      cut,
      decisions,
      after,
      growth,
      rolloutAt: earliest(stand.lookAt, course.lookAt),
      isCalm: snapshot.frozen || (rollout !== null && rollout.phase !== 'progressing'),
      settings: snapshot.settings,
      now,
    }),
    wakeApp: done || progressed(snapshot, next),
  };
}

/** Nothing is done about lost ones until their pool is back; a service that is to go takes them with it. */
const visibleOf = ({ guard, replicas }: ServiceSnapshot): ReplicaRow[] =>
  replicas.filter(({ state }) => state !== 'lost' || guard.removed);

/** Every replica with what is known of it, as the rules of {@link classify} see it. */
export const casesIn = (snapshot: ServiceSnapshot, now: number): readonly Case[] =>
  study(withoutRuns(snapshot), now).cases;

const withoutRuns = (snapshot: ServiceSnapshot): ServiceSnapshot => ({
  ...snapshot,
  replicas: snapshot.replicas.filter((row) => !isRun(row)),
});

interface Study {
  /** By slot and incarnation. */
  readonly replicas: readonly ReplicaRow[];
  readonly course: Course;
  /** With the guard as the rollout's course leaves it. */
  readonly steered: ServiceSnapshot;
  readonly gate: Gate;
  readonly stand: Stand;
  readonly cases: readonly Case[];
}

/** What is known before anything is decided about a single replica. */
function study(snapshot: ServiceSnapshot, now: number): Study {
  const replicas = visibleOf(snapshot).sort((a, b) => a.slot - b.slot || a.incarnation - b.incarnation);
  const verdicts = new Map(replicas.map((replica) => [replica, verdictOn(replica, replicas, snapshot, now)]));
  const course = steer(snapshot, [...verdicts.values()], now);
  const steered = { ...snapshot, guard: course.guard };
  const gate = gateOf(course.guard, snapshot.app, snapshot.dependencies);
  const stand = standOf(snapshot, course, gate, replicas, now);
  return { replicas, course, steered, gate, stand, cases: casesOf(steered, verdicts, stand, now) };
}

/** What the course of a rollout takes of a transaction: records, marks, the app's row and events. */
const rowsOf = ({ rollout, over, marks, appGeneration, events }: Course): number =>
  (rollout === null ? 0 : 1) + over.length + marks.length + (appGeneration === null ? 0 : 1) + events.length;

const earliest = (...instants: readonly (number | null)[]): number | null => {
  const known = instants.filter((at) => at !== null);
  return known.length === 0 ? null : Math.min(...known);
};

function verdictOn(
  replica: ReplicaRow,
  replicas: readonly ReplicaRow[],
  snapshot: ServiceSnapshot,
  now: number,
): Verdict {
  const peersReady = replicas.some(
    (peer) => peer !== replica && peer.state === 'ready' && peer.revision === replica.revision,
  );
  const identity = { installation: snapshot.installation, appUid: snapshot.appUid };
  const template = snapshot.templates.get(replica.revision);
  const observation = snapshot.observations.get(replicaKey(replica));
  return judge(replica, template, observation, { identity, settings: snapshot.settings, now, peersReady });
}

/** Where the rollout goes, by the rows as they were seen. */
function steer(snapshot: ServiceSnapshot, verdicts: readonly Verdict[], now: number): Course {
  const { guard, app, templates, observations, frozen, settings } = snapshot;
  const readiness = templates.get(guard.revision)?.readiness;
  const looked = [...observations].filter(([, { kind }]) => kind !== 'unknown').map(([key]) => key);
  return courseOf({
    guard,
    appGeneration: snapshot.appGeneration,
    spec: serviceNamed(app, guard.service)?.rollout,
    rollout: snapshot.rollout,
    replicas: verdicts.map(({ row }) => row),
    looked: new Set(looked),
    known: (revision) => templates.has(revision),
    isHeldUp: frozen || !gateOf(guard, app, snapshot.dependencies).open,
    readyAfterMs: readiness?.kind === 'running' ? readiness.afterMs : 0,
    settings,
    now,
  });
}

/** The record of the rollout under way, with what this plan leaves. */
function recorded({ rollout, guard }: Course, growth: Growth, after: readonly ReplicaRow[]): RolloutRow | null {
  if (rollout === null) return null;
  const isShort = growth.shortage?.reason === 'NoPoolWithRoom' || growth.shortage?.reason === 'NoFeasiblePool';
  return { ...rollout, counts: countsOf(rollout, guard.desired, after), parked: isShort };
}

function casesOf(
  { guard, frozen }: ServiceSnapshot,
  verdicts: ReadonlyMap<ReplicaRow, Verdict>,
  { keepers, leaving, restarting, drained }: Stand,
  now: number,
): readonly Case[] {
  return [...verdicts].map(([replica, verdict]) => ({
    replica,
    verdict,
    guard,
    keeper: keepers.has(replica),
    leaving: leaving.has(replica),
    restarting: restarting.has(replica),
    drained: drained.has(replica.pool),
    frozen,
    now,
  }));
}

/** The most urgent moves that fit into one transaction; `cut` says that there were more. */
function decide(
  cases: readonly Case[],
  snapshot: ServiceSnapshot,
  budget: number,
  now: number,
): { readonly decisions: readonly Decision[]; readonly cut: boolean } {
  const classified = cases
    .map((one) => ({ case: one, classification: classify(one) }))
    .sort((a, b) => compare(order(a), order(b)));
  const decisions: Decision[] = [];
  let rows = 0;
  let attempts = 0;
  let busy = 0;
  for (const { case: one, classification } of classified) {
    const move = moveOf(one, classification, {
      epoch: snapshot.guard.epoch,
      drainMs: snapshot.guard.drainMs,
      claimLeaseMs: snapshot.settings.claimLeaseMs,
      attemptId: snapshot.attemptIds[attempts],
      now,
    });
    const cost = move.change === null ? 0 : 1 + move.change.events.length;
    const starved = move.change === null && move.step === null && classification.action === 'retry';
    const full = busy >= limits.replicaChangesPerTransaction || rows + cost > budget;
    if (starved || (full && (move.change !== null || move.step !== null))) return { decisions, cut: true };
    if (move.usesAttempt) attempts += 1;
    if (move.change !== null || move.step !== null) busy += 1;
    rows += cost;
    decisions.push({ case: one, action: classification.action, move });
  }
  return { decisions, cut: false };
}

const order = ({
  case: one,
  classification,
}: {
  case: Case;
  classification: { action: Action };
}): readonly number[] => [
  urgency[classification.action],
  one.replica.state === 'ready' ? 1 : 0,
  one.replica.slot,
  one.replica.incarnation,
];

/** A loss among the others is made up for before the rollout goes on. */
function growthOf(
  snapshot: ServiceSnapshot,
  { target, pace, share, surge }: Stand,
  rows: readonly ReplicaRow[],
  { decisions, budget }: { readonly decisions: readonly Decision[]; readonly budget: number },
  now: number,
): Growth {
  const { guard, templates } = snapshot;
  const idle = noGrowth(guard);
  if (guard.removed || snapshot.frozen || target === null) return idle;
  const facts = {
    desired: guard.desired + surge,
    target,
    replicas: rows,
    pace,
    share: surge === 0 ? share : { ...share, fresh: share.fresh + surge },
  };
  const moves = decisions.map(({ move }) => move);
  const busy = moves.filter((move) => move.change !== null || move.step !== null).length;
  const written = moves.reduce((sum, { change }) => sum + (change === null ? 0 : 1 + change.events.length), 0);
  const attempts = moves.filter((move) => move.usesAttempt).length;
  const growTo = (revision: number, wanted: number): Growth => {
    const template = templates.get(revision);
    if (template === undefined || wanted <= 0) return idle;
    return grow(rows, {
      identity: { installation: snapshot.installation, appUid: snapshot.appUid },
      app: snapshot.app,
      guard,
      revision,
      template,
      isMixed: revision !== target,
      wanted,
      pools: snapshot.pools,
      isUrgent: surge > 0 || (snapshot.rollout?.purpose ?? 'deploy') !== 'deploy',
      attemptIds: snapshot.attemptIds.slice(attempts),
      room: Math.max(0, Math.min(limits.replicaChangesPerTransaction - busy, Math.floor((budget - written) / 2))),
      settings: snapshot.settings,
      now,
    });
  };
  const repaired = share.base === null ? idle : growTo(share.base, baseRoomOf(facts));
  // What cannot be made up for now does not hold up the rest.
  return repaired.changes.length > 0 ? repaired : growTo(target, roomOf(facts));
}

interface Outcome {
  readonly gate: Gate;
  readonly growth: Growth;
  readonly after: readonly ReplicaRow[];
  readonly cases: readonly Case[];
  readonly rollout: RolloutRow | null;
}

function nextGuard(snapshot: ServiceSnapshot, { gate, growth, after, cases, rollout }: Outcome): Plan['guard'] {
  const { guard } = snapshot;
  const seenRunning = new Set(cases.filter(({ verdict }) => verdict.running).map(({ replica }) => replicaKey(replica)));
  const current = after.filter((row) => row.revision === guard.revision);
  const ready = current.filter((row) => row.state === 'ready').length;
  const running = current.filter(
    (row) => row.state === 'ready' || (isLive(row.state) && seenRunning.has(replicaKey(row))),
  ).length;
  const reached = (count: number, before: number | null): number | null =>
    !guard.removed && !guard.stopped && gate.open && count >= guard.desired ? guard.revision : before;
  const converged = isConverged(guard, after);
  return {
    revision: guard.revision,
    generation: guard.generation,
    rollouts: guard.rollouts,
    rollout: guard.rollout,
    change: guard.change,
    nextIncarnation: growth.nextIncarnation,
    verifiedRevision: guard.verifiedRevision,
    healthyRevision: reached(ready, guard.healthyRevision),
    startedRevision: reached(running, guard.startedRevision),
    dependenciesMetRevision: gate.open && !guard.removed ? guard.revision : guard.dependenciesMetRevision,
    observedGeneration: converged ? guard.generation : guard.observedGeneration,
    ...explain(snapshot, { gate, growth, after, converged, rollout }),
  };
}

const waits: ReadonlySet<string | null> = new Set([
  'AwaitingDependency',
  'NoPoolWithRoom',
  'NoFeasiblePool',
  'NoRoomForSurge',
  'UnknownPool',
  'BackingOff',
  'CreateBudget',
  'PoolUnavailable',
  'Frozen',
  'CutOff',
]);

function serviceEvents({ guard }: ServiceSnapshot, next: Plan['guard'], converged: boolean): readonly PlannedEvent[] {
  if (converged && (guard.observedGeneration !== guard.generation || guard.reason !== null)) {
    const shown = guard.removed ? 'Every replica is gone.' : `${guard.desired} of ${guard.desired} replicas are ready.`;
    return [{ type: 'ServiceConverged', message: shown }];
  }
  if (next.reason === null || next.reason === guard.reason || !waits.has(next.reason)) return [];
  return [{ type: 'ServiceWaiting', reason: next.reason, message: next.message ?? '' }];
}

const progressed = ({ guard }: ServiceSnapshot, next: Plan['guard']): boolean =>
  next.healthyRevision !== guard.healthyRevision ||
  next.startedRevision !== guard.startedRevision ||
  next.generation !== guard.generation ||
  next.observedGeneration !== guard.observedGeneration;
