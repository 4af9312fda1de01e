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

/** What happened longer ago is in no window any more. */
export const longestWindowMs = Math.max(...windows.map(({ lengthMs }) => lengthMs));

/** Of each window so much is left alone by what can wait: a fifth, at least 10 (semantics, "Create and delete windows"). */
export const keptOf = (acts: number): number => Math.max(10, Math.ceil(acts / 5));

/** `urgent`: repairs what is broken or empties a pool, and may use what is kept. */
export type Purpose = 'urgent' | 'ordinary';

export interface ActLedger {
  /** When the next act may begin, epoch ms; at most `now` = at once. */
  freeAt(key: string, now: number, purpose: Purpose): number;
  note(key: string, at: number): void;
}

/** What shares a window, whatever the case in which its names are written. */
export const windowOf = ({ subscriptionId, region }: Pick<PoolRow, 'subscriptionId' | 'region'>): string =>
  `${subscriptionId}/${region}`.toLowerCase();

/** @param past instants of acts that happened already, by key */
export function createActLedger(past: ReadonlyMap<string, readonly number[]> = new Map()): ActLedger {
  const acts = new Map([...past].map(([key, instants]) => [key, instants.toSorted((a, b) => a - b)]));
  return {
    freeAt(key, now, purpose) {
      const instants = acts.get(key) ?? [];
      const ends = windows.map((window) => {
        const most = window.acts - (purpose === 'urgent' ? 0 : keptOf(window.acts));
        return (instants.at(-most) ?? Number.NEGATIVE_INFINITY) + window.lengthMs;
      });
      return Math.max(now, ...ends);
    },
    note(key, at) {
      const instants = acts.get(key) ?? [];
      acts.set(key, instants);
      instants.push(at);
    },
  };
}

/** Creates that count in a window now, of all pools that share it. */
export function pastCreates(pools: readonly PoolRow[]): ReadonlyMap<string, readonly number[]> {
  const past = new Map<string, number[]>();
  for (const pool of pools) {
    const instants = past.get(windowOf(pool)) ?? [];
    past.set(windowOf(pool), instants);
    instants.push(...(pool.creates ?? []));
  }
  return past;
}

/** The pool's creates once so many more are planned; what is in no window is dropped. */
export const withCreates = ({ creates }: PoolRow, more: number, now: number): readonly number[] => [
  ...(creates ?? []).filter((at) => at > now - longestWindowMs),
  ...Array.from({ length: more }, () => now),
];
