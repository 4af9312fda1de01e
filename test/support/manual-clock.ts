/** A clock that stands still until a test moves it. */
import type { Clock } from '../../src/model/clock.ts';

export interface ManualClock extends Clock {
  /** Moves time and fires what is due, in order of instant, then of arming. */
  advance(ms: number): void;
  /** Instant of the next timer. */
  nextAt(): number | undefined;
}

export function manualClock(startMs: number): ManualClock {
  let now = startMs;
  let armed: { readonly atMs: number; readonly fire: () => void }[] = [];
  const next = () => armed.toSorted((a, b) => a.atMs - b.atMs)[0];
  return {
    now: () => now,
    at(atMs, fire) {
      const timer = { atMs, fire };
      armed.push(timer);
      return () => {
        armed = armed.filter((other) => other !== timer);
      };
    },
    advance(ms) {
      const until = now + ms;
      for (let timer = next(); timer && timer.atMs <= until; timer = next()) {
        const due = timer;
        armed = armed.filter((other) => other !== due);
        now = Math.max(now, due.atMs);
        due.fire();
      }
      now = until;
    },
    nextAt: () => next()?.atMs,
  };
}

/** Lets everything that is ready run until `condition` holds; virtual time does not move. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
