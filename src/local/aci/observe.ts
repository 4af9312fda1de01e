/**
 * What a container engine saw of a real group, applied to its record. Every observation may come late or twice: one that is not about the
 * current run of a container, or not about the question that is open, changes nothing.
 */
import {
  endProcess,
  launch,
  maintain,
  probeAnswered,
  pullFailed,
  pullSucceeded,
  type Surroundings,
  started,
  startFailed,
} from './container-course.ts';
import { allContainers, type ContainerRecord, type GroupRecord, noteUsage, recordEvent, type Usage } from './model.ts';
import { PULLING } from './wanted.ts';

export type Observation = GroupObservation | ContainerObservation;

export type GroupObservation =
  /** Nothing of the group is left. */
  | { readonly kind: 'removed' }
  /** What its containers share is gone, and they with it: not their fault, and they start again at once. */
  | { readonly kind: 'hostLost' }
  /** The engine refused something that is tried again. */
  | { readonly kind: 'trouble'; readonly message: string };

export type ContainerObservation = { readonly container: string; readonly run: number } & (
  | { readonly kind: 'imageReady' }
  | { readonly kind: 'imageFailed'; readonly cause: string }
  | { readonly kind: 'started'; readonly at: number }
  | { readonly kind: 'startFailed'; readonly cause: string }
  | { readonly kind: 'ended'; readonly end: RunEnd }
  /** Measured over the time from then until now. */
  | { readonly kind: 'used'; readonly from: number; readonly usage: Usage }
  | {
      readonly kind: 'probed';
      readonly probe: 'liveness' | 'readiness';
      readonly asked: number;
      /** Absent = it passed. */
      readonly problem?: string;
    }
);

export interface RunEnd {
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  /** Killed for using more memory than it may. */
  readonly outOfMemory: boolean;
}

/** `draft` is changed in place. */
export function observe(draft: GroupRecord, observation: Observation, now: number, around: Surroundings): void {
  switch (observation.kind) {
    case 'removed':
      if (draft.provisioningState === 'Deleting') draft.due = [{ at: now, step: 'vanish' }];
      else if (draft.stopped && draft.provisioningState === 'Updating') draft.due = [{ at: now, step: 'stopped' }];
      return;
    case 'hostLost':
      maintain(draft, now, around);
      return;
    case 'trouble':
      recordEvent(draft.events, now, 'Failed', observation.message, 'Warning');
      return;
    default: {
      const container = allContainers(draft).find((one) => one.name === observation.container);
      if (!container || container.run !== observation.run || draft.provisioningState === 'Deleting') return;
      ofContainer(draft, container, observation, now, around);
    }
  }
}

function ofContainer(
  group: GroupRecord,
  container: ContainerRecord,
  seen: ContainerObservation,
  now: number,
  around: Surroundings,
): void {
  const pulling = container.current.state === 'Waiting' && container.current.detailStatus === PULLING;
  switch (seen.kind) {
    case 'imageReady':
      if (!pulling) return;
      pullSucceeded(container, now);
      launch(container);
      return;
    case 'imageFailed':
      if (pulling) pullFailed(group, container, now, seen.cause, around);
      return;
    case 'started':
      if (container.launching) started(group, container, seen.at, around);
      return;
    case 'startFailed':
      if (container.launching) startFailed(group, container, now, seen.cause, around);
      return;
    case 'used':
      // The latest step also holds until the next one is known.
      if (container.current.state === 'Running')
        noteUsage(container, Math.max(seen.from, container.current.startedAt), seen.usage);
      return;
    case 'ended':
      ended(group, container, seen.end, around);
      return;
    case 'probed': {
      const record = container[seen.probe];
      if (container.current.state !== 'Running' || record?.asked !== seen.asked) return;
      delete record.asked;
      const answer = seen.problem === undefined ? ({ ok: true } as const) : { ok: false as const, why: seen.problem };
      probeAnswered(group, container, seen.probe, now, answer, around);
    }
  }
}

/** A run may have come and gone before anybody saw it. */
function ended(group: GroupRecord, container: ContainerRecord, end: RunEnd, around: Surroundings): void {
  if (container.launching) started(group, container, end.startedAt, around);
  if (container.current.state !== 'Running') return;
  const { finishedAt, exitCode, outOfMemory } = end;
  const word = outOfMemory ? 'OOMKilled' : undefined;
  endProcess(group, container, Math.max(finishedAt, container.current.startedAt), exitCode, around, word);
}
