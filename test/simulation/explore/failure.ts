/** A failing run as a file: the seed and the few choices that make it fail. One command replays it. */
import type { ChoiceMap } from '../choices/choices.ts';
import { shrink } from '../choices/shrink.ts';
import { allFaults, type FaultName } from '../faults/registry.ts';
import { planted } from '../mutants/planted.ts';
import { oracles } from '../oracles/index.ts';
import type { PlantedBug, SimEvent, Violation } from '../types.ts';
import { natives } from '../virtual/natives.ts';
import { type RunResult, runWorld } from '../world/world.ts';
import { missedBy } from './missed.ts';
import { type Scenario, workloadNamed } from './scenario.ts';

export interface Failure extends Violation {
  readonly seed: number;
  readonly workload: string;
  readonly hosts: number;
  readonly untilMs: number;
  readonly calmMs: number;
  readonly faults: readonly FaultName[];
  readonly factor: number;
  /** Name of the planted bug that was in, if any. */
  readonly planted: string | null;
  readonly choices: ChoiceMap;
  /** Of a directed world: the pair of fault and phase that it is for. */
  readonly pair?: string;
}

export function failureOf(scenario: Scenario, result: RunResult, bug: PlantedBug | null, pair?: string): Failure {
  const [violation] = result.violations;
  if (!violation) throw new Error('this run did not fail');
  const { names, factor } = scenario.faults;
  return {
    ...violation,
    seed: scenario.seed,
    workload: scenario.workload.name,
    hosts: scenario.hosts,
    untilMs: scenario.untilMs,
    calmMs: scenario.calmMs,
    faults: allFaults.filter((name) => names.has(name)),
    factor,
    planted: bug?.name ?? null,
    choices: Object.fromEntries(result.choices),
    ...(pair !== undefined && { pair }),
  };
}

interface Watching {
  readonly sink?: (line: string) => void;
  readonly onEvent?: (event: SimEvent) => void;
  readonly haltAtMs?: number;
}

/** The same run again, from its choices alone. Of a rule that needs it, the run without any fault is made for comparison. */
export async function replay(failure: Failure, watching: Watching = {}): Promise<RunResult> {
  const result = await rerun(failure, watching);
  if (failure.oracle !== 'sameEnd' && failure.oracle !== 'directed') return result;
  const { final } = await rerun({ ...failure, choices: {} }, {});
  const missed = missedBy({ final, pair: failure.pair }, result).filter(({ oracle }) => oracle === failure.oracle);
  return { ...result, violations: [...result.violations, ...missed] };
}

function rerun(failure: Failure, watching: Watching): Promise<RunResult> {
  const bug = planted.find(({ name }) => name === failure.planted);
  return runWorld({
    seed: failure.seed,
    choices: failure.choices,
    workload: workloadNamed(failure.workload),
    faults: { names: new Set(failure.faults), factor: failure.factor },
    hosts: failure.hosts,
    untilMs: failure.untilMs,
    calmMs: failure.calmMs,
    // The others may fail earlier once choices are left out: what counts is this rule.
    oracles: oracles.filter(({ name }) => name === failure.oracle),
    patches: new Map(bug ? [[bug.file, [bug]]] : []),
    ...watching,
  });
}

export interface ShrinkLimits {
  /** Real time, after which the best so far is the result. */
  readonly deadlineMs: number;
}

/** A run that does not fail is cut off at twice the time of the first violation, unless the violation was one of the end. */
export async function shrinkFailure(
  failure: Failure,
  { deadlineMs }: ShrinkLimits,
): Promise<{ failure: Failure; reruns: number }> {
  const deadline = natives.Date.now() + deadlineMs;
  let reruns = 0;
  const isOfTheEnd = failure.at >= failure.untilMs;
  const haltAtMs = isOfTheEnd ? failure.untilMs : Math.min(failure.untilMs, failure.at * 2 + 60_000);
  let last: Violation = failure;
  const stillFails = async (choices: ChoiceMap): Promise<boolean> => {
    if (natives.Date.now() > deadline) return false;
    reruns += 1;
    const { violations } = await replay({ ...failure, choices }, { haltAtMs });
    const found = violations.find(({ oracle }) => oracle === failure.oracle);
    if (found) last = found;
    return found !== undefined;
  };
  const { choices } = await shrink(failure.choices, stillFails);
  return { failure: { ...failure, ...last, choices }, reruns };
}
