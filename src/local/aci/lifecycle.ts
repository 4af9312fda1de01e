/**
 * Moves a container group through time: provisioning, pull, start, readiness, exit, back-off, probes, deletion. A state machine over
 * records: it is told what time it is, works off every instant that has come, in order, and schedules the next ones. It opens no
 * socket and writes no store; what leaves the group goes through `Surroundings`.
 */
import {
  beginPull,
  changeCondition,
  endProcess,
  launch,
  probeAnswered,
  pullFailed,
  pullSucceeded,
  type Surroundings,
  started,
} from './container-course.ts';
import { nextToStart } from './init-containers.ts';
import {
  allContainers,
  type Behaviour,
  type ContainerRecord,
  type ContainerStep,
  type Due,
  type GroupRecord,
  type GroupStep,
  isReal,
  modelOf,
  recordEvent,
} from './model.ts';
import { evaluateProbe } from './probes.ts';

/** The service gives up creating after 30 minutes. Source: Container Instances "container state" page (read 2026-11). */
export const PROVISIONING_TIMEOUT_MS = 30 * 60_000;

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
  for (const container of allContainers(group)) {
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
      else for (const container of nextToStart(group)) pull(group, container, at);
      return 'alive';
    case 'begin':
      for (const container of nextToStart(group)) pull(group, container, at);
      return 'alive';
    case 'fail':
      failProvisioning(group, at, around);
      return 'alive';
    case 'timeout':
      giveUp(group, at, around);
      return 'alive';
    case 'stopped':
      group.provisioningState = 'Succeeded';
      if (group.ip !== undefined) group.formerIp = group.ip;
      delete group.ip;
      return 'alive';
    case 'vanish':
      if (group.stuck) return 'alive';
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

/** A real container takes the same steps, but what a model would schedule is observed instead (`observe.ts`). */
const STEPS: Readonly<Record<ContainerStep, Step>> = {
  pull: pull,
  pulled: endPull,
  start(group, container, at, around) {
    const model = modelOf(container);
    if (model) startModel(group, container, model, at, around);
    else launch(container);
  },
  ready(group, container, at, around) {
    around.log(group, container, at, listeningLine(container));
    changeCondition(group, container, 'serving', at);
  },
  hang: (group, container, at) => changeCondition(group, container, 'hung', at),
  sicken: (group, container, at) => changeCondition(group, container, 'sick', at),
  exit: (group, container, at, around) => endProcess(group, container, at, modelOf(container)?.exitCode ?? 0, around),
  liveness: (group, container, at, around) => probe(group, container, 'liveness', at, around),
  readiness: (group, container, at, around) => probe(group, container, 'readiness', at, around),
};

function listeningLine(container: ContainerRecord): string {
  const { protocol = 'none', ports = [] } = modelOf(container) ?? {};
  return protocol === 'none' ? 'ready' : `ready, listening on ${protocol} ${ports.join(', ')}`;
}

function pull(group: GroupRecord, container: ContainerRecord, at: number): void {
  beginPull(container, at);
  const model = modelOf(container);
  if (model) container.due = [{ at: at + Math.round(group.provisioningMs * 0.5) + model.pullMs, step: 'pulled' }];
}

function endPull(group: GroupRecord, container: ContainerRecord, at: number, around: Surroundings): void {
  if (modelOf(container)?.pull !== 'ok') {
    pullFailed(group, container, at, `image ${container.image} not found`, around);
    return;
  }
  pullSucceeded(container, at);
  container.due = [{ at: at + Math.round(group.provisioningMs * 0.4), step: 'start' }];
}

function startModel(
  group: GroupRecord,
  container: ContainerRecord,
  model: Behaviour,
  at: number,
  around: Surroundings,
): void {
  const { startDelayMs, hangAfterMs, sickAfterMs, exitAfterMs } = model;
  const due: Due<ContainerStep>[] = [{ at: at + startDelayMs, step: 'ready' }];
  if (hangAfterMs !== undefined) due.push({ at: at + hangAfterMs, step: 'hang' });
  if (sickAfterMs !== undefined) due.push({ at: at + sickAfterMs, step: 'sicken' });
  if (exitAfterMs !== undefined) due.push({ at: at + exitAfterMs, step: 'exit' });
  container.due = due;
  started(group, container, at, around);
  for (const line of model.log) around.log(group, container, at, line);
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
  if (modelOf(container))
    probeAnswered(group, container, kind, at, evaluateProbe(group, container, record, around.containers), around);
  else record.asked = at;
}

/** The group ends; the record disappears after `deletionMs`, that of a real group as soon as nothing of it is left. */
export function beginDeletion(group: GroupRecord, at: number, deletionMs: number): void {
  group.provisioningState = 'Deleting';
  delete group.stopped;
  group.due = isReal(group) ? [] : [{ at: at + deletionMs, step: 'vanish' }];
  for (const container of allContainers(group)) {
    container.due = [];
    container.launching = false;
    container.condition = 'down';
  }
}

/** A deletion that was stuck goes on. */
export function release(group: GroupRecord, at: number): void {
  if (!group.stuck) return;
  delete group.stuck;
  group.due = [{ at, step: 'vanish' }];
}
