/**
 * `npm run sim:mutants [-- OPTIONS]`: every planted bug must be caught by the oracle it names, on seeds never used before, and every oracle by a bug of its
 * own. Must be started with the preload of virtual time.
 *
 *   --only NAME   just this bug
 *   --seeds N     tried per bug before it counts as survived; default 60
 *   --from S      first seed; default: a fresh one, by the clock
 *   --jobs N      processes at a time; default 1
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { scenarioOf, workloadNamed } from '../test/simulation/explore/scenario.ts';
import { everyFault } from '../test/simulation/faults/registry.ts';
import { planted } from '../test/simulation/mutants/planted.ts';
import { oracles } from '../test/simulation/oracles/index.ts';
import type { PlantedBug } from '../test/simulation/types.ts';
import { natives } from '../test/simulation/virtual/natives.ts';
import { runWorld } from '../test/simulation/world/world.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string', default: '60' },
    from: { type: 'string' },
    jobs: { type: 'string', default: '1' },
  },
});

/** How much more often than its rate a fault strikes where a bug is hunted with it alone. */
const directedFactor = 6;
const first = Number(values.from ?? natives.Date.now() % 1_000_000_000);

/** The named oracle alone judges, so that another one that is faster cannot hide it. */
async function hunt(bug: PlantedBug): Promise<string> {
  const judges = oracles.filter(({ name }) => name === bug.killedBy);
  const startedAt = natives.Date.now();
  for (let n = 0; n < Number(values.seeds); n += 1) {
    const scenario = scenarioOf(first + n);
    const drawn = scenario.faults.names.size === 0 ? everyFault : scenario.faults;
    const faults = bug.with ? { names: new Set(bug.with), factor: directedFactor } : drawn;
    const workload = bug.on === undefined ? scenario.workload : workloadNamed(bug.on);
    const patches = new Map([[bug.file, [bug]]]);
    const result = await runWorld({ ...scenario, faults, workload, oracles: judges, patches });
    const found = result.violations.find(({ oracle }) => oracle === bug.killedBy);
    if (found) {
      const seconds = ((natives.Date.now() - startedAt) / 1000).toFixed(0);
      return `killed by ${bug.killedBy} on seed ${first + n}, run ${n + 1}, ${seconds} s: ${found.message}`;
    }
  }
  process.exitCode = 1;
  return `SURVIVED ${values.seeds} seeds from ${first}`;
}

/** In a process of its own; it prints its line itself. */
function huntApart(bug: PlantedBug): Promise<void> {
  const flags = [...process.execArgv, 'tools/sim-mutants.ts'];
  const options = ['--only', bug.name, '--seeds', values.seeds, '--from', String(first)];
  return new Promise((resolve) => {
    spawn(process.execPath, [...flags, ...options], { stdio: 'inherit' }).on('exit', (code) => {
      if (code !== 0) process.exitCode = 1;
      resolve();
    });
  });
}

async function huntAll(bugs: readonly PlantedBug[], jobs: number): Promise<void> {
  const left = [...bugs];
  const lane = async (): Promise<void> => {
    for (let bug = left.shift(); bug; bug = left.shift()) await huntApart(bug);
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  const untested = oracles.filter(({ name }) => !planted.some(({ killedBy }) => killedBy === name));
  for (const { name } of untested) console.log(`${name}: no planted bug is hunted by this oracle`);
  if (untested.length > 0) process.exitCode = 1;
  const minutes = ((natives.Date.now() - startedAt) / 60_000).toFixed(1);
  console.log(`${bugs.length} planted bugs, ${oracles.length} oracles, ${minutes} min`);
}

const startedAt = natives.Date.now();
if (values.only === undefined) {
  await huntAll(planted, Number(values.jobs));
} else {
  const bug = planted.find(({ name }) => name === values.only);
  if (!bug) throw new Error(`no planted bug is named ${values.only}`);
  console.log(`${bug.name}: ${await hunt(bug)}`);
}
