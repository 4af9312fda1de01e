/** Whether the rows of a service show what its guard asks for. One rule for the planner, the assessor and the scan. */
import { isRun } from '../model/run.ts';
import type { GuardRow, ReplicaRow } from '../model/state.ts';
import { isOutdated } from './restart.ts';

/** `replicas` are the rows of this service, gone ones included. Runs are no part of what is wanted, but nothing of a removed service may stay. */
export function isConverged(guard: GuardRow, replicas: readonly ReplicaRow[]): boolean {
  const standing = replicas.filter((replica) => replica.state !== 'gone');
  if (guard.removed) return standing.length === 0;
  // What is lost is made up for elsewhere, and nothing can be done about it before its pool is back.
  const present = standing.filter((replica) => replica.state !== 'lost' && !isRun(replica));
  return (
    present.length === guard.desired &&
    present.every(
      (replica) => replica.state === 'ready' && replica.revision === guard.revision && !isOutdated(guard, replica),
    ) &&
    new Set(present.map((replica) => replica.slot)).size === present.length
  );
}

/** Nothing is left to replace or to repair, and the guard says so. */
export const isSettled = (guard: GuardRow, replicas: readonly ReplicaRow[]): boolean =>
  guard.observedGeneration === guard.generation && isConverged(guard, replicas);

/** Settled, and no rollout is watched any more or is to begin, and no run is under way: no workflow is needed. */
export const isIdle = (guard: GuardRow, replicas: readonly ReplicaRow[]): boolean =>
  isSettled(guard, replicas) &&
  (guard.rollout ?? null) === null &&
  (guard.desired === 0 || ((guard.change ?? null) === null && guard.verifiedRevision === guard.revision)) &&
  !replicas.some((replica) => isRun(replica) && replica.state !== 'gone');
