/** Placement figures: speed without and with rules, growth, latency of one more replica in a full world, memory, quality. Every world is checked. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Ask, anywhere } from '../../src/decide/placement/ask.ts';
import { explain } from '../../src/decide/placement/explain.ts';
import { pick } from '../../src/decide/placement/pick.ts';
import { defaultWeights } from '../../src/decide/placement/scores.ts';
import { type Shape, shapeOf } from '../../src/decide/placement/shape.ts';
import type { Ledger, Target } from '../../src/decide/placement/target.ts';
import { createWorld } from '../../src/decide/placement/world.ts';
import type { Figure } from './figure.ts';
import { mustBeValid, qualityOf } from './placement-checks.ts';
import { type GeneratedWorld, generate, type Size, seeded } from './placement-world.ts';

const full: Size = { targets: 5_000, replicas: 50_000, services: 600 };
const seed = 20_261_124;

/** Of this process: the work of one core, whatever else the machine does. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Places every arrival; set-up is not part of the time, nor is the collection of what it leaves. */
export function run(world: GeneratedWorld): { readonly placed: readonly (string | null)[]; readonly seconds: number } {
  const live = createWorld(world.targets, world.ledgers);
  const shapes = world.asks.map((ask) => shapeOf(live, ask, defaultWeights));
  const placed: (string | null)[] = [];
  collectGarbage();
  const startedAt = cpuSeconds();
  for (const arrival of world.arrivals) {
    const shape = shapes[arrival] as Shape;
    const choice = pick(shape, anywhere);
    if (choice !== null) live.occupy(shape.ask.service, choice.name, shape.size);
    placed.push(choice === null ? null : choice.name);
  }
  return { placed, seconds: cpuSeconds() - startedAt };
}

/** Median of three runs, of which the last is checked. */
function perSecond(size: Size, rules: boolean): number {
  const world = generate(size, rules, seeded(seed));
  const runs = [run(world), run(world), run(world)];
  mustBeValid(world, runs[2]?.placed ?? []);
  return size.replicas / median(runs.map(({ seconds }) => seconds));
}

/** Multiples of the smallest world of the growth figure. */
const multiples = [1, 3, 10] as const;
const growthRounds = 7;

/**
 * Cost of one item at n, 3n and 10n, rules included; the worst ratio of neighbours. A round places as many items at every size, in as many worlds as
 * that takes: n alone would be measured while the compiler is still at work. The sizes take turns, and of each the cheapest round counts, as whatever
 * else the machine does can only add to it, to large worlds more than to small ones where it takes the caches away.
 */
function growth(): number {
  const largest = Math.max(...multiples);
  const worlds = multiples.map((times) =>
    generate({ targets: 500 * times, replicas: 5_000 * times, services: 60 * times }, true, seeded(seed)),
  );
  const costs = worlds.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < growthRounds; round += 1) {
    for (const [index, world] of worlds.entries()) {
      const runs = Array.from({ length: Math.ceil(largest / (multiples[index] ?? largest)) }, () => run(world));
      if (round === 0) mustBeValid(world, runs[0]?.placed ?? []);
      const seconds = runs.reduce((sum, one) => sum + one.seconds, 0) / runs.length;
      costs[index] = Math.min(costs[index] ?? Number.NaN, seconds / world.arrivals.length);
    }
  }
  return Math.max(...costs.slice(1).map((cost, index) => cost / (costs[index] ?? Number.NaN)));
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/**
 * What a pass does: the targets' rows parsed, the world made, one replica placed or refused with its reasons. In a full world, and with every fifth ask
 * too large for any target.
 */
export function oneMoreP99Ms(): number {
  const world = generate(full, true, seeded(seed));
  const { placed } = run(world);
  const live = createWorld(world.targets, world.ledgers);
  for (const [index, name] of placed.entries()) {
    const ask = world.asks[world.arrivals[index] as number] as Ask;
    if (name !== null) live.occupy(ask.service, name, ask);
  }
  const rows = live.classes
    .flatMap(({ members }) => members)
    .map(({ target, account }) => {
      const { groups, cores, memoryGiB } = account;
      const limit = { ...account.limit, memoryGiB: Math.min(account.limit.memoryGiB, 1e9) };
      return JSON.stringify({ ...target, limit, used: { groups, cores, memoryGiB } });
    });
  const placedOf = new Map<string, { service: string; target: string }[]>();
  for (const [index, target] of placed.entries()) {
    const { service } = world.asks[world.arrivals[index] as number] as Ask;
    if (target !== null) placedOf.set(service, [...(placedOf.get(service) ?? []), { service, target }]);
  }
  const times = Array.from({ length: 300 }, (_, index) => {
    const ask = world.asks[(index * 7) % world.asks.length] as Ask;
    const own = JSON.stringify(placedOf.get(ask.service) ?? []);
    return timeOf(rows, own, index % 5 === 0 ? { ...ask, cores: 1_000 } : ask);
  }).sort((a, b) => a - b);
  return times[Math.ceil(times.length * 0.99) - 1] ?? Number.NaN;
}

function timeOf(rows: readonly string[], own: string, ask: Ask): number {
  const startedAt = performance.now();
  const targets = rows.map((row) => JSON.parse(row) as Target & Omit<Ledger, 'name'>);
  const ledgers = targets.map(({ name, limit, used }) => ({ name, limit, used }));
  const world = createWorld(targets, ledgers, JSON.parse(own) as { service: string; target: string }[]);
  const shape = shapeOf(world, ask, defaultWeights);
  const choice = pick(shape, anywhere);
  if (choice === null && explain(shape).message === '') throw new Error('a refusal without a reason');
  return performance.now() - startedAt;
}

/** Peak heap of a process that places 10,000 replicas, less that of one that places none. */
async function memoryMiB(): Promise<number> {
  const child = fileURLToPath(new URL('./placement-memory.ts', import.meta.url));
  const peak = (replicas: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const process = fork(child, [String(replicas)]);
      process.once('message', (value) => resolve(Number(value)));
      process.once('error', reject);
    });
  return (await peak(10_000)) - (await peak(0));
}

export async function placementBench(): Promise<readonly Figure[]> {
  const figure = (name: string, value: number, unit: string, aim: string, digits = 0): Figure => ({
    area: 'placement',
    figure: name,
    value: Number(value.toFixed(digits)),
    unit,
    aim,
  });
  return [
    figure('placement.plainPerSecond', perSecond(full, false), '1/s', '>= 20000'),
    figure('placement.spreadPerSecond', perSecond(full, true), '1/s', '>= 5000'),
    figure('placement.quality', qualityOf(300, seeded(seed)), 'ratio', '<= 1.05', 3),
    figure('placement.oneMoreP99Ms', oneMoreP99Ms(), 'ms', '<= 50', 1),
    figure('placement.growth', growth(), 'ratio', '<= 1.15', 2),
    figure('placement.memoryMiB', await memoryMiB(), 'MiB', '<= 200', 1),
  ];
}
