/**
 * Legal moves of a replica, grouped by who makes them (design §6). Two laws, both tested: rank never falls within an incarnation, and
 * replacement is a new incarnation. `ready`, `unready` and `lost` share a rank.
 */
import type { ReplicaState } from './state.ts';

const rank: Readonly<Record<ReplicaState, number>> = {
  planned: 0,
  creating: 1,
  starting: 2,
  ready: 3,
  unready: 3,
  lost: 3,
  failed: 4,
  draining: 5,
  deleting: 6,
  gone: 7,
};

/** `pass` decides from observations; the resync and sweep timers (`watch`) only change the verdict on running replicas. */
export const transitions: Readonly<
  Record<'pass' | 'watch' | 'command', readonly (readonly [ReplicaState, ReplicaState])[]>
> = {
  pass: [
    ['planned', 'creating'],
    ['planned', 'gone'],
    ['creating', 'starting'],
    ['creating', 'failed'],
    ['creating', 'deleting'],
    ['starting', 'ready'],
    ['starting', 'failed'],
    ['starting', 'draining'],
    ['starting', 'deleting'],
    ['ready', 'unready'],
    ['unready', 'ready'],
    ['ready', 'failed'],
    ['unready', 'failed'],
    ['ready', 'draining'],
    ['unready', 'draining'],
    ['unready', 'deleting'],
    ['lost', 'draining'],
    ['lost', 'failed'],
    ['failed', 'deleting'],
    ['draining', 'deleting'],
    ['deleting', 'gone'],
  ],
  // Without a word of ARM: an operator answers for it.
  command: [
    ['lost', 'gone'],
    ['failed', 'gone'],
    ['deleting', 'gone'],
  ],
  watch: [
    ['ready', 'unready'],
    ['unready', 'ready'],
    ['ready', 'failed'],
    ['unready', 'failed'],
    ['starting', 'failed'],
    ['starting', 'lost'],
    ['ready', 'lost'],
    ['unready', 'lost'],
    ['lost', 'unready'],
  ],
};

export const isLegal = (owner: keyof typeof transitions, from: ReplicaState, to: ReplicaState): boolean =>
  transitions[owner].some(([a, b]) => a === from && b === to);

/** It may have a container group, or had one just now: everything between the intent and the confirmed end. */
export const mayHaveGroup = (state: ReplicaState): boolean => state !== 'planned' && state !== 'gone';

/** Counts in desired, ceiling and floor: everything that is not on its way out. */
export const isLive = (state: ReplicaState): boolean => rank[state] < rank.draining;
