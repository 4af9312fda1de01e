import { defineConfig } from 'vitest/config';

/** Real containers: `npm run test:docker`. All files share one daemon, but for the one that kills its own; most of their time is waiting. */
export default defineConfig({
  test: {
    name: 'docker',
    include: ['test/docker/**/*.test.ts'],
    globalSetup: ['test/support/build.ts', 'test/docker/daemon.ts'],
    maxWorkers: 5,
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
});
