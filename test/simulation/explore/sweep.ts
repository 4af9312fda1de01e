/**
 * Sweeps: a scenario is run once without faults and its calls are listed; then it is run again for each of them, with one fault at that call and
 * nothing else. Crashes give the intermediate states, stale and short answers the stale ones, slow ones and lost hints those nobody observed.
 */
import type { ChoiceMap } from '../choices/choices.ts';
import { type CallFault, callFaults, everyFault } from '../faults/registry.ts';
import { oracles } from '../oracles/index.ts';
import type { EffectEvent } from '../types.ts';
import { epoch } from '../virtual/clock.ts';
import { hash32 } from '../virtual/random.ts';
import { runWorld } from '../world/world.ts';
import { type Failure, failureOf } from './failure.ts';
import { missedBy } from './missed.ts';
import type { Scenario } from './scenario.ts';
import type { Tally } from './tally.ts';

/** The three views, and what shows each. */
export const views = {
  intermediate: ['crashBefore', 'crashAfter', 'zombie'],
  stale: ['staleRead', 'shortList', 'appliedLate'],
  unobserved: ['replyLost', 'replyNever', 'slow'],
} as const satisfies Readonly<Record<string, readonly CallFault[]>>;

export type ViewName = keyof typeof views;

/** A world in which one thing goes wrong. */
export interface Point {
  readonly choices: ChoiceMap;
  readonly name: string;
  /** Pair of fault and phase that must occur in it, where it is run for that. */
  readonly pair?: string;
}

export interface Plan {
  readonly points: readonly Point[];
  /** How the fault-free run ends, and every other one must. */
  readonly final: string;
}

/** A call of the fault-free run, the `nth` under its key. */
export interface Call {
  readonly event: EffectEvent;
  readonly nth: number;
}

/** What the fault-free run calls while faults may strike, in its order, and how it ends. */
export async function callsOf(
  scenario: Scenario,
): Promise<{ readonly calls: readonly Call[]; readonly final: string }> {
  const calls: Call[] = [];
  const uses = new Map<string, number>();
  const { final } = await runWorld({
    ...scenario,
    faults: everyFault,
    choices: {},
    oracles: [],
    onEvent: (event) => {
      if (event.type !== 'effect' || event.moment !== 'sent') return;
      const nth = uses.get(event.key) ?? 0;
      uses.set(event.key, nth + 1);
      const isCalm = event.at <= epoch || event.at >= epoch + scenario.untilMs - scenario.calmMs;
      if (!isCalm) calls.push({ event, nth });
    },
  });
  return { calls, final };
}

/** The fault at this call and nothing else. */
export function pointAt(fault: CallFault, { event: { key }, nth }: Call): Point {
  const index = callFaults.findIndex((rule) => rule.fault === fault) + 1;
  return { name: `${fault} at ${key}#${nth}`, choices: { [`${key}/fault#${nth}`]: index } };
}

/** Every call of a fault-free run that the fault can strike, in no order, so that a part of them says something about all. */
export async function planSweep(scenario: Scenario, faults: readonly CallFault[]): Promise<Plan> {
  const { calls, final } = await callsOf(scenario);
  const points = faults.flatMap((fault) =>
    calls.filter(({ event }) => isStruckBy(fault, event)).map((call) => pointAt(fault, call)),
  );
  return { points: points.toSorted((a, b) => hash32(0, a.name) - hash32(0, b.name)), final };
}

export function isStruckBy(fault: CallFault, { target, writes, key }: EffectEvent): boolean {
  const rule = callFaults.find((one) => one.fault === fault);
  if (!rule?.targets.includes(target)) return false;
  // A crash before a read is a crash after the write before it.
  if (fault === 'crashBefore' || fault === 'zombie' || fault === 'slow' || fault === 'replyNever') return writes;
  if (rule.only === 'writes') return writes;
  return rule.only === 'lists' ? key.endsWith('list') : rule.only === 'reads' ? !writes : true;
}

export interface SweepOptions {
  /** Of the points; 1 = all. */
  readonly share: number;
  readonly tally: Tally;
  readonly goOn: () => boolean;
}

/** The failures are the result. */
export async function sweep(
  scenario: Scenario,
  { points, final }: Plan,
  { share, tally, goOn }: SweepOptions,
): Promise<{ readonly failures: readonly Failure[]; readonly ran: number }> {
  const failures: Failure[] = [];
  let ran = 0;
  for (const point of points.slice(0, Math.ceil(points.length * share))) {
    if (!goOn()) break;
    ran += 1;
    const result = await runWorld({ ...scenario, faults: everyFault, choices: point.choices, oracles });
    tally.add(result);
    const violations = result.violations.length > 0 ? result.violations : missedBy({ final, pair: point.pair }, result);
    if (violations.length > 0) {
      failures.push(failureOf({ ...scenario, faults: everyFault }, { ...result, violations }, null, point.pair));
    }
  }
  return { failures, ran };
}
