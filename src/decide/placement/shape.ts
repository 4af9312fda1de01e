/**
 * An ask prepared against a world: which classes pass the filters that never change, grouped by the domains in which the ask's rules count, with the
 * part of the score that never changes. Placing one more replica then looks at one class for each group of domains, whatever the number of hosts.
 * Numbers lie in flat arrays: thousands of shapes are looked at in turn, and what one of them reads should be a few cache lines.
 */
import type { Ask } from './ask.ts';
import { staticRefusal } from './filters.ts';
import type { Size } from './room.ts';
import { costOf, costScore, orderScore, type Weights } from './scores.ts';
import type { Target } from './target.ts';
import { type Term, termsOf } from './terms.ts';
import type { TargetClass, World } from './world.ts';

/** Candidates are the feasible classes, group by group, in each the best fixed score first. */
export interface Candidates {
  /** Number of groups: classes in the same domain of every topology that the ask names. */
  readonly groups: number;
  readonly classes: readonly TargetClass[];
  /** Sum of the scores that depend on neither room nor replicas. */
  readonly fixed: Float64Array;
  /** 1 = it was found to have no room; a plan gives none back. */
  readonly full: Uint8Array;
  /** The member that fitted last, the first to be asked whether there still is room; -1 = none. */
  readonly lastFit: Int32Array;
  /** By group: its first candidate, and at its end the number of candidates. */
  readonly starts: Int32Array;
  /** By group: all candidates before it have no room. */
  readonly first: Int32Array;
  /** By group and term, group by group: number of the domain. */
  readonly domains: Int32Array;
  /** By group: what its domains add to the score of this choice. */
  readonly scratch: Float64Array;
}

export interface Shape extends HostRules {
  readonly world: World;
  readonly ask: Ask;
  readonly size: Size;
  readonly weights: Weights;
  readonly terms: readonly Term[];
  readonly candidates: Candidates;
}

export interface HostRules {
  readonly allowsHost: (target: Target) => boolean;
  readonly prefersHost: ((target: Target) => boolean) | null;
  /** A host may become allowed by a placement, so that a full class must be looked at again. */
  readonly followsOthers: boolean;
}

const onHost = ({ topology }: { readonly topology: string }): boolean => topology === 'host';

export function shapeOf(world: World, ask: Ask, weights: Weights): Shape {
  const terms = termsOf(world, ask, weights);
  return {
    world,
    ask,
    size: { cores: ask.cores, memoryGiB: ask.memoryGiB },
    weights,
    terms,
    candidates: candidatesOf(world, ask, weights, terms),
    ...hostRules(world, ask),
  };
}

interface Rated {
  readonly class: TargetClass;
  readonly fixed: number;
}

function candidatesOf(world: World, ask: Ask, weights: Weights, terms: readonly Term[]): Candidates {
  const groups = groupsOf(rated(world, ask, weights), terms);
  const all = groups.flat();
  const starts = new Int32Array(groups.length + 1);
  for (const [index, group] of groups.entries()) starts[index + 1] = (starts[index] ?? 0) + group.length;
  return {
    groups: groups.length,
    classes: all.map((one) => one.class),
    fixed: Float64Array.from(all, ({ fixed }) => fixed),
    full: new Uint8Array(all.length),
    lastFit: new Int32Array(all.length).fill(-1),
    starts,
    first: starts.slice(0, groups.length),
    domains: Int32Array.from(groups.flatMap(([one]) => terms.map((term) => domainAt(term, one)))),
    scratch: new Float64Array(groups.length),
  };
}

const domainAt = ({ domains }: Term, one: Rated | undefined): number =>
  (one === undefined ? undefined : domains.ofClass[one.class.index]) ?? domains.none;

function groupsOf(candidates: readonly Rated[], terms: readonly Term[]): readonly (readonly Rated[])[] {
  const groups = new Map<string, Rated[]>();
  for (const one of candidates) {
    const key = terms.map((term) => domainAt(term, one)).join(' ');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()].map((group) => group.sort((a, b) => b.fixed - a.fixed || a.class.index - b.class.index));
}

function rated(world: World, ask: Ask, weights: Weights): readonly Rated[] {
  const classes = world.classes.filter(({ target }) => staticRefusal(target, ask) === null);
  const costs = classes.map(({ target }) => costOf(target, ask.cores, ask.memoryGiB));
  const known = costs.filter((cost) => cost !== null);
  const cheapest = known.reduce((least, cost) => Math.min(least, cost), Number.POSITIVE_INFINITY);
  const dearest = known.reduce((most, cost) => Math.max(most, cost), Number.NEGATIVE_INFINITY);
  const named = new Map(ask.pools.map((pool, rank) => [pool, rank]));
  const orders = [...new Set(classes.map(({ target }) => target.order))].sort((a, b) => a - b);
  const ranks = new Map(orders.map((order, rank) => [order, rank]));
  return classes.map((one, index) => {
    const rank = named.size > 0 ? named.get(one.target.pool) : ranks.get(one.target.order);
    return {
      class: one,
      fixed:
        weights.poolOrder * orderScore(rank ?? classes.length) +
        weights.cost * costScore(costs[index] ?? null, cheapest, dearest),
    };
  });
}

/** Rules over hosts are looked at host by host, inside the class. */
function hostRules(world: World, ask: Ask): HostRules {
  const countOf = (service: string) => {
    const counts = world.hostCounts(service);
    return ({ host }: Target): number => (host === null ? 0 : (counts.get(host) ?? 0));
  };
  const own = countOf(ask.service);
  const most = Math.min(...ask.limits.filter(onHost).map(({ count }) => count));
  const affinities = ask.affinity.filter(onHost).map((rule) => ({ rule, at: countOf(rule.service) }));
  const isNear = ({ rule, at }: (typeof affinities)[number], target: Target): boolean => at(target) > 0 !== rule.anti;
  const required = affinities.filter(({ rule }) => rule.required);
  const wished = affinities.filter(({ rule }) => !rule.required);
  const spreads = ask.spread.some(onHost);
  return {
    allowsHost: (target) => own(target) < most && required.every((term) => isNear(term, target)),
    prefersHost:
      wished.length === 0 && !spreads
        ? null
        : (target) => (!spreads || own(target) === 0) && wished.every((term) => isNear(term, target)),
    followsOthers: required.some(({ rule }) => !rule.anti),
  };
}
