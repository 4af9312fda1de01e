/**
 * `npm run sim [-- OPTIONS]`: runs worlds, each from a fresh seed, and prints what was exercised, how fast, and what was violated. A failing run is
 * shrunk, written to a file, and the command that replays it is printed. Must be started with the preload of virtual time.
 *
 *   --minutes N       how long, real time; default 1, of a campaign 3.75, which leaves the last run time to end within 4
 *   --seed S          just this seed
 *   --from S          first of the fresh seeds; default: by the clock
 *   --faults all|none instead of the seed's own subset
 *   --workload NAME   instead of the seed's own
 *   --planted NAME    with a planted bug in the hosts
 *   --leak NAME       with a planted leak of the real world
 *   --hang NAME       with a planted hang
 *   --patience S      ends the process after that many seconds of the processor in one event; default 60
 *   --trace FILE      every event of the run, one a line (with --seed or --replay)
 *   --replay FILE     a failure again, with a readable timeline: seconds, what happened, who did it
 *   --sweep VIEW      a small life once per call, each time with one fault there: intermediate, stale or unobserved
 *   --share X         of the sweep's points, evenly spread; default 1
 *   --fair            every fault up to a moment that the seed draws, then none: what is left to do must be done within its bound
 *   --pairs           a small life once per required pair of fault and phase, with that fault in that phase
 *   --campaign        fixed seeds, the required pairs, part of every sweep, then fresh seeds; fails when a required pair never occurred
 *   --report FILE     writes the figures into FILE, between its two markers
 *   --no-shrink       leave a failing run as it is
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Failure, failureOf, replay, shrinkFailure } from '../test/simulation/explore/failure.ts';
import { missingPairs, planPairs } from '../test/simulation/explore/required.ts';
import {
  fairScenarioOf,
  lifeScenario,
  type Scenario,
  scenarioOf,
  workloadNamed,
} from '../test/simulation/explore/scenario.ts';
import { planSweep, sweep, type ViewName, views } from '../test/simulation/explore/sweep.ts';
import { createTally } from '../test/simulation/explore/tally.ts';
import { timelineOf } from '../test/simulation/explore/timeline.ts';
import { everyFault, noFaults } from '../test/simulation/faults/registry.ts';
import { hangs } from '../test/simulation/mutants/hangs.ts';
import { leaks, openLeaks } from '../test/simulation/mutants/leaks.ts';
import { planted } from '../test/simulation/mutants/planted.ts';
import { oracles } from '../test/simulation/oracles/index.ts';
import { natives } from '../test/simulation/virtual/natives.ts';
import { startWatchdog } from '../test/simulation/virtual/watchdog.ts';
import { type RunResult, runWorld } from '../test/simulation/world/world.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string' },
    faults: { type: 'string' },
    workload: { type: 'string' },
    planted: { type: 'string' },
    leak: { type: 'string' },
    hang: { type: 'string' },
    patience: { type: 'string', default: '60' },
    sweep: { type: 'string' },
    share: { type: 'string', default: '1' },
    trace: { type: 'string' },
    replay: { type: 'string' },
    pairs: { type: 'boolean' },
    fair: { type: 'boolean' },
    campaign: { type: 'boolean' },
    report: { type: 'string' },
    'no-shrink': { type: 'boolean' },
  },
});

const bug = planted.find(({ name }) => name === values.planted) ?? null;
if (values.planted !== undefined && !bug) throw new Error(`no planted bug is named ${values.planted}`);
const leak = leaks.find(({ name }) => name === values.leak);
if (leak) openLeaks();
const hang = hangs.find(({ name }) => name === values.hang);
const patches = new Map([bug, leak, hang].flatMap((patch) => (patch ? [[patch.file, [patch]] as const] : [])));
const tally = createTally();
const shrinkMinutes = 5;
startWatchdog(Number(values.patience) * 1000);

function traceTo(path: string | undefined): { sink?: (line: string) => void } {
  if (path === undefined) return {};
  const file = natives.openSync(path, 'w');
  return { sink: (line) => void natives.writeSync(file, `${line}\n`) };
}

function scenario(seed: number): Scenario {
  return {
    ...(values.fair ? fairScenarioOf(seed) : scenarioOf(seed)),
    ...(values.workload !== undefined && { workload: workloadNamed(values.workload) }),
    ...(values.faults === 'all' && { faults: everyFault }),
    ...(values.faults === 'none' && { faults: noFaults }),
  };
}

async function explore(seed: number): Promise<RunResult> {
  const chosen = scenario(seed);
  const result = await runWorld({ ...chosen, oracles, patches, ...traceTo(values.trace) });
  tally.add(result);
  if (result.violations.length > 0) await report(failureOf(chosen, result, bug));
  return result;
}

/** It is kept before it is made smaller, which takes minutes and may be cut off. */
async function report(found: Failure): Promise<void> {
  process.exitCode = 1;
  const { oracle, invariant, at, message, seed } = found;
  console.log(`seed ${seed}: ${oracle} (${invariant}) violated at ${(at / 1000).toFixed(3)} s: ${message}`);
  if (values['no-shrink']) return;
  const file = keep(found);
  console.log(
    `  Its ${countOf(found)} choices are kept. They are cut down for up to ${shrinkMinutes} min; Ctrl-C leaves them as they are.`,
  );
  console.log(`  npm run sim -- --replay ${file}`);
  const { failure, reruns } = await shrinkFailure(found, { deadlineMs: shrinkMinutes * 60_000 });
  keep(failure);
  console.log(`  shrunk in ${reruns} reruns to ${JSON.stringify(failure.choices)}: ${failure.message}`);
}

