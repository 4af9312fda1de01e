/** A "no" with its reasons: how many targets each filter turned down, which, and what would help. Made only when it is needed. */
import { type FilterName, helpFor, type Refusal, roomRefusal, staticRefusal } from './filters.ts';
import { fits } from './room.ts';
import type { Shape } from './shape.ts';
import { domainOf, type Target } from './target.ts';
import type { Term } from './terms.ts';
import type { TargetClass } from './world.ts';

export interface Explanation {
  /** Targets that each filter turned down first, most first. */
  readonly counts: readonly { readonly filter: FilterName; readonly targets: number }[];
  /** For people: who is turned down why, then what would help. */
  readonly message: string;
}

/** Targets told for each filter; the others are counted. */
const toldMax = 6;

export function explain(shape: Shape): Explanation {
  const refusals = new Map<FilterName, { targets: number; readonly told: string[] }>();
  for (const { target, refusal } of refusalsOf(shape)) {
    const entry = refusals.get(refusal.filter) ?? { targets: 0, told: [] };
    refusals.set(refusal.filter, entry);
    entry.targets += 1;
    if (entry.targets <= toldMax) entry.told.push(`${target} ${refusal.text}`);
  }
  const counts = [...refusals].map(([filter, { targets }]) => ({ filter, targets }));
  // A pool that the app does not name is no news, unless nothing else is there.
  const telling = [...refusals].filter(([filter]) => filter !== 'Pool' || refusals.size === 1);
  const sentences = telling.map(([, { targets, told }]) =>
    targets > toldMax ? `${told.join('; ')}; and ${targets - toldMax} more like these` : told.join('; '),
  );
  const help = telling.map(([filter]) => helpFor[filter]).join('; ');
  return {
    counts: counts.sort((a, b) => b.targets - a.targets),
    message: `${sentences.join('; ')}. To help: ${help}.`,
  };
}

/** Why a replica is not where the order of pools would have put it; null = it is there. */
export function passedOver(shape: Shape, chosen: Target, avoid: ReadonlySet<string>): string | null {
  const better = shape.world.classes.filter(
    ({ target }) => rankOf(shape, target) < rankOf(shape, chosen) && staticRefusal(target, shape.ask) === null,
  );
  if (better.length === 0) return null;
  const names = new Set(better.map(({ target }) => target.name));
  const turnedDown = [...refusalsOf(shape)].filter(
    ({ target, refusal }) => names.has(target) && refusal !== hostRefusal,
  );
  const known = new Set(turnedDown.map(({ target }) => target));
  const avoided = [...names].filter((name) => !known.has(name) && avoid.has(name));
  const rest = names.size - known.size - avoided.length;
  const told = [
    ...turnedDown.slice(0, toldMax).map(({ target, refusal }) => `${target} ${refusal.text}`),
    ...avoided.slice(0, toldMax).map((name) => `${name} has just refused this slot`),
    ...(rest > 0 ? ['by its preferences'] : []),
  ];
  return told.join('; ');
}

function rankOf({ ask }: Shape, { pool, order }: Target): number {
  return ask.pools.length > 0 ? ask.pools.indexOf(pool) : order;
}

function* refusalsOf(shape: Shape): Generator<{ readonly target: string; readonly refusal: Refusal }> {
  const { world, ask, size } = shape;
  const fewest = fewestWithRoom(shape);
  for (const one of world.classes) {
    const fixed = staticRefusal(one.target, ask);
    const rule = fixed ?? ruleOf(shape, one, fewest);
    for (const { target, account } of one.members) {
      yield { target: target.name, refusal: fixed ?? roomRefusal(account, world.left, size) ?? rule };
    }
  }
}

/** Passed by everything else, so a rule over hosts turned it down. */
const hostRefusal: Refusal = { filter: 'Limit', text: 'holds what a rule over hosts keeps apart' };

/** The first rule that one replica more in the class would break. */
function ruleOf({ terms }: Shape, one: TargetClass, fewest: readonly number[]): Refusal {
  const index = terms.findIndex((term, at) => term.breaks?.(countAt(term, one), fewest[at] ?? 0));
  const term = terms[index];
  return term === undefined ? hostRefusal : ruleRefusal(term, one);
}

const countAt = ({ domains, counts }: Term, one: TargetClass): number =>
  counts[domains.ofClass[one.index] ?? domains.none] ?? 0;

function ruleRefusal(term: Term, one: TargetClass): Refusal {
  const { filter, domains } = term;
  const number = countAt(term, one);
  const place = `${domains.topology} ${domainOf(one.target, domains.topology) ?? ''}`;
  const has = `${number} ${number === 1 ? 'replica' : 'replicas'} in ${place}`;
  switch (filter) {
    case 'Spread':
      return { filter, text: `would break the spread with ${has} already` };
    case 'AntiAffinity':
      return { filter, text: `is kept apart from ${has}` };
    case 'Affinity':
      return { filter, text: `has nothing to be near to in ${place}` };
    default:
      return { filter, text: `has its full number, ${has}` };
  }
}

function fewestWithRoom({ world, terms, ask, size }: Shape): readonly number[] {
  const open = world.classes.filter(
    ({ target, members }) =>
      staticRefusal(target, ask) === null && members.some(({ account }) => fits(world.left, account.slot, size)),
  );
  return terms.map((term) =>
    open.reduce((fewest, one) => Math.min(fewest, countAt(term, one)), Number.POSITIVE_INFINITY),
  );
}
