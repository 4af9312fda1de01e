/**
 * Pairs of fault and workflow phase without which a campaign proves little: every way in which a call's outcome can be lost, in every phase that changes
 * something. Each has a directed world of its own; a campaign fails when one never occurred.
 */

import { phaseOf } from '../faults/phases.ts';
import type { CallFault } from '../faults/registry.ts';
import type { Scenario } from './scenario.ts';
import { callsOf, isStruckBy, type Plan, pointAt } from './sweep.ts';

interface Pair {
  readonly fault: CallFault;
  readonly phase: string;
}

const cross = (faults: readonly CallFault[], phases: readonly string[]): readonly Pair[] =>
  faults.flatMap((fault) => phases.map((phase) => ({ fault, phase })));

export const requiredPairs: readonly Pair[] = [
  ...cross(
    ['crashBefore', 'crashAfter', 'replyLost', 'replyNever', 'errorAfter'],
    ['accept', 'assess', 'start', 'settle', 'pass', 'create', 'delete', 'finish', 'resync'],
  ),
  ...cross(['refused', 'unavailable', 'throttled', 'slow'], ['accept', 'pass', 'create', 'delete', 'resync']),
  ...cross(['staleRead'], ['pass', 'delete', 'resync']),
  ...cross(['shortList'], ['resync']),
];

/** As coverage names it. */
const nameOf = ({ fault, phase }: Pair): string => `${fault} × ${phase}`;

export const missingPairs = (seen: ReadonlyMap<string, number>): readonly string[] =>
  requiredPairs.map(nameOf).filter((pair) => !seen.has(pair));

/** A world for each required pair: the fault at the first call of that phase which it can strike. */
export async function planPairs(
  scenario: Scenario,
): Promise<Plan & { /** Pairs for which the scenario has no call. */ readonly unoffered: readonly string[] }> {
  const { calls, final } = await callsOf(scenario);
  const directed = requiredPairs.map((pair) => {
    const call = calls.find(({ event }) => phaseOf(event.cause) === pair.phase && isStruckBy(pair.fault, event));
    return { pair: nameOf(pair), call, fault: pair.fault };
  });
  return {
    points: directed.flatMap(({ pair, call, fault }) => (call ? [{ ...pointAt(fault, call), pair }] : [])),
    unoffered: directed.filter(({ call }) => call === undefined).map(({ pair }) => pair),
    final,
  };
}
