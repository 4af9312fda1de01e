/**
 * What happens to one container, whoever says so: a model that foresees it (`lifecycle.ts`) or the engine that runs it (`observe.ts`).
 * Pull, start, end, back-off, probes and the platform's own kills, with the events and states that each leaves. Drafts are changed in place.
 */
import { createHash } from 'node:crypto';
import type { Containers } from './containers-port.ts';
import { initEnded, isPrepared, prepareAgain } from './init-containers.ts';
import {
  allContainers,
  type ContainerRecord,
  type EventRecord,
  type GroupRecord,
  modelOf,
  noteUsage,
  type ProbeRecord,
  recordEvent,
} from './model.ts';
import type { ProbeAnswer } from './probes.ts';

/** Wait before a restart in place, in ms: doubles from the first to the last value. Kubernetes' published schedule; ACI publishes none. */
export const BACKOFF_FIRST_MS = 10_000;
const BACKOFF_LAST_MS = 300_000;
/** A run at least this long clears the back-off (Kubernetes). */
const BACKOFF_CLEARED_AFTER_MS = 600_000;
/** Exit code of a container that the platform moves: expected, not the app's fault. Source: support article on "Killing" events. */
const MAINTENANCE_EXIT_CODE = 7147;
/** 128 + SIGKILL. */
const KILLED_EXIT_CODE = 137;

export interface Outcome {
  readonly status: 'Succeeded' | 'Failed';
  readonly error?: { readonly code: string; readonly message: string };
  readonly events?: readonly EventRecord[];
}

export interface Surroundings {
  readonly containers: Pick<Containers, 'exec'>;
  /** Undefined = none is left. */
  addressFor(group: GroupRecord): string | undefined;
  log(group: GroupRecord, container: ContainerRecord, at: number, text: string): void;
  /** The current operation of the group ends; a second end is ignored. */
  finish(group: GroupRecord, at: number, outcome: Outcome): void;
}

export function beginPull(container: ContainerRecord, at: number): void {
  container.current = { state: 'Waiting', detailStatus: 'Pulling image' };
  recordEvent(container.events, at, 'Pulling', `pulling image "${container.image}"`);
  container.due = [];
}

export function pullSucceeded(container: ContainerRecord, at: number): void {
  recordEvent(container.events, at, 'Pulled', `Successfully pulled image "${container.image}"`);
  recordEvent(container.events, at, 'Created', 'Created container');
  container.current = { state: 'Waiting', detailStatus: 'Creating container' };
}

export function pullFailed(
  group: GroupRecord,
  container: ContainerRecord,
  at: number,
  cause: string,
  around: Pick<Surroundings, 'finish'>,
): void {
  recordEvent(container.events, at, 'Failed', `Failed to pull image "${container.image}": ${cause}`, 'Warning');
  recordEvent(container.events, at, 'BackOff', `Back-off pulling image "${container.image}"`);
  container.current = { state: 'Waiting', detailStatus: 'ImagePullBackOff' };
  container.due = [{ at: at + container.pullBackoffMs, step: 'pull' }];
  container.pullBackoffMs = Math.min(container.pullBackoffMs * 2, BACKOFF_LAST_MS);
  if (group.provisioningState === 'Failed') return;
  group.provisioningState = 'Failed';
  around.finish(group, at, {
    status: 'Failed',
    error: {
      code: 'InaccessibleImage',
      message: `The image '${container.image}' in container group '${group.name}' is not accessible. Please check the image and registry credential.`,
    },
    events: container.events,
  });
}

/** The next run of a real container is wanted from now on; it is `started` when it is seen. */
export function launch(container: ContainerRecord): void {
  container.run += 1;
  container.launching = true;
}

export function started(
  group: GroupRecord,
  container: ContainerRecord,
  at: number,
  around: Pick<Surroundings, 'finish'>,
): void {
  recordEvent(container.events, at, 'Started', 'Started container');
  running(group, container, at, around);
}

/** The start itself went wrong: to the container that is a run which ended at once. */
export function startFailed(
  group: GroupRecord,
  container: ContainerRecord,
  at: number,
  cause: string,
  around: Pick<Surroundings, 'finish' | 'log'>,
): void {
  recordEvent(
    container.events,
    at,
    'Failed',
    `Error: failed to start container "${container.name}": ${cause}`,
    'Warning',
  );
  running(group, container, at, around);
  endProcess(group, container, at, CANNOT_RUN_EXIT_CODE, around, 'ContainerCannotRun');
}

/** What a shell says of a command that is not there; Kubernetes shows the same code and word. */
const CANNOT_RUN_EXIT_CODE = 127;

