/**
 * `npm run sim:mutants [-- --only NAME] [--seeds N] [--from SEED]`: every planted bug must be caught by the oracle it names, on seeds never used before.
 * Must be started with the preload of virtual time.
 */
import { parseArgs } from 'node:util';
import { scenarioOf } from '../test/simulation/explore/scenario.ts';
import { everyFault } from '../test/simulation/faults/registry.ts';
import { planted } from '../test/simulation/mutants/planted.ts';
import { oracles } from '../test/simulation/oracles/index.ts';
import type { PlantedBug } from '../test/simulation/types.ts';
import { natives } from '../test/simulation/virtual/natives.ts';
import { runWorld } from '../test/simulation/world/world.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    /** Tried per bug before it counts as survived. */
    seeds: { type: 'string', default: '60' },
    /** First seed; default: a fresh one. */
    from: { type: 'string' },
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
    const result = await runWorld({ ...scenario, faults, oracles: judges, patches: new Map([[bug.file, [bug]]]) });
    const found = result.violations.find(({ oracle }) => oracle === bug.killedBy);
    if (found) {
      const seconds = ((natives.Date.now() - startedAt) / 1000).toFixed(0);
      return `killed by ${bug.killedBy} on seed ${first + n}, run ${n + 1}, ${seconds} s: ${found.message}`;
    }
  }
  process.exitCode = 1;
  return `SURVIVED ${values.seeds} seeds from ${first}`;
}

const bugs = planted.filter(({ name }) => values.only === undefined || name === values.only);
if (bugs.length === 0) throw new Error(`no planted bug is named ${values.only}`);
for (const bug of bugs) console.log(`${bug.name}: ${await hunt(bug)}`);
