/** A world in which something hangs does not look like one that is slow: the run ends, and says who waits. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly signal?: string;
}

/** The fault-free life of one service, whose workflow hangs when it lets go of it. */
function simulate(hang: string): Promise<Ended> {
  const preload = ['--import', './test/simulation/virtual/preload.ts', 'tools/sim.ts'];
  const options = ['--seed', '1', '--faults', 'none', '--workload', 'life', '--no-shrink', '--patience', '4'];
  return run(process.execPath, [...preload, ...options, '--hang', hang], { cwd: root }).catch((error: Ended) => error);
}

describe('an activity of a run', () => {
  it('that waits for what nothing can settle ends the run, and is named', async () => {
    const { stdout } = await simulate('promise');
    expect(stdout).toMatch(/STUCK .*: host h\d owes what nothing can settle any more: finish deployment:shop\.web:1/);
  });

  it('that never gives control back ends the process, and is named', async () => {
    const { stderr, signal } = await simulate('loop');
    expect(signal).toBe('SIGKILL');
    expect(stderr).toMatch(
      /hangs in one event after \d+ events: .* since finish deployment:shop\.web:1 shop\/web began/,
    );
  });
});
