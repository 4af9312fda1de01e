/** Everything the planner may look at, read before it runs. Observations are made by the pass; nothing here is fetched lazily. */
import type { AppSpec, ServiceTemplate } from './app-spec.ts';
import type { defaults } from './defaults.ts';
import type { GroupObservation } from './group.ts';
import type { RolloutRow } from './rollout-record.ts';
import type { GuardRow, PoolRow, ReplicaRow } from './state.ts';

export interface ServiceSnapshot {
  readonly installation: string;
  readonly appUid: string;
  readonly app: AppSpec | null;
  readonly frozen: boolean;
  readonly appGeneration: number;
  /** Every region that holds replicas looks dead: `frozen`, but not by command. */
  readonly cutOff?: boolean;
  readonly guard: GuardRow;
  /** The one that the guard names as under way. */
  readonly rollout: RolloutRow | null;
  /** Template of every revision that a live replica or the guard names. */
  readonly templates: ReadonlyMap<number, ServiceTemplate>;
  readonly replicas: readonly ReplicaRow[];
  /** What was observed of each replica in transition, by `<slot>/<incarnation>`; absent = not looked at in this pass. */
  readonly observations: ReadonlyMap<string, Observation>;
  /** Guards of the services named in depends_on. */
  readonly dependencies: ReadonlyMap<string, GuardRow>;
  readonly pools: readonly PoolRow[];
  /** Ids the plan may use for new attempts, drawn beforehand. */
  readonly attemptIds: readonly string[];
  readonly settings: PlannerSettings;
}

export type PlannerSettings = Pick<
  { [K in keyof typeof defaults]: (typeof defaults)[K] extends number ? number : (typeof defaults)[K] },
  'claimLeaseMs' | 'startDeadlineMs' | 'minReadyMs' | 'transitionWakeMs' | 'backoff'
>;

export type Observation =
  /** ARM answered 404. */
  | { readonly kind: 'missing' }
  /** ARM did not answer, or not usefully: decide nothing from it. */
  | {
      readonly kind: 'unknown';
      readonly message: string;
      /** The control plane failed, and not our rights or our rate. */
      readonly isOutage?: boolean;
    }
  | {
      readonly kind: 'group';
      readonly group: GroupObservation;
      readonly probe: 'passed' | 'failed' | null;
      readonly logTail: string | null;
    };

export const replicaKey = (replica: { readonly slot: number; readonly incarnation: number }): string =>
  `${replica.slot}/${replica.incarnation}`;
