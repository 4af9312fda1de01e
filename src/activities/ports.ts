/** What activities and timers need of the world, and the numbers they work with. Built once per invocation: the durable client belongs to it. */
import type { PlannerSettings } from '../model/snapshot.ts';
import type { PoolRow } from '../model/state.ts';
import type { Ids, Log, Now } from '../ports/ambient.ts';
import type { ContainerGroups } from '../ports/container-groups.ts';
import type { Prober } from '../ports/prober.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { StateStore } from '../ports/state-store.ts';
import type { Workflows } from '../ports/workflows.ts';

export interface ActivityPorts {
  readonly store: StateStore;
  readonly secrets: Pick<Secrets, 'read'>;
  readonly groups: ContainerGroups;
  readonly prober: Prober;
  readonly workflows: Workflows;
  readonly now: Now;
  readonly ids: Ids;
  readonly log: Log;
  /** Waits between tries and between two probes of one replica. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** A pool as the configuration states it. */
export type PoolConfig = Pick<
  PoolRow,
  'pool' | 'type' | 'subscriptionId' | 'resourceGroup' | 'region' | 'quota' | 'labels' | 'price'
>;

export interface ActivitySettings extends PlannerSettings {
  /** Of Flotilla, as it runs now. */
  readonly version: string;
  readonly installation: string;
  readonly installationEpoch: number;
  /** In order of preference. */
  readonly pools: readonly PoolConfig[];
  readonly brokenAfterMs: number;
  readonly dueRearmMs: number;
  readonly resendAfterMs: number;
  readonly orphanGraceMs: number;
  readonly observeBudgetMs: number;
  readonly tickBudgetMs: number;
}
