import { defineConfig } from 'vitest/config';

/** Runs wait most of their time for leases and timers, so a few platforms share the machine. */
export default defineConfig({
  test: {
    name: 'crash',
    include: ['test/crash/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    maxConcurrency: 5,
  },
});
