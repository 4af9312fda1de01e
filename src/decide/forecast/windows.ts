/**
 * Creates and deletes that ACI takes in a while: by default 100 in 5 minutes and 300 in an hour of each, per region and subscription (aci: quotas).
 * Sliding: an act is free as soon as the one before by so many is old enough.
 */
import type { PoolRow } from '../../model/state.ts';

const minute = 60_000;

export const windows = [
  { lengthMs: 5 * minute, acts: 100 },
  { lengthMs: 60 * minute, acts: 300 },
] as const;

export interface ActLedger {
  /** When the next act may begin, epoch ms; at most `now` = at once. */
  freeAt(key: string, now: number): number;
  note(key: string, at: number): void;
}

/** What shares a window, whatever the case in which its names are written. */
export const windowOf = ({ subscriptionId, region }: Pick<PoolRow, 'subscriptionId' | 'region'>): string =>
  `${subscriptionId}/${region}`.toLowerCase();

/** @param past instants of acts that happened already, by key */
export function createActLedger(past: ReadonlyMap<string, readonly number[]> = new Map()): ActLedger {
  const acts = new Map([...past].map(([key, instants]) => [key, instants.toSorted((a, b) => a - b)]));
  return {
    freeAt(key, now) {
      const instants = acts.get(key) ?? [];
      return Math.max(now, ...windows.map((window) => (instants.at(-window.acts) ?? -Infinity) + window.lengthMs));
    },
    note(key, at) {
      const instants = acts.get(key) ?? [];
      acts.set(key, instants);
      instants.push(at);
    },
  };
}
