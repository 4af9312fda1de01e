/**
 * Preferences as numbers: each score is 0–100, and the best sum of score × weight wins. The weights put the preferences into the order in which they
 * give way (semantics, "Placement"): cost first, then stickiness, soft affinity, the order of pools, and the spread last.
 */
import type { Target } from './target.ts';

export interface Weights {
  readonly spread: number;
  readonly poolOrder: number;
  readonly affinity: number;
  readonly stickiness: number;
  readonly cost: number;
  /** Room left in the quota: only breaks ties between pools that are otherwise equal. */
  readonly headroom: number;
}

/** Each weighs more than all those that give way before it, for differences of full size. */
export const defaultWeights: Weights = {
  spread: 32,
  poolOrder: 16,
  affinity: 8,
  stickiness: 4,
  cost: 2,
  headroom: 0.01,
};

/** 100 for the first pool of the order, 50 for the second, 33 …: the first places matter most. */
export const orderScore = (rank: number): number => 100 / (1 + rank);

/** 100 for the cheapest, 0 for the dearest and for one whose price is unknown. */
export function costScore(cost: number | null, cheapest: number, dearest: number): number {
  if (cost === null) return 0;
  return dearest === cheapest ? 100 : (100 * (dearest - cost)) / (dearest - cheapest);
}

/** 100 for a domain that has as few replicas as the emptiest, less for each one more. */
export const spreadScore = (count: number, fewest: number): number => 100 / (1 + count - fewest);

/** Near: 100 where a replica of the other service is. Away: 100 where none is, less for each. */
export const affinityScore = (count: number, anti: boolean): number => (anti ? 100 / (1 + count) : count > 0 ? 100 : 0);

/** Per hour; null where the target has no price. */
export const costOf = ({ price }: Target, cores: number, memoryGiB: number): number | null =>
  price === null ? null : price.coreHour * cores + price.gibHour * memoryGiB;
