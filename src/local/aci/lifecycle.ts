/**
 * Moves a container group through time: provisioning, pull, start, readiness, exit, back-off, probes, deletion. A state machine over
 * records: it is told what time it is, works off every instant that has come, in order, and schedules the next ones. It opens no
 * socket and writes no store; what leaves the group goes through `Surroundings`.
 */
import { createHash } from 'node:crypto';
import type { Containers } from './containers-port.ts';
import {
  type ContainerRecord,
  type ContainerStep,
  type Due,
  type EventRecord,
  type GroupRecord,
  type GroupStep,
  type ProbeRecord,
  recordEvent,
} from './model.ts';
import { evaluateProbe } from './probes.ts';

/** Wait before a restart in place, in ms: doubles from the first to the last value. Kubernetes' published schedule; ACI publishes none. */
export const BACKOFF_FIRST_MS = 10_000;
const BACKOFF_LAST_MS = 300_000;
/** A run at least this long clears the back-off (Kubernetes). */
const BACKOFF_CLEARED_AFTER_MS = 600_000;
/** The service gives up creating after 30 minutes. Source: Container Instances "container state" page (read 2026-11). */
export const PROVISIONING_TIMEOUT_MS = 30 * 60_000;
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

/** Works off everything up to `now`. `draft` is changed in place. */
export function advance(draft: GroupRecord, now: number, around: Surroundings): 'alive' | 'gone' {
  for (;;) {
    const next = takeEarliest(draft, now);
    if (!next) return 'alive';
    if (next.container) STEPS[next.step](draft, next.container, next.at, around);
    else if (groupStep(draft, next.step, next.at, around) === 'gone') return 'gone';
  }
}

type Taken =
  | { readonly at: number; readonly step: GroupStep; readonly container?: undefined }
  | { readonly at: number; readonly step: ContainerStep; readonly container: ContainerRecord };

/** Ties: the group before its containers, probes after everything else (they see what the instant brought), then the order of scheduling. */
function takeEarliest(group: GroupRecord, now: number): Taken | undefined {
  let best: { readonly at: number; readonly isProbe: boolean; readonly take: () => Taken } | undefined;
  const offer = (at: number, isProbe: boolean, take: () => Taken) => {
    if (at > now) return;
    if (!best || at < best.at || (at === best.at && best.isProbe && !isProbe)) best = { at, isProbe, take };
  };
  for (const due of group.due) offer(due.at, false, () => removeDue(group, due));
  for (const container of group.containers) {
    for (const due of container.due) {
      const isProbe = due.step === 'liveness' || due.step === 'readiness';
      offer(due.at, isProbe, () => ({ ...removeDue(container, due), container }));
    }
  }
  return best?.take();
}

function removeDue<Step>(owner: { due: Due<Step>[] }, due: Due<Step>): Due<Step> {
  owner.due = owner.due.filter((other) => other !== due);
  return due;
}

function groupStep(group: GroupRecord, step: GroupStep, at: number, around: Surroundings): 'alive' | 'gone' {
  switch (step) {
    case 'schedule':
      if (group.provisioningState === 'Pending') group.provisioningState = 'Creating';
      if (group.exposed && !group.ip) giveAddress(group, at, around);
      if (group.mishap) scheduleMishap(group, at);
      else for (const container of group.containers) beginPull(group, container, at);
      return 'alive';
    case 'begin':
      for (const container of group.containers) beginPull(group, container, at);
      return 'alive';
    case 'fail':
      failProvisioning(group, at, around);
      return 'alive';
    case 'timeout':
      giveUp(group, at, around);
      return 'alive';
    case 'vanish':
      around.finish(group, at, { status: 'Succeeded' });
      return 'gone';
  }
}

function giveAddress(group: GroupRecord, at: number, around: Surroundings): void {
  const address = around.addressFor(group);
  if (address === undefined)
    recordEvent(group.events, at, 'Failed', 'Error: no address is left in the location.', 'Warning');
  else group.ip = address;
}

