/** What no oracle sees, because it takes a second run or a plan to know it. */
import type { Violation } from '../types.ts';
import type { RunResult } from '../world/world.ts';

export interface Expected {
  /** How the same scenario ends when nothing goes wrong. */
  readonly final: string;
  /** Pair of fault and workflow phase that must occur. */
  readonly pair?: string | undefined;
}

export function missedBy({ final, pair }: Expected, { final: end, coverage, virtualMs }: RunResult): Violation[] {
  const violations: Violation[] = [];
  if (end !== final) {
    const message = `it ends as «${end}», without the fault as «${final}»`;
    violations.push({ oracle: 'sameEnd', invariant: 'L1', at: virtualMs, message });
  }
  if (pair !== undefined && !coverage.pairs.has(pair)) {
    violations.push({ oracle: 'directed', invariant: '-', at: virtualMs, message: `${pair} did not occur` });
  }
  return violations;
}
