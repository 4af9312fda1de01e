/** The rules of an ask over domains, each with the live counts it looks at: what it forbids, and what it is worth. Rules over hosts are elsewhere. */
import type { Affinity, DomainLimit, Spread, Topology } from '../../model/placement.ts';
import type { Ask } from './ask.ts';
import type { FilterName } from './filters.ts';
import { affinityScore, spreadScore, type Weights } from './scores.ts';
import type { World } from './world.ts';

export interface Term {
  readonly topology: Topology;
  /** Replicas by domain: of the asking service for a spread and a limit, of the other one for an affinity. */
  readonly count: ReadonlyMap<string, number>;
  readonly filter: FilterName;
  /** It compares with the emptiest domain that has room. */
  readonly isSpread: boolean;
  /** One replica more in a domain that has `count` would break it. Null = it forbids nothing. */
  readonly breaks: ((count: number, fewest: number) => boolean) | null;
  /** Its share of the sum of scores. Null = it prefers nothing. */
  readonly score: ((count: number, fewest: number) => number) | null;
}

export function termsOf(world: World, ask: Ask, weights: Weights): readonly Term[] {
  const above = <Rule extends { readonly topology: Topology }>(rules: readonly Rule[]): readonly Rule[] =>
    rules.filter(({ topology }) => topology !== 'host');
  const spreads = above(ask.spread);
  const affinities = above(ask.affinity);
  const wished = affinities.reduce((sum, { required, weight }) => sum + (required ? 0 : weight), 0);
  return [
    ...spreads.map((rule) => spreadTerm(world, ask, rule, weights.spread / spreads.length)),
    ...affinities.map((rule) => affinityTerm(world, ask, rule, (weights.affinity * rule.weight) / wished)),
    ...above(ask.limits).map((rule) => limitTerm(world, ask, rule)),
  ];
}

function spreadTerm(world: World, { service }: Ask, { topology, maxSkew }: Spread, weight: number): Term {
  return {
    topology,
    count: world.count(service, topology),
    filter: 'Spread',
    isSpread: true,
    breaks: maxSkew === null ? null : (count, fewest) => count + 1 - fewest > maxSkew,
    score: (count, fewest) => weight * spreadScore(count, fewest),
  };
}

/**
 * A required affinity of a service to itself is met by any domain while none of its replicas is placed: else the first could never be (as
 * kube-scheduler's InterPodAffinity).
 */
function affinityTerm(world: World, ask: Ask, { service, topology, anti, required }: Affinity, weight: number): Term {
  const count = world.count(service, topology);
  const isFirst = (): boolean => service === ask.service && ![...count.values()].some((number) => number > 0);
  const breaks = anti ? (here: number) => here > 0 : (here: number) => here === 0 && !isFirst();
  return {
    topology,
    count,
    filter: anti ? 'AntiAffinity' : 'Affinity',
    isSpread: false,
    breaks: required ? breaks : null,
    score: required ? null : (here) => weight * affinityScore(here, anti),
  };
}

function limitTerm(world: World, { service }: Ask, { topology, count: most }: DomainLimit): Term {
  return {
    topology,
    count: world.count(service, topology),
    filter: 'Limit',
    isSpread: false,
    breaks: (count) => count + 1 > most,
    score: null,
  };
}
