/**
 * What an app needs now: which services need a workflow, which workflows need a hint, which are broken, and whether the app as a whole has converged
 * or is gone. One ordered table per service, first match wins. A broken workflow is ended in one assessment and replaced in a later one.
 */
import { type WorkflowKind, workflowId } from '../model/names.ts';
import type { PlannedEvent } from '../model/plan.ts';
import type { AppRow, GuardRow, OperationRow, ReplicaRow, RevisionRow } from '../model/state.ts';
import { isOlder } from '../model/version.ts';
import { isIdle, isSettled } from './converged.ts';
import { hasToLeave } from './drain.ts';

/** How a Durable instance stands; `running` includes pending and suspended. */
export type Standing = 'absent' | 'running' | 'finished';

export interface AppView {
  readonly app: AppRow;
  readonly guards: readonly GuardRow[];
  readonly replicas: readonly ReplicaRow[];
  readonly revisions: readonly RevisionRow[];
  readonly operations: readonly OperationRow[];
  /** Pools that are being drained. */
  readonly drained: ReadonlySet<string>;
  /** Standing of every instance that a guard names. */
  readonly standings: ReadonlyMap<string, Standing>;
}

export interface AssessSettings {
  readonly claimLeaseMs: number;
  readonly brokenAfterMs: number;
  readonly resendAfterMs: number;
  /** Of Flotilla, as it runs now. */
  readonly version: string;
}

export type WorkflowOrder =
  | { readonly kind: 'start'; readonly service: string; readonly workflow: WorkflowKind; readonly id: string }
  | { readonly kind: 'hint'; readonly id: string }
  | { readonly kind: 'terminate'; readonly id: string; readonly reason: string };

export interface GuardChange {
  readonly guard: GuardRow;
  readonly event: PlannedEvent;
}

export interface Assessment {
  /** Guards to write first, each If-Match. */
  readonly changes: readonly GuardChange[];
  /** What to do once they are written; orders of a service whose write failed are dropped. */
  readonly orders: readonly { readonly service: string; readonly order: WorkflowOrder }[];
  /** Next value of the app row; null = as it is. */
  readonly app: { readonly row: AppRow; readonly event: PlannedEvent } | null;
  /** When something must be looked at again even if nobody says so; null = no work is left. */
  readonly dueAt: number | null;
}

interface Case {
  readonly guard: GuardRow;
  readonly standing: Standing;
  readonly idle: boolean;
  readonly superseded: boolean;
  readonly stirred: boolean;
  readonly settings: AssessSettings;
  readonly now: number;
}

export type Verdict = 'none' | 'claim' | 'replace' | 'release' | 'start' | 'terminate' | 'supersede' | 'hint';

interface Rule {
  readonly because: string;
  readonly when: (c: Case) => boolean;
  readonly verdict: Verdict;
}

const rules: readonly Rule[] = [
  { because: 'nothing is left to do', when: (c) => c.guard.workflow === null && c.idle, verdict: 'none' },
  { because: 'there is work and nobody does it', when: (c) => c.guard.workflow === null, verdict: 'claim' },
  {
    because: 'it was claimed just now and its start was lost, or is on its way',
    when: (c) => c.standing === 'absent' && c.now - (c.guard.claimedAt ?? 0) < c.settings.claimLeaseMs,
    verdict: 'start',
  },
  {
    because: 'its workflow ended without letting go, but the work is done',
    when: (c) => c.standing !== 'running' && c.idle,
    verdict: 'release',
  },
  { because: 'its workflow ended before the work was done', when: (c) => c.standing !== 'running', verdict: 'replace' },
  {
    because: 'its workflow should have looked again long ago',
    when: (c) => c.now > (c.guard.wakeAt ?? c.now) + c.settings.brokenAfterMs,
    verdict: 'terminate',
  },
  {
    because:
      'a teardown, a deployment or a newer revision is wanted, or an older version of Flotilla started its workflow',
    when: (c) => c.superseded,
    verdict: 'supersede',
  },
  { because: 'something changed since its last pass', when: (c) => c.stirred, verdict: 'hint' },
  { because: 'its workflow is at it', when: () => true, verdict: 'none' },
];

export function assess(view: AppView, settings: AssessSettings, now: number): Assessment {
  const verdicts = view.guards.map((guard) => ({ guard, verdict: verdictOn(guard, view, settings, now) }));
  const changes = verdicts.flatMap(({ guard, verdict }) => changeOf(guard, verdict, settings, now));
  const next = new Map(changes.map(({ guard }) => [guard.service, guard]));
  const guards = view.guards.map((guard) => next.get(guard.service) ?? guard);
  return {
    changes,
    orders: verdicts.flatMap(({ guard, verdict }) =>
      ordersOf(guard, next.get(guard.service) ?? guard, verdict).map((order) => ({ service: guard.service, order })),
    ),
    app: appOf(view),
    dueAt: dueAtOf(view, verdicts, guards, settings, now),
  };
}

