/**
 * Sweeps: a scenario is run once without faults and its calls are listed; then it is run again for each of them, with one fault at that call and
 * nothing else. Crashes give the intermediate states, stale and short answers the stale ones, slow ones and lost hints those nobody observed.
 */
import type { ChoiceMap } from '../choices/choices.ts';
import { type CallFault, callFaults, everyFault } from '../faults/registry.ts';
import { oracles } from '../oracles/index.ts';
import type { EffectEvent } from '../types.ts';
import { epoch } from '../virtual/clock.ts';
import { runWorld } from '../world/world.ts';
import { type Failure, failureOf } from './failure.ts';
import type { Scenario } from './scenario.ts';
import type { Tally } from './tally.ts';

/** The three views, and what shows each. */
export const views = {
  intermediate: ['crashBefore', 'crashAfter', 'zombie'],
  stale: ['staleRead', 'shortList', 'appliedLate'],
  unobserved: ['replyLost', 'replyNever', 'slow'],
} as const satisfies Readonly<Record<string, readonly CallFault[]>>;

export type ViewName = keyof typeof views;

export interface Point {
  readonly choices: ChoiceMap;
  readonly name: string;
}

/** Every call of a fault-free run that the fault can strike, as the one choice that makes it strike. */
export async function pointsOf(scenario: Scenario, faults: readonly CallFault[]): Promise<readonly Point[]> {
  const calls: { readonly event: EffectEvent; readonly nth: number }[] = [];
  const uses = new Map<string, number>();
  await runWorld({
    ...scenario,
    faults: everyFault,
    choices: {},
    oracles: [],
    onEvent: (event) => {
      if (event.type !== 'effect' || event.moment !== 'sent') return;
      const nth = uses.get(event.key) ?? 0;
      uses.set(event.key, nth + 1);
      calls.push({ event, nth });
    },
  });
  return faults.flatMap((fault) =>
    calls
      .filter(({ event }) => event.at < epoch + scenario.untilMs - scenario.calmMs && isStruckBy(fault, event))
      .map(({ event, nth }) => {
        const index = callFaults.findIndex((rule) => rule.fault === fault) + 1;
        return { name: `${fault} at ${event.key}#${nth}`, choices: { [`${event.key}/fault#${nth}`]: index } };
      }),
  );
}

function isStruckBy(fault: CallFault, { target, writes, key }: EffectEvent): boolean {
  const rule = callFaults.find((one) => one.fault === fault);
  if (!rule?.targets.includes(target)) return false;
  // A crash before a read is a crash after the write before it.
  if (fault === 'crashBefore' || fault === 'zombie' || fault === 'slow' || fault === 'replyNever') return writes;
  if (rule.only === 'writes') return writes;
  return rule.only === 'lists' ? key.endsWith('list') : rule.only === 'reads' ? !writes : true;
}

/** Runs the points, `share` of them evenly spread; the failures are the result. */
export async function sweep(
  scenario: Scenario,
  points: readonly Point[],
  { share, tally, goOn }: { readonly share: number; readonly tally: Tally; readonly goOn: () => boolean },
): Promise<{ readonly failures: readonly Failure[]; readonly ran: number }> {
  const failures: Failure[] = [];
  let ran = 0;
  for (let at = 0; at < points.length && goOn(); at += 1 / share) {
    const point = points[Math.floor(at)];
    if (!point) break;
    ran += 1;
    const result = await runWorld({ ...scenario, faults: everyFault, choices: point.choices, oracles });
    tally.add(result);
    if (result.violations.length > 0) failures.push(failureOf({ ...scenario, faults: everyFault }, result, null));
  }
  return { failures, ran };
}
