/**
 * Mutation test of the decisions: makes small changes to `src/decide`, one at a time, and runs the unit and property tests of the decisions against each.
 * A change that no test notices survives and is reported; those that change nothing are listed in `tools/mutation/equivalent.json` with the reason. They are
 * tried as well, unless it is a sample: an entry that a test notices, or that is no more, is reported too.
 *
 *   npm run mutate:decide -- [--sample N] [--seed S] [--file PART] [--json]
 */
import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type Mutant, mutantsOf } from './mutation/mutants.ts';
import { firstFailure, modulesOf } from './mutation/runner.ts';
import type { Order } from './mutation/worker.ts';

interface Equivalent extends Pick<Mutant, 'file' | 'text' | 'change'> {
  readonly because: string;
}

const root = resolve(import.meta.dirname, '..');
/** A run of all tests takes a second or two; longer means a loop without end, which no one would overlook. */
const patienceMs = 60_000;

const { values } = parseArgs({
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    file: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});

const files = globSync('src/decide/**/*.ts', { cwd: root })
  .filter((file) => file.includes(values.file))
  .sort();
const tests = ['test/unit/decide/**/*.test.ts', 'test/property/{reconcile,commands}.test.ts']
  .flatMap((pattern) => globSync(pattern, { cwd: root }).sort())
  .map((file) => resolve(root, file));
const equivalent = JSON.parse(
  readFileSync(resolve(root, 'tools/mutation/equivalent.json'), 'utf8'),
) as readonly Equivalent[];

const all = files.flatMap((file) => mutantsOf(file, readFileSync(resolve(root, file), 'utf8')));
const isSame = (a: Pick<Mutant, 'file' | 'text' | 'change'>, b: Pick<Mutant, 'file' | 'text' | 'change'>): boolean =>
  a.file === b.file && a.text === b.text && a.change === b.change;
const excused = (mutant: Mutant): boolean => equivalent.some((entry) => isSame(entry, mutant));
const candidates = all.filter((mutant) => !excused(mutant));
const chosen =
  values.sample === undefined ? candidates : sampled(candidates, Number(values.sample), Number(values.seed));

const broken = await firstFailure(tests, new Map());
if (broken !== null) {
  console.error(`The tests fail without any mutation: ${broken}`);
  process.exit(2);
}
const reach = new Map(tests.map((test) => [test, modulesOf(test)]));
const startedAt = performance.now();
const survivors = await run(chosen);
const listed = values.sample === undefined ? all.filter(excused) : [];
const passing = new Set(await run(listed));
/** An entry may stand for several mutants of one line that read the same: it is wrong when none of them passes. */
const noticed = listed.filter((mutant) => !listed.some((other) => isSame(mutant, other) && passing.has(other)));
const seconds = Math.round((performance.now() - startedAt) / 1000);
const stale = equivalent.filter(
  (entry) => entry.file.includes(values.file) && !all.some((mutant) => isSame(entry, mutant)),
);
const killed = chosen.length - survivors.length;
if (values.json) {
  console.log(
    JSON.stringify({
      mutants: all.length,
      tested: chosen.length,
      killed,
      equivalent: equivalent.length,
      seconds,
      survivors: survivors.map(({ source: _, ...rest }) => rest),
      noticed: noticed.map(({ source: _, ...rest }) => rest),
    }),
  );
} else {
  for (const { file, line, change, text } of survivors) console.log(`${file}:${line}  ${change}\n    ${text}`);
  for (const { file, line, change } of noticed)
    console.log(`${file}:${line}  is listed as equivalent, but a test notices it: ${change}`);
  for (const { file, change } of stale)
    console.log(`${file}: the list of equivalent mutants names one that is no more: ${change}`);
  console.log(
    `${chosen.length} of ${all.length} mutants tested in ${seconds} s: ${killed} killed, ${survivors.length} survived; ${equivalent.length} are listed as equivalent.`,
  );
}
process.exitCode = survivors.length + noticed.length + stale.length > 0 ? 1 : 0;

/** The tests that reach a module, those of its own name first. */
function testsFor(file: string): readonly string[] {
  const name = file.replace(/^.*\//, '').replace('.ts', '.test.ts');
  return tests
    .filter((test) => reach.get(test)?.has(resolve(root, file)))
    .sort((a, b) => Number(b.endsWith(`/${name}`)) - Number(a.endsWith(`/${name}`)));
}

async function run(mutants: readonly Mutant[]): Promise<readonly Mutant[]> {
  const left = [...mutants];
  const survived: Mutant[] = [];
  const lane = async (): Promise<void> => {
    let worker = newWorker();
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const order: Order = { path: resolve(root, mutant.file), source: mutant.source, tests: testsFor(mutant.file) };
      const verdict = await ask(worker, order);
      if (verdict === null) survived.push(mutant);
      if (verdict !== 'endless') continue;
      await worker.terminate();
      worker = newWorker();
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, lane));
  return survived.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
}

function newWorker(): Worker {
  return new Worker(resolve(import.meta.dirname, 'mutation/worker.ts'));
}

function ask(worker: Worker, order: Order): Promise<string | null> {
  return new Promise((answer) => {
    const timer = setTimeout(() => done('endless'), patienceMs);
    const onMessage = (verdict: string | null): void => done(verdict);
    const onError = (error: unknown): void => done(String(error));
    function done(verdict: string | null): void {
      clearTimeout(timer);
      worker.off('message', onMessage);
      worker.off('error', onError);
      answer(verdict);
    }
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(order);
  });
}

/** The same seed gives the same sample of the same sources. */
function sampled<T>(items: readonly T[], count: number, seed: number): readonly T[] {
  let state = seed >>> 0;
  const draw = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  return items
    .map((item) => ({ item, key: draw() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, count)
    .map(({ item }) => item);
}
