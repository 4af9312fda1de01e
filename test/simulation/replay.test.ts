/** Every failure that a run reports can be kept as a file and replayed, also those that only a second run or a plan can tell. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'replay-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

interface Replayed {
  readonly stdout: string;
  readonly code?: number;
}

function replay(failure: object): Promise<Replayed> {
  const file = join(directory, 'failure.json');
  const common = { invariant: 'L1', at: 0, message: '', seed: 1, workload: 'relapse', hosts: 1, planted: null };
  const times = { untilMs: 2_040_000, calmMs: 1_320_000, faults: [], factor: 1 };
  writeFileSync(file, JSON.stringify({ ...common, ...times, ...failure }));
  const preload = ['--import', './test/simulation/virtual/preload.ts', 'tools/sim.ts'];
  const options = { cwd: root, maxBuffer: 64 * 1024 * 1024 };
  return run(process.execPath, [...preload, '--replay', file], options).catch((error: Replayed) => error);
}

describe('a replayed failure', () => {
  it('of a world that ends otherwise than without its choices fails again', async () => {
    const { stdout, code } = await replay({ oracle: 'sameEnd', choices: { 'workload revises again#0': 1 } });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /sameEnd violated at [\d.]+ s: it ends as «.*http:3, \d ready», without the fault as «.*http:2, \d ready»/s,
    );
  });

  it('of a world in which the pair it is for does not occur fails again', async () => {
    const { stdout, code } = await replay({ oracle: 'directed', pair: 'slow × pass', choices: {} });
    expect(code).toBe(1);
    expect(stdout).toMatch(/directed violated at [\d.]+ s: slow × pass did not occur/);
  });

  it('that fails no more says so by its exit code', async () => {
    expect(await replay({ oracle: 'sameEnd', choices: {} })).not.toHaveProperty('code');
  });
});
