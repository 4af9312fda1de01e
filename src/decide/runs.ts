/**
 * What a pass does about the runs of a service, beside its replicas: places those that wait, tells from what was observed which are over, and takes down
 * their container groups. A run is created once and never replaced: what becomes of it is its outcome.
 */
import { limits } from '../model/limits.ts';
import type { Plan, PlannedEvent, ReplicaChange } from '../model/plan.ts';
import { isRun, type RunEnd, type RunRow, runId } from '../model/run.ts';
import { type Observation, replicaKey, type ServiceSnapshot } from '../model/snapshot.ts';
import type { PoolRow } from '../model/state.ts';
import { type Case, classify } from './classify.ts';
import { isMaintenance } from './condition.ts';
import { groupName, isGroupOf, ownerOf } from './group-spec.ts';
import { askOf, noGrowth } from './growth.ts';
import { applied, type Decision, moveOf } from './moves.ts';
import { createScheduler } from './placement/place.ts';
import { templateOf } from './run-template.ts';
import { event, judge, type Verdict } from './verdict.ts';
import { wakeOf } from './wake.ts';

/** Rows that the change of one run may take, its events included. */
const rowsPerRun = 4;

/** The plan of the service's replicas, and of its runs with the room that it leaves. Without runs it is the same plan. */
export function withRuns(plan: Plan, snapshot: ServiceSnapshot, now: number): Plan {
  const runs = snapshot.replicas.filter(isRun).filter(({ state }) => state !== 'gone');
  if (runs.length === 0) return plan;
  const steered = plan.rollouts.length + plan.marks.length + (plan.appGeneration === null ? 0 : 1);
  const rows = plan.replicas.reduce((sum, { events }) => sum + 1 + events.length, plan.events.length + steered);
  const room = Math.min(
    limits.replicaChangesPerTransaction - plan.replicas.length,
    Math.floor((transactionRows - rows) / rowsPerRun),
  );
  const { decisions, cut } = decide(runs, withReservations(snapshot, plan), room, now);
  const changes = decisions.flatMap(({ move }) => move.change ?? []);
  const after = applied(runs, changes);
  const isOver = after.every(({ state }) => state === 'gone');
  const steps = decisions.flatMap(({ move }) => move.step ?? []);
  const wakeAt = wakeOf({ ...quiet(snapshot, now), cut, decisions, after });
  const deadlines = after.filter(({ run }) => run.end === null).map(({ run }) => run.deadlineAt);
  const done = plan.done && isOver && steps.length === 0;
  return {
    ...plan,
    replicas: [...plan.replicas, ...changes],
    steps: [...plan.steps, ...steps],
    done,
    wakeAt: Math.min(plan.done ? wakeAt : plan.wakeAt, wakeAt, ...deadlines.filter((at) => at > now)),
    // A service that has converged is told once, not at every look at its runs.
    wakeApp: done || (plan.wakeApp && (!plan.done || isNews(snapshot, plan))),
  };
}

/** Of the 100 that a transaction may have; the guard is one. */
const transactionRows = 99;

const isNews = ({ guard }: ServiceSnapshot, { guard: next }: Plan): boolean =>
  next.observedGeneration !== guard.observedGeneration || next.reason !== guard.reason;

const quiet = ({ frozen, settings, guard }: ServiceSnapshot, now: number) => ({
  growth: noGrowth(guard),
  rolloutAt: null,
  isCalm: frozen,
  settings,
  now,
});

/** What the replicas of this very plan take is gone for its runs. */
function withReservations(snapshot: ServiceSnapshot, { replicas }: Plan): ServiceSnapshot {
  const inserted = replicas.filter(({ insert }) => insert).map(({ row }) => row);
  const pools = inserted.reduce((rows, row) => reserved(rows, row, snapshot), snapshot.pools);
  return { ...snapshot, pools, attemptIds: snapshot.attemptIds.slice(limits.replicaChangesPerTransaction) };
}

function reserved(
  pools: readonly PoolRow[],
  row: ReplicaChange['row'],
  { templates }: ServiceSnapshot,
): readonly PoolRow[] {
  const owner = ownerOf(row);
  const cores = templates.get(row.revision)?.cpuCores ?? 0;
  return pools.map((pool) =>
    pool.pool !== row.pool || pool.reservations.some((held) => held.owner === owner)
      ? pool
      : { ...pool, reservations: [...pool.reservations, { owner, cores, at: 0 }] },
  );
}

function decide(
  runs: readonly RunRow[],
  snapshot: ServiceSnapshot,
  room: number,
  now: number,
): { readonly decisions: readonly Decision[]; readonly cut: boolean } {
  const decisions: Decision[] = [];
  let { pools } = snapshot;
  let attempts = 0;
  let changes = 0;
  for (const run of runs.toSorted((a, b) => a.incarnation - b.incarnation)) {
    const decision = decisionOn(run, { ...snapshot, pools }, snapshot.attemptIds[attempts], now);
    const { change, step, usesAttempt } = decision.move;
    if ((change !== null || step !== null) && changes >= room) return { decisions, cut: true };
    if (change !== null || step !== null) changes += 1;
    if (usesAttempt) attempts += 1;
    if (change !== null && change.row.state === 'creating') pools = reserved(pools, change.row, snapshot);
    decisions.push(decision);
  }
  return { decisions, cut: false };
}

