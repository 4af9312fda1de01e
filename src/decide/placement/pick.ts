/**
 * Filter → score → pick. Pure in its answer: it changes only what the shape remembers of full classes. Every group of domains offers its best class
 * that has room; the rules of the ask turn groups down or rate them, and the best sum of scores wins.
 */
import type { Situation } from './ask.ts';
import { fits, type Member } from './hosts.ts';
import type { Shape, ShapeClass, ShapeGroup } from './shape.ts';
import type { Target } from './target.ts';
import type { Term } from './terms.ts';

export interface Choice {
  readonly target: Target;
  readonly score: number;
}

interface Best {
  readonly candidate: ShapeClass;
  readonly score: number;
}

/** The best target for one more replica; null = none is feasible, and `explain` says why. */
export function pick(shape: Shape, situation: Situation): Choice | null {
  const avoided = situation.avoid.size === 0 ? null : situation.avoid;
  return pickFrom(shape, situation, avoided) ?? (avoided === null ? null : pickFrom(shape, situation, null));
}

function pickFrom(shape: Shape, situation: Situation, avoid: ReadonlySet<string> | null): Choice | null {
  const fewest = fewestOf(shape, avoid);
  const { weights } = shape;
  const most = 100 * (weights.headroom + (situation.lastPool === null ? 0 : weights.stickiness));
  let best: Best | null = null;
  for (const group of shape.groups) {
    if (brokenTerm(shape.terms, group.domains, fewest) !== null) continue;
    const domain = domainScore(shape.terms, group.domains, fewest);
    if (best !== null && domain + group.fixed + most < best.score) continue;
    const from = firstWithRoom(group, shape, avoid);
    if (from >= 0) best = betterOf(best, bestIn(group, from, shape, situation, avoid, domain));
  }
  const member = best === null ? null : memberOf(best.candidate, shape);
  return best === null || member === null ? null : { target: member.target, score: best.score };
}

const betterOf = (a: Best | null, b: Best | null): Best | null =>
  b === null
    ? a
    : a === null || b.score > a.score || (b.score === a.score && b.candidate.class.index < a.candidate.class.index)
      ? b
      : a;

/** For each term: how many replicas the emptiest domain has that could take one more; 0 where the term does not ask. */
function fewestOf(shape: Shape, avoid: ReadonlySet<string> | null): readonly number[] {
  return shape.terms.map(({ isSpread, count }, term) => {
    if (!isSpread) return 0;
    let fewest = Number.POSITIVE_INFINITY;
    for (const group of shape.groups) {
      const here = count.get(group.domains[term] ?? '') ?? 0;
      if (here < fewest && firstWithRoom(group, shape, avoid) >= 0) fewest = here;
    }
    return fewest;
  });
}

/** Index of the first class with room, -1 for none. What had none is skipped from then on. */
function firstWithRoom(group: ShapeGroup, shape: Shape, avoid: ReadonlySet<string> | null): number {
  let contiguous = true;
  for (let index = group.first; index < group.classes.length; index += 1) {
    const candidate = group.classes[index];
    if (candidate === undefined) break;
    const room = hasRoom(candidate, shape);
    if (room && !avoid?.has(candidate.class.target.pool)) return index;
    contiguous &&= !room && !shape.followsOthers;
    if (contiguous) group.first = index + 1;
  }
  return -1;
}

function hasRoom(candidate: ShapeClass, shape: Shape): boolean {
  if (candidate.full && !shape.followsOthers) return false;
  const { lastFit } = candidate;
  if (lastFit !== null && fits(lastFit.account, shape.size) && shape.allowsHost(lastFit.target)) return true;
  candidate.lastFit = memberOf(candidate, shape);
  if (candidate.lastFit !== null) return true;
  candidate.full = true;
  return false;
}

function memberOf({ class: one }: ShapeClass, shape: Shape): Member | null {
  if (one.hosts !== null) return one.hosts.bestFit(shape.size, shape.allowsHost, shape.prefersHost);
  const [only] = one.members;
  return only !== undefined && fits(only.account, shape.size) && shape.allowsHost(only.target) ? only : null;
}

/** Index of the first term that one replica more in these domains would break; null = none. */
export function brokenTerm(
  terms: readonly Term[],
  domains: readonly string[],
  fewest: readonly number[],
): number | null {
  for (let index = 0; index < terms.length; index += 1) {
    const term = terms[index];
    if (term?.breaks == null) continue;
    if (term.breaks(term.count.get(domains[index] ?? '') ?? 0, fewest[index] ?? 0)) return index;
  }
  return null;
}

function domainScore(terms: readonly Term[], domains: readonly string[], fewest: readonly number[]): number {
  let score = 0;
  for (let index = 0; index < terms.length; index += 1) {
    const term = terms[index];
    const domain = domains[index] ?? '';
    if (term?.score == null || domain === '') continue;
    score += term.score(term.count.get(domain) ?? 0, fewest[index] ?? 0);
  }
  return score;
}

/** Classes of a group whose headroom is compared: more would make a choice between hundreds of equal pools dear, and gain nothing. */
const compared = 16;

/** The best class of a group: the order is by fixed score, so that the search ends where what is left cannot catch up. */
function bestIn(
  group: ShapeGroup,
  from: number,
  shape: Shape,
  { lastPool }: Situation,
  avoid: ReadonlySet<string> | null,
  domain: number,
): Best | null {
  const { weights } = shape;
  const most = 100 * (weights.headroom + (lastPool === null ? 0 : weights.stickiness));
  let best: Best | null = null;
  const end = lastPool === null ? Math.min(group.classes.length, from + compared) : group.classes.length;
  for (let index = from; index < end; index += 1) {
    const candidate = group.classes[index];
    if (candidate === undefined || (best !== null && domain + candidate.fixed + most < best.score)) break;
    const { target } = candidate.class;
    if (avoid?.has(target.pool) || !hasRoom(candidate, shape)) continue;
    const sticky = target.pool === lastPool ? 100 * weights.stickiness : 0;
    const score = domain + candidate.fixed + sticky + weights.headroom * headroomOf(candidate);
    best = betterOf(best, { candidate, score });
  }
  return best;
}

/** Share of the quota that is free, 0–100. Hosts of a class are told apart by best fit instead. */
function headroomOf({ class: { members, hosts } }: ShapeClass): number {
  const [only] = members;
  if (only === undefined || hosts !== null) return 0;
  const { limit, groups, cores } = only.account;
  return 100 * Math.min(free(groups, limit.groups), free(cores, limit.cores));
}

const free = (used: number, limit: number): number =>
  limit === Number.POSITIVE_INFINITY ? 1 : limit === 0 ? 0 : Math.max(0, 1 - used / limit);
