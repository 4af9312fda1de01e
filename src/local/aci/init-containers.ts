/**
 * Init containers: one after the other, each to an end with code 0, before the containers of the group start. What starts, fails and is tried again is a
 * container like any other; here is only what follows from its end. Source: "init containers" page (read 2026-11); where it is silent, Kubernetes.
 */
import type { ContainerRecord, EventRecord, GroupRecord } from './model.ts';

/** What a container shows while init containers run. */
const INITIALIZING = { state: 'Waiting', detailStatus: 'PodInitializing' } as const;

const isDone = ({ current }: ContainerRecord): boolean => current.state === 'Terminated' && current.exitCode === 0;

export const isInit = (group: GroupRecord, container: ContainerRecord): boolean =>
  group.initContainers?.includes(container) ?? false;

/** What is to be started now: the first init container that has not done its work, else every container that has not ended. The others show that they wait. */
export function nextToStart(group: GroupRecord): readonly ContainerRecord[] {
  const next = group.initContainers?.find((one) => !isDone(one));
  const waiting = group.containers.filter(({ current }) => current.state !== 'Terminated');
  if (!next) return waiting;
  for (const container of waiting) container.current = INITIALIZING;
  return [next];
}

/** Some of the preparation is done. */
export const isPrepared = (group: GroupRecord): boolean => group.initContainers?.some(isDone) ?? false;

interface Failure {
  readonly status: 'Failed';
  readonly error: { readonly code: string; readonly message: string };
  readonly events: readonly EventRecord[];
}

/** The end of an init container, if it does not follow the restart policy like any other: true = nothing more is to be done about it. */
export function initEnded(
  group: GroupRecord,
  container: ContainerRecord,
  at: number,
  around: { finish(group: GroupRecord, at: number, outcome: Failure): void },
): boolean {
  if (!isInit(group, container) || container.current.state !== 'Terminated') return false;
  if (isDone(container)) {
    group.due.push({ at, step: 'begin' });
    return true;
  }
  if (group.restartPolicy !== 'Never') return false;
  group.provisioningState = 'Failed';
  const { exitCode } = container.current;
  around.finish(group, at, {
    status: 'Failed',
    error: {
      code: 'InitContainerFailed',
      message: `The init container '${container.name}' in container group '${group.name}' exited with code ${exitCode}, and the restart policy is 'Never'.`,
    },
    events: container.events,
  });
  return true;
}

/** An init container that is not tried again has ended the group. */
export const initFailed = (group: GroupRecord): boolean =>
  group.restartPolicy === 'Never' &&
  (group.initContainers?.some(({ current }) => current.state === 'Terminated' && current.exitCode !== 0) ?? false);

/** The group comes up on another host: what was prepared is lost with the old one. What has ended for good stays as it is. */
export function prepareAgain(group: GroupRecord, at: number): void {
  const { initContainers = [], containers } = group;
  const waiting = containers.filter(({ current }) => current.state !== 'Terminated');
  if (initContainers.length === 0 || waiting.length === 0) return;
  for (const container of initContainers)
    if (container.current.state === 'Terminated') container.previous = container.current;
  for (const container of [...initContainers, ...waiting]) {
    container.due = [];
    container.launching = false;
    container.current = INITIALIZING;
  }
  group.due = [...group.due.filter(({ step }) => step !== 'begin'), { at, step: 'begin' }];
}
