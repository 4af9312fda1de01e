/**
 * Virtual time. One event → drain → next event; immediates before time; time moves only after a drain that left no immediate. Draining is
 * synchronous (`process._tickCallback` empties all ticks and promise jobs), so real asynchronous work can never sneak in.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Heap } from './heap.ts';

/** Whoever timers belong to. When it is dead, its timers are skipped. */
export interface Owner {
  readonly id: string;
  dead: boolean;
  /** Timers and immediates that are armed. */
  pending: number;
  /** Added to the date that this owner sees, ms; jumps when its clock is put right. */
  skewMs: number;
}

export interface Scheduled {
  readonly at: number;
  readonly seq: number;
  readonly owner: Owner | null;
  fn: (() => void) | null;
}

/** A real clock cannot produce this year, so real time in a trace is recognisable. */
export const epoch = Date.UTC(2040, 0, 1);

/** Names what the code that runs now is part of; carried over timers by {@link VirtualClock}. */
export const causes = new AsyncLocalStorage<unknown>();

type Tick = () => void;
const tick: Tick = (process as unknown as { _tickCallback: Tick })._tickCallback.bind(process);

export class VirtualClock {
  now = epoch;
  /** Events fired. */
  fired = 0;
  /** Set to end `run` after the current event. */
  halted = false;
  /** Asked before time moves, after everything at this instant has settled. */
  onQuiet: ((nextAt: number | null) => void) | null = null;
  /** Called after each event has drained. */
  onDrained: (() => void) | null = null;
  readonly #heap = new Heap<Scheduled>();
  #immediates: Scheduled[] = [];
  #seq = 0;

  reset(): void {
    this.now = epoch;
    this.fired = 0;
    this.halted = false;
    this.onQuiet = null;
    this.onDrained = null;
    this.#heap.clear();
    this.#immediates = [];
    this.#seq = 0;
  }

  /** `at` in true virtual ms. The cause that is current now is current again when it fires. */
  at(at: number, fn: () => void, owner: Owner | null = null): Scheduled {
    const event = this.#event(at, fn, owner);
    this.#heap.push(event);
    return event;
  }

  /** At this very instant, after what is running now has drained. */
  immediate(fn: () => void, owner: Owner | null = null): Scheduled {
    const event = this.#event(this.now, fn, owner);
    this.#immediates.push(event);
    return event;
  }

  cancel(event: Scheduled): void {
    if (event.fn === null) return;
    event.fn = null;
    if (event.owner) event.owner.pending -= 1;
  }

  #event(at: number, fn: () => void, owner: Owner | null): Scheduled {
    const cause = causes.getStore();
    const run = cause === undefined ? fn : () => causes.run(cause, fn);
    if (owner) owner.pending += 1;
    this.#seq += 1;
    return { at: Math.max(at, this.now), seq: this.#seq, owner, fn: run };
  }

  #fire(event: Scheduled): void {
    const { fn, owner } = event;
    if (fn === null) return;
    event.fn = null;
    if (owner) owner.pending -= 1;
    if (owner?.dead) return;
    this.fired += 1;
    fn();
    tick();
    this.onDrained?.();
  }

  #drainImmediates(): void {
    while (this.#immediates.length > 0 && !this.halted) {
      const batch = this.#immediates;
      this.#immediates = [];
      for (const event of batch) this.#fire(event);
    }
  }

  /** Runs everything up to `until`. Call it from a macrotask only. */
  run(until: number): void {
    let drained = false;
    void Promise.resolve().then(() => {
      drained = true;
    });
    tick();
    if (!drained) throw new Error('run() was called inside a promise job: nothing would drain');
    while (!this.halted) {
      this.#drainImmediates();
      if (this.halted) return;
      let next = this.#heap.peek();
      while (next && next.fn === null) {
        this.#heap.pop();
        next = this.#heap.peek();
      }
      if (!next || next.at > this.now) this.onQuiet?.(next?.at ?? null);
      if (!next || next.at > until || this.halted) break;
      this.#heap.pop();
      this.now = next.at;
      this.#fire(next);
    }
    if (!this.halted) this.now = Math.max(this.now, until);
  }
}

/** The one clock of the process. */
export const clock = new VirtualClock();

export const newOwner = (id: string): Owner => ({ id, dead: false, pending: 0, skewMs: 0 });
