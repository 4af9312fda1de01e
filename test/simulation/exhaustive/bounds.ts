/** The scopes that are explored. Small ones in every run of CI, large ones on request: `npm run sim:exhaustive -- --large`. */
import { exploreAlone, exploreTogether, type Report } from './explore.ts';
import type { Bound, Planner } from './planner.ts';

export interface Scope {
  readonly name: string;
  readonly explore: (planner: Planner) => Report;
}

/** One service: the surroundings may do what another service could, at any time. */
function alone(slots: number, faults: number, changes: number, late = false): Scope {
  const bound: Bound = { slots, quota: 2, faults, changes, late };
  const name = `one service, ${slots} slots, ${faults} faults${late ? ' (late PUTs too)' : ''}, ${changes} changes`;
  return { name, explore: (planner) => exploreAlone(planner, bound) };
}

/** Two services that share the pools, the second waiting for the first. */
function together(slots: number, faults: number, changes: number, desired: readonly [number, number]): Scope {
  // Room for a surge of each.
  const bound: Bound = { slots, quota: slots + 1, faults, changes, late: false };
  const name = `two services, ${desired.join(' and ')} of ${slots} slots, ${faults} faults, ${changes} changes`;
  return { name, explore: (planner) => exploreTogether(planner, bound, desired) };
}

export const small: readonly Scope[] = [
  alone(1, 1, 1, true),
  alone(2, 1, 0),
  alone(2, 0, 1),
  together(1, 1, 1, [1, 1]),
  together(2, 1, 0, [2, 2]),
  together(2, 0, 1, [1, 2]),
  together(3, 0, 0, [3, 3]),
];

export const large: readonly Scope[] = [
  ...small,
  alone(1, 2, 2, true),
  alone(3, 0, 1),
  alone(2, 1, 1),
  alone(3, 1, 0),
  together(2, 0, 1, [2, 2]),
  together(2, 1, 1, [2, 1]),
  together(3, 0, 1, [3, 2]),
];
