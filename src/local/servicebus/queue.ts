/**
 * What a queue does: peek-lock, expiry, delivery counts, dead-lettering, sessions. It knows no sockets and reads time only from its clock;
 * a change is durable (in the store) before anybody is told of it or sees it.
 * Follows learn.microsoft.com/azure/service-bus-messaging: message-transfers-locks-settlement, service-bus-dead-letter-queues, message-sessions.
 */
import type { Clock } from '../../model/clock.ts';
import { type AmqpMap, types } from './amqp.ts';
import {
  granted,
  internalError,
  messageLockLost,
  messageNotFound,
  notAllowed,
  type OrRefusal,
  quotaExceeded,
  type Refusal,
  refused,
  sessionCannotBeLocked,
  sessionLockLost,
} from './errors.ts';
import { ExpiryTimer, effectiveTtl, expiredProperties, expiresAt } from './expiry.ts';
import type { Attachment, Consumer, Lane, LockedDelivery } from './lane.ts';
import { Lanes } from './lanes.ts';
import { withApplicationProperties } from './message-sections.ts';
import type { QueueDefinition, Settlement } from './queue-definition.ts';
import { ScheduledMessages } from './scheduled-messages.ts';
import { type SessionRequest, SessionWaiters } from './session-waiters.ts';
import type { Draft, QueueStore, StoredMessage } from './store.ts';

/** Pause before another try when an expired message could not be removed, in ms. */
const EXPIRY_RETRY_MS = 1_000;
const MAX_DELIVERIES_EXCEEDED = 'MaxDeliveryCountExceeded';

export interface QueueParts {
  readonly store: QueueStore;
  readonly clock: Clock;
  /** A new uuid. */
  readonly newToken: () => string;
  /** Where dead letters go; a dead-letter queue has none. */
  readonly deadLetters?: Queue;
}

export class Queue {
  readonly definition: QueueDefinition;
  readonly #store: QueueStore;
  readonly #clock: Clock;
  readonly #deadLetters: Queue | undefined;
  readonly #lanes: Lanes;
  readonly #waiters: SessionWaiters;
  /** Not locked, keyed by sequence number. */
  readonly #deferred = new Map<number, StoredMessage>();
  readonly #scheduled: ScheduledMessages;
  readonly #expiry: ExpiryTimer;
  #sizeBytes = 0;

