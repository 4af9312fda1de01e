/**
 * Hysteresis of an endpoint: how long a replica that was lost must look fit before it gets traffic again. A first loss costs nothing; what comes and
 * goes stays out longer each time (semantics, "Ready").
 */
import type { Steadiness } from '../model/state.ts';

/** Changes further back do not count. */
const windowMs = 10 * 60_000;
/** So many changes in the window are flapping. */
const flappingFrom = 4;
const flappingSteadyMs = 3 * 60_000;
/** Passes in a row that a restoration needs double with each loss before this one; they are so far apart. Flapping begins before the doubling needs a cap. */
const passEveryMs = 5_000;
/** The row keeps no more than decide something. */
const keptMax = 8;

const recent = (steadiness: Steadiness | null, now: number): readonly number[] =>
  (steadiness?.flips ?? []).filter((at) => now - at < windowMs);

export const afterFlip = (steadiness: Steadiness | null, now: number): Steadiness => ({
  flips: [...recent(steadiness, now), now].slice(-keptMax),
  fitSince: null,
});

export const isFlapping = (steadiness: Steadiness | null, now: number): boolean =>
  recent(steadiness, now).length >= flappingFrom;

/** For an unready replica, whose newest flip is a loss: every second one before it was a loss too. */
export function steadyMs(steadiness: Steadiness | null, now: number): number {
  if (isFlapping(steadiness, now)) return flappingSteadyMs;
  const earlierLosses = Math.floor(recent(steadiness, now).length / 2);
  return (2 ** earlierLosses - 1) * passEveryMs;
}
