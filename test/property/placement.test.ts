/** Laws of the scheduler over small generated worlds, and its answers compared with all assignments there are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ask, anywhere } from '../../src/decide/placement/ask.ts';
import { pick } from '../../src/decide/placement/pick.ts';
import { defaultWeights } from '../../src/decide/placement/scores.ts';
import { shapeOf } from '../../src/decide/placement/shape.ts';
import type { Ledger, Target } from '../../src/decide/placement/target.ts';
import { createWorld } from '../../src/decide/placement/world.ts';
import { unplaced } from '../../src/model/placement.ts';

interface Place {
  readonly region: number;
  readonly host: boolean;
  readonly groups: number;
  readonly cores: number;
  readonly tier: number;
  readonly closed: boolean;
}

const places = fc.array(
  fc.record({
    region: fc.nat(2),
    host: fc.boolean(),
    groups: fc.nat(4),
    cores: fc.nat(6),
    tier: fc.nat(1),
    closed: fc.boolean().map((closed) => closed),
  }),
  { minLength: 1, maxLength: 4 },
);
const rules = fc.record({
  cores: fc.integer({ min: 1, max: 3 }),
  constrained: fc.boolean(),
  maxSkew: fc.option(fc.integer({ min: 1, max: 2 })),
  apart: fc.option(fc.constantFrom('region', 'pool')),
  most: fc.option(fc.integer({ min: 1, max: 2 })),
});

const targetOf = ({ region, host, tier, closed }: Place, index: number): Target => ({
  name: `t${index}`,
  pool: host ? `hosts${region}` : `t${index}`,
  kind: host ? 'docker' : 'aci',
  region: `r${region}`,
  zone: null,
  host: host ? `t${index}` : null,
  labels: { tier: String(tier) },
  order: host ? 10 + region : index,
  price: null,
  closed: closed && index > 0 ? 'is cordoned' : null,
  ledger: `t${index}`,
});
const ledgerOf = ({ groups, cores }: Place, index: number): Ledger => ({
  name: `t${index}`,
  limit: { groups, cores, memoryGiB: 100 },
  used: { groups: 0, cores: 0, memoryGiB: 0 },
});
const askOf = (rule: {
  cores: number;
  constrained: boolean;
  maxSkew: number | null;
  apart: string | null;
  most: number | null;
}): Ask => ({
  ...unplaced,
  service: 'a/s',
  cores: rule.cores,
  memoryGiB: 1,
  pools: [],
  constraints: rule.constrained
    ? [{ attribute: 'pool.labels.tier', operator: '==', values: ['1'], text: 'pool.labels.tier == 1' }]
    : [],
  spread: rule.maxSkew === null ? [] : [{ topology: 'region', maxSkew: rule.maxSkew }],
  affinity:
    rule.apart === null ? [] : [{ service: 'a/s', topology: rule.apart, anti: true, required: true, weight: 100 }],
  limits: rule.most === null ? [] : [{ topology: 'region', count: rule.most }],
});

/** Names of the targets of up to `replicas`, in order. */
function run(targets: readonly Target[], ledgers: readonly Ledger[], ask: Ask, replicas: number): readonly string[] {
  const world = createWorld(targets, ledgers);
  const shape = shapeOf(world, ask, defaultWeights);
  const placed: string[] = [];
  for (let count = 0; count < replicas; count += 1) {
    const choice = pick(shape, anywhere);
    if (choice === null) break;
    world.occupy(ask.service, choice.name, ask);
    placed.push(choice.name);
  }
  return placed;
}

/** The hard rules, told again without the scheduler's code. `at` holds every replica. */
function isValid(list: readonly Place[], ask: Ask, at: readonly number[], counts: readonly number[]): boolean {
  const regions = new Map<number, number>();
  for (const index of at) regions.set(list[index]!.region, (regions.get(list[index]!.region) ?? 0) + 1);
  const isTaken = (index: number): boolean => (counts[index] ?? 0) > 0;
  return (
    list.every((place, index) => !isTaken(index) || mayHold(place, index, counts[index] ?? 0, ask)) &&
    ask.limits.every(({ count }) => [...regions.values()].every((number) => number <= count)) &&
    ask.affinity.every(({ topology }) =>
      list.every((place, index) => {
        const together = topology === 'pool' ? inPool(list, place, index, counts) : regions.get(place.region)!;
        return !isTaken(index) || together <= 1;
      }),
    )
  );
}