  /** Takes over what the store holds: all of it is unlocked. */
  constructor(definition: QueueDefinition, parts: QueueParts) {
    this.definition = definition;
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#deadLetters = parts.deadLetters;
    this.#waiters = new SessionWaiters(parts.clock);
    this.#lanes = new Lanes(definition, {
      clock: parts.clock,
      newToken: parts.newToken,
      lockExpired: (token) => this.#lockExpired(token),
      sessionExpired: (sessionId) => this.#sessionExpired(sessionId),
    });
    this.#scheduled = new ScheduledMessages(parts.clock, async (message, now) =>
      this.#place(await parts.store.activate(message, now)),
    );
    this.#expiry = new ExpiryTimer(parts.clock, () => this.#sweepExpired());
    for (const message of parts.store.load(parts.deadLetters === undefined)) this.#show(message);
  }

  /**
   * Stores messages; they become visible, and the promise resolves, once they are durable. All or none are taken.
   * @returns What was stored: duplicates, where they are detected, are left out.
   */
  async send(drafts: readonly Draft[]): Promise<OrRefusal<StoredMessage[]>> {
    const refusal = this.#checkSend(drafts);
    if (refusal) return refused(refusal);
    const { duplicateWindowMs, defaultTtlMs } = this.definition;
    try {
      const now = this.#clock.now();
      const seenSince = duplicateWindowMs === undefined ? undefined : now - duplicateWindowMs;
      const limited = drafts.map((draft) => ({ ...draft, ttlMs: effectiveTtl(draft.ttlMs, defaultTtlMs) }));
      const messages = await this.#store.add(limited, now, seenSince);
      for (const message of messages) this.#show(message);
      return granted(messages);
    } catch (error) {
      return refused(internalError(error));
    }
  }

  /** Takes over messages that were stored for it by others. */
  admit(messages: readonly StoredMessage[]): void {
    for (const message of messages) this.#show(message);
  }

  get isFull(): boolean {
    return this.#sizeBytes >= this.definition.maxSizeBytes;
  }

  #checkSend(drafts: readonly Draft[]): Refusal | undefined {
    const { name, maxSizeBytes, requiresSession } = this.definition;
    if (!this.#deadLetters) return notAllowed('Messages cannot be sent to a dead-letter queue.');
    if (requiresSession && drafts.some((draft) => draft.sessionId === undefined))
      return notAllowed(
        `The SessionId was not set on a message, and it cannot be sent to the entity '${name}', which requires sessions.`,
      );
    return this.isFull ? quotaExceeded(name, maxSizeBytes) : undefined;
  }

  /** Removes scheduled messages before they are enqueued: all of them or none. */
  async cancelScheduled(sequences: readonly number[]): Promise<Refusal | undefined> {
    const missing = sequences.find((sequence) => !this.#scheduled.has(sequence));
    if (missing !== undefined) return messageNotFound(missing);
    const messages = sequences
      .map((sequence) => this.#scheduled.take(sequence))
      .filter((message) => message !== undefined);
    try {
      await Promise.all(messages.map(({ sequence }) => this.#store.remove(sequence)));
      for (const { body } of messages) this.#sizeBytes -= body.length;
      return undefined;
    } catch (error) {
      for (const message of messages) this.#scheduled.add(message);
      return internalError(error);
    }
  }

  /** Adds a receiver to a queue without sessions. */
  attach(consumer: Consumer): Attachment {
    return this.#attachTo(this.#lanes.open(''), consumer);
  }

  /** Asks for a session. Calls `granted` or `refused` once, at once or later. @returns A function that withdraws the request. */
  acceptSession(request: SessionRequest): () => void {
    const { sessionId } = request;
    if (sessionId !== undefined && this.#lanes.find(sessionId)?.holder) {
      request.refused(sessionCannotBeLocked(sessionId));
      return () => undefined;
    }
    const lane = sessionId === undefined ? this.#lanes.nextFree() : this.#lanes.open(sessionId);
    if (lane?.isFree) {
      this.#grant(lane, request);
      return () => undefined;
    }
    return this.#waiters.add(request);
  }

  isLocked(token: string): boolean {
    return this.#lanes.isLocked(token);
  }

  /** Renews a message lock. @returns Its new end, in epoch ms. */
  renewLock(token: string): OrRefusal<number> {
    if (this.definition.requiresSession)
      return refused(notAllowed('The lock of a message of a session is renewed by renewing the session lock.'));
    return this.isLocked(token) ? granted(this.#lanes.renew(token)) : refused(messageLockLost);
  }

  /** Renews the lock of a session for its holder. @param linkName Undefined: whoever holds it. @returns Its new end, in epoch ms. */
  renewSession(sessionId: string, linkName: string | undefined): OrRefusal<number> {
    return this.#lanes.isHeldBy(sessionId, linkName)
      ? granted(this.#lanes.lockSession(sessionId))
      : refused(sessionLockLost(sessionId));
  }

  /** What was last kept with a session, for its holder; undefined when nothing. */
  sessionState(sessionId: string, linkName: string | undefined): OrRefusal<Buffer | undefined> {
    return this.#lanes.isHeldBy(sessionId, linkName)
      ? granted(this.#store.sessionState(sessionId))
      : refused(sessionLockLost(sessionId));
  }

  /** Keeps `state` with a session for its next holders, too; undefined clears it. */
  async keepSessionState(
    sessionId: string,
    linkName: string | undefined,
    state: Buffer | undefined,
  ): Promise<Refusal | undefined> {
    if (!this.#lanes.isHeldBy(sessionId, linkName)) return sessionLockLost(sessionId);
    try {
      await this.#store.setSessionState(sessionId, state);
      return undefined;
    } catch (error) {
      return internalError(error);
    }
  }

  /** At most `count` messages from a sequence number on, locked and deferred ones included, of one session if given. */
  peek(from: number, count: number, sessionId?: string): StoredMessage[] {
    return this.#store.peek(this.#deadLetters === undefined, from, count, sessionId);
  }

  /** Locks deferred messages: all of them or none. @param sessionId Of the session that the receiver holds, on a queue with sessions. */
  receiveDeferred(
    sequences: readonly number[],
    sessionId: string | undefined,
    linkName: string | undefined,
  ): OrRefusal<LockedDelivery[]> {
    const { requiresSession } = this.definition;
    if (requiresSession && !this.#lanes.isHeldBy(sessionId ?? '', linkName))
      return refused(sessionLockLost(sessionId ?? ''));
    const messages: StoredMessage[] = [];
    for (const sequence of new Set(sequences)) {
      const message = this.#deferred.get(sequence);
      if (!message || (requiresSession && message.sessionId !== sessionId)) return refused(messageNotFound(sequence));
      if (this.#isExpired(message)) {
        this.#deferred.delete(sequence);
        void this.#expire(message);
        return refused(messageNotFound(sequence));
      }
      messages.push(message);
    }
    for (const { sequence } of messages) this.#deferred.delete(sequence);
    return granted(messages.map((message) => this.#lanes.lock(this.#lanes.of(message), message)));
  }

  /** Ends a lock as its holder wants; resolves once that is durable. */
  async settle(token: string, settlement: Settlement): Promise<Refusal | undefined> {
    const locked = this.#lanes.locked(token);
    if (!locked) return messageLockLost;
    if (settlement.kind === 'deadLetter' && !this.#deadLetters)
      return notAllowed('A message of a dead-letter queue cannot be dead-lettered.');
    this.#lanes.unlock(token, locked.lane);
    return this.#settleUnlocked(locked.lane, locked.message, settlement);
  }

  /** Stops timers and waiting requests; what is locked stays so until a new Queue is made from the store. */
  close(): void {
    this.#lanes.close();
    this.#waiters.close();
    this.#scheduled.close();
    this.#expiry.close();
  }

  async #settleUnlocked(lane: Lane, message: StoredMessage, settlement: Settlement): Promise<Refusal | undefined> {
    switch (settlement.kind) {
      case 'complete':
        try {
          await this.#store.remove(message.sequence);
          this.#sizeBytes -= message.body.length;
          this.#lanes.forgetIfEmpty(lane);
          return undefined;
        } catch (error) {
          this.#return(lane, message);
          this.#serve(lane);
          return internalError(error);
        }
      case 'release':
        this.#return(lane, message);
        this.#serve(lane);
        return undefined;
      case 'defer':
        return this.#throughStore(lane, message, () =>
          this.#keep(lane, { ...message, state: 'deferred' }, settlement.properties),
        );
      case 'abandon':
        return this.#fail(lane, message, settlement.properties);
      case 'deadLetter':
        return this.#throughStore(lane, message, () => this.#bury(message, settlement.properties));
    }
  }

  /** Counts a failed delivery, then shows the message again or dead-letters it. */
  #fail(lane: Lane, message: StoredMessage, properties: AmqpMap): Promise<Refusal | undefined> {
    const failed: StoredMessage = { ...message, deliveryCount: message.deliveryCount + 1 };
    return this.#throughStore(lane, message, async () => {
      if (this.#deadLetters && failed.deliveryCount >= this.definition.maxDeliveryCount) {
        await this.#bury(failed, deliveriesExceeded(properties, failed.deliveryCount));
        return;
      }
      await this.#keep(lane, failed, properties);
    });
  }

  async #keep(lane: Lane, message: StoredMessage, changes: AmqpMap): Promise<void> {
    const kept = { ...message, body: withApplicationProperties(message.body, changes) };
    await this.#store.update(kept, changes.size > 0);
    this.#return(lane, kept);
  }

  async #bury(message: StoredMessage, properties: AmqpMap): Promise<void> {
    const body = withApplicationProperties(message.body, properties);
    const dead: StoredMessage = { ...message, state: 'active', body };
    await this.#store.bury(dead);
    this.#sizeBytes -= message.body.length;
    if (this.#deadLetters) this.#deadLetters.#show(dead);
  }

  /** Runs `work`, during which the lane's session is not served further; if it fails the message comes back as it was. */
  async #throughStore(lane: Lane, message: StoredMessage, work: () => Promise<void>): Promise<Refusal | undefined> {
    lane.returning += 1;
    try {
      await work();
      return undefined;
    } catch (error) {
      this.#return(lane, message);
      return internalError(error);
    } finally {
      lane.returning -= 1;
      this.#serve(lane);
    }
  }

  #show(message: StoredMessage): void {
    this.#sizeBytes += message.body.length;
    if (message.state === 'scheduled') this.#scheduled.add(message);
    else this.#place(message);
  }

  #place(message: StoredMessage): void {
    const lane = this.#lanes.of(message);
    this.#return(lane, message);
    this.#serve(lane);
  }

  /** Puts a message that nobody holds to where it waits. A deferred one expires when it is asked for. */
  #return(lane: Lane, message: StoredMessage): void {
    if (message.state === 'deferred') this.#deferred.set(message.sequence, message);
    else if (this.#isExpired(message)) void this.#expire(message);
    else {
      lane.ready.push(message);
      if (this.#deadLetters) this.#expiry.note(expiresAt(message));
    }
  }

  /** Dead letters do not expire. */
  #isExpired(message: StoredMessage): boolean {
    return this.#deadLetters !== undefined && expiresAt(message) <= this.#clock.now();
  }

  /** Drops or dead-letters a message that waits nowhere any more. One that cannot be goes back, to be met again. */
  async #expire(message: StoredMessage): Promise<void> {
    try {
      if (this.definition.deadLetterExpired) await this.#bury(message, expiredProperties());
      else {
        await this.#store.remove(message.sequence);
        this.#sizeBytes -= message.body.length;
      }
      this.#lanes.forgetIfEmpty(this.#lanes.of(message));
    } catch {
      this.#lanes.of(message).ready.push(message);
      this.#expiry.note(this.#clock.now() + EXPIRY_RETRY_MS);
    }
  }

  #sweepExpired(): void {
    for (const lane of this.#lanes.all()) {
      for (const message of lane.ready.takeAll((one) => this.#isExpired(one))) void this.#expire(message);
      this.#expiry.note(lane.ready.least(expiresAt));
    }
  }

  /** Hands out what the lane's consumers can take, or a free session to whoever waits for it. */
  #serve(lane: Lane): void {
    if (lane.sessionId !== undefined) {
      if (lane.isFree) this.#offer(lane, lane.sessionId);
      if (lane.returning > 0) return;
    }
    while (lane.ready.size > 0) {
      const consumer = lane.nextConsumer();
      const message = consumer && lane.ready.pop();
      if (!message) return;
      if (this.#isExpired(message)) {
        void this.#expire(message);
        continue;
      }
      consumer.deliver(this.#lanes.lock(lane, message));
    }
  }

  #lockExpired(token: string): void {
    const locked = this.#lanes.locked(token);
    if (!locked) return;
    this.#lanes.unlock(token, locked.lane);
    void this.#fail(locked.lane, locked.message, new Map());
  }

  #attachTo(lane: Lane, consumer: Consumer): Attachment {
    lane.attach(consumer);
    return { wake: () => this.#serve(lane), detach: () => lane.detach(consumer) };
  }

  #offer(lane: Lane, sessionId: string): void {
    const request = this.#waiters.take(sessionId, lane.ready.size > 0);
    if (request) this.#grant(lane, request);
    else this.#lanes.forgetIfEmpty(lane);
  }

  #grant(lane: Lane, request: SessionRequest): void {
    const sessionId = lane.sessionId ?? '';
    lane.holder = request;
    request.granted({
      sessionId,
      lockedUntil: this.#lanes.lockSession(sessionId),
      start: (consumer) => this.#attachTo(lane, consumer),
      release: () => {
        if (lane.holder !== request) return;
        lane.detachAll();
        this.#lanes.unlockSession(sessionId);
        for (const message of this.#lanes.unlockAll(lane)) this.#return(lane, message);
        lane.holder = undefined;
        this.#serve(lane);
      },
    });
  }

  /** The lock of a session ran out: its unsettled messages count as failed (message-sessions, "Message delivery count"). */
  #sessionExpired(sessionId: string): void {
    const lane = this.#lanes.find(sessionId);
    const holder = lane?.holder;
    if (!lane || !holder) return;
    lane.holder = undefined;
    lane.detachAll();
    const messages = this.#lanes.unlockAll(lane);
    for (const message of messages) void this.#fail(lane, message, new Map());
    holder.lost(sessionLockLost(sessionId));
    this.#serve(lane);
  }
}

function deliveriesExceeded(properties: AmqpMap, deliveries: number): AmqpMap {
  return new Map([
    ...properties,
    ['DeadLetterReason', types.wrap_string(MAX_DELIVERIES_EXCEEDED)],
    [
      'DeadLetterErrorDescription',
      types.wrap_string(`Message could not be consumed after ${deliveries} delivery attempts.`),
    ],
  ]);
}