function scheduleMishap(group: GroupRecord, at: number): void {
  const { afterMs, runsAfterMs } = group.mishap ?? {};
  if (afterMs !== undefined) group.due.push({ at: at + afterMs, step: 'fail' });
  if (runsAfterMs !== undefined) group.due.push({ at: at + (afterMs ?? 0) + runsAfterMs, step: 'begin' });
}

function failProvisioning(group: GroupRecord, at: number, around: Surroundings): void {
  const mishap = group.mishap;
  if (!mishap) return;
  group.provisioningState = 'Failed';
  recordEvent(group.events, at, mishap.code, mishap.message, 'Warning');
  // Capacity failures arrive as events of the operation only, others as its error (seen in Azure-Landing-Zones#2404).
  const asEvent = mishap.code.endsWith('.');
  around.finish(group, at, {
    status: 'Failed',
    ...(!asEvent && { error: { code: mishap.code, message: mishap.message } }),
    events: group.events,
  });
}

function giveUp(group: GroupRecord, at: number, around: Surroundings): void {
  if (group.provisioningState === 'Succeeded' || group.provisioningState === 'Failed') return;
  group.provisioningState = 'Failed';
  const message = `The container group '${group.name}' was not provisioned within 30 minutes.`;
  around.finish(group, at, { status: 'Failed', error: { code: 'ProvisioningTimeout', message }, events: group.events });
}

type Step = (group: GroupRecord, container: ContainerRecord, at: number, around: Surroundings) => void;

const STEPS: Readonly<Record<ContainerStep, Step>> = {
  pull: beginPull,
  pulled: endPull,
  start,
  ready(group, container, at, around) {
    around.log(group, container, at, listeningLine(container));
    changeCondition(group, container, 'serving', at);
  },
  hang: (group, container, at) => changeCondition(group, container, 'hung', at),
  sicken: (group, container, at) => changeCondition(group, container, 'sick', at),
  exit: (group, container, at, around) => endProcess(group, container, at, container.behaviour.exitCode, around),
  liveness: (group, container, at, around) => probe(group, container, 'liveness', at, around),
  readiness: (group, container, at, around) => probe(group, container, 'readiness', at, around),
};

function listeningLine(container: ContainerRecord): string {
  const { protocol, ports } = container.behaviour;
  return protocol === 'none' ? 'ready' : `ready, listening on ${protocol} ${ports.join(', ')}`;
}

function beginPull(group: GroupRecord, container: ContainerRecord, at: number): void {
  container.current = { state: 'Waiting', detailStatus: 'Pulling image' };
  recordEvent(container.events, at, 'Pulling', `pulling image "${container.image}"`);
  container.due = [{ at: at + Math.round(group.provisioningMs * 0.5) + container.behaviour.pullMs, step: 'pulled' }];
}

