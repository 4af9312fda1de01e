/**
 * `npm run sim [-- --minutes N | --seed S [--faults all|none]] [--workload NAME] [--planted NAME] [--trace FILE]`: runs worlds, each from a fresh seed
 * (default: for one minute), and prints what was exercised, how fast, and what was violated. Must be started with the preload of virtual time.
 */
import { parseArgs } from 'node:util';
import { scenarioOf, workloadNamed } from '../test/simulation/explore/scenario.ts';
import { createTally } from '../test/simulation/explore/tally.ts';
import { everyFault, noFaults } from '../test/simulation/faults/registry.ts';
import { planted } from '../test/simulation/mutants/planted.ts';
import { oracles } from '../test/simulation/oracles/index.ts';
import { natives } from '../test/simulation/virtual/natives.ts';
import { type RunResult, runWorld } from '../test/simulation/world/world.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    faults: { type: 'string' },
    workload: { type: 'string' },
    planted: { type: 'string' },
    trace: { type: 'string' },
  },
});

const bug = planted.find(({ name }) => name === values.planted);
if (values.planted !== undefined && !bug) throw new Error(`no planted bug is named ${values.planted}`);
const patches = new Map(bug ? [[bug.file, [bug]]] : []);

async function once(seed: number, trace?: string): Promise<RunResult> {
  const scenario = scenarioOf(seed);
  const file = trace === undefined ? undefined : natives.openSync(trace, 'w');
  const result = await runWorld({
    ...scenario,
    ...(values.workload !== undefined && { workload: workloadNamed(values.workload) }),
    ...(values.faults === 'all' && { faults: everyFault }),
    ...(values.faults === 'none' && { faults: noFaults }),
    oracles,
    patches,
    ...(file !== undefined && { sink: (line: string) => void natives.writeSync(file, `${line}\n`) }),
  });
  if (file !== undefined) natives.closeSync(file);
  return result;
}

const tally = createTally();
let failed = false;

function show(result: RunResult): void {
  tally.add(result);
  for (const { oracle, invariant, at, message } of result.violations) {
    failed = true;
    console.log(`seed ${result.seed}: ${oracle} (${invariant}) violated at ${(at / 1000).toFixed(3)} s: ${message}`);
  }
}

if (values.seed !== undefined) {
  const result = await once(Number(values.seed), values.trace);
  show(result);
  console.log(`seed ${result.seed}: trace ${result.hash}, ${result.lines} lines`);
} else {
  const until = natives.Date.now() + Number(values.minutes ?? '1') * 60_000;
  for (let seed = natives.Date.now() % 1_000_000_000; natives.Date.now() < until; seed += 1) show(await once(seed));
}
console.log(tally.report());
if (failed) process.exitCode = 1;