function running(
  group: GroupRecord,
  container: ContainerRecord,
  at: number,
  around: Pick<Surroundings, 'finish'>,
): void {
  if (container.startedOnce) container.restartCount += 1;
  container.startedOnce = true;
  container.launching = false;
  container.current = { state: 'Running', startedAt: at };
  noteRunning(container, at, true);
  container.ready = !container.readiness;
  armProbe(container, 'liveness', at);
  armProbe(container, 'readiness', at);
  changeCondition(group, container, modelOf(container) ? 'starting' : 'serving', at);
  const open = group.provisioningState === 'Creating' || group.provisioningState === 'Updating';
  if ((open || group.provisioningState === 'Failed') && group.containers.every((c) => c.startedOnce)) {
    // A group reported as Failed "may keep trying and later run".
    group.provisioningState = 'Succeeded';
    group.due = group.due.filter((due) => due.step !== 'timeout');
    around.finish(group, at, { status: 'Succeeded' });
  }
}

/** What a real container uses while it runs is measured. */
function noteRunning(container: ContainerRecord, at: number, runs: boolean): void {
  const model = modelOf(container);
  if (model) noteUsage(container, at, runs ? model.usage : null);
  else if (!runs && container.usage) noteUsage(container, at, null);
}

function armProbe(container: ContainerRecord, kind: 'liveness' | 'readiness', at: number): void {
  const record = container[kind];
  if (!record) return;
  Object.assign(record, { failures: 0, successes: 0, asleep: false });
  delete record.asked;
  container.due.push({ at: at + record.initialDelayMs, step: kind });
}

export function changeCondition(
  group: GroupRecord,
  container: ContainerRecord,
  condition: ContainerRecord['condition'],
  at: number,
): void {
  container.condition = condition;
  wakeProbes(group, at);
}

/** Something in the group changed, so a probe that was sure of its answer must look again at its next tick. */
export function wakeProbes(group: GroupRecord, at: number): void {
  for (const container of group.containers) {
    if (container.current.state !== 'Running') continue;
    for (const kind of ['liveness', 'readiness'] as const) {
      const record = container[kind];
      if (!record?.asleep) continue;
      record.asleep = false;
      container.due.push({ at: nextTick(record, container.current.startedAt, at), step: kind });
    }
  }
}

function nextTick(record: ProbeRecord, startedAt: number, after: number): number {
  const first = startedAt + record.initialDelayMs;
  return first + Math.max(0, Math.floor((after - first) / record.periodMs) + 1) * record.periodMs;
}

/** One probe answered; the next is scheduled, unless the answer can only change with the group, or the container is killed for it. */
export function probeAnswered(
  group: GroupRecord,
  container: ContainerRecord,
  kind: 'liveness' | 'readiness',
  at: number,
  answer: ProbeAnswer,
  around: Pick<Surroundings, 'log' | 'finish'>,
): void {
  const record = container[kind];
  if (!record) return;
  if (answer.ok) {
    record.failures = 0;
    record.successes += 1;
    if (kind === 'readiness' && record.successes >= record.successThreshold) container.ready = true;
    if (modelOf(container) && (kind === 'liveness' || container.ready)) {
      record.asleep = true;
      return;
    }
  } else {
    record.successes = 0;
    record.failures += 1;
    const title = kind === 'liveness' ? 'Liveness' : 'Readiness';
    recordEvent(container.events, at, 'Unhealthy', `${title} probe failed: ${answer.why}`, 'Warning');
    if (record.failures >= record.failureThreshold) {
      if (kind === 'liveness') {
        killUnhealthy(group, container, at, around);
        return;
      }
      container.ready = false;
    }
  }
  container.due.push({ at: at + record.periodMs, step: kind });
}

function killUnhealthy(
  group: GroupRecord,
  container: ContainerRecord,
  at: number,
  around: Pick<Surroundings, 'log' | 'finish'>,
): void {
  killingEvent(group, container, at);
  endProcess(group, container, at, KILLED_EXIT_CODE, around);
}

function killingEvent(group: GroupRecord, container: ContainerRecord, at: number): void {
  const id = createHash('sha256').update(`${group.key}\n${container.name}\n${container.restartCount}`).digest('hex');
  recordEvent(container.events, at, 'Killing', `Killing container with id ${id}.`);
}

/** The process ends; the restart policy says what follows. */
export function endProcess(
  group: GroupRecord,
  container: ContainerRecord,
  at: number,
  exitCode: number,
  around: Pick<Surroundings, 'log' | 'finish'>,
  detailStatus = exitCode === 0 ? 'Completed' : 'Error',
): void {
  const ended = stopProcess(group, container, at, exitCode, around, detailStatus);
  if (!ended || initEnded(group, container, at, around)) return;
  if (!restarts(group, exitCode)) return;
  if (at - ended.startedAt >= BACKOFF_CLEARED_AFTER_MS) container.backoffMs = BACKOFF_FIRST_MS;
  container.previous = ended;
  container.current = { state: 'Waiting', detailStatus: 'CrashLoopBackOff' };
  recordEvent(container.events, at, 'BackOff', 'Back-off restarting failed container', 'Warning');
  container.due = [{ at: at + container.backoffMs, step: 'start' }];
  container.backoffMs = Math.min(container.backoffMs * 2, BACKOFF_LAST_MS);
}

