/** Messages that may be delivered, lowest sequence number first (a binary heap): a message that comes back takes its old place. */
import type { StoredMessage } from './store.ts';

export class ReadyList {
  readonly #heap: StoredMessage[] = [];

  get size(): number {
    return this.#heap.length;
  }

  peek(): StoredMessage | undefined {
    return this.#heap[0];
  }

  push(message: StoredMessage): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(message);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (!parent || parent.sequence < message.sequence) break;
      heap[at] = parent;
      heap[parentAt] = message;
      at = parentAt;
    }
  }

  pop(): StoredMessage | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length > 0 && last) this.#sink(last);
    return first;
  }

  /** Takes out every message of which `isOver` holds. */
  takeAll(isOver: (message: StoredMessage) => boolean): StoredMessage[] {
    const taken = this.#heap.filter(isOver);
    if (taken.length === 0) return taken;
    const kept = this.#heap.filter((message) => !isOver(message));
    this.#heap.length = 0;
    for (const message of kept) this.push(message);
    return taken;
  }

  /** The least of what `of` says of the messages; infinite when there are none. */
  least(of: (message: StoredMessage) => number): number {
    return this.#heap.reduce((least, message) => Math.min(least, of(message)), Number.POSITIVE_INFINITY);
  }

  /** Puts `moved` at the top and lets it sink to its place. */
  #sink(moved: StoredMessage): void {
    const heap = this.#heap;
    let at = 0;
    heap[0] = moved;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const useRight = left !== undefined && right !== undefined && right.sequence < left.sequence;
      const child = useRight ? right : left;
      if (!child || child.sequence > moved.sequence) return;
      const childAt = 2 * at + (useRight ? 2 : 1);
      heap[at] = child;
      heap[childAt] = moved;
      at = childAt;
    }
  }
}