function mayHold(place: Place, index: number, count: number, ask: Ask): boolean {
  const isOpen = !(place.closed && index > 0) && (ask.constraints.length === 0 || place.tier === 1);
  return isOpen && count <= place.groups && count * ask.cores <= place.cores;
}

function inPool(list: readonly Place[], place: Place, index: number, counts: readonly number[]): number {
  const isSame = (other: Place, n: number): boolean =>
    place.host ? other.host && other.region === place.region : n === index;
  return list.reduce((sum, other, n) => sum + (isSame(other, n) ? (counts[n] ?? 0) : 0), 0);
}

const countsOf = (list: readonly Place[], at: readonly number[]): readonly number[] =>
  list.map((_, index) => at.filter((one) => one === index).length);

/** Most replicas, of at most `replicas`, that any assignment without a rule of spread can hold. */
function mostPossible(list: readonly Place[], ask: Ask, replicas: number): number {
  let most = 0;
  const go = (at: readonly number[]): void => {
    most = Math.max(most, at.length);
    if (at.length === replicas || most === replicas) return;
    for (let next = at.at(-1) ?? 0; next < list.length; next += 1) {
      const more = [...at, next];
      if (isValid(list, ask, more, countsOf(list, more))) go(more);
    }
  };
  go([]);
  return most;
}

describe('the scheduler', () => {
  it('never breaks a quota, a closed pool, a constraint, an anti-affinity or a limit, at any step', () => {
    fc.assert(
      fc.property(places, rules, fc.integer({ min: 1, max: 6 }), (list, rule, replicas) => {
        const ask = askOf(rule);
        const placed = run(list.map(targetOf), list.map(ledgerOf), ask, replicas).map((name) => Number(name.slice(1)));
        for (let count = 1; count <= placed.length; count += 1) {
          const at = placed.slice(0, count);
          expect(isValid(list, ask, at, countsOf(list, at))).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps a required spread: no region is ahead of one that had room by more than its skew', () => {
    fc.assert(
      fc.property(places, fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 6 }), (list, maxSkew, replicas) => {
        const ask = askOf({ cores: 1, constrained: false, maxSkew, apart: null, most: null });
        const placed = run(list.map(targetOf), list.map(ledgerOf), ask, replicas).map((name) => Number(name.slice(1)));
        const counts = countsOf(list, placed);
        const regionCount = (region: number) =>
          counts.reduce((sum, count, index) => sum + (list[index]!.region === region ? count : 0), 0);
        const open = list.filter(
          (place, index) =>
            !(place.closed && index > 0) && counts[index]! < place.groups && counts[index]! + 1 <= place.cores,
        );
        for (const { region } of open) {
          for (const other of list)
            expect(regionCount(other.region) - regionCount(region)).toBeLessThanOrEqual(maxSkew);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('places as many as brute force can', () => {
    fc.assert(
      fc.property(places, rules, fc.integer({ min: 1, max: 6 }), (list, rule, replicas) => {
        const ask = askOf(rule);
        const placed = run(list.map(targetOf), list.map(ledgerOf), ask, replicas);
        expect(placed.length).toBe(mostPossible(list, ask, replicas));
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not depend on the order of its input', () => {
    fc.assert(
      fc.property(places, rules, fc.integer({ min: 1, max: 6 }), fc.nat(), (list, rule, replicas, seed) => {
        const [targets, ledgers] = [list.map(targetOf), list.map(ledgerOf)];
        const shuffled = targets
          .map((target, index) => ({ target, key: (index * 7 + seed) % 5 }))
          .sort((a, b) => a.key - b.key)
          .map(({ target }) => target);
        const ask = askOf(rule);
        expect(run(shuffled, [...ledgers].reverse(), ask, replicas)).toEqual(run(targets, ledgers, ask, replicas));
      }),
      { numRuns: 500 },
    );
  });

  it('one pool more never makes a placement infeasible, where no spread is asked for', () => {
    fc.assert(
      fc.property(places, places, rules, fc.integer({ min: 1, max: 6 }), (list, [more], rule, replicas) => {
        const ask = askOf({ ...rule, maxSkew: null, apart: null });
        const before = run(list.map(targetOf), list.map(ledgerOf), ask, replicas).length;
        const all = [...list, more!];
        expect(run(all.map(targetOf), all.map(ledgerOf), ask, replicas).length).toBeGreaterThanOrEqual(before);
      }),
      { numRuns: 500 },
    );
  });
});