/** Terminates a running container; undefined when it does not run. */
function stopProcess(
  group: GroupRecord,
  container: ContainerRecord,
  at: number,
  exitCode: number,
  around: Pick<Surroundings, 'log'>,
  detailStatus = 'Error',
) {
  container.launching = false;
  const running = container.current;
  if (running.state !== 'Running') return undefined;
  if (modelOf(container)) around.log(group, container, at, `exited with code ${exitCode}`);
  const ended = {
    state: 'Terminated',
    startedAt: running.startedAt,
    finishedAt: at,
    exitCode,
    detailStatus,
  } as const;
  container.current = ended;
  noteRunning(container, at, false);
  container.due = [];
  container.ready = false;
  container.unbound = [];
  changeCondition(group, container, 'down', at);
  return ended;
}

/** A PUT on an existing group takes every container down; the new ones are started by the group's next course. */
export function stopForUpdate(group: GroupRecord, at: number, around: Pick<Surroundings, 'log'>): void {
  for (const container of allContainers(group)) {
    if (container.current.state === 'Running') killingEvent(group, container, at);
    stopProcess(group, container, at, KILLED_EXIT_CODE, around);
  }
}

/** Everything is taken down, and nothing follows: what waited for its next start shows how it last ended. */
export function stopGroup(group: GroupRecord, at: number, around: Pick<Surroundings, 'log'>): void {
  for (const container of allContainers(group)) {
    if (container.current.state === 'Running') killingEvent(group, container, at);
    stopProcess(group, container, at, KILLED_EXIT_CODE, around);
    if (container.current.state === 'Waiting' && container.previous) container.current = container.previous;
    container.due = [];
  }
}

/** The containers of a stopped group begin anew; a start in place counts as a restart, a new deployment counts from zero. */
export function startAgain(group: GroupRecord, kind: 'start' | 'restart'): void {
  delete group.stopped;
  group.provisioningState = kind === 'start' ? 'Pending' : 'Updating';
  for (const container of allContainers(group)) {
    if (container.current.state === 'Terminated') container.previous = container.current;
    container.current = { state: 'Waiting', detailStatus: 'Waiting to be scheduled' };
    container.restartCount = kind === 'start' ? 0 : container.restartCount + 1;
    container.startedOnce = false;
    container.backoffMs = BACKOFF_FIRST_MS;
    container.pullBackoffMs = BACKOFF_FIRST_MS;
  }
}

function restarts(group: GroupRecord, exitCode: number): boolean {
  return group.restartPolicy === 'Always' || (group.restartPolicy === 'OnFailure' && exitCode !== 0);
}

/** The platform takes every running container down and, unless the policy is Never, starts it again at once; first what prepares the group for it. */
export function maintain(
  group: GroupRecord,
  at: number,
  around: Pick<Surroundings, 'log' | 'finish'>,
  exitCode = MAINTENANCE_EXIT_CODE,
): void {
  if (group.stopped || group.provisioningState === 'Deleting') return;
  moveToAnotherHost(group);
  const running = allContainers(group).filter(({ current }) => current.state === 'Running');
  for (const container of running) {
    killingEvent(group, container, at);
    const backoffMs = container.backoffMs;
    endProcess(group, container, at, exitCode, around);
    container.backoffMs = backoffMs;
    if (container.due.length > 0) container.due = [{ at: at + group.provisioningMs, step: 'start' }];
  }
  if (group.restartPolicy === 'Never' || (running.length === 0 && !isPrepared(group))) return;
  prepareAgain(group, at + group.provisioningMs);
}

/** What a group has written into its volumes stays behind. */
function moveToAnotherHost(group: GroupRecord): void {
  group.moves = (group.moves ?? 0) + 1;
}

/** The capacity of a Spot group is taken away; the service starts it again by itself, whatever its policy. Source: Spot overview (read 2026-11). */
export function evict(group: GroupRecord, at: number, around: Pick<Surroundings, 'log'>, forMs: number): void {
  recordEvent(
    group.events,
    at,
    'Evicted',
    'The container group was evicted: its capacity is needed elsewhere.',
    'Warning',
  );
  moveToAnotherHost(group);
  for (const container of allContainers(group)) {
    if (container.current.state === 'Running') killingEvent(group, container, at);
    const ended = stopProcess(group, container, at, KILLED_EXIT_CODE, around);
    if (!ended) continue;
    container.previous = ended;
    container.current = { state: 'Waiting', detailStatus: 'Evicted' };
    container.due = [{ at: at + forMs, step: 'start' }];
  }
  prepareAgain(group, at + forMs);
}

/** The process stops answering until it is restarted. */
export function hangProcess(group: GroupRecord, container: ContainerRecord, at: number): void {
  if (container.current.state !== 'Running') return;
  container.due = container.due.filter((due) => due.step !== 'ready');
  changeCondition(group, container, 'hung', at);
}
