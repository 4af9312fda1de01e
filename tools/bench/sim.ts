/**
 * Speed and frugality of the simulator's worlds: an app of 20 replicas, changed every minute (busy) or left alone (idle), without faults and under all
 * oracles. Each world has a process of its own; its time is that of the processor, which other work on the machine inflates but does not falsify as
 * it does the wall's. Calls follow from seed and commit alone.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Figure } from './figure.ts';

/** What one world took. */
export interface WorldCost {
  readonly cpuMs: number;
  readonly virtualMs: number;
  /** All calls of hosts: Tables, ARM, durable extension, queue. */
  readonly calls: number;
  /** Those after the world had its first 15 min, by the hour. */
  readonly settledCallsPerHour: number;
}

/** They differ in what nobody knows of Azure for sure: seed 1 has listings in pages of two groups. */
const seeds = [1, 2, 3, 4, 5];
const root = fileURLToPath(new URL('../../', import.meta.url));

/** As `npm run sim` is started. */
function simulatorFlags(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> };
  return (scripts['sim'] ?? '').split(' ').slice(1, -1);
}

async function costOf(workload: string, seed: number): Promise<WorldCost> {
  const child = fileURLToPath(new URL('./sim-world.ts', import.meta.url));
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [...simulatorFlags(), child, workload, String(seed)], { cwd: root });
  return JSON.parse(stdout) as WorldCost;
}

/** One after the other: two at once would take each other's caches. */
async function costsOf(workload: string): Promise<readonly WorldCost[]> {
  const costs: WorldCost[] = [];
  for (const seed of seeds) costs.push(await costOf(workload, seed));
  return costs;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

export async function simBench(): Promise<readonly Figure[]> {
  const busy = await costsOf('busy');
  const idle = await costsOf('idle');
  const figure = (name: string, value: number, unit: string, aim: string): Figure => ({
    area: 'sim',
    figure: `sim.${name}`,
    value: Math.round(value),
    unit,
    aim,
  });
  // Nobody has set an aim for the calls: theirs hold what is reached.
  return [
    figure('busyRatio', median(busy.map(({ virtualMs, cpuMs }) => virtualMs / cpuMs)), 'x', '>= 1000'),
    figure(
      'callsPerVirtualHour',
      median(busy.map(({ calls, virtualMs }) => (calls / virtualMs) * 3_600_000)),
      '1/h',
      '<= 10500',
    ),
    figure('idleCallsPerVirtualHour', median(idle.map((cost) => cost.settledCallsPerHour)), '1/h', '<= 2600'),
  ];
}
