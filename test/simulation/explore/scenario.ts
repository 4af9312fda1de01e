/** Random swarm: what a seed alone decides about its run: which faults, how often, how many hosts, which workload, how long. */
import { allFaults, type FaultName, type FaultPlan, noFaults } from '../faults/registry.ts';
import type { Workload } from '../types.ts';
import { createGenerator, keyedUnit } from '../virtual/random.ts';
import { allWorkloads, workloads } from '../workloads/index.ts';
import { life } from '../workloads/life.ts';
import type { RunOptions } from '../world/world.ts';

const minute = 60_000;

export type Scenario = Pick<RunOptions, 'seed' | 'workload' | 'untilMs'> & {
  readonly faults: FaultPlan;
  readonly hosts: number;
  readonly calmMs: number;
};

/** Half of the faults, more or less often; every eighth seed has all of them and every eighth none. */
export function scenarioOf(seed: number): Scenario {
  const random = createGenerator(seed);
  const one = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)] as T;
  const kind = Math.floor(random.next() * 8);
  const some = new Set<FaultName>(allFaults.filter(() => random.next() < 0.5));
  const factor = one([0.3, 1, 1, 2]);
  const faults = kind === 0 ? noFaults : { names: kind === 1 ? new Set(allFaults) : some, factor };
  return {
    seed,
    faults,
    hosts: one([1, 1, 2]),
    workload: one(workloads),
    untilMs: 75 * minute,
    calmMs: 30 * minute,
  };
}

/** Every fault, twice as often, up to a moment that the seed draws: from then on the world is fair, whatever the user still does. */
export function fairScenarioOf(seed: number): Scenario {
  const { workload, hosts } = scenarioOf(seed);
  const stopMs = (3 + keyedUnit(seed, 'fair', 0) * 30) * minute;
  const calmMs = 75 * minute;
  return {
    seed,
    faults: { names: new Set(allFaults), factor: 2 },
    hosts,
    workload,
    untilMs: Math.round(stopMs) + calmMs,
    calmMs,
  };
}

/** One small service through its whole life, for sweeps. */
export const lifeScenario: Scenario = {
  seed: 1,
  faults: noFaults,
  hosts: 1,
  workload: life,
  untilMs: 34 * minute,
  calmMs: 22 * minute,
};

export function workloadNamed(name: string): Workload {
  const found = allWorkloads.find((workload) => workload.name === name);
  if (!found)
    throw new Error(`no workload is named ${name}; there are ${allWorkloads.map((one) => one.name).join(', ')}`);
  return found;
}
