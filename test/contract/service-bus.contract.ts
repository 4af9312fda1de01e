/**
 * What a Service Bus namespace does, as its documentation and its client show it, asked through the real `@azure/service-bus` client.
 * Bound to namespaces by `service-bus.test.ts`; the cases stand in `service-bus/`. A namespace may differ by name and reason; a difference that
 * no longer shows, or that is not refused in the words given, fails.
 */
import {
  ServiceBusClient,
  type ServiceBusMessage,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
  type ServiceBusSessionReceiver,
} from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessCases } from './service-bus/access.ts';
import { expiryCases } from './service-bus/expiry.ts';
import { lockCases } from './service-bus/locks.ts';
import { messageCases } from './service-bus/messages.ts';
import { moreCases } from './service-bus/more.ts';
import { sessionCases } from './service-bus/sessions.ts';
import { topicCases } from './service-bus/topics.ts';

/** The queue or topic that a case works on; each has one of its own. */
export interface QueueNeeds {
  /** Makes it a topic with these. */
  readonly subscriptions?: readonly NamedQueue[];
  readonly requiresSession?: boolean;
  /** Default 10. */
  readonly maxDeliveryCount?: number;
  /** Whether the case waits for locks to run out; otherwise they last a minute. */
  readonly shortLocks?: boolean;
  /** Whether a message with an id that was seen before is dropped silently. */
  readonly duplicateDetection?: boolean;
  /** How long a message lives that names no time, in ms. */
  readonly defaultTtlMs?: number;
  /** Whether expired messages become dead letters. */
  readonly deadLetterExpired?: boolean;
}

export interface NamedQueue extends QueueNeeds {
  readonly name: string;
}

export interface ServiceBusTarget {
  readonly connectionString: string;
  /** How long a short lock lasts, in ms; Azure allows no less than 5 s. */
  readonly shortLockMs: number;
  /** When nothing has come for so long, nothing will. */
  readonly quietMs: number;
  close(): Promise<void>;
}

/** A case that a namespace answers otherwise, and why. `refusal`: how it says so. */
export interface Difference {
  readonly test: string;
  readonly reason: string;
  readonly refusal: RegExp;
}

export interface ServiceBusContract {
  readonly name: string;
  /** Opens a namespace that holds the queues. */
  readonly connect: (queues: readonly NamedQueue[]) => Promise<ServiceBusTarget>;
  readonly differences?: readonly Difference[];
}

export interface Case {
  readonly name: string;
  readonly needs: QueueNeeds;
  readonly run: (scene: Scene) => Promise<void>;
}

/** Collects the cases of a file. */
export function caseList(): { cases: Case[]; contract: (name: string, needs: QueueNeeds, run: Case['run']) => void } {
  const cases: Case[] = [];
  return { cases, contract: (name, needs, run) => cases.push({ name, needs, run }) };
}

/** Where a case plays: its queue, and clients that are closed behind it. */
export class Scene {
  readonly target: ServiceBusTarget;
  readonly queue: string;
  readonly client: ServiceBusClient;
  readonly #clients: ServiceBusClient[] = [];

  constructor(target: ServiceBusTarget, queue: string) {
    this.target = target;
    this.queue = queue;
    this.client = this.connect();
  }

  /** Another client. It does not retry, so that a refusal is seen as it comes. */
  connect(connectionString = this.target.connectionString, timeoutInMs = 20_000): ServiceBusClient {
    const client = new ServiceBusClient(connectionString, { retryOptions: { timeoutInMs, maxRetries: 0 } });
    this.#clients.push(client);
    return client;
  }

  /** A receiver whose locks the client does not renew by itself. */
  receiver(client = this.client): ServiceBusReceiver {
    return client.createReceiver(this.queue, { maxAutoLockRenewalDurationInMs: 0 });
  }

  deadLetters(): ServiceBusReceiver {
    return this.client.createReceiver(this.queue, { subQueueType: 'deadLetter', maxAutoLockRenewalDurationInMs: 0 });
  }

  /** Accepts a session, or without an id the next available one; the client does not renew its lock by itself. */
  session(sessionId?: string, client = this.client): Promise<ServiceBusSessionReceiver> {
    const options = { maxAutoLockRenewalDurationInMs: 0 };
    return sessionId === undefined
      ? client.acceptNextSession(this.queue, options)
      : client.acceptSession(this.queue, sessionId, options);
  }

  async send(...messages: ServiceBusMessage[]): Promise<void> {
    const sender = this.client.createSender(this.queue);
    for (const message of messages) await sender.sendMessages(message);
    await sender.close();
  }

  /** Receives `count` messages, in the order of their arrival. */
  async receive(receiver: ServiceBusReceiver, count: number): Promise<ServiceBusReceivedMessage[]> {
    const received: ServiceBusReceivedMessage[] = [];
    while (received.length < count) {
      const more = await receiver.receiveMessages(count - received.length, { maxWaitTimeInMs: 10_000 });
      if (more.length === 0) throw new Error(`only ${received.length} of ${count} messages came`);
      received.push(...more);
    }
    return received;
  }

  async receiveOne(receiver: ServiceBusReceiver): Promise<ServiceBusReceivedMessage> {
    const [message] = await this.receive(receiver, 1);
    if (!message) throw new Error('no message came');
    return message;
  }

  /** Nothing comes, not even when locks that were held have run out. */
  async expectNothingLeft(receiver: ServiceBusReceiver): Promise<void> {
    const messages = await receiver.receiveMessages(1, {
      maxWaitTimeInMs: this.target.shortLockMs + this.target.quietMs,
    });
    expect(messages.map(({ body }) => body)).toEqual([]);
  }

  async expectNothingNow(receiver: ServiceBusReceiver): Promise<void> {
    const messages = await receiver.receiveMessages(1, { maxWaitTimeInMs: this.target.quietMs });
    expect(messages.map(({ body }) => body)).toEqual([]);
  }

  /** Until short locks taken before the call have run out for sure. */
  async lockTime(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.target.shortLockMs + this.target.quietMs));
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}

const allCases: readonly Case[] = [
  ...messageCases,
  ...lockCases,
  ...sessionCases,
  ...accessCases,
  ...moreCases,
  ...expiryCases,
  ...topicCases,
];

export function runServiceBusContract({ name, connect, differences = [] }: ServiceBusContract): void {
  const queueOf = (test: Case): string => `contract-${allCases.indexOf(test)}`;
  describe(name, () => {
    let target: ServiceBusTarget;
    beforeAll(async () => {
      target = await connect(allCases.map((test) => ({ ...test.needs, name: queueOf(test) })));
    });
    afterAll(() => target?.close());

    it('has only differences that name a case of the contract', () => {
      const known = allCases.map((test) => test.name);
      expect(differences.map(({ test }) => test).filter((test) => !known.includes(test))).toEqual([]);
    });
    describe.concurrent('', () => {
      for (const test of allCases) {
        const play = async () => {
          const scene = new Scene(target, queueOf(test));
          await test.run(scene).finally(() => scene.close());
        };
        const difference = differences.find((one) => one.test === test.name);
        if (difference === undefined) it(test.name, play);
        else it(`differs: ${test.name} (${difference.reason})`, () => expectRefusal(play, difference));
      }
    });
  });
}

async function expectRefusal(play: () => Promise<void>, { test, refusal }: Difference): Promise<void> {
  const error = await play().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) throw new Error(`stale skip: '${test}' passes here; take it off the list of differences`);
  expect(String(error)).toMatch(refusal);
}
