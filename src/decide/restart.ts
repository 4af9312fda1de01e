/**
 * Whose turn it is in a restart. Every replica that was planned before it is replaced, at the same revision and in the same slot: those that are not
 * ready at once, of the ready ones so few that at most one of the service is missing (semantics, `disruption.maxUnavailable`).
 */
import type { GuardRow, ReplicaRow } from '../model/state.ts';

const maxUnavailable = 1;

export const isOutdated = (guard: GuardRow, replica: ReplicaRow): boolean => replica.cycle < guard.cycle;

/** @param keepers the replicas that fill the desired count; those of another revision than `target` are replaced anyway. */
export function restartingOf(
  guard: GuardRow,
  target: number | null,
  keepers: ReadonlySet<ReplicaRow>,
): ReadonlySet<ReplicaRow> {
  const outdated = [...keepers].filter((row) => row.revision === target && isOutdated(guard, row));
  const ready = [...keepers].filter(({ state }) => state === 'ready').length;
  const spare = Math.max(0, ready - (guard.desired - maxUnavailable));
  const strong = outdated.filter(({ state }) => state === 'ready').sort((a, b) => a.slot - b.slot);
  return new Set([...outdated.filter(({ state }) => state !== 'ready'), ...strong.slice(0, spare)]);
}
