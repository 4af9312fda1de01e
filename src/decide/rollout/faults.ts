/**
 * What counts as a failure of a rollout (semantics, "Rollouts"). It is read off the rows, so that it does not matter who saw it first or how often it is
 * looked at: each incarnation counts once in the ratio, each of its restarts once more for the breaker.
 */
import type { Reason } from '../../model/reasons.ts';
import type { CountedFailure, RolloutRow } from '../../model/rollout-record.ts';
import type { ReplicaRow } from '../../model/state.ts';

/** Ends that are the doing of the image or of the spec. What is missing here has a cause outside the app: quota, capacity, the platform, our own acts. */
const ownFaults: ReadonlySet<Reason | null> = new Set<Reason | null>([
  'ImagePullFailed',
  'SecretMissing',
  'SecretUnreadable',
  'CreateRejected',
  'ProvisioningFailed',
  'StartDeadlineExceeded',
  'ContainerCrashed',
  'CrashLooping',
  'ContainerExited',
  'ProbeFailed',
  'Flapping',
]);

/** A replica that the rollout made. */
export const isOfRollout = (
  { to, firstIncarnation }: Pick<RolloutRow, 'to' | 'firstIncarnation'>,
  { revision, incarnation }: Pick<ReplicaRow, 'revision' | 'incarnation'>,
): boolean => revision === to && incarnation >= firstIncarnation;

/** It ended badly, or lost its readiness, by its own fault. */
function isAtFault(row: ReplicaRow): boolean {
  if (row.state === 'failed') return ownFaults.has(row.reason);
  return row.state === 'unready' && row.readyAt !== null && ownFaults.has(row.reason);
}

export interface Tally {
  readonly failures: readonly CountedFailure[];
  /** Incarnations that are counted for the first time. */
  readonly failed: number;
  /** With each restart in place. */
  readonly strikes: number;
}

/**
 * Failures that are new since the record was written. @param watched whose failures count: those not cleared yet, or all of them in a bake
 */
export function tallyOf(
  { failures }: Pick<RolloutRow, 'failures'>,
  watched: readonly ReplicaRow[],
  now: number,
): Tally {
  const known = new Map(failures.map((failure) => [failure.incarnation, failure]));
  let failed = 0;
  let strikes = 0;
  const changed = new Map<number, CountedFailure>();
  for (const row of watched) {
    const before = known.get(row.incarnation);
    const restarts = Math.max(0, row.crashes - (before?.crashes ?? 0));
    const isNew = before === undefined && (restarts > 0 || isAtFault(row));
    if (!isNew && restarts === 0) continue;
    if (isNew) failed += 1;
    // One that ended without a restart that was seen is a failure too.
    strikes += Math.max(restarts, isNew ? 1 : 0);
    changed.set(row.incarnation, {
      at: now,
      slot: row.slot,
      incarnation: row.incarnation,
      reason: row.reason ?? (restarts > 0 ? 'ContainerCrashed' : null),
      message: row.message,
      crashes: row.crashes,
    });
  }
  const kept = failures.map((failure) => changed.get(failure.incarnation) ?? failure);
  const added = [...changed.values()].filter(({ incarnation }) => !known.has(incarnation));
  return { failures: [...kept, ...added], failed, strikes };
}

/** When a ready replica will have been watched for long enough; null for one that is not ready or need not be. */
export function clearingAt(row: ReplicaRow, rollout: RolloutRow, monitorMs: number): number | null {
  if (row.state !== 'ready' || !isOfRollout(rollout, row) || rollout.cleared.includes(row.incarnation)) return null;
  return row.stateAt + monitorMs;
}
