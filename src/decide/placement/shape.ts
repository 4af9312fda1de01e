/**
 * An ask prepared against a world: which classes pass the filters that never change, grouped by the domains in which the ask's rules count, with the
 * part of the score that never changes. Placing one more replica then looks at one class for each group of domains, whatever the number of hosts.
 */
import type { Ask } from './ask.ts';
import { staticRefusal } from './filters.ts';
import type { Member, Size } from './hosts.ts';
import { costOf, costScore, orderScore, type Weights } from './scores.ts';
import { domainOf, type Target } from './target.ts';
import { type Term, termsOf } from './terms.ts';
import type { TargetClass, World } from './world.ts';

export interface ShapeClass {
  readonly class: TargetClass;
  /** Sum of the scores that depend on neither room nor replicas. */
  readonly fixed: number;
  /** It was found to have no room; a plan gives none back. */
  full: boolean;
  /** The member that fitted last, the first to be asked whether there still is room. */
  lastFit: Member | null;
}

/** Classes in the same domain of every topology that the ask names. */
export interface ShapeGroup {
  /** One for each term; empty where a target has none. */
  readonly domains: readonly string[];
  /** The best fixed score. */
  readonly fixed: number;
  /** Best fixed score first. */
  readonly classes: readonly ShapeClass[];
  /** All before it have no room. */
  first: number;
}

export interface Shape {
  readonly world: World;
  readonly ask: Ask;
  readonly size: Size;
  readonly weights: Weights;
  readonly groups: readonly ShapeGroup[];
  readonly terms: readonly Term[];
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
    groups: groupsOf(world, ask, weights, terms),
    ...hostRules(world, ask),
  };
}

function groupsOf(world: World, ask: Ask, weights: Weights, terms: readonly Term[]): readonly ShapeGroup[] {
  const feasible = world.classes.filter((one) => staticRefusal(one.target, ask) === null);
  const fixedOf = fixedScores(feasible, ask, weights);
  const groups = new Map<string, { readonly domains: string[]; readonly classes: ShapeClass[] }>();
  for (const one of feasible) {
    const domains = terms.map(({ topology }) => domainOf(one.target, topology) ?? '');
    const key = domains.join('\n');
    const group = groups.get(key) ?? { domains, classes: [] };
    groups.set(key, group);
    group.classes.push({ class: one, fixed: fixedOf(one), full: false, lastFit: null });
  }
  return [...groups.values()].map(({ domains, classes }) => {
    classes.sort((a, b) => b.fixed - a.fixed || a.class.index - b.class.index);
    return { domains, fixed: classes[0]?.fixed ?? 0, classes, first: 0 };
  });
}

function fixedScores(classes: readonly TargetClass[], ask: Ask, weights: Weights): (one: TargetClass) => number {
  const costs = classes.map(({ target }) => costOf(target, ask.cores, ask.memoryGiB));
  const known = costs.filter((cost) => cost !== null);
  const cheapest = Math.min(...known);
  const dearest = Math.max(...known);
  const costAt = new Map(classes.map((one, index) => [one, costs[index] ?? null]));
  const named = new Map(ask.pools.map((pool, rank) => [pool, rank]));
  const orders = [...new Set(classes.map(({ target }) => target.order))].sort((a, b) => a - b);
  const ranks = new Map(orders.map((order, rank) => [order, rank]));
  return (one) => {
    const rank = named.size > 0 ? named.get(one.target.pool) : ranks.get(one.target.order);
    return (
      weights.poolOrder * orderScore(rank ?? classes.length) +
      weights.cost * costScore(costAt.get(one) ?? null, cheapest, dearest)
    );
  };
}

/** Rules over hosts are looked at host by host, inside the class. */
function hostRules(world: World, ask: Ask): Pick<Shape, 'allowsHost' | 'prefersHost' | 'followsOthers'> {
  const countOf = (service: string) => {
    const count = world.count(service, 'host');
    return ({ host }: Target): number => (host === null ? 0 : (count.get(host) ?? 0));
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