const countOf = ({ choices }: Failure): number => Object.keys(choices).length;

/** The files of the repository are replayed as faults that were fixed; a planted one never is, so its file goes where temporary files go. */
function keep(failure: Failure): string {
  const folder = failure.planted === null ? 'test/simulation/failures' : tmpdir();
  const file = join(folder, `${failure.planted ?? failure.oracle}-${failure.seed}.json`);
  natives.mkdirSync(folder, { recursive: true });
  natives.writeFileSync(file, `${JSON.stringify(failure, null, 2)}\n`);
  return file;
}

async function again(file: string): Promise<void> {
  const failure = JSON.parse(natives.readFileSync(file, 'utf8')) as Failure;
  const lines: string[] = [];
  const result = await replay(failure, {
    ...traceTo(values.trace),
    onEvent: (event) => {
      const line = timelineOf(event);
      if (line !== null) lines.push(line);
    },
  });
  console.log(lines.join('\n'));
  console.log(`choices: ${JSON.stringify(failure.choices)}`);
  if (failure.planted !== null) console.log(`planted bug: ${failure.planted}`);
  for (const { oracle, at, message } of result.violations)
    console.log(`${oracle} violated at ${(at / 1000).toFixed(3)} s: ${message}`);
  if (result.violations.length === 0) console.log(`${failure.oracle} is not violated any more`);
  console.log(`trace ${result.hash}`);
  process.exitCode = result.violations.length > 0 ? 1 : 0;
}

const until = natives.Date.now() + Number(values.minutes ?? (values.campaign ? '3.75' : '1')) * 60_000;
const isTime = (): boolean => natives.Date.now() < until;

async function sweepView(name: string, share: number): Promise<void> {
  const faults = views[name as ViewName];
  if (!faults) throw new Error(`no view is named ${name}; there are ${Object.keys(views).join(', ')}`);
  const plan = await planSweep(lifeScenario, faults);
  const { failures, ran } = await sweep(lifeScenario, plan, { share, tally, goOn: isTime });
  console.log(`${ran} of ${plan.points.length} points of the ${name} view`);
  await reportAll(failures);
}

/** They run whatever the time: what they show must not depend on the machine. */
async function pairs(): Promise<void> {
  const plan = await planPairs(lifeScenario);
  const { failures, ran } = await sweep(lifeScenario, plan, { share: 1, tally, goOn: () => true });
  console.log(`${ran} directed worlds, ${plan.unoffered.length} required pairs left to the swarm`);
  for (const pair of plan.unoffered) console.log(`  ${pair}`);
  await reportAll(failures);
}

async function reportAll(failures: readonly Failure[]): Promise<void> {
  for (const { oracle, choices } of failures) console.log(`${oracle}: ${JSON.stringify(choices)}`);
  // One of each rule: the others are most likely the same fault again.
  const rules = new Map(failures.toReversed().map((failure) => [failure.oracle, failure]));
  for (const failure of rules.values()) await report(failure);
}

async function fresh(): Promise<void> {
  const first = values.from === undefined ? natives.Date.now() % 1_000_000_000 : Number(values.from);
  for (let seed = first; isTime(); seed += 1) await explore(seed);
}

/** What CI runs. The fixed seeds and the directed worlds always run, whatever the time. */
async function campaign(): Promise<void> {
  for (let seed = 1; seed <= 8; seed += 1) await explore(seed);
  await pairs();
  for (const view of Object.keys(views)) await sweepView(view, 0.04);
  await fresh();
  for (const pair of missingPairs(tally.pairs)) {
    process.exitCode = 1;
    console.log(`required, but never occurred: ${pair}`);
  }
}

const [begin, end] = ['<!-- figures -->', '<!-- end of figures -->'];

function writeFigures(file: string): void {
  const text = natives.readFileSync(file, 'utf8');
  const [before, rest = ''] = text.split(begin);
  const figures = tally
    .report()
    .split('\n')
    .map((line) => `- ${line}`);
  natives.writeFileSync(file, [before, begin, '\n\n', figures.join('\n'), '\n\n', end, rest.split(end)[1]].join(''));
}

if (values.replay !== undefined) {
  await again(values.replay);
} else {
  if (values.campaign) await campaign();
  else if (values.pairs) await pairs();
  else if (values.sweep !== undefined) await sweepView(values.sweep, Number(values.share));
  else if (values.seed === undefined) await fresh();
  else {
    const { seed, hash, lines } = await explore(Number(values.seed));
    console.log(`seed ${seed}: trace ${hash}, ${lines} lines`);
  }
  console.log(tally.report());
  if (values.report !== undefined) writeFigures(values.report);
}
