/** How a service goes from one revision to the next. Not part of a revision: a change applies to a rollout under way. */

/** A number of replicas, or a share of the desired ones. */
export type Amount = number | `${number}%`;

export interface PaceSpec {
  /** Replicas above the desired number, for a time; shares are rounded up. 0 = an old replica is gone before its successor is created. */
  readonly maxSurge: Amount;
  /** Ready replicas below the desired number, by our own acts; shares are rounded down. */
  readonly maxUnavailable: Amount;
}

export interface RolloutSpec extends PaceSpec {
  /**
   * `rolling`: new replicas take the place of old ones step by step · `recreate`: all old ones are gone before the first new one is created ·
   * `canary`: rolling, but it stops at each of `steps` first · `blueGreen`: all new replicas stand beside all old ones before the first old one leaves.
   */
  readonly strategy: 'rolling' | 'recreate' | 'canary' | 'blueGreen';
  /** Rising. Of a canary only. */
  readonly steps?: readonly CanaryStep[];
  /** A blueGreen one also waits for `rollout promote` before it takes the old replicas away. */
  readonly gate?: Gate;
  /** What becomes of a rollout that fails; absent = `rollback`. */
  readonly onFailure?: FailureAction;
  /** Fails beyond this share of failed replicas, 0..1; absent = whatever their share. */
  readonly maxFailureRatio?: number;
  /** How long a new replica is watched from its first readiness on. */
  readonly monitorMs?: number;
  /** A new replica counts once it has been ready for so long. */
  readonly minReadyMs?: number;
  /** How long the whole new revision is watched before it counts as verified-good. */
  readonly bakeMs?: number;
  readonly progressDeadlineMs?: number;
  /** Absent = `park`: it waits for room. `stopFirst`: one old replica goes first. */
  readonly whenNoSurge?: 'park' | 'stopFirst';
  /** Pace and watch of a rollback; absent = those of the rollout. */
  readonly rollback?: PaceSpec & Pick<RolloutSpec, 'monitorMs' | 'maxFailureRatio'>;
}

export type Gate = 'manual';

export type FailureAction = 'pause' | 'rollback' | 'continue';

export interface CanaryStep {
  /** How many replicas have the new revision in this step. */
  readonly replicas: Amount;
  /** How long they are watched. */
  readonly bakeMs: number;
  /** It also waits for `rollout promote`. */
  readonly gate?: Gate;
}

/** Kubernetes' surge, and no replica missing (semantics, "Which knob wins"). */
export const defaultRollout: RolloutSpec = { strategy: 'rolling', maxSurge: '25%', maxUnavailable: 0 };
