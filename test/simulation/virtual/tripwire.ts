/** Sees real asynchronous work of the process (timers, thread pool, sockets) as it is created, whatever way it was started. */
import { createHook } from 'node:async_hooks';

/** Promise jobs and ticks, which the drain empties. */
const harmless = new Set(['TickObject', 'Microtask']);

export interface Tripwire {
  /** Kinds of real work seen while armed. */
  readonly seen: string[];
  arm(): void;
  disarm(): void;
}

export function createTripwire(): Tripwire {
  const seen: string[] = [];
  // The hook's type wants `trackPromises`, which @types/node does not know yet.
  const hook = createHook({
    init(_id: number, type: string) {
      if (!harmless.has(type)) seen.push(type);
    },
    trackPromises: false,
  } as Parameters<typeof createHook>[0]);
  return { seen, arm: () => void hook.enable(), disarm: () => void hook.disable() };
}
