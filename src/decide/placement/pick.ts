/**
 * Filter → score → pick. Pure in its answer: it changes only what the shape remembers of full classes. Every group of domains offers its best class
 * that has room; the rules of the ask turn groups down or rate them, and the best sum of scores wins.
 */
import type { Situation } from './ask.ts';
import { fits, shareLeft } from './room.ts';
import type { Shape } from './shape.ts';
import type { Target } from './target.ts';
import type { Member } from './world.ts';

/** Index of a candidate and its score. */
interface Best {
  candidate: number;
  score: number;
}

type Avoided = ReadonlySet<string> | null;

/** The best target for one more replica; null = none is feasible, and `explain` says why. */
export function pick(shape: Shape, situation: Situation): Target | null {
  const avoided = situation.avoid.size === 0 ? null : situation.avoid;
  return pickFrom(shape, situation, avoided) ?? (avoided === null ? null : pickFrom(shape, situation, null));
}

function pickFrom(shape: Shape, situation: Situation, avoid: Avoided): Target | null {
  const { candidates, weights } = shape;
  const { groups, scratch, fixed, first } = candidates;
  const fewest = fewestOf(shape, avoid);
  const most = 100 * (weights.headroom + (situation.lastPool === null ? 0 : weights.stickiness));
  const boundOf = (group: number): number => (scratch[group] ?? 0) + (fixed[first[group] ?? 0] ?? 0);
  let lead = -1;
  for (let group = 0; group < groups; group += 1) {
    scratch[group] = isExhausted(shape, group) ? Number.NEGATIVE_INFINITY : domainScore(shape, group, fewest);
    if (scratch[group] !== Number.NEGATIVE_INFINITY && (lead < 0 || boundOf(group) > boundOf(lead))) lead = group;
  }
  if (lead < 0) return null;
  // The most promising group first: it sets what the others must reach, and few of them have to be opened.
  const best: Best = { candidate: -1, score: Number.NEGATIVE_INFINITY };
  lookInto(shape, lead, situation, avoid, best);
  for (let group = 0; group < groups; group += 1) {
    const hopeless = scratch[group] === Number.NEGATIVE_INFINITY || boundOf(group) + most < best.score;
    if (group !== lead && !hopeless) lookInto(shape, group, situation, avoid, best);
  }
  return best.candidate < 0 ? null : (memberOf(shape, best.candidate)?.target ?? null);
}

/** None of its candidates has room any more. */
const isExhausted = ({ candidates: { first, starts } }: Shape, group: number): boolean =>
  (first[group] ?? 0) >= (starts[group + 1] ?? 0);

/** For each term: how many replicas the emptiest domain has that could take one more; 0 where the term does not ask. */
function fewestOf(shape: Shape, avoid: Avoided): readonly number[] {
  const { terms, candidates } = shape;
  return terms.map(({ isSpread, counts }, term) => {
    if (!isSpread) return 0;
    let fewest = Number.POSITIVE_INFINITY;
    for (let group = 0; group < candidates.groups; group += 1) {
      const here = counts[candidates.domains[group * terms.length + term] ?? 0] ?? 0;
      if (here < fewest && firstWithRoom(shape, group, avoid) >= 0) fewest = here;
    }
    return fewest;
  });
}

/** The group's first candidate with room, -1 for none. What had none is skipped from then on. */
function firstWithRoom(shape: Shape, group: number, avoid: Avoided): number {
  const { starts, first, classes } = shape.candidates;
  const end = starts[group + 1] ?? 0;
  let contiguous = true;
  for (let index = first[group] ?? 0; index < end; index += 1) {
    const room = hasRoom(shape, index);
    if (room && !avoid?.has(classes[index]?.target.pool ?? '')) return index;
    contiguous &&= !room && !shape.followsOthers;
    if (contiguous) first[group] = index + 1;
  }
  return -1;
}

