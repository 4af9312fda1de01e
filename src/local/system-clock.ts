/** The machine's clock. Re-arms timers that lie further ahead than `setTimeout` can count (2^31 - 1 ms, about 24.8 days). */
import type { Clock } from '../model/clock.ts';

const longestTimeoutMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  at(atMs, fire) {
    let timer: NodeJS.Timeout | undefined;
    const arm = () => {
      const leftMs = atMs - Date.now();
      // setTimeout may fire a little before Date.now() says so; then it is armed again.
      timer = setTimeout(() => (Date.now() < atMs ? arm() : fire()), Math.min(Math.max(leftMs, 0), longestTimeoutMs));
    };
    arm();
    return () => clearTimeout(timer);
  },
};
