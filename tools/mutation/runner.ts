/** Runs test files of the unit and property projects in this thread, without vitest's own runner: some milliseconds per run, so that hundreds are bearable. */
import * as fastCheck from 'fast-check';
import { expect } from 'vitest';
import { ModuleGraph } from '../../test/support/module-graph.ts';

interface Test {
  readonly name: string;
  readonly run: () => unknown;
}

/** Runs of a property against one mutant; the suite itself makes more. */
const propertyRuns = 30;
const seed = 20_260_102;

/** Absolute paths of what a test file imports, directly or not. */
export function modulesOf(file: string): ReadonlySet<string> {
  const graph = newGraph([], new Map());
  graph.load(file);
  return graph.paths;
}

function newGraph(tests: Test[], replaced: ReadonlyMap<string, string>): ModuleGraph {
  const standIns = new Map<string, unknown>([
    ['vitest', vitest(tests)],
    ['fast-check', quickCheck()],
  ]);
  return new ModuleGraph(replaced, standIns);
}

/** The first test that fails, or null. `replaced`: source text by absolute path. */
export async function firstFailure(
  files: readonly string[],
  replaced: ReadonlyMap<string, string>,
): Promise<string | null> {
  const tests: Test[] = [];
  const graph = newGraph(tests, replaced);
  for (const file of files) {
    tests.length = 0;
    try {
      graph.load(file);
    } catch (error) {
      return `${file} does not load: ${error instanceof Error ? error.message : String(error)}`;
    }
    for (const { name, run } of tests) {
      try {
        await run();
      } catch (error) {
        return `${name}: ${error instanceof Error ? error.message : String(error)}`;
      }
    }
  }
  return null;
}

function vitest(tests: Test[]): object {
  const path: string[] = [];
  const it = (name: string, run: () => unknown): void => void tests.push({ name: [...path, name].join(' > '), run });
  it.each = (rows: readonly unknown[]) => (name: string, run: (...row: readonly unknown[]) => unknown) => {
    for (const row of rows) it(`${name} ${String(row).slice(0, 40)}`, () => run(...(Array.isArray(row) ? row : [row])));
  };
  const describe = (name: string, define: () => void): void => {
    path.push(name);
    define();
    path.pop();
  };
  return { it, test: it, describe, expect };
}

/** The same seed for every mutant, so that two runs of the tool agree. */
function quickCheck(): object {
  const assert = (property: never, given: { readonly numRuns?: number } = {}): unknown =>
    fastCheck.assert(property, { numRuns: Math.min(given.numRuns ?? 100, propertyRuns), seed, endOnFailure: true });
  const quick = { ...fastCheck, assert };
  return { ...quick, default: { ...fastCheck.default, assert }, __esModule: true };
}
