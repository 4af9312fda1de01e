/** Judges placements by code that shares nothing with the scheduler: validity of whole worlds, and quality against all assignments of small ones. */

import { type Ask, anywhere } from '../../src/decide/placement/ask.ts';
import { pick } from '../../src/decide/placement/pick.ts';
import { defaultWeights } from '../../src/decide/placement/scores.ts';
import { shapeOf } from '../../src/decide/placement/shape.ts';
import type { Ledger, Target } from '../../src/decide/placement/target.ts';
import { createWorld } from '../../src/decide/placement/world.ts';
import type { Draw, GeneratedWorld } from './placement-world.ts';

/** Throws at the first quota, constraint, spread or anti-affinity that is violated. @param placed target name of each arrival; null = none */
export function mustBeValid(world: GeneratedWorld, placed: readonly (string | null)[]): void {
  const targets = new Map(world.targets.map((target) => [target.name, target]));
  const used = new Map<string, { groups: number; cores: number; memoryGiB: number }>();
  const byService = new Map<number, Target[]>();
  for (const [arrival, name] of placed.entries()) {
    const target = name === null ? undefined : targets.get(name);
    if (target === undefined) continue;
    const ask = world.asks[world.arrivals[arrival] as number] as Ask;
    const sum = used.get(target.ledger) ?? { groups: 0, cores: 0, memoryGiB: 0 };
    used.set(target.ledger, {
      groups: sum.groups + 1,
      cores: sum.cores + ask.cores,
      memoryGiB: sum.memoryGiB + ask.memoryGiB,
    });
    const list = byService.get(world.arrivals[arrival] as number) ?? [];
    byService.set(world.arrivals[arrival] as number, list);
    list.push(target);
    if (ask.constraints.length > 0 && target.labels['disk'] !== 'ssd') throw new Error(`${name} has no ssd`);
  }
  const left = new Map<string, Ledger['limit']>();
  for (const { name, limit } of world.ledgers) {
    const sum = used.get(name) ?? { groups: 0, cores: 0, memoryGiB: 0 };
    const free = {
      groups: limit.groups - sum.groups,
      cores: limit.cores - sum.cores,
      memoryGiB: limit.memoryGiB - sum.memoryGiB,
    };
    if (Math.min(free.groups, free.cores, free.memoryGiB) < -1e-6) throw new Error(`${name} is over its quota`);
    left.set(name, free);
  }
  for (const [service, list] of byService) mustKeepRules(world.asks[service] as Ask, list, world.targets, left);
}

/** No room is given back in these runs, so a domain with room at the end had it all the time and bounds every other one. */
function mustKeepRules(
  ask: Ask,
  at: readonly Target[],
  targets: readonly Target[],
  left: ReadonlyMap<string, Ledger['limit']>,
): void {
  for (const { maxSkew } of ask.spread) {
    const count = new Map<string, number>();
    for (const { region } of at) count.set(region, (count.get(region) ?? 0) + 1);
    const open = targets.filter((target) => {
      const free = left.get(target.ledger);
      if (free === undefined || (ask.constraints.length > 0 && target.labels['disk'] !== 'ssd')) return false;
      const unique = ask.affinity.some(({ topology, required }) => topology === 'host' && required);
      if (unique && at.some(({ host }) => host !== null && host === target.host)) return false;
      return free.groups >= 1 && free.cores >= ask.cores && free.memoryGiB >= ask.memoryGiB;
    });
    const fewest = Math.min(...open.map(({ region }) => count.get(region) ?? 0));
    const most = Math.max(...count.values());
    if (maxSkew !== null && open.length > 0 && most - fewest > maxSkew) {
      throw new Error(`${ask.service} is spread ${most} to ${fewest}, with room for evenness`);
    }
  }
  if (ask.affinity.some(({ topology, required }) => topology === 'host' && required)) {
    const hosts = at.flatMap(({ host }) => (host === null ? [] : [host]));
    if (new Set(hosts).size !== hosts.length) throw new Error(`${ask.service} is twice on one host`);
  }
}

