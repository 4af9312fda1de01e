/** Same seed and same commit give the same trace, byte for byte, whatever the process around it; and what would break that is noticed. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { leaks } from './mutants/leaks.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

interface Around {
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** What `npm run sim` prints, in a process of its own. */
async function simulate(options: readonly string[], { flags = [], environment = {} }: Around = {}): Promise<string> {
  const preload = ['--import', './test/simulation/virtual/preload.ts', 'tools/sim.ts'];
  const { stdout } = await run(process.execPath, [...flags, ...preload, ...options], {
    cwd: root,
    env: { ...process.env, ...environment },
  }).catch((error: { stdout: string }) => error);
  return stdout;
}

const traceIn = (output: string): string => /trace ([0-9a-f]{32})/.exec(output)?.[1] ?? `no trace: ${output}`;
const language = (name: string) => ({ LANG: name, LC_ALL: name });

describe('a run', () => {
  it('is the same in processes that differ in time zone, language, heap and optimisation', async () => {
    const hostile = ['--seed', '7', '--faults', 'all', '--workload', 'changes', '--no-shrink'];
    const processes: readonly Around[] = [
      {},
      { flags: ['--max-old-space-size=160'], environment: { TZ: 'Asia/Kathmandu', ...language('sv_SE.UTF-8') } },
      { flags: ['--max-semi-space-size=1'], environment: { TZ: 'America/St_Johns', ...language('tr_TR.UTF-8') } },
      { flags: ['--no-opt'], environment: { TZ: 'Pacific/Apia', ...language('ar_EG.UTF-8') } },
    ];
    const traces = (await Promise.all(processes.map((around) => simulate(hostile, around)))).map(traceIn);
    expect(traces[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(traces).size).toBe(1);
  });
});

describe('a leak of the real world into the app', () => {
  const leaking = (name: string) => [
    '--seed',
    '1',
    '--faults',
    'none',
    '--workload',
    'life',
    '--no-shrink',
    '--leak',
    name,
  ];

  for (const { name, noticedBy } of leaks) {
    if (noticedBy === 'comparison') {
      it(`by ${name} makes two processes differ`, async () => {
        const outputs = await Promise.all([
          simulate(leaking(name)),
          simulate(leaking(name), { environment: language('sv_SE.UTF-8') }),
        ]);
        expect(traceIn(outputs[0])).toMatch(/^[0-9a-f]{32}$/);
        expect(traceIn(outputs[0])).not.toBe(traceIn(outputs[1]));
      });
    } else {
      it(`by ${name} is noticed in one run, by ${noticedBy}`, async () => {
        expect(await simulate(leaking(name))).toContain(`seed 1: ${noticedBy} `);
      });
    }
  }
});