function hasRoom(shape: Shape, index: number): boolean {
  const { full, lastFit, classes } = shape.candidates;
  if (full[index] === 1 && !shape.followsOthers) return false;
  const last = classes[index]?.members[lastFit[index] ?? -1];
  if (last !== undefined && takes(shape, last)) return true;
  const next = fittingMember(shape, index);
  lastFit[index] = next;
  if (next < 0) full[index] = 1;
  return next >= 0;
}

const takes = ({ world, size, allowsHost }: Shape, { account, target }: Member): boolean =>
  fits(world.left, account.slot, size) && allowsHost(target);

/** Place in its class of the member that the rules over hosts and best fit choose; -1 = none has room. */
function fittingMember(shape: Shape, index: number): number {
  const one = shape.candidates.classes[index];
  const [only] = one?.members ?? [];
  if (one === undefined || only === undefined) return -1;
  if (one.hosts === null) return takes(shape, only) ? 0 : -1;
  const test = (rule: (target: Target) => boolean) => (place: number) => {
    const member = one.members[place];
    return member !== undefined && rule(member.target);
  };
  return one.hosts.bestFit(shape.size, test(shape.allowsHost), shape.prefersHost && test(shape.prefersHost));
}

const memberOf = (shape: Shape, index: number): Member | undefined =>
  shape.candidates.classes[index]?.members[fittingMember(shape, index)];

/** `-Infinity` = one replica more would break a rule. */
function domainScore({ terms, candidates }: Shape, group: number, fewest: readonly number[]): number {
  const at = group * terms.length;
  let score = 0;
  for (let index = 0; index < terms.length; index += 1) {
    const term = terms[index];
    if (term === undefined) continue;
    const domain = candidates.domains[at + index] ?? term.domains.none;
    const here = term.counts[domain] ?? 0;
    const least = fewest[index] ?? 0;
    if (term.breaks?.(here, least)) return Number.NEGATIVE_INFINITY;
    if (term.score !== null && domain !== term.domains.none) score += term.score(here, least);
  }
  return score;
}

/** Classes of a group whose headroom is compared: more would make a choice between hundreds of equal pools dear, and gain nothing. */
const compared = 16;

/** Improves `best` by the group's classes: the order is by fixed score, so that the search ends where what is left cannot catch up. */
function lookInto(shape: Shape, group: number, { lastPool }: Situation, avoid: Avoided, best: Best): void {
  const from = firstWithRoom(shape, group, avoid);
  if (from < 0) return;
  const { weights, candidates } = shape;
  const domain = candidates.scratch[group] ?? 0;
  const most = 100 * (weights.headroom + (lastPool === null ? 0 : weights.stickiness));
  const last = candidates.starts[group + 1] ?? 0;
  const end = lastPool === null ? Math.min(last, from + compared) : last;
  for (let index = from; index < end; index += 1) {
    const base = domain + (candidates.fixed[index] ?? 0);
    if (base + most < best.score) return;
    const pool = candidates.classes[index]?.target.pool ?? '';
    if (avoid?.has(pool) || (index > from && !hasRoom(shape, index))) continue;
    const sticky = pool === lastPool ? 100 * weights.stickiness : 0;
    improve(best, index, base + sticky + weights.headroom * headroomOf(shape, index), shape);
  }
}

/** Ties go to the class that comes first. */
function improve(best: Best, candidate: number, score: number, { candidates: { classes } }: Shape): void {
  const isFirst = (classes[candidate]?.index ?? 0) < (classes[best.candidate]?.index ?? 0);
  if (score < best.score || (score === best.score && !isFirst)) return;
  best.candidate = candidate;
  best.score = score;
}

/** Share of the quota that is free, 0–100. Hosts of a class are told apart by best fit instead. */
function headroomOf({ world, candidates }: Shape, index: number): number {
  const one = candidates.classes[index];
  const account = one?.members[0]?.account;
  if (account === undefined || one?.hosts !== null) return 0;
  return 100 * shareLeft(world.left, account.slot, account.limit);
}