function decisionOn(run: RunRow, snapshot: ServiceSnapshot, attemptId: string | undefined, now: number): Decision {
  const { guard, frozen, settings } = snapshot;
  const seen = see(run, snapshot, now);
  const placed = seen.row.state === 'planned' && seen.row.run.end === null && !frozen ? place(seen, snapshot) : seen;
  const { row, verdict } = placed;
  const one: Case = {
    replica: row,
    // The rules take an equal row for "nothing was observed".
    verdict: { ...verdict, row: isSame(row, run) ? row : { ...row } },
    guard,
    keeper: row.run.end === null,
    leaving: false,
    restarting: false,
    drained: false,
    frozen,
    now,
  };
  const { action, because } = classify(one);
  // Without a place there is nothing to create yet; what stands in the way is written.
  const acts = action === 'create' && row.pool === '' ? (isSame(row, run) ? 'none' : 'observe') : action;
  const context = { epoch: guard.epoch, drainMs: 0, claimLeaseMs: settings.claimLeaseMs, attemptId, now };
  const move = moveOf(one, { action: acts, reason: acts === 'release' ? row.reason : null, because }, context);
  if (move.change === null || acts === 'observe') return { case: one, action: acts, move };
  const events = [...verdict.events, ...move.change.events];
  return { case: one, action: acts, move: { ...move, change: { ...move.change, events } } };
}

interface Seen {
  readonly row: RunRow;
  readonly verdict: Verdict;
}

/** The row as observed, with its end if it is over. */
function see(run: RunRow, snapshot: ServiceSnapshot, now: number): Seen {
  const { templates, observations, settings, installation, appUid } = snapshot;
  const template = templates.get(run.revision);
  const observation = observations.get(replicaKey(run));
  const identity = { installation, appUid };
  const verdict = judge(run, template && templateOf(template, run), observation, {
    identity,
    settings,
    now,
    peersReady: false,
  });
  const container =
    isGroup(observation) && isGroupOf(observation.group.tags, identity, run) ? observation.group.container : null;
  const end = run.run.end ?? endOf(run, verdict, container, snapshot, now);
  const observed = verdict.row as RunRow;
  const failed = observed.state === 'failed' && run.state !== 'failed';
  const row: RunRow = {
    ...observed,
    // Its end is no failure of a replica: no back-off follows, and nothing takes its place.
    ...(failed && { state: run.state, stateAt: run.stateAt }),
    failures: 0,
    ...(end !== null && { reason: end.reason, message: end.message }),
    run: { ...run.run, startedAt: run.run.startedAt ?? container?.startedAt ?? null, end },
  };
  const events = [
    ...verdict.events.filter(({ type }) => type === 'GroupCreated'),
    ...(end !== null && run.run.end === null ? [ended(row, end)] : []),
  ];
  return { row, verdict: { ...verdict, events, waitsForTime: false } };
}

const isGroup = (observation: Observation | undefined): observation is Extract<Observation, { kind: 'group' }> =>
  observation?.kind === 'group';

type Container = Extract<Observation, { kind: 'group' }>['group']['container'];

/** Why the run is over, else null: by its program, by what ARM says, or by us. */
function endOf(
  run: RunRow,
  { row }: Verdict,
  container: Container,
  { guard }: ServiceSnapshot,
  now: number,
): RunEnd | null {
  const exitCode = exitCodeOf(container);
  if (exitCode !== null) return { at: now, exitCode, reason: null, message: null };
  if (row.state === 'failed') return by(now, row.reason, row.message);
  if (guard.removed) return by(now, 'ServiceRemoved', 'Its service is no longer wanted.');
  if (run.run.canceled) return by(now, 'RunCanceled', 'It was ended by command.');
  if (now >= run.run.deadlineAt) return by(now, 'RunTimedOut', 'It was not over at its deadline.');
  return null;
}

const by = (at: number, reason: RunEnd['reason'], message: string | null): RunEnd => ({
  at,
  exitCode: null,
  reason,
  message,
});

/**
 * Of the first time that the program ended by itself: ACI may start it again in place after a code other than 0, whatever the restart policy says, and
 * after maintenance, which is no end of it.
 */
function exitCodeOf(container: Container): number | null {
  if (container === null || container.exitCode === null || isMaintenance(container.exitCode)) return null;
  return container.state === 'Terminated' || container.restartCount > 0 ? container.exitCode : null;
}

const ended = (row: RunRow, { exitCode, reason, message }: RunEnd): PlannedEvent =>
  event(
    'RunEnded',
    { ...row, reason },
    exitCode === null
      ? `Run ${runId(row)} is over: ${message ?? reason}`
      : `Run ${runId(row)} ended with exit code ${exitCode}.`,
  );

function place({ row, verdict }: Seen, { app, guard, templates, pools, installation, appUid }: ServiceSnapshot): Seen {
  const template = templates.get(row.revision);
  if (template === undefined) return { row, verdict };
  const ask = askOf({ app, guard, template });
  // It does not count as one of the replicas, so it need not keep away from them, nor spread with them.
  const alone = { ...ask, affinity: ask.affinity.filter(({ service }) => service !== ask.service), spread: [] };
  const found = createScheduler(guard.app, alone, pools, []).place({
    owner: ownerOf(row),
    lastPool: null,
    avoid: new Set(),
  });
  if (!found.ok) return { row: { ...row, reason: found.reason, message: found.message }, verdict };
  const next = {
    ...row,
    pool: found.pool,
    group: groupName({ installation, appUid }, row),
    reason: null,
    message: null,
  };
  const planned = event('ReplicaPlanned', next, `Placed in pool ${next.pool} as container group ${next.group}.`);
  return { row: next, verdict: { ...verdict, events: [...verdict.events, planned] } };
}

const isSame = (a: RunRow, b: RunRow): boolean => JSON.stringify(a) === JSON.stringify(b);
