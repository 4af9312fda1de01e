/** A plan is a value: what one pass over a service wants committed first, and what the workflow then does to the world. */

import type { Reason } from './reasons.ts';
import type { RolloutRow } from './rollout-record.ts';
import type { EventType, GuardRow, ReplicaRow } from './state.ts';

/** One effect on the world. Small on purpose: it lands in the history of the workflow. The step re-checks epoch and attempt before acting. */
export type Step =
  | {
      readonly kind: 'createGroup';
      readonly app: string;
      readonly service: string;
      readonly slot: number;
      readonly incarnation: number;
      readonly epoch: number;
      readonly attempt: string;
    }
  | {
      readonly kind: 'deleteGroup';
      readonly app: string;
      readonly service: string;
      readonly slot: number;
      readonly incarnation: number;
      readonly epoch: number;
    };

/** An event a plan wants recorded; the pass adds time, transaction and cause. */
export interface PlannedEvent {
  readonly type: EventType;
  readonly replica?: { readonly slot: number; readonly incarnation: number };
  readonly reason?: Reason;
  readonly message: string;
}

/** New value of a replica row; `insert` for a new incarnation, else the row replaces the one it was read as. */
export interface ReplicaChange {
  readonly insert: boolean;
  readonly row: ReplicaRow;
  readonly events: readonly PlannedEvent[];
}

/** New value of a rollout's record; `insert` for one that begins. */
export interface RolloutChange {
  readonly insert: boolean;
  readonly row: RolloutRow;
}

/** What a rollout proved of a revision. */
export interface RevisionMark {
  readonly revision: number;
  readonly is: 'verified' | 'rolledBack';
}

export interface Plan {
  readonly replicas: readonly ReplicaChange[];
  /** The guard's next value without the fields that the pass itself owns (passAt, wakeAt, lastTx, workflow, epoch). */
  readonly guard: Pick<
    GuardRow,
    | 'revision'
    | 'generation'
    | 'rollouts'
    | 'rollout'
    | 'change'
    | 'nextIncarnation'
    | 'verifiedRevision'
    | 'healthyRevision'
    | 'startedRevision'
    | 'dependenciesMetRevision'
    | 'observedGeneration'
    | 'reason'
    | 'message'
  >;
  readonly rollouts: readonly RolloutChange[];
  readonly marks: readonly RevisionMark[];
  /** A rollback makes a new generation of the app, so that nothing takes its way forward again; null = it stays. */
  readonly appGeneration: number | null;
  readonly events: readonly PlannedEvent[];
  readonly steps: readonly Step[];
  /** Nothing left to do: the workflow may release the guard. */
  readonly done: boolean;
  /** When to look again, epoch ms; at most `transitionWakeMs` ahead. */
  readonly wakeAt: number;
  /** Another service may be waiting for what just changed, or the app may have converged. */
  readonly wakeApp: boolean;
}
