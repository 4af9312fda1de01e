/** The system's time and timers as a {@link Clock}. */
import type { Clock } from '../../model/clock.ts';

/** Longest delay of `setTimeout`. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  at: (atMs, fire) => {
    let timer: NodeJS.Timeout;
    const arm = () => {
      const delayMs = atMs - Date.now();
      timer =
        delayMs > LONGEST_DELAY_MS
          ? setTimeout(arm, LONGEST_DELAY_MS)
          : setTimeout(fire, Math.max(0, Math.ceil(delayMs)));
    };
    arm();
    return () => clearTimeout(timer);
  },
};
