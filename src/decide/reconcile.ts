/**
 * The door of the planner: everything known of a service, and the time → what to write first and what to do then. No input or output, no clock, no
 * chance.
 */
import { limits } from '../model/limits.ts';
import type { Plan, PlannedEvent, ReplicaChange } from '../model/plan.ts';
import { defaultRollout } from '../model/rollout.ts';
import { replicaKey, type ServiceSnapshot } from '../model/snapshot.ts';
import type { ReplicaRow } from '../model/state.ts';
import { isLive } from '../model/transitions.ts';
import { type Action, type Case, classify } from './classify.ts';
import { isConverged } from './converged.ts';
import { type Gate, gateOf, targetOf } from './dependencies.ts';
import { explain } from './explain.ts';
import { type Growth, grow } from './growth.ts';
import { compare, keepersOf } from './keepers.ts';
import { type Decision, moveOf } from './moves.ts';
import { restartingOf } from './restart.ts';
import { type Pace, paceOf } from './rollout/pace.ts';
import { isRollingOut, leavingOf, roomOf } from './rollout/turn.ts';
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
  const replicas = [...snapshot.replicas].sort((a, b) => a.slot - b.slot || a.incarnation - b.incarnation);
  const gate = gateOf(snapshot.guard, snapshot.app, snapshot.dependencies);
  const rollout = rolloutOf(snapshot, gate, replicas, now);
  const cases = casesOf(snapshot, replicas, rollout, now);
  const { decisions, cut } = decide(cases, snapshot, now);
  const changes = decisions.flatMap(({ move }) => (move.change === null ? [] : [move.change]));
  const kept = applied(replicas, changes);
  const growth = growthOf(snapshot, rollout, kept, decisions, now);
  const after = [...kept, ...growth.changes.map((change) => change.row)];
  const steps = [...decisions.flatMap(({ move }) => (move.step === null ? [] : [move.step])), ...growth.steps];
  const guard = nextGuard(snapshot, gate, growth, after, cases);
  const done = !cut && steps.length === 0 && isConverged(snapshot.guard, after);
  return {
    replicas: [...changes, ...growth.changes],
    guard,
    events: serviceEvents(snapshot, guard, done),
    steps,
    done,
    wakeAt: wakeOf({
      cut,
      decisions,
      after,
      growth,
      rolloutAt: rollout.lookAt,
      frozen: snapshot.frozen,
      settings: snapshot.settings,
      now,
    }),
    wakeApp: done || progressed(snapshot, guard),
  };
}

/** Every replica with what is known of it, as the rules of {@link classify} see it. */
export function casesIn(snapshot: ServiceSnapshot, now: number): readonly Case[] {
  const gate = gateOf(snapshot.guard, snapshot.app, snapshot.dependencies);
  return casesOf(snapshot, snapshot.replicas, rolloutOf(snapshot, gate, snapshot.replicas, now), now);
}

interface Rollout {
  /** Revision that replicas should have now (`targetOf`); null = none may start yet. */
  readonly target: number | null;
  readonly pace: Pace;
  /** Fill the desired count, or wait for their turn to leave. */
  readonly keepers: ReadonlySet<ReplicaRow>;
  readonly leaving: ReadonlySet<ReplicaRow>;
  /** A restart waits until the rollout is over: both at once could take more than either may. */
  readonly restarting: ReadonlySet<ReplicaRow>;
  readonly lookAt: number | null;
}

function rolloutOf(snapshot: ServiceSnapshot, gate: Gate, replicas: readonly ReplicaRow[], now: number): Rollout {
  const { guard, pools, settings } = snapshot;
  const spec = snapshot.app?.services.find(({ name }) => name === guard.service);
  const spread = spec?.placement?.spread[0]?.topology ?? null;
  const pace = paceOf(spec?.rollout ?? defaultRollout, guard.desired);
  const target = targetOf(guard, gate);
  const keep = (rows: readonly ReplicaRow[]) => keepersOf(guard.desired, target ?? guard.revision, rows, pools, spread);
  if (guard.removed || target === null || !isRollingOut({ target, replicas })) {
    const keepers = keep(replicas);
    const restarting = restartingOf(guard, target, keepers);
    return { target, pace, keepers, leaving: new Set(), restarting, lookAt: null };
  }
  const fresh = keep(replicas.filter(({ revision }) => revision === target));
  const old = replicas.filter(({ revision }) => revision !== target);
  const facts = { desired: guard.desired, target, pace, pools, minReadyMs: settings.minReadyMs, now };
  const { replicas: leaving, lookAt } = leavingOf({ ...facts, replicas: [...fresh, ...old] });
  return { target, pace, keepers: new Set([...fresh, ...old]), leaving, restarting: new Set(), lookAt };
}

