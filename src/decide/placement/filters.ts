/** Why a target is out of the question. One table of rules serves the choice and the explanation, so that a "no" is always the real one. */
import type { Ask } from './ask.ts';
import { type Account, fits, type RoomLeft, type Size } from './room.ts';
import { domainOf, satisfies, type Target } from './target.ts';

export type FilterName =
  | 'Closed'
  | 'Pool'
  | 'Constraint'
  | 'Topology'
  | 'Spread'
  | 'Affinity'
  | 'AntiAffinity'
  | 'Limit'
  | 'Quota';

export interface Refusal {
  readonly filter: FilterName;
  /** Follows the target's name. */
  readonly text: string;
}

/** What would let a replica through each filter, for people. */
export const helpFor: Readonly<Record<FilterName, string>> = {
  Closed: 'open the pool again',
  Pool: 'allow another pool in `x-flotilla.pools`',
  Constraint: 'relax `deploy.placement.constraints`, or label a pool',
  Topology: 'give the pool that label or zone, or spread over something else',
  Spread: 'raise `maxSkew`, or make room in the emptier domains',
  Affinity: 'place the other service there first, or write `required: false`',
  AntiAffinity: 'add a domain without the other service, or write `required: false`',
  Limit: 'add a domain, or raise the limit',
  Quota: 'remove replicas, raise the quota, or allow another pool',
};

/** Filters that depend on nothing that a placement changes. */
export function staticRefusal(target: Target, ask: Ask): Refusal | null {
  if (ask.pools.length > 0 && !ask.pools.includes(target.pool)) {
    return { filter: 'Pool', text: 'is not among the pools of the app' };
  }
  if (target.closed !== null) return { filter: 'Closed', text: target.closed };
  const broken = ask.constraints.find((constraint) => !satisfies(target, constraint));
  if (broken !== undefined) return { filter: 'Constraint', text: `does not meet \`${broken.text}\`` };
  const rules = [...ask.spread.filter(({ maxSkew }) => maxSkew !== null), ...ask.limits];
  const unplaced = rules.find(({ topology }) => topology !== 'host' && domainOf(target, topology) === null);
  return unplaced === undefined ? null : { filter: 'Topology', text: `has no ${unplaced.topology}` };
}

export function roomRefusal(account: Account, left: RoomLeft, size: Size): Refusal | null {
  if (fits(left, account.slot, size)) return null;
  const { limit, groups, cores, memoryGiB } = account;
  if (groups + 1 > limit.groups) return { filter: 'Quota', text: `holds ${groups} of ${limit.groups} groups` };
  const [has, of, needs, unit] =
    cores + size.cores > limit.cores
      ? [cores, limit.cores, size.cores, 'cores']
      : [memoryGiB, limit.memoryGiB, size.memoryGiB, 'GiB'];
  return {
    filter: 'Quota',
    text: `holds ${round(has)} of ${round(of)} ${unit} and the group needs ${round(needs)}`,
  };
}

const round = (amount: number): number => Math.round(amount * 100) / 100;
