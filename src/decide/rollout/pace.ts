/** Surge and unavailability of a rollout in replicas. */
import type { Amount, RolloutSpec } from '../../model/rollout.ts';

export interface Pace {
  readonly strategy: RolloutSpec['strategy'];
  /** Most live replicas: desired + surge. */
  readonly ceiling: number;
  /** Fewest ready replicas that our own acts may leave: desired − unavailable. */
  readonly floor: number;
  /** Old and new replicas of a place may run at the same time. */
  readonly overlaps: boolean;
}

/**
 * Rounded as Kubernetes does: surge up, unavailable down; where both become 0 one replica may be missing, as nothing could move otherwise
 * (deployment util `ResolveFenceposts`).
 */
export function paceOf(
  { strategy, maxSurge, maxUnavailable }: Pick<RolloutSpec, 'strategy' | 'maxSurge' | 'maxUnavailable'>,
  desired: number,
): Pace {
  if (strategy === 'recreate') return { strategy, ceiling: desired, floor: 0, overlaps: false };
  if (strategy === 'blueGreen') return { strategy, ceiling: 2 * desired, floor: desired, overlaps: true };
  const surge = countOf(maxSurge, desired, Math.ceil);
  const unavailable = countOf(maxUnavailable, desired, Math.floor);
  const missing = surge === 0 && unavailable === 0 ? 1 : unavailable;
  return { strategy, ceiling: desired + surge, floor: Math.max(0, desired - missing), overlaps: surge > 0 };
}

export const countOf = (amount: Amount, desired: number, round: (value: number) => number): number =>
  typeof amount === 'number' ? amount : round((Number.parseFloat(amount) * desired) / 100);