function verdictOn(guard: GuardRow, view: AppView, settings: AssessSettings, now: number): Verdict {
  const replicas = view.replicas.filter((replica) => replica.service === guard.service);
  const revision = view.revisions.find((row) => row.service === guard.service && row.revision === guard.revision);
  const one: Case = {
    guard,
    standing: guard.workflow === null ? 'absent' : (view.standings.get(guard.workflow) ?? 'absent'),
    idle: isIdle(guard, replicas) && !hasToLeave(replicas, view.drained),
    superseded:
      !guard.workflow?.startsWith(`${kindOf(guard)}:`) ||
      (!guard.removed && (revision?.createdAt ?? 0) > (guard.claimedAt ?? 0)) ||
      isOlder(guard.claimedBy, settings.version),
    stirred: isStirred(guard, replicas, view.app),
    settings,
    now,
  };
  return rules.find((rule) => rule.when(one))?.verdict ?? 'none';
}

/** A command, a timer or another service may have changed what the workflow's last pass saw. */
function isStirred(guard: GuardRow, replicas: readonly ReplicaRow[], app: AppRow): boolean {
  const seenAt = guard.passAt ?? 0;
  const waiting = guard.reason === 'AwaitingDependency' || guard.reason === 'NoPoolWithRoom';
  return waiting || app.updatedAt >= seenAt || replicas.some((replica) => replica.stateAt > seenAt);
}

const kindOf = (guard: GuardRow): WorkflowKind => (guard.removed ? 'teardown' : 'deployment');

function changeOf(guard: GuardRow, verdict: Verdict, { version }: AssessSettings, now: number): readonly GuardChange[] {
  if (verdict === 'release') {
    const released = { ...guard, workflow: null, claimedAt: null, claimedBy: null, wakeAt: null };
    return [{ guard: released, event: { type: 'WorkflowEnded', message: `${guard.workflow} ended.` } }];
  }
  if (verdict !== 'claim' && verdict !== 'replace' && verdict !== 'supersede') return [];
  const epoch = guard.epoch + 1;
  const id = workflowId(kindOf(guard), guard.app, guard.service, epoch);
  const claimed = { ...guard, workflow: id, epoch, claimedAt: now, claimedBy: version, wakeAt: now, passAt: null };
  if (verdict === 'claim') {
    return [{ guard: claimed, event: { type: 'WorkflowStarted', message: `${id} takes over.` } }];
  }
  const outdated = isOlder(guard.claimedBy, version)
    ? `, which Flotilla ${guard.claimedBy ?? 'before 0.1.0'} started`
    : '';
  const message = `${id} takes over from ${guard.workflow}${outdated}.`;
  const broken = verdict === 'replace' ? { reason: 'WorkflowBroken' as const } : {};
  return [{ guard: claimed, event: { type: 'WorkflowReplaced', ...broken, message } }];
}

function ordersOf(before: GuardRow, after: GuardRow, verdict: Verdict): readonly WorkflowOrder[] {
  const id = after.workflow;
  if (id === null) return [];
  const start: WorkflowOrder = { kind: 'start', service: after.service, workflow: kindOf(after), id };
  switch (verdict) {
    case 'claim':
    case 'replace':
    case 'start':
      return [start];
    case 'supersede':
      return before.workflow === null ? [start] : [start, { kind: 'hint', id: before.workflow }];
    case 'terminate':
      return [{ kind: 'terminate', id, reason: 'WorkflowBroken: it should have looked again long ago.' }];
    case 'hint':
      return [{ kind: 'hint', id }];
    default:
      return [];
  }
}

function appOf({ app, guards, replicas }: AppView): Assessment['app'] {
  if (app.generation === 0) return null;
  const settled = guards.every((guard) =>
    isSettled(
      guard,
      replicas.filter((replica) => replica.service === guard.service),
    ),
  );
  if (!settled) return null;
  if (app.state === 'deleting' && guards.every((guard) => guard.removed)) {
    const row: AppRow = { ...app, state: 'deleted', frozen: false, observedGeneration: app.generation };
    return { row, event: { type: 'AppDeleted', message: 'The app is deleted.' } };
  }
  if (app.state !== 'active' || app.observedGeneration === app.generation) return null;
  const message = `Generation ${app.generation} is converged.`;
  return { row: { ...app, observedGeneration: app.generation }, event: { type: 'AppConverged', message } };
}

function dueAtOf(
  view: AppView,
  verdicts: readonly { readonly guard: GuardRow; readonly verdict: Verdict }[],
  guards: readonly GuardRow[],
  { brokenAfterMs, resendAfterMs }: AssessSettings,
  now: number,
): number | null {
  const waiting = view.operations.some((operation) => operation.state === 'accepted');
  const instants = [
    ...(verdicts.some(({ verdict }) => verdict === 'terminate') ? [now] : []),
    ...guards.flatMap(({ workflow, wakeAt }) =>
      workflow === null ? [] : [Math.max(wakeAt ?? now, now) + brokenAfterMs],
    ),
    ...(waiting ? [now + resendAfterMs] : []),
  ];
  return instants.length === 0 ? null : Math.min(...instants);
}
