/**
 * What became of a rollout: one row for each, kept for good. The guard names the one under way, and both are only ever written together, so that a
 * service has at most one. Instants are epoch ms, `null` stands for "none".
 */
import type { Reason } from './reasons.ts';
import type { RolloutSpec } from './rollout.ts';
import type { RevisionChange } from './state.ts';

/** Under way. `baking`: everything is replaced, and watched. */
export type ActivePhase = 'progressing' | 'baking' | 'paused';
/** `failed` and `aborted`: another rollout leads back. `superseded`: something newer was wanted before it came to an end. */
export type FinalPhase = 'succeeded' | 'failed' | 'aborted' | 'superseded';

export interface RolloutRow {
  readonly kind: 'rollout';
  readonly app: string;
  readonly service: string;
  /** Counts the rollouts of the service from 1. Shown as `web.3`. */
  readonly number: number;
  readonly purpose: RevisionChange['purpose'];
  /** null = there was nothing before. */
  readonly from: number | null;
  readonly to: number;
  readonly strategy: RolloutSpec['strategy'];
  /** Operation that wanted it, or the rollout that failed. */
  readonly cause: string;
  readonly why: string;
  /** App generation that it leads to. */
  readonly generation: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly phase: ActivePhase | FinalPhase;
  /** Why it is paused, waits, or came to a bad end. */
  readonly reason: Reason | null;
  readonly message: string | null;
  /** Incarnations from here on were made by it: only their failures are its own. */
  readonly firstIncarnation: number;
  readonly counts: RolloutCounts;
  /** Failures that count, the newest last; at most {@link failuresKept}. */
  readonly failures: readonly CountedFailure[];
  /** Failed incarnations, of which each counts once, since it began or was last resumed. */
  readonly failed: number;
  /** Failures, restarts in place each for itself, since a new replica last stayed ready for as long as it is watched. */
  readonly strikes: number;
  /** Incarnations that stayed ready for as long as they are watched. */
  readonly cleared: readonly number[];
  /** Step of a canary that it is in, from 0; `steps.length` = all of them are behind. */
  readonly step: number;
  /** Since when all replicas of the step, or of the service, have been ready. */
  readonly readyAt: number | null;
  /** Its gate was opened by hand. */
  readonly promoted: boolean;
  /** Since when the progress clock has been running without progress; null = it stands still. */
  readonly clockAt: number | null;
  /** While paused: so many of that many desired replicas are to have the new revision. */
  readonly held: { readonly replicas: number; readonly of: number } | null;
  /** There is no room for its surge. */
  readonly parked: boolean;
  /** Rollout that leads back from this one. */
  readonly successor: number | null;
  readonly decisions: readonly RolloutDecision[];
}

export interface RolloutCounts {
  readonly desired: number;
  /** Of the new revision: in being, and ready. */
  readonly fresh: number;
  readonly ready: number;
  /** Of older ones, those on their way out too. */
  readonly old: number;
}

export interface CountedFailure {
  readonly at: number;
  readonly slot: number;
  readonly incarnation: number;
  readonly reason: Reason | null;
  readonly message: string | null;
  /** Restarts in place that were counted. */
  readonly crashes: number;
}

/** A turn of a rollout, with what it was decided from. */
export interface RolloutDecision {
  readonly at: number;
  readonly what:
    | 'begin'
    | 'advance'
    | 'promote'
    | 'pause'
    | 'resume'
    | 'bake'
    | 'succeed'
    | 'fail'
    | 'abort'
    | 'supersede';
  readonly because: string;
  readonly facts: RolloutFacts;
}

export interface RolloutFacts extends RolloutCounts {
  readonly failed: number;
  readonly strikes: number;
  readonly step: number;
}

/** What a record keeps of failures and decisions, so that its row stays small whatever happens. */
export const failuresKept = 200;
export const decisionsKept = 200;

/** As people know it, and within an app: `web.3`. */
export const rolloutId = ({ service, number }: Pick<RolloutRow, 'service' | 'number'>): string =>
  `${service}.${number}`;

export const isActive = ({ phase }: Pick<RolloutRow, 'phase'>): boolean =>
  phase === 'progressing' || phase === 'baking' || phase === 'paused';
