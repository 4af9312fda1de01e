/** Same seed and same commit give the same trace, byte for byte, whatever the process around it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** Hash of the trace of one seed, in a process of its own. */
async function traceOf(
  seed: number,
  nodeFlags: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const preload = ['--import', './test/simulation/virtual/preload.ts'];
  const sim = ['tools/sim.ts', '--seed', String(seed), '--faults', 'all', '--workload', 'changes'];
  const { stdout } = await run(process.execPath, [...nodeFlags, ...preload, ...sim], {
    cwd: root,
    env: { ...process.env, ...environment },
  }).catch((error: { stdout: string }) => error);
  return /trace ([0-9a-f]{32})/.exec(stdout)?.[1] ?? `no trace: ${stdout}`;
}

describe('a run', () => {
  it('is the same in processes that differ in time zone, language, heap and optimisation', async () => {
    const hashes = await Promise.all([
      traceOf(7, [], {}),
      traceOf(7, ['--max-old-space-size=160'], { TZ: 'Asia/Kathmandu', LANG: 'sv_SE.UTF-8', LC_ALL: 'sv_SE.UTF-8' }),
      traceOf(7, ['--max-semi-space-size=1'], { TZ: 'America/St_Johns', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' }),
      traceOf(7, ['--no-opt'], { TZ: 'Pacific/Apia', LANG: 'ar_EG.UTF-8', LC_ALL: 'ar_EG.UTF-8' }),
    ]);
    expect(hashes[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(hashes).size).toBe(1);
  });
});
