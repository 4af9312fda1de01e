/** The lanes of one queue, and which of them holds which lock: on a queue with sessions one lane a session, otherwise one in all. */
import type { Clock } from '../../model/clock.ts';
import { Deadlines } from './deadlines.ts';
import { Lane, type LockedDelivery } from './lane.ts';
import type { QueueDefinition } from './queue-definition.ts';
import type { StoredMessage } from './store.ts';

interface LanesParts {
  readonly clock: Clock;
  /** A new uuid. */
  readonly newToken: () => string;
  /** The lock of a message ran out; it is still held. */
  readonly lockExpired: (token: string) => void;
  /** The lock of a session ran out; its holder is still there. */
  readonly sessionExpired: (sessionId: string) => void;
}

export class Lanes {
  readonly #requiresSession: boolean;
  readonly #newToken: () => string;
  /** Keyed by session id; a plain queue has one, under ''. */
  readonly #lanes = new Map<string, Lane>();
  readonly #laneByToken = new Map<string, Lane>();
  /** Keyed by lock token, or by session id. */
  readonly #deadlines: Deadlines;

  constructor({ requiresSession, lockDurationMs }: QueueDefinition, parts: LanesParts) {
    this.#requiresSession = requiresSession;
    this.#newToken = parts.newToken;
    this.#deadlines = new Deadlines(
      parts.clock,
      lockDurationMs,
      requiresSession ? parts.sessionExpired : parts.lockExpired,
    );
  }

  /** The lane that a message belongs to; made if there is none. */
  of(message: StoredMessage): Lane {
    return this.open(this.#requiresSession ? (message.sessionId ?? '') : '');
  }

  /** The lane of a session, or of a plain queue under ''; made if there is none. */
  open(key: string): Lane {
    const known = this.#lanes.get(key);
    if (known) return known;
    const lane = new Lane(this.#requiresSession ? key : undefined);
    this.#lanes.set(key, lane);
    return lane;
  }

  find(sessionId: string): Lane | undefined {
    return this.#lanes.get(sessionId);
  }

  all(): Lane[] {
    return [...this.#lanes.values()];
  }

  forgetIfEmpty(lane: Lane): void {
    if (lane.sessionId !== undefined && lane.isForgettable) this.#lanes.delete(lane.sessionId);
  }

  /** The session that has waited longest by the age of its first message. */
  nextFree(): Lane | undefined {
    let best: Lane | undefined;
    let bestSequence = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      const first = lane.ready.peek();
      if (!first || !lane.isFree || first.sequence > bestSequence) continue;
      best = lane;
      bestSequence = first.sequence;
    }
    return best;
  }

  /** @param linkName Undefined: by whomever. */
  isHeldBy(sessionId: string, linkName: string | undefined): boolean {
    const holder = this.#lanes.get(sessionId)?.holder;
    return holder !== undefined && (linkName === undefined || linkName === holder.linkName);
  }

  /** Begins or renews the lock of a session. @returns Its end, in epoch ms. */
  lockSession(sessionId: string): number {
    return this.#deadlines.set(sessionId);
  }

  unlockSession(sessionId: string): void {
    this.#deadlines.delete(sessionId);
  }

  lock(lane: Lane, message: StoredMessage): LockedDelivery {
    const token = this.#newToken();
    lane.lockedByToken.set(token, message);
    this.#laneByToken.set(token, lane);
    const lockedUntil =
      lane.sessionId === undefined ? this.#deadlines.set(token) : (this.#deadlines.get(lane.sessionId) ?? 0);
    return { token, message, lockedUntil };
  }

  isLocked(token: string): boolean {
    return this.#laneByToken.has(token);
  }

  /** Renews the lock of a message of a plain queue. @returns Its end, in epoch ms. */
  renew(token: string): number {
    return this.#deadlines.set(token);
  }

  /** Where and what a lock holds; undefined when it ran out, or never was. */
  locked(token: string): { readonly lane: Lane; readonly message: StoredMessage } | undefined {
    const lane = this.#laneByToken.get(token);
    const message = lane?.lockedByToken.get(token);
    return lane && message && { lane, message };
  }

  unlock(token: string, lane: Lane): void {
    lane.lockedByToken.delete(token);
    this.#laneByToken.delete(token);
    if (lane.sessionId === undefined) this.#deadlines.delete(token);
  }

  /** Ends all locks of a lane. @returns What they held. */
  unlockAll(lane: Lane): StoredMessage[] {
    const messages = [...lane.lockedByToken.values()];
    for (const token of [...lane.lockedByToken.keys()]) this.unlock(token, lane);
    return messages;
  }

  /** No lock runs out any more. */
  close(): void {
    this.#deadlines.clear();
  }
}
