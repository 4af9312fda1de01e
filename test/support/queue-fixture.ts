/** A broker's queue without sockets: over a SQLite store in memory, with time that a test moves. */
import { randomUUID } from 'node:crypto';
import rhea from 'rhea';
import type { Refusal } from '../../src/local/servicebus/errors.ts';
import type { Attachment, Consumer, LockedDelivery } from '../../src/local/servicebus/lane.ts';
import { readMessage } from '../../src/local/servicebus/message-sections.ts';
import { Queue } from '../../src/local/servicebus/queue.ts';
import type { QueueDefinition } from '../../src/local/servicebus/queue-definition.ts';
import type { HeldSession } from '../../src/local/servicebus/session-waiters.ts';
import { type Draft, type QueueStore, Store, type StoredMessage } from '../../src/local/servicebus/store.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';

export interface QueueFixture {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly clock: ManualClock;
  readonly store: QueueStore;
  /** The same queue after a crash: made again from what is stored. */
  restart(): QueueFixture;
}

export type Settings = Partial<Omit<QueueDefinition, 'name'>>;

/** Default: no sessions, 3 deliveries, locks of 1 s, at instant 0. */
export function openQueue(
  settings: Settings = {},
  store: QueueStore = new Store(':memory:').queue('q', settings.requiresSession ?? false),
  clock = manualClock(0),
): QueueFixture {
  const definition = {
    name: 'q',
    requiresSession: false,
    maxDeliveryCount: 3,
    lockDurationMs: 1_000,
    maxSizeBytes: 1_000_000,
    ...settings,
  };
  const parts = { store, clock, newToken: randomUUID };
  const deadLetters = new Queue({ ...definition, requiresSession: false }, parts);
  const queue = new Queue(definition, { ...parts, deadLetters });
  const restart = () => {
    queue.close();
    deadLetters.close();
    return openQueue(settings, store, clock);
  };
  return { queue, deadLetters, clock, store, restart };
}

/** What a client would send. */
export function draft(body: string, sessionId?: string): Draft {
  const bytes = rhea.message.encode({
    message_id: body,
    body,
    ...(sessionId !== undefined && { group_id: sessionId }),
  });
  const read = readMessage(bytes as unknown as Buffer, () => 'none');
  if (!read.ok) throw new Error(read.refusal.description);
  return read.value;
}

export interface DecodedMessage {
  readonly body?: unknown;
  readonly application_properties?: Readonly<Record<string, unknown>>;
  readonly message_annotations?: Readonly<Record<string, unknown>>;
}

/** What rhea reads from an encoded message. */
export const decode = (bytes: Buffer): DecodedMessage => rhea.message.decode(bytes as never) as object;
export const bodyOf = (message: StoredMessage): unknown => decode(message.body).body;
export const propertiesOf = (message: StoredMessage): unknown => decode(message.body).application_properties;

/** A consumer that has room for as many messages as it is told. */
export class Inbox implements Consumer {
  readonly deliveries: LockedDelivery[] = [];
  room: number;

  constructor(room = Number.POSITIVE_INFINITY) {
    this.room = room;
  }

  capacity(): number {
    return this.room;
  }

  deliver(delivery: LockedDelivery): void {
    this.room -= 1;
    this.deliveries.push(delivery);
  }

  /** What arrived, by body and number of earlier failures. */
  get seen(): unknown[] {
    return this.deliveries.map(({ message }) => [bodyOf(message), message.deliveryCount]);
  }

  token(index: number): string {
    const delivery = this.deliveries[index];
    if (!delivery) throw new Error(`delivery ${index} did not arrive`);
    return delivery.token;
  }
}

/** How a request for a session stands. */
export class SessionWait {
  session: HeldSession | undefined;
  refusal: Refusal | undefined;
  lost: Refusal | undefined;
  readonly inbox: Inbox;
  readonly withdraw: () => void;
  #attachment: Attachment | undefined;

  constructor(queue: Queue, sessionId?: string, waitMs = 5_000, linkName = 'link', room = Number.POSITIVE_INFINITY) {
    this.inbox = new Inbox(room);
    this.withdraw = queue.acceptSession({
      sessionId,
      waitMs,
      linkName,
      granted: (session) => {
        this.session = session;
        this.#attachment = session.start(this.inbox);
        this.wake();
      },
      refused: (refusal) => {
        this.refusal = refusal;
      },
      lost: (refusal) => {
        this.lost = refusal;
      },
    });
  }

  /** Tells the queue that the inbox has room. */
  wake(): void {
    this.#attachment?.wake();
  }
}