/**
 * Worst ratio to the best of all assignments, over small worlds: of the cost among assignments of least skew, where the skew itself must be the least
 * (a skew above it counts as its ratio, both plus one).
 */
export function qualityOf(worlds: number, draw: Draw): number {
  let worst = 1;
  for (let index = 0; index < worlds; index += 1)
    worst = Math.max(worst, ratioOf(smallWorld(draw), 4 + Math.floor(draw() * 9)));
  return worst;
}

interface SmallPool {
  readonly region: string;
  readonly groups: number;
  readonly price: number;
}

const smallWorld = (draw: Draw): readonly SmallPool[] =>
  Array.from({ length: 2 + Math.floor(draw() * 4) }, () => ({
    region: `r${Math.floor(draw() * 3)}`,
    groups: 1 + Math.floor(draw() * 8),
    price: 1 + Math.floor(draw() * 20),
  }));

function ratioOf(pools: readonly SmallPool[], wanted: number): number {
  const replicas = Math.min(
    wanted,
    pools.reduce((sum, { groups }) => sum + groups, 0),
  );
  const best = bestOfAll(pools, replicas);
  const own = judged(pools, placedBy(pools, replicas));
  return own.skew > best.skew ? (own.skew + 1) / (best.skew + 1) : own.cost / best.cost;
}

function placedBy(pools: readonly SmallPool[], replicas: number): readonly number[] {
  const targets = pools.map(
    ({ region, price }, index): Target => ({
      name: `pool${index}`,
      pool: `pool${index}`,
      kind: 'aci',
      region,
      zone: null,
      host: null,
      labels: {},
      order: 0,
      price: { coreHour: price, gibHour: 0 },
      closed: null,
      ledger: `pool${index}`,
    }),
  );
  const limitOf = (groups: number) => ({ groups, cores: 1_000, memoryGiB: 1_000 });
  const used = { groups: 0, cores: 0, memoryGiB: 0 };
  const world = createWorld(
    targets,
    pools.map(({ groups }, index) => ({ name: `pool${index}`, limit: limitOf(groups), used })),
  );
  const ask: Ask = {
    service: 'a/s',
    cores: 1,
    memoryGiB: 1,
    pools: [],
    constraints: [],
    spread: [{ topology: 'region', maxSkew: null }],
    affinity: [],
    limits: [],
  };
  const shape = shapeOf(world, ask, defaultWeights);
  const counts = pools.map(() => 0);
  for (let placed = 0; placed < replicas; placed += 1) {
    const choice = pick(shape, anywhere);
    if (choice === null) throw new Error('a replica for which there is room was not placed');
    world.occupy(ask.service, choice.name, ask);
    const index = Number(choice.name.slice('pool'.length));
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

function judged(
  pools: readonly SmallPool[],
  counts: readonly number[],
): { readonly skew: number; readonly cost: number } {
  const regions = new Map<string, number>();
  let cost = 0;
  for (const [index, { region, price }] of pools.entries()) {
    regions.set(region, (regions.get(region) ?? 0) + (counts[index] ?? 0));
    cost += price * (counts[index] ?? 0);
  }
  const values = [...regions.values()];
  return { skew: Math.max(...values) - Math.min(...values), cost };
}

/** Every way to share the replicas out, by brute force. */
function bestOfAll(pools: readonly SmallPool[], replicas: number): { readonly skew: number; readonly cost: number } {
  let best = { skew: Number.POSITIVE_INFINITY, cost: Number.POSITIVE_INFINITY };
  const counts: number[] = [];
  const share = (left: number): void => {
    const pool = pools[counts.length];
    if (pool === undefined) {
      const one = judged(pools, counts);
      if (left === 0 && (one.skew < best.skew || (one.skew === best.skew && one.cost < best.cost))) best = one;
      return;
    }
    for (let count = 0; count <= Math.min(left, pool.groups); count += 1) {
      counts.push(count);
      share(left - count);
      counts.pop();
    }
  };
  share(replicas);
  return best;
}
