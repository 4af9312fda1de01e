/** The rules of an ask over domains, each with the live counts it looks at: what it forbids, and what it is worth. Rules over hosts are elsewhere. */
import type { Affinity, DomainLimit, Spread, Topology } from '../../model/placement.ts';
import type { Ask } from './ask.ts';
import type { FilterName } from './filters.ts';
import { affinityScore, spreadScore, type Weights } from './scores.ts';
import type { Counts, Domains } from './tally.ts';
import type { World } from './world.ts';

export interface Term {
  readonly domains: Domains;
  /** Replicas by domain: of the asking service for a spread and a limit, of the other one for an affinity. */
  readonly counts: Counts;
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
  const over = (service: string, topology: Topology) => ({
    domains: world.domains(topology),
    counts: world.counts(service, topology),
  });
  return [
    ...spreads.map((rule): Term => {
      return { ...over(ask.service, rule.topology), ...spreadRule(rule, weights.spread / spreads.length) };
    }),
    ...affinities.map((rule): Term => {
      const counted = over(rule.service, rule.topology);
      return { ...counted, ...affinityRule(rule, ask, counted.counts, (weights.affinity * rule.weight) / wished) };
    }),
    ...above(ask.limits).map((rule): Term => ({ ...over(ask.service, rule.topology), ...limitRule(rule) })),
  ];
}

type Rule = Omit<Term, 'domains' | 'counts'>;

function spreadRule({ maxSkew }: Spread, weight: number): Rule {
  return {
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
function affinityRule({ service, anti, required }: Affinity, ask: Ask, counts: Counts, weight: number): Rule {
  const isFirst = (): boolean => service === ask.service && !counts.some((number) => number > 0);
  const breaks = anti ? (here: number) => here > 0 : (here: number) => here === 0 && !isFirst();
  return {
    filter: anti ? 'AntiAffinity' : 'Affinity',
    isSpread: false,
    breaks: required ? breaks : null,
    score: required ? null : (here) => weight * affinityScore(here, anti),
  };
}

function limitRule({ count: most }: DomainLimit): Rule {
  return { filter: 'Limit', isSpread: false, breaks: (count) => count + 1 > most, score: null };
}
