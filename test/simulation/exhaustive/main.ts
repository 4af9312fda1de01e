/**
 * Explores the planner in a small world and prints what was seen; exits with 1 at the first violation, with the shortest way to it.
 *
 *   npm run sim:exhaustive -- [--large]      every scope
 *   npm run sim:exhaustive -- --planted      every planted bug must be found, by the oracle that it breaks
 *   … --json                                 one line of JSON per scope or bug
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ModuleGraph } from '../../support/module-graph.ts';
import { large, type Scope, small } from './bounds.ts';
import type { Report } from './explore.ts';
import type { Planner } from './planner.ts';
import { type Planted, planted } from './planted.ts';

const decide = resolve(import.meta.dirname, '../../../src/decide');

function plannerWith(bug: Planted | null): Planner {
  const graph = new ModuleGraph(bug === null ? new Map() : new Map([[resolve(decide, bug.file), patched(bug)]]));
  const { reconcile } = graph.load<Pick<Planner, 'reconcile'>>(resolve(decide, 'reconcile.ts'));
  const { failed } = graph.load<Pick<Planner, 'failed'>>(resolve(decide, 'verdict.ts'));
  const { watch, suspicionOf } = graph.load<Pick<Planner, 'watch' | 'suspicionOf'>>(resolve(decide, 'watch.ts'));
  const { reap } = graph.load<Pick<Planner, 'reap'>>(resolve(decide, 'reap.ts'));
  return { reconcile, failed, watch, suspicionOf, reap };
}

function patched({ name, file, from, to }: Planted): string {
  const source = readFileSync(resolve(decide, file), 'utf8');
  const parts = source.split(from);
  if (parts.length !== 2) throw new Error(`${name}: ${file} holds ${parts.length - 1} times: ${from}`);
  return parts.join(to);
}

const { values } = parseArgs({
  options: {
    large: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const print = (value: object, text: string): void => console.log(values.json ? JSON.stringify(value) : text);

if (values.planted) for (const bug of planted) hunt(bug);
else for (const scope of values.large ? large : small) survey(scope);

function survey({ name, explore }: Scope): void {
  const startedAt = performance.now();
  const report = explore(plannerWith(null));
  const seconds = (performance.now() - startedAt) / 1000;
  const counts = `${report.states} states, ${report.transitions} transitions, converged within ${report.rounds} rounds`;
  print({ scope: name, ...report, seconds }, `${name}: ${counts} (${seconds.toFixed(1)} s)${told(report)}`);
  if (report.violation !== null) process.exitCode = 1;
}

/** The scopes from small to large, until one finds it. */
function hunt(bug: Planted): void {
  let states = 0;
  for (const { name, explore } of small) {
    const { violation, states: visited } = explore(plannerWith(bug));
    states += visited;
    if (violation === null) continue;
    const found = { bug: bug.name, expected: bug.oracle, oracle: violation.oracle, scope: name, states };
    print(
      { ...found, steps: violation.trace.length },
      `${bug.name}: ${violation.detail} [${name}, after ${states} states]`,
    );
    if (violation.oracle !== bug.oracle) process.exitCode = 1;
    return;
  }
  print({ bug: bug.name, expected: bug.oracle, oracle: null, scope: null, states }, `${bug.name}: NOT FOUND`);
  process.exitCode = 1;
}

function told({ violation }: Report): string {
  if (violation === null) return '';
  return `\n  ${violation.detail}\n${violation.trace.map((label, index) => `  ${index + 1}. ${label}`).join('\n')}`;
}
