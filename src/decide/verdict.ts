/**
 * Observation → next value of a replica's row. It knows nothing of what the service wants: that is `classify`. Nothing is concluded from an
 * observation that says nothing (`unknown`), and absence only from two answers in a row, because a read may be stale.
 */
import type { ServiceTemplate } from '../model/app-spec.ts';
import type { PlannedEvent } from '../model/plan.ts';
import type { Reason } from '../model/reasons.ts';
import type { Observation, PlannerSettings } from '../model/snapshot.ts';
import type { EventType, ReplicaRow, ReplicaState } from '../model/state.ts';
import { countFailure } from './backoff.ts';
import { addressOf, type Condition, conditionOf, isRunning, restartOf, type SeenGroup } from './condition.ts';
import { afterFlip, isFlapping, steadyMs } from './flapping.ts';
import { type Identity, isGroupOf, isMadeFrom } from './group-spec.ts';

/** How many 404s in a row make a group missing. */
const missingAfter = 2;
/** When the second answer is asked for, whatever the age of the state. */
const secondLookMs = 1_000;

export interface Circumstances {
  readonly identity: Identity;
  readonly settings: PlannerSettings;
  readonly now: number;
  /** Another replica of the same revision is ready: then an unready one is at fault itself, and not what it depends on. */
  readonly peersReady: boolean;
}

export interface Verdict {
  /** The row itself when nothing changed. */
  readonly row: ReplicaRow;
  readonly events: readonly PlannedEvent[];
  readonly running: boolean;
  /** No group of this incarnation exists and none can still arrive. */
  readonly absent: boolean;
  /** A group was seen that ARM is not deleting yet. */
  readonly standing: boolean;
  /** The create must be attempted again under a new attempt id. */
  readonly retry: boolean;
  readonly lookAt: number | null;
  /** Nothing but time is missing: until `lookAt` there is nothing to see. */
  readonly waitsForTime: boolean;
}

export function judge(
  replica: ReplicaRow,
  template: ServiceTemplate | undefined,
  observation: Observation | undefined,
  circumstances: Circumstances,
): Verdict {
  const unchanged = verdictOf(replica);
  if (observation === undefined || observation.kind === 'unknown') return unchanged;
  const owned =
    observation.kind === 'group' && isGroupOf(observation.group.tags, circumstances.identity, replica)
      ? observation
      : null;
  const ours = owned !== null && isMadeFrom(owned.group.tags, replica, template) ? owned : null;
  switch (replica.state) {
    case 'creating':
      if (owned !== null && ours === null) return forgotten(replica, circumstances);
      return judgeCreating(replica, observation, ours, circumstances);
    case 'starting':
    case 'ready':
    case 'unready':
      if (ours === null) return judgeMissing(replica, observation, circumstances);
      return template === undefined ? unchanged : judgeSeen(replica, template, ours, circumstances);
    case 'deleting':
      return judgeDeleting(replica, owned, circumstances);
    default:
      return unchanged;
  }
}

function judgeCreating(
  replica: ReplicaRow,
  observation: Observation,
  ours: SeenGroup | null,
  { now, settings }: Circumstances,
): Verdict {
  if (ours !== null) {
    const row: ReplicaRow = {
      ...replica,
      ...at('starting', now),
      reason: null,
      message: null,
      attempt: null,
      missing: 0,
      observedAt: now,
    };
    return verdictOf(row, [event('GroupCreated', row, 'The container group was found by reading back.')]);
  }
  if (observation.kind === 'group') return failed(replica, 'CreateRejected', foreign(replica), now, settings);
  const expiresAt = replica.attempt?.expiresAt ?? now;
  if (now < expiresAt) return { ...verdictOf(replica), lookAt: expiresAt };
  const row = { ...replica, missing: replica.missing + 1, observedAt: now };
  return { ...verdictOf(row), retry: row.missing >= missingAfter };
}

