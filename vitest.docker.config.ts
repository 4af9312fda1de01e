import { defineConfig } from 'vitest/config';

/** Real containers: `npm run test:docker`. One file at a time, on one daemon. */
export default defineConfig({
  test: {
    name: 'docker',
    include: ['test/docker/**/*.test.ts'],
    globalSetup: ['test/support/build.ts', 'test/docker/daemon.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
