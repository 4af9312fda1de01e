import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], testTimeout = 10_000) => ({
  test: { name, include, testTimeout, hookTimeout: 60_000, sequence: { shuffle: { tests: true } } },
});

/** Processes that are run from `dist`. */
const { test: processes } = project('e2e', ['test/e2e/**/*.test.ts'], 120_000);
const e2e = { test: { ...processes, globalSetup: 'test/support/build.ts' } };

/** Five projects; `test:crash` has its own config because it takes minutes. */
export default defineConfig({
  test: {
    // Half of the files wait for processes, leases and timers most of their time: more of them than there are cores.
    maxWorkers: Math.max(4, availableParallelism()),
    projects: [
      project('unit', ['test/{unit,property,replay}/**/*.test.ts']),
      project('contract', ['test/contract/**/*.test.ts'], 30_000),
      project('functions', ['test/functions/**/*.test.ts'], 30_000),
      project('simulation', ['test/simulation/**/*.test.ts'], 120_000),
      e2e,
    ],
  },
});