/**
 * The table was restored and has given this incarnation out a second time: the group of the first one is deleted with this replica, and a later
 * incarnation takes the slot. Nothing failed by itself, so it is not counted.
 */
function forgotten(replica: ReplicaRow, { now, settings }: Circumstances): Verdict {
  const message = `A container group named ${replica.group} exists and was made for another revision.`;
  const verdict = failed({ ...replica, attempt: null }, 'CreateRejected', message, now, settings);
  return { ...verdict, row: { ...verdict.row, failures: replica.failures } };
}

/** A group of this name whose tags are not ours is as good as none: what it was is lost, and what it is belongs to somebody else. */
function judgeMissing(replica: ReplicaRow, observation: Observation, { now, settings }: Circumstances): Verdict {
  const row = { ...replica, missing: replica.missing + 1, observedAt: now };
  if (row.missing < missingAfter) return { ...verdictOf(row), lookAt: now + secondLookMs };
  const message =
    observation.kind === 'group' ? foreign(replica) : 'The container group is gone though we did not delete it.';
  return failed(row, 'GroupMissing', message, now, settings);
}

/** Until the claim on a started create expires, its PUT may still land: then a 404 proves nothing. */
function judgeDeleting(replica: ReplicaRow, ours: SeenGroup | null, { now }: Circumstances): Verdict {
  if (ours !== null) {
    const settled = replica.attempt === null && replica.missing === 0;
    const row = settled ? replica : { ...replica, attempt: null, missing: 0 };
    const standing = ours.group.provisioningState !== 'Deleting';
    if (now - replica.stateAt < stuckAfterMs || replica.message === stuckText) return { ...verdictOf(row), standing };
    const stuck = { ...row, message: stuckText };
    const told = event('DeletionStuck', { ...stuck, reason: 'DeletionStuck' }, stuckText);
    return { ...verdictOf(stuck, [told]), standing };
  }
  const pending = replica.attempt !== null && replica.attempt.startedAt !== null && now < replica.attempt.expiresAt;
  if (pending) return { ...verdictOf(replica), lookAt: replica.attempt?.expiresAt ?? null };
  const row = { ...replica, missing: replica.missing + 1, observedAt: now };
  if (row.missing < missingAfter) return { ...verdictOf(row), lookAt: now + secondLookMs };
  return { ...verdictOf(row), absent: true };
}

/** Deletions take seconds to a few minutes; after as long as a start may take, one is stuck. */
const stuckAfterMs = 10 * 60_000;
const stuckText = 'ARM has not deleted the container group for 10 min; it goes on being asked.';

const foreign = ({ group }: ReplicaRow): string => `A container group named ${group} exists and is not ours.`;

function judgeSeen(replica: ReplicaRow, template: ServiceTemplate, seen: SeenGroup, facts: Circumstances): Verdict {
  const condition = conditionOf(seen, template, facts.now);
  const logTail = seen.logTail ?? replica.logTail;
  const fresh: ReplicaRow = {
    ...replica,
    ip: addressOf(seen.group.ip),
    restartCount: seen.group.container?.restartCount ?? replica.restartCount,
    crashes: (replica.crashes ?? 0) + crashesIn(replica, seen),
    missing: 0,
    logTail: condition.kind === 'fit' ? null : logTail,
  };
  const moved = withAddress(replica, move(fresh, condition, template, facts));
  const running = isRunning(seen.group);
  return {
    ...moved,
    running,
    events: [...restartEvents(replica, seen), ...moved.events.map((one) => underOldAddress(one, replica))],
    row: sameButForTime(moved.row, replica) ? replica : { ...moved.row, observedAt: facts.now },
  };
}

/** What leaves the endpoints is the address that was in them, whatever the group has by now. */
function underOldAddress(one: PlannedEvent, { ip }: ReplicaRow): PlannedEvent {
  return one.type === 'EndpointRemoved' ? { ...one, message: `${ip} leaves the endpoints.` } : one;
}