function casesOf(
  snapshot: ServiceSnapshot,
  replicas: readonly ReplicaRow[],
  { keepers, leaving, restarting }: Rollout,
  now: number,
): readonly Case[] {
  const { guard, settings } = snapshot;
  const identity = { installation: snapshot.installation, appUid: snapshot.appUid };
  return replicas.map((replica) => {
    const peersReady = replicas.some(
      (peer) => peer !== replica && peer.state === 'ready' && peer.revision === replica.revision,
    );
    const verdict: Verdict = judge(
      replica,
      snapshot.templates.get(replica.revision),
      snapshot.observations.get(replicaKey(replica)),
      { identity, settings, now, peersReady },
    );
    return {
      replica,
      verdict,
      guard,
      keeper: keepers.has(replica),
      leaving: leaving.has(replica),
      restarting: restarting.has(replica),
      frozen: snapshot.frozen,
      now,
    };
  });
}

/** The most urgent moves that fit into one transaction; `cut` says that there were more. */
function decide(
  cases: readonly Case[],
  snapshot: ServiceSnapshot,
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
    const full = busy >= limits.replicaChangesPerTransaction || rows + cost > rowBudget;
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

function applied(replicas: readonly ReplicaRow[], changes: readonly ReplicaChange[]): readonly ReplicaRow[] {
  const changed = new Map(changes.map(({ row }) => [replicaKey(row), row]));
  return replicas.map((row) => changed.get(replicaKey(row)) ?? row);
}

function growthOf(
  snapshot: ServiceSnapshot,
  { target: revision, pace }: Rollout,
  rows: readonly ReplicaRow[],
  decisions: readonly Decision[],
  now: number,
): Growth {
  const { guard, templates } = snapshot;
  const template = revision === null ? undefined : templates.get(revision);
  const idle: Growth = {
    changes: [],
    steps: [],
    nextIncarnation: guard.nextIncarnation,
    shortage: null,
    backoffUntil: null,
  };
  if (guard.removed || snapshot.frozen || revision === null || template === undefined) return idle;
  const moves = decisions.map(({ move }) => move);
  const busy = moves.filter((move) => move.change !== null || move.step !== null).length;
  const written = moves.reduce((sum, { change }) => sum + (change === null ? 0 : 1 + change.events.length), 0);
  const attempts = moves.filter((move) => move.usesAttempt).length;
  return grow(rows, {
    identity: { installation: snapshot.installation, appUid: snapshot.appUid },
    app: snapshot.app,
    guard,
    revision,
    template,
    wanted: roomOf({ desired: guard.desired, target: revision, replicas: rows, pace }),
    pools: snapshot.pools,
    attemptIds: snapshot.attemptIds.slice(attempts),
    room: Math.max(0, Math.min(limits.replicaChangesPerTransaction - busy, Math.floor((rowBudget - written) / 2))),
    settings: snapshot.settings,
    now,
  });
}

function nextGuard(
  snapshot: ServiceSnapshot,
  gate: Gate,
  growth: Growth,
  after: readonly ReplicaRow[],
  cases: readonly Case[],
): Plan['guard'] {
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
    nextIncarnation: growth.nextIncarnation,
    verifiedRevision: converged && !guard.removed ? guard.revision : guard.verifiedRevision,
    healthyRevision: reached(ready, guard.healthyRevision),
    startedRevision: reached(running, guard.startedRevision),
    dependenciesMetRevision: gate.open && !guard.removed ? guard.revision : guard.dependenciesMetRevision,
    observedGeneration: converged ? guard.generation : guard.observedGeneration,
    ...explain(snapshot, gate, growth, after, converged),
  };
}

const waits: ReadonlySet<string | null> = new Set([
  'AwaitingDependency',
  'NoPoolWithRoom',
  'NoFeasiblePool',
  'NoRoomForSurge',
  'UnknownPool',
  'BackingOff',
  'PoolUnavailable',
  'Frozen',
]);

function serviceEvents({ guard }: ServiceSnapshot, next: Plan['guard'], done: boolean): readonly PlannedEvent[] {
  if (done && (guard.observedGeneration !== guard.generation || guard.reason !== null)) {
    const shown = guard.removed ? 'Every replica is gone.' : `${guard.desired} of ${guard.desired} replicas are ready.`;
    return [{ type: 'ServiceConverged', message: shown }];
  }
  if (next.reason === null || next.reason === guard.reason || !waits.has(next.reason)) return [];
  return [{ type: 'ServiceWaiting', reason: next.reason, message: next.message ?? '' }];
}

const progressed = ({ guard }: ServiceSnapshot, next: Plan['guard']): boolean =>
  next.healthyRevision !== guard.healthyRevision || next.startedRevision !== guard.startedRevision;
