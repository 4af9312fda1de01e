/**
 * Child of the simulator's bench, started with the preload of virtual time: runs one world without faults, under all oracles, and prints what it cost
 * as a line of JSON. `sim-world.ts WORKLOAD SEED`.
 */
import { scenarioOf, workloadNamed } from '../../test/simulation/explore/scenario.ts';
import { noFaults } from '../../test/simulation/faults/registry.ts';
import { oracles } from '../../test/simulation/oracles/index.ts';
import { epoch } from '../../test/simulation/virtual/clock.ts';
import { runWorld } from '../../test/simulation/world/world.ts';
import type { WorldCost } from './sim.ts';

/** By then a world in which nothing is changed has come to rest. */
const settledMs = 15 * 60_000;

const [workload = '', seed = ''] = process.argv.slice(2);
const scenario = scenarioOf(Number(seed));
let calls = 0;
let settledCalls = 0;
const { cpuMs, virtualMs, violations } = await runWorld({
  ...scenario,
  workload: workloadNamed(workload),
  faults: noFaults,
  oracles,
  onEvent(event) {
    if (event.type !== 'effect' || event.moment !== 'sent') return;
    calls += 1;
    if (event.at >= epoch + settledMs) settledCalls += 1;
  },
});
if (violations.length > 0) throw new Error(`seed ${seed}: ${violations.map(({ message }) => message).join('; ')}`);
const settledHours = (virtualMs - settledMs) / 3_600_000;
const cost: WorldCost = { cpuMs, virtualMs, calls, settledCallsPerHour: settledCalls / settledHours };
process.stdout.write(JSON.stringify(cost));
