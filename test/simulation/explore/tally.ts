/** Adds up runs into a report. */

import type { RunResult } from '../world/world.ts';
import { missingPairs } from './required.ts';

export interface Tally {
  add(result: RunResult): void;
  /** Pairs of fault and workflow phase that occurred. */
  readonly pairs: ReadonlyMap<string, number>;
  report(): string;
}

const addAll = (sums: Map<string, number>, counts: ReadonlyMap<string, number>): void => {
  for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
};

const list = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

export function createTally(): Tally {
  const effects = new Map<string, number>();
  const faults = new Map<string, number>();
  const pairs = new Map<string, number>();
  const violated = new Map<string, number>();
  let slowest = 0;
  const sums = { runs: 0, virtualMs: 0, realMs: 0, cpuMs: 0, events: 0, crashes: 0, commands: 0 };
  return {
    pairs,
    add({ coverage, violations, measures, virtualMs, realMs, cpuMs, events }) {
      addAll(effects, coverage.effects);
      addAll(faults, coverage.faults);
      addAll(pairs, coverage.pairs);
      for (const { oracle } of violations) violated.set(oracle, (violated.get(oracle) ?? 0) + 1);
      slowest = Math.max(slowest, measures.get('bound') ?? 0);
      sums.runs += 1;
      sums.virtualMs += virtualMs;
      sums.realMs += realMs;
      sums.cpuMs += cpuMs;
      sums.events += events;
      sums.crashes += coverage.crashes;
      sums.commands += coverage.commands;
    },
    report() {
      const seconds = sums.cpuMs / 1000;
      const calls = [...effects.values()].reduce((total, count) => total + count, 0);
      const perSecond = (count: number) => Math.round(count / seconds);
      return [
        `${sums.runs} runs, ${(sums.virtualMs / 3_600_000).toFixed(1)} virtual hours in ${seconds.toFixed(1)} s of one core (${(sums.realMs / 1000).toFixed(1)} s on the wall): ${Math.round(sums.virtualMs / sums.cpuMs)} × real time, ${perSecond(sums.events)} events/s, ${perSecond(calls)} effects/s`,
        `${sums.commands} commands acknowledged, ${sums.crashes} host crashes, ${calls} effects`,
        `effects: ${list(effects)}`,
        `faults: ${list(faults)}`,
        `${pairs.size} pairs of fault × phase, ${missingPairs(pairs).length} of the required ones missing`,
        `slowest recovery once the world was fair: ${slowest.toFixed(0)} % of its bound`,
        violated.size === 0 ? 'no violation' : `violations: ${list(violated)}`,
      ].join('\n');
    },
  };
}
