/** Receivers that wait for a session, in the order in which they came. */
import type { Clock } from '../../model/clock.ts';
import { noSessionInTime, type Refusal } from './errors.ts';
import type { Attachment, Consumer, SessionHolder } from './lane.ts';

export interface SessionRequest extends SessionHolder {
  /** Undefined: the next session that has messages and no holder. */
  readonly sessionId: string | undefined;
  /** How long to wait for one, in ms. */
  readonly waitMs: number;
  granted(session: HeldSession): void;
  refused(refusal: Refusal): void;
}

export interface HeldSession {
  readonly sessionId: string;
  /** Epoch ms. */
  readonly lockedUntil: number;
  /** Lets messages flow. */
  start(consumer: Consumer): Attachment;
  /** Gives the session back, and its unsettled messages to their places; harmless after a loss. */
  release(): void;
}

interface Waiter {
  readonly request: SessionRequest;
  readonly stopTimer: () => void;
}

export class SessionWaiters {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Lets a request wait, and refuses it when its time is over. @returns A function that withdraws it. */
  add(request: SessionRequest): () => void {
    const stopTimer = this.#clock.at(this.#clock.now() + request.waitMs, () => {
      this.#waiters.delete(waiter);
      request.refused(noSessionInTime);
    });
    const waiter: Waiter = { request, stopTimer };
    this.#waiters.add(waiter);
    return () => {
      stopTimer();
      this.#waiters.delete(waiter);
    };
  }

  /** Takes the first request that a free session satisfies out of the line: those for any session want messages. */
  take(sessionId: string, hasMessages: boolean): SessionRequest | undefined {
    for (const waiter of this.#waiters) {
      const wanted = waiter.request.sessionId;
      if (wanted === undefined ? !hasMessages : wanted !== sessionId) continue;
      this.#waiters.delete(waiter);
      waiter.stopTimer();
      return waiter.request;
    }
    return undefined;
  }

  /** Forgets all requests without an answer. */
  close(): void {
    for (const { stopTimer } of this.#waiters) stopTimer();
    this.#waiters.clear();
  }
}
