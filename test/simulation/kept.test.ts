/** Failures that were found once and fixed: each is replayed from its few choices and must not come back. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const files = readdirSync(`${root}test/simulation/failures`);
const run = promisify(execFile);

describe('a failure that was fixed', () => {
  it.each(files)('does not come back: %s', async (file) => {
    const preload = ['--import', './test/simulation/virtual/preload.ts', 'tools/sim.ts'];
    const replay = ['--replay', `test/simulation/failures/${file}`];
    const { stdout } = await run(process.execPath, [...preload, ...replay], { cwd: root, maxBuffer: 64 * 1024 * 1024 });
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^trace [0-9a-f]{32}$/);
  });
});