/** Restarts that are new and that the platform did not cause. */
function crashesIn(before: ReplicaRow, { group }: SeenGroup): number {
  const rise = Math.max(0, (group.container?.restartCount ?? 0) - before.restartCount);
  return rise > 0 && restartOf(group, rise).reason !== 'PlatformMaintenance' ? rise : 0;
}

/** One event for a rise of the count, whatever became of the replica. A count that fell is that of a container which ACI made anew. */
function restartEvents(before: ReplicaRow, { group }: SeenGroup): readonly PlannedEvent[] {
  const rise = (group.container?.restartCount ?? 0) - before.restartCount;
  if (rise <= 0) return [];
  const { reason, message } = restartOf(group, rise);
  return [event('ContainerRestarted', { ...before, reason }, message)];
}

/** A replica that stays ready under another address changes the endpoints too (ACI moves addresses at a restart or at maintenance). */
function withAddress(before: ReplicaRow, verdict: Verdict): Verdict {
  const { row } = verdict;
  if (before.state !== 'ready' || row.state !== 'ready' || before.ip === row.ip) return verdict;
  const next = { ...row, endpoint: row.ports.length > 0 && row.ip !== null };
  const left = event('EndpointRemoved', next, `${before.ip} leaves the endpoints.`);
  const joined = event('EndpointAdded', next, `${next.ip} joins the endpoints.`);
  return { ...verdict, row: next, events: [...(before.endpoint ? [left] : []), ...(next.endpoint ? [joined] : [])] };
}

function move(row: ReplicaRow, condition: Condition, template: ServiceTemplate, facts: Circumstances): Verdict {
  const { now, settings } = facts;
  if (condition.kind === 'dead') return failed(row, condition.reason, condition.message, now, settings);
  if (condition.kind === 'fit') return row.state === 'ready' ? verdictOf(row) : restore(row, now);
  const said = { reason: condition.reason, message: condition.message };
  const ageMs = now - row.stateAt;
  if (row.state === 'starting') {
    const waitsForTime = template.readiness.kind === 'running' ? template.readiness.afterMs : 0;
    const deadlineMs = settings.startDeadlineMs + waitsForTime;
    if (ageMs >= deadlineMs) {
      return failed(row, 'StartDeadlineExceeded', condition.message ?? 'It never became ready.', now, settings);
    }
    const lookAt = Math.min(condition.lookAt ?? Number.POSITIVE_INFINITY, row.stateAt + deadlineMs);
    const next = { ...row, ...said };
    return { ...verdictOf(next, delayEvents(row, next)), lookAt, waitsForTime: condition.lookAt !== null };
  }
  if (row.state === 'ready') {
    const next: ReplicaRow = {
      ...row,
      ...at('unready', now),
      ...said,
      reason: said.reason ?? 'ProbeFailed',
      endpoint: false,
      steadiness: afterFlip(row.steadiness, now),
    };
    const verdict = verdictOf(next, lossEvents('ReplicaUnready', row, next));
    return { ...verdict, lookAt: condition.lookAt, waitsForTime: condition.lookAt !== null };
  }
  return stayUnready(row, condition, facts);
}

/** Replaced only while others of its revision are ready: else what it depends on is at fault. */
function stayUnready(row: ReplicaRow, condition: Unfit, { now, settings, peersReady }: Circumstances): Verdict {
  const { reason, message, lookAt } = condition;
  if (now - row.stateAt >= settings.startDeadlineMs && peersReady) {
    return failed(row, reason ?? 'ProbeFailed', message ?? 'It stayed unready.', now, settings);
  }
  const next = {
    ...row,
    ...(reason !== null && !isFlapping(row.steadiness, now) && { reason, message }),
    steadiness: row.steadiness === null ? null : { ...row.steadiness, fitSince: null },
  };
  return { ...verdictOf(next), lookAt, waitsForTime: lookAt !== null };
}

