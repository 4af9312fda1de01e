/** The links between clients and queues: what a client sends goes into a queue, what a queue delivers goes to a client. */
import { accepted, type IncomingDelivery, type Link, type Outcome, rejected, types } from './amqp.ts';
import { messageTooLarge, notOffered, type OrRefusal, type Refusal } from './errors.ts';
import type { Attachment, Consumer, LockedDelivery } from './lane.ts';
import { deliveryTag } from './lock-token.ts';
import { encodeDelivery, readBatch, readMessage } from './message-sections.ts';
import type { Outgoing } from './outgoing.ts';
import type { Queue } from './queue.ts';
import type { Settlement } from './queue-definition.ts';
import type { HeldSession } from './session-waiters.ts';
import type { Draft } from './store.ts';
import { BATCH_MESSAGE, PLAIN_MESSAGE } from './wire.ts';

/** Largest message, batches included, in bytes: the Standard tier's (service-bus-quotas). */
export const MAX_MESSAGE_BYTES = 256 * 1024;

/** .NET ticks (100 ns since year 1) of the Unix epoch. */
const UNIX_EPOCH_TICKS = 621_355_968_000_000_000n;

/** What the front does with a link for as long as it lives. */
export interface Binding {
  /** The client granted credit, or asked to drain it. */
  flow?(): void;
  /** A transfer arrived. */
  message?(bytes: Buffer, delivery: IncomingDelivery): void;
  /** The link is gone, by either side or with its connection. */
  closed(): void;
}

/** Stores what a client sends and accepts it once it is durable. */
export function bindProducer(target: Pick<Queue, 'send'>, newMessageId: () => string): Binding {
  return {
    message: (bytes, delivery) => {
      const drafts = readDrafts(bytes, delivery.format, newMessageId);
      if (!drafts.ok) {
        delivery.update(true, rejected(drafts.refusal));
        return;
      }
      void target
        .send(drafts.value)
        .then((sent) => delivery.update(true, sent.ok ? accepted() : rejected(sent.refusal)));
    },
    closed: () => undefined,
  };
}

function readDrafts(bytes: Buffer, format: number, newMessageId: () => string): OrRefusal<Draft[]> {
  if (bytes.length > MAX_MESSAGE_BYTES) return { ok: false, refusal: messageTooLarge(bytes.length, MAX_MESSAGE_BYTES) };
  if (format !== PLAIN_MESSAGE && format !== BATCH_MESSAGE)
    return { ok: false, refusal: notOffered(`message format ${format}`) };
  const messages = format === BATCH_MESSAGE ? readBatch(bytes) : { ok: true as const, value: [bytes] };
  if (!messages.ok) return messages;
  const drafts: Draft[] = [];
  for (const message of messages.value) {
    const draft = readMessage(message, newMessageId);
    if (!draft.ok) return draft;
    drafts.push(draft.value);
  }
  return { ok: true, value: drafts };
}

/** Settlement mode of a sender that sends everything settled (AMQP 1.0 part 2.8.2): the client's `receiveAndDelete`. */
const SETTLED = 1;

/** Sends what a queue delivers over a link, as far as the client's credit goes. */
class ConsumerLink implements Consumer {
  readonly #link: Link;
  readonly #outgoing: Outgoing;
  readonly #queue: Queue;
  /** A message is removed before it is sent: it is delivered at most once. */
  readonly #removesFirst: boolean;
  /** Messages that are being removed. */
  #leaving = 0;
  #isClosed = false;

  constructor(link: Link, outgoing: Outgoing, queue: Queue) {
    this.#link = link;
    this.#outgoing = outgoing;
    this.#queue = queue;
    this.#removesFirst = link.remote.attach?.snd_settle_mode === SETTLED;
  }

  capacity(): number {
    return this.#isClosed ? 0 : this.#outgoing.capacity(this.#link) - this.#leaving;
  }

