/** The decisions under test, as one value, so that a planted bug can take their place. */
import type { reap } from '../../../src/decide/reap.ts';
import type { reconcile } from '../../../src/decide/reconcile.ts';
import type { failed } from '../../../src/decide/verdict.ts';
import type { suspicionOf, watch } from '../../../src/decide/watch.ts';

export interface Planner {
  readonly reconcile: typeof reconcile;
  readonly failed: typeof failed;
  readonly watch: typeof watch;
  readonly suspicionOf: typeof suspicionOf;
  readonly reap: typeof reap;
}

/** How far the check goes. */
export interface Bound {
  /** Slots of a service: the most that a change of the spec may ask for. */
  readonly slots: number;
  /** Groups that each pool has room for. */
  readonly quota: number;
  readonly faults: number;
  readonly changes: number;
  /** PUTs that land after their claim expired are among the faults. */
  readonly late: boolean;
}

/** What the planner must never do; each is checked by looking at the cells, not by asking the planner. */
export type Oracle =
  | 'RankNeverFalls'
  | 'NameOnce'
  | 'Ceiling'
  | 'Quota'
  | 'OneLivePerSlot'
  | 'Floor'
  | 'GateHolds'
  | 'NoPutOnGroup'
  | 'DeleteOnlyIntended'
  | 'NoLossOfWanted'
  | 'UnreadyGoesFirst'
  | 'DrainBeforeDelete'
  | 'GoneOnlyWhenGone'
  | 'EndpointOnlyReady'
  | 'HealthyIsTrue'
  | 'SilenceDecidesNothing'
  | 'DoneIsTrue'
  | 'ConvergedIsQuiet'
  | 'NoBusyWait'
  | 'ReapOrphansOnly'
  | 'Converges';

export class Violation extends Error {
  readonly oracle: Oracle;
  constructor(oracle: Oracle, detail: string) {
    super(`${oracle}: ${detail}`);
    this.oracle = oracle;
  }
}

export function must(holds: boolean, oracle: Oracle, detail: string): void {
  if (!holds) throw new Violation(oracle, detail);
}
