/** How a service goes from one revision to the next. Not part of a revision: a change applies to a rollout under way. */

/** A number of replicas, or a share of the desired ones. */
export type Amount = number | `${number}%`;

export interface RolloutSpec {
  /** `rolling`: new replicas take the place of old ones step by step · `recreate`: all old ones are gone before the first new one is created. */
  readonly strategy: 'rolling' | 'recreate';
  /** Replicas above the desired number, for a time; shares are rounded up. 0 = an old replica is gone before its successor is created. */
  readonly maxSurge: Amount;
  /** Ready replicas below the desired number, by our own acts; shares are rounded down. */
  readonly maxUnavailable: Amount;
}

/** Kubernetes' surge, and no replica missing (semantics, "Which knob wins"). */
export const defaultRollout: RolloutSpec = { strategy: 'rolling', maxSurge: '25%', maxUnavailable: 0 };
