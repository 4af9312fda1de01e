/** What a service asks of the place of each of its replicas. */
import type { PlacementSpec } from '../../model/placement.ts';

/** One replica's demand. All replicas of a service ask the same, so the scheduler prepares an ask once (`shapeOf`) and places many by it. */
export interface Ask extends PlacementSpec {
  /** Key by which its replicas are counted in a domain: `<app>/<service>`. */
  readonly service: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Pools that may be used, in order of preference; empty = every pool, in the order of configuration. */
  readonly pools: readonly string[];
}

/** What is particular to one replica of the ask. */
export interface Situation {
  /** Pool of the slot's last incarnation: preferred, for what it may have left there (an image in a cache, a warm peer); null = none. */
  readonly lastPool: string | null;
  /** Pools that just refused this slot for want of quota or capacity: used only if nothing else has room. */
  readonly avoid: ReadonlySet<string>;
}

export const anywhere: Situation = { lastPool: null, avoid: new Set() };
