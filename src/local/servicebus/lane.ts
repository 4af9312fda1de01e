/**
 * Messages that share an order and their receivers: a plain queue has one lane with any number of consumers, a queue with sessions one lane
 * per session with the consumer that holds the session.
 */
import type { Refusal } from './errors.ts';
import { ReadyList } from './ready-list.ts';
import type { StoredMessage } from './store.ts';

/** A message handed to a consumer under a lock. */
export interface LockedDelivery {
  /** Lock token: a uuid. */
  readonly token: string;
  readonly message: StoredMessage;
  /** Epoch ms. */
  readonly lockedUntil: number;
}

export interface Consumer {
  /** How many more messages it takes now. */
  capacity(): number;
  deliver(delivery: LockedDelivery): void;
}

export interface Attachment {
  /** To be called when the consumer's capacity may have grown. */
  wake(): void;
  /** No more deliveries. Messages it holds stay locked. */
  detach(): void;
}

/** Who holds a session, from grant to release, loss or the end of its link. */
export interface SessionHolder {
  /** The receiver's link: renewals name it. */
  readonly linkName: string;
  /** The session lock ran out; the queue has already taken the session back. */
  lost(refusal: Refusal): void;
}

export class Lane {
  readonly sessionId: string | undefined;
  readonly ready = new ReadyList();
  readonly lockedByToken = new Map<string, StoredMessage>();
  holder: SessionHolder | undefined;
  /** Failed messages on their way back through the store: a session keeps its order by waiting for them. */
  returning = 0;
  readonly #consumers: Consumer[] = [];
  #turn = 0;

  constructor(sessionId: string | undefined) {
    this.sessionId = sessionId;
  }

  /** Whether the session could be granted to somebody. */
  get isFree(): boolean {
    return !this.holder && this.returning === 0;
  }

  get isForgettable(): boolean {
    return this.isFree && this.ready.size === 0 && this.lockedByToken.size === 0;
  }

  attach(consumer: Consumer): void {
    this.#consumers.push(consumer);
  }

  detach(consumer: Consumer): void {
    const at = this.#consumers.indexOf(consumer);
    if (at >= 0) this.#consumers.splice(at, 1);
  }

  detachAll(): void {
    this.#consumers.length = 0;
  }

  /** The next consumer with capacity, in turns. */
  nextConsumer(): Consumer | undefined {
    const count = this.#consumers.length;
    for (let i = 0; i < count; i++) {
      const consumer = this.#consumers[(this.#turn + i) % count];
      if (consumer && consumer.capacity() > 0) {
        this.#turn = (this.#turn + i + 1) % count;
        return consumer;
      }
    }
    return undefined;
  }
}