function endPull(group: GroupRecord, container: ContainerRecord, at: number, around: Surroundings): void {
  if (container.behaviour.pull === 'ok') {
    recordEvent(container.events, at, 'Pulled', `Successfully pulled image "${container.image}"`);
    recordEvent(container.events, at, 'Created', 'Created container');
    container.current = { state: 'Waiting', detailStatus: 'Creating container' };
    container.due = [{ at: at + Math.round(group.provisioningMs * 0.4), step: 'start' }];
    return;
  }
  const message = `Failed to pull image "${container.image}": image ${container.image} not found`;
  recordEvent(container.events, at, 'Failed', message, 'Warning');
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

function start(group: GroupRecord, container: ContainerRecord, at: number, around: Surroundings): void {
  if (container.startedOnce) container.restartCount += 1;
  container.startedOnce = true;
  container.current = { state: 'Running', startedAt: at };
  recordEvent(container.events, at, 'Started', 'Started container');
  for (const line of container.behaviour.log) around.log(group, container, at, line);
  const { startDelayMs, hangAfterMs, sickAfterMs, exitAfterMs } = container.behaviour;
  container.due = [{ at: at + startDelayMs, step: 'ready' }];
  if (hangAfterMs !== undefined) container.due.push({ at: at + hangAfterMs, step: 'hang' });
  if (sickAfterMs !== undefined) container.due.push({ at: at + sickAfterMs, step: 'sicken' });
  if (exitAfterMs !== undefined) container.due.push({ at: at + exitAfterMs, step: 'exit' });
  container.ready = !container.readiness;
  armProbe(container, 'liveness', at);
  armProbe(container, 'readiness', at);
  changeCondition(group, container, 'starting', at);
  const open = group.provisioningState === 'Creating' || group.provisioningState === 'Updating';
  if ((open || group.provisioningState === 'Failed') && group.containers.every((c) => c.startedOnce)) {
    // A group reported as Failed "may keep trying and later run".
    group.provisioningState = 'Succeeded';
    group.due = group.due.filter((due) => due.step !== 'timeout');
    around.finish(group, at, { status: 'Succeeded' });
  }
}

function armProbe(container: ContainerRecord, kind: 'liveness' | 'readiness', at: number): void {
  const record = container[kind];
  if (!record) return;
  Object.assign(record, { failures: 0, successes: 0, asleep: false });
  container.due.push({ at: at + record.initialDelayMs, step: kind });
}

function changeCondition(
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

function probe(
  group: GroupRecord,
  container: ContainerRecord,
  kind: 'liveness' | 'readiness',
  at: number,
  around: Surroundings,
): void {
  const record = container[kind];
  if (!record) return;
  const answer = evaluateProbe(group, container, record, around.containers);
  if (answer.ok) {
    record.failures = 0;
    record.successes += 1;
    if (kind === 'readiness' && record.successes >= record.successThreshold) container.ready = true;
    if (kind === 'liveness' || container.ready) {
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

function killUnhealthy(group: GroupRecord, container: ContainerRecord, at: number, around: Surroundings): void {
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
  around: Pick<Surroundings, 'log'>,
): void {
  const ended = stopProcess(group, container, at, exitCode, around);
  if (!ended) return;
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
) {
  const running = container.current;
  if (running.state !== 'Running') return undefined;
  around.log(group, container, at, `exited with code ${exitCode}`);
  const ended = {
    state: 'Terminated',
    startedAt: running.startedAt,
    finishedAt: at,
    exitCode,
    detailStatus: exitCode === 0 ? 'Completed' : 'Error',
  } as const;
  container.current = ended;
  container.due = [];
  container.ready = false;
  container.unbound = [];
  changeCondition(group, container, 'down', at);
  return ended;
}

/** A PUT on an existing group takes every container down; the new ones are started by the group's next course. */
export function stopForUpdate(group: GroupRecord, at: number, around: Pick<Surroundings, 'log'>): void {
  for (const container of group.containers) {
    if (container.current.state === 'Running') killingEvent(group, container, at);
    stopProcess(group, container, at, KILLED_EXIT_CODE, around);
  }
}

function restarts(group: GroupRecord, exitCode: number): boolean {
  return group.restartPolicy === 'Always' || (group.restartPolicy === 'OnFailure' && exitCode !== 0);
}

/** The platform takes every running container down and, unless the policy is Never, starts it again at once. */
export function maintain(group: GroupRecord, at: number, around: Pick<Surroundings, 'log'>): void {
  for (const container of group.containers) {
    if (container.current.state !== 'Running') continue;
    killingEvent(group, container, at);
    const backoffMs = container.backoffMs;
    endProcess(group, container, at, MAINTENANCE_EXIT_CODE, around);
    container.backoffMs = backoffMs;
    if (container.due.length > 0) container.due = [{ at: at + group.provisioningMs, step: 'start' }];
  }
}

/** The process stops answering until it is restarted. */
export function hangProcess(group: GroupRecord, container: ContainerRecord, at: number): void {
  if (container.current.state !== 'Running') return;
  container.due = container.due.filter((due) => due.step !== 'ready');
  changeCondition(group, container, 'hung', at);
}

/** The group ends; the record disappears after `deletionMs`. */
export function beginDeletion(group: GroupRecord, at: number, deletionMs: number): void {
  group.provisioningState = 'Deleting';
  group.due = [{ at: at + deletionMs, step: 'vanish' }];
  for (const container of group.containers) {
    container.due = [];
    container.condition = 'down';
  }
}
