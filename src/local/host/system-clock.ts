/** The {@link Clock} of a running host: the machine's wall clock and timers. */
import type { Clock } from '../../model/clock.ts';

/** Node fires a longer timeout at once. */
const longestTimeoutMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  at(atMs, fire) {
    let timer: NodeJS.Timeout;
    const arm = () => {
      const leftMs = atMs - Date.now();
      // A timer may end up to a millisecond before the wall clock says so.
      timer = setTimeout(() => (Date.now() >= atMs ? fire() : arm()), Math.min(Math.max(leftMs, 0), longestTimeoutMs));
    };
    arm();
    return () => clearTimeout(timer);
  },
};
