/** Rules of a service that no pool can ever meet as pools are configured: a wrong name rather than a want of room. */
import type { Constraint, PlacementSpec } from '../../model/placement.ts';
import { topologyOf } from '../../model/placement.ts';
import type { PoolRow } from '../../model/state.ts';
import { targetOf } from './place.ts';
import { domainOf, satisfies } from './target.ts';

export interface ImpossibleRule {
  /** Path below the service. */
  readonly rule: string;
  readonly problem: string;
  readonly remedy: string;
}

/** @param allowed pools of the app; empty = all */
export function impossibleRules(
  { constraints, spread }: PlacementSpec,
  allowed: readonly string[],
  pools: readonly PoolRow[],
): readonly ImpossibleRule[] {
  const targets = pools.filter(({ pool }) => allowed.length === 0 || allowed.includes(pool)).map(targetOf);
  const among = allowed.length === 0 ? 'no pool' : 'no pool that the app may use';
  const single = constraints.flatMap((constraint): ImpossibleRule[] =>
    targets.some((target) => satisfies(target, constraint))
      ? []
      : [
          {
            rule: 'deploy.placement.constraints',
            problem: `${among} meets \`${constraint.text}\`.`,
            remedy: remedyFor(constraint, pools),
          },
        ],
  );
  if (single.length > 0) return single;
  const left = targets.filter((target) => constraints.every((constraint) => satisfies(target, constraint)));
  if (constraints.length > 1 && left.length === 0) {
    const texts = constraints.map(({ text }) => `\`${text}\``).join(' and ');
    const problem = `${among} meets ${texts} together.`;
    return [{ rule: 'deploy.placement.constraints', problem, remedy: 'Remove one of them.' }];
  }
  return spread
    .filter(({ topology, maxSkew }) => maxSkew !== null && left.every((target) => domainOf(target, topology) === null))
    .map(({ topology }) => ({
      rule: 'x-flotilla.spread',
      problem: `${among} has ${topology}, over which replicas must be spread.`,
      remedy: 'Give the pools that label, or write `required: false`.',
    }));
}

function remedyFor({ attribute }: Constraint, pools: readonly PoolRow[]): string {
  const topology = topologyOf(attribute);
  const values = new Set(
    pools.map(targetOf).flatMap((target) => (topology === null ? target.kind : (domainOf(target, topology) ?? []))),
  );
  return values.size === 0
    ? 'Give a pool that label in the pools file.'
    : `Write one of: ${[...values].sort().join(', ')}.`;
}