type Unfit = Extract<Condition, { kind: 'unfit' }>;

/** One that was lost before must have looked fit for longer, and much longer if it comes and goes. */
function restore(row: ReplicaRow, now: number): Verdict {
  const { steadiness } = row;
  const fitSince = steadiness?.fitSince ?? now;
  const restoredAt = fitSince + steadyMs(steadiness, now);
  if (row.state !== 'unready' || steadiness === null || now >= restoredAt) return becomeReady(row, now);
  const said = isFlapping(steadiness, now) ? { reason: 'Flapping' as const, message: flappingText } : {};
  const next = { ...row, ...said, steadiness: { ...steadiness, fitSince } };
  return { ...verdictOf(next), lookAt: restoredAt, waitsForTime: true };
}

const flappingText = 'It was ready and unready in turn; it is back in the endpoints once it has been steady for 3 min.';

/** What ACI says of one and the same trouble differs from try to try: told once. */
function delayEvents(before: ReplicaRow, after: ReplicaRow): readonly PlannedEvent[] {
  if (after.reason !== 'StartDelayed' || before.reason === 'StartDelayed') return [];
  return [event('ReplicaDelayed', after, after.message ?? 'Something keeps its container group from starting.')];
}

function becomeReady(replica: ReplicaRow, now: number): Verdict {
  const row: ReplicaRow = {
    ...replica,
    ...at('ready', now),
    ...(replica.state === 'unready' && { steadiness: afterFlip(replica.steadiness, now) }),
    reason: null,
    message: null,
    readyAt: replica.readyAt ?? now,
    endpoint: replica.ports.length > 0 && replica.ip !== null,
  };
  const events = [event('ReplicaReady', row, 'The replica is ready.')];
  return verdictOf(
    row,
    row.endpoint ? [...events, event('EndpointAdded', row, `${row.ip} joins the endpoints.`)] : events,
  );
}

/** What befalls a group from outside. */
const foreignActs: ReadonlySet<Reason> = new Set(['GroupMissing', 'GroupStopped']);

/** Also the way out of a create that ARM refused. A replica that was ready and lost its group to somebody did not fail by itself: its count stays. */
export function failed(
  replica: ReplicaRow,
  reason: Reason,
  message: string,
  now: number,
  settings: Pick<PlannerSettings, 'backoff'>,
): Verdict {
  const blameless = foreignActs.has(reason) && replica.readyAt !== null;
  const row: ReplicaRow = {
    ...replica,
    ...at('failed', now),
    reason,
    message,
    endpoint: false,
    observedAt: now,
    failures: blameless ? replica.failures : countFailure(replica.failures, replica.readyAt, now, settings.backoff),
  };
  return verdictOf(row, lossEvents('ReplicaFailed', replica, row));
}

function lossEvents(type: EventType, before: ReplicaRow, after: ReplicaRow): readonly PlannedEvent[] {
  const loss = event(type, after, after.message ?? 'The replica is not ready any more.');
  return before.endpoint ? [event('EndpointRemoved', after, `${before.ip} leaves the endpoints.`), loss] : [loss];
}

const at = (state: ReplicaState, now: number): Pick<ReplicaRow, 'state' | 'stateAt'> => ({ state, stateAt: now });

const sameButForTime = (a: ReplicaRow, b: ReplicaRow): boolean =>
  JSON.stringify({ ...a, observedAt: 0 }) === JSON.stringify({ ...b, observedAt: 0 });

export const event = (type: EventType, replica: ReplicaRow, message: string): PlannedEvent => ({
  type,
  replica: { slot: replica.slot, incarnation: replica.incarnation },
  ...(replica.reason === null ? {} : { reason: replica.reason }),
  message,
});

const verdictOf = (row: ReplicaRow, events: readonly PlannedEvent[] = []): Verdict => ({
  row,
  events,
  running: false,
  absent: false,
  standing: false,
  retry: false,
  lookAt: null,
  waitsForTime: false,
});
