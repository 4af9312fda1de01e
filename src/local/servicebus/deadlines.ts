/**
 * Deadlines that all lie the same duration ahead when they are set, so that insertion order is expiry order and one timer is enough for any
 * number of locks.
 */
import type { Clock } from '../../model/clock.ts';

export class Deadlines {
  readonly #clock: Clock;
  readonly #durationMs: number;
  readonly #expire: (key: string) => void;
  readonly #dueAtByKey = new Map<string, number>();
  #cancel: (() => void) | undefined;

  /** @param expire Called with each key whose deadline passed; the key is forgotten by then. */
  constructor(clock: Clock, durationMs: number, expire: (key: string) => void) {
    this.#clock = clock;
    this.#durationMs = durationMs;
    this.#expire = expire;
  }

  /** Sets or renews a deadline and returns it, in epoch ms. */
  set(key: string): number {
    const dueAt = this.#clock.now() + this.#durationMs;
    this.#dueAtByKey.delete(key);
    this.#dueAtByKey.set(key, dueAt);
    this.#arm();
    return dueAt;
  }

  /** The deadline in epoch ms; undefined when unknown, expired or removed. */
  get(key: string): number | undefined {
    return this.#dueAtByKey.get(key);
  }

  delete(key: string): boolean {
    return this.#dueAtByKey.delete(key);
  }

  /** Forgets all deadlines; none expires any more. */
  clear(): void {
    this.#dueAtByKey.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    if (this.#cancel) return;
    const [first] = this.#dueAtByKey.values();
    if (first !== undefined) this.#cancel = this.#clock.at(first, () => this.#sweep());
  }

  #sweep(): void {
    this.#cancel = undefined;
    const now = this.#clock.now();
    const due: string[] = [];
    for (const [key, dueAt] of this.#dueAtByKey) {
      if (dueAt > now) break;
      due.push(key);
    }
    for (const key of due) this.#dueAtByKey.delete(key);
    this.#arm();
    for (const key of due) this.#expire(key);
  }
}
