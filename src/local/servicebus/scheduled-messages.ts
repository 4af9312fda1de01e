/** Messages that wait for their time, which then go to the end of the queue as if they were sent at that moment. */
import type { Clock } from '../../model/clock.ts';
import type { StoredMessage } from './store.ts';

/** Pause before another try when storing failed, in ms. */
const RETRY_MS = 1_000;

export class ScheduledMessages {
  readonly #activate: (message: StoredMessage, now: number) => Promise<void>;
  readonly #clock: Clock;
  readonly #messageBySequence = new Map<number, StoredMessage>();
  #timer: { readonly at: number; readonly stop: () => void } | undefined;

  /** @param activate Enqueues a message whose time has come; when it rejects, it is called again a while later. */
  constructor(clock: Clock, activate: (message: StoredMessage, now: number) => Promise<void>) {
    this.#clock = clock;
    this.#activate = activate;
  }

  add(message: StoredMessage): void {
    this.#messageBySequence.set(message.sequence, message);
    this.#arm(message.dueAt ?? 0);
  }

  has(sequence: number): boolean {
    return this.#messageBySequence.has(sequence);
  }

  /** Takes a message out, so that it will not be enqueued. */
  take(sequence: number): StoredMessage | undefined {
    const message = this.#messageBySequence.get(sequence);
    this.#messageBySequence.delete(sequence);
    return message;
  }

  close(): void {
    this.#timer?.stop();
    this.#timer = undefined;
    this.#messageBySequence.clear();
  }

  #arm(at: number): void {
    if (this.#timer && this.#timer.at <= at) return;
    this.#timer?.stop();
    this.#timer = { at, stop: this.#clock.at(at, () => this.#sweep()) };
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    const due: StoredMessage[] = [];
    for (const message of this.#messageBySequence.values()) {
      if ((message.dueAt ?? 0) <= now) due.push(message);
      else this.#arm(message.dueAt ?? 0);
    }
    due.sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0) || a.sequence - b.sequence);
    for (const message of due) {
      this.#messageBySequence.delete(message.sequence);
      this.#activate(message, now).catch(() => this.add({ ...message, dueAt: now + RETRY_MS }));
    }
  }
}