  deliver(delivery: LockedDelivery): void {
    if (this.#removesFirst) void this.#removeAndSend(delivery);
    else this.#send(delivery);
  }

  /** A message that cannot be removed has gone back to its queue. */
  async #removeAndSend({ token, message }: LockedDelivery): Promise<void> {
    this.#leaving += 1;
    const refusal = await this.#queue.settle(token, { kind: 'complete' });
    this.#leaving -= 1;
    if (!refusal && !this.#isClosed)
      this.#outgoing.send({ link: this.#link, tag: deliveryTag(token), payload: encodeDelivery(message, undefined) });
    this.finishDrain();
  }

  #send({ token, message, lockedUntil }: LockedDelivery): void {
    this.#outgoing.send({
      link: this.#link,
      tag: deliveryTag(token),
      payload: encodeDelivery(message, lockedUntil),
      settle: (outcome) => this.#queue.settle(token, toSettlement(outcome)),
      isAlive: () => this.#queue.isLocked(token),
    });
  }

  /** After new credit was served: gives back the credit that a draining client has left. */
  finishDrain(): void {
    if (this.#link._draining && this.#leaving === 0) this.#outgoing.drain(this.#link);
  }

  close(): void {
    this.#isClosed = true;
    this.#outgoing.forget(this.#link);
  }
}

function toSettlement(outcome: Outcome): Settlement {
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'complete' };
    case 'released':
      return { kind: 'release' };
    case 'rejected':
      return { kind: 'deadLetter', properties: outcome.info };
    case 'modified':
      return { kind: outcome.undeliverableHere ? 'defer' : 'abandon', properties: outcome.annotations };
  }
}

/** A receiver on a queue without sessions. When it goes, what it holds stays locked (as in Azure). */
export function bindConsumer(link: Link, outgoing: Outgoing, queue: Queue): Binding {
  const consumer = new ConsumerLink(link, outgoing, queue);
  return bind(consumer, queue.attach(consumer), () => undefined);
}

function bind(consumer: ConsumerLink, attachment: Attachment, closed: () => void): Binding {
  return {
    flow: () => {
      attachment.wake();
      consumer.finishDrain();
    },
    closed: () => {
      consumer.close();
      attachment.detach();
      closed();
    },
  };
}

export interface SessionWish {
  /** Undefined: the next available session. */
  readonly sessionId: string | undefined;
  readonly waitMs: number;
}

/**
 * A receiver on a session. The attach is answered only when the session is granted or refused, which may take until `waitMs` has passed.
 * @param refuse Answers the attach with a refusal.
 */
export function bindSession(
  link: Link,
  outgoing: Outgoing,
  queue: Queue,
  wish: SessionWish,
  refuse: (refusal: Refusal) => void,
): Binding {
  let inner: Binding | undefined;
  const answer = holdAttach(link);
  const withdraw = queue.acceptSession({
    ...wish,
    linkName: link.name,
    granted: (session) => {
      inner = grantSession(link, outgoing, queue, session);
      answer();
    },
    refused: (refusal) => {
      refuse(refusal);
      answer();
    },
    lost: (refusal) => link.close(refusal),
  });
  return {
    flow: () => inner?.flow?.(),
    closed: () => {
      answer();
      if (inner) inner.closed();
      else withdraw();
    },
  };
}

function grantSession(link: Link, outgoing: Outgoing, queue: Queue, session: HeldSession): Binding {
  const { attach } = link.local;
  link.set_source({
    address: link.remote.attach?.source?.address ?? '',
    filter: { 'com.microsoft:session-filter': session.sessionId },
  });
  attach.properties = { 'com.microsoft:locked-until-utc': types.wrap_long(toTicks(session.lockedUntil)) };
  const consumer = new ConsumerLink(link, outgoing, queue);
  return bind(consumer, session.start(consumer), () => session.release());
}

/** rhea answers an attach in the same turn; this takes the answer back until the returned function is called. */
function holdAttach(link: Link): () => void {
  link.state.open_requests -= 1;
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    link.state.open_requests += 1;
    link.connection._register();
  };
}

function toTicks(epochMs: number): Buffer {
  const ticks = Buffer.alloc(8);
  ticks.writeBigInt64BE(BigInt(epochMs) * 10_000n + UNIX_EPOCH_TICKS);
  return ticks;
}
