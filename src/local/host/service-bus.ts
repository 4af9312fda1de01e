/**
 * Service Bus queue triggers through the real receiver: peek-lock, complete when the function succeeds, abandon when it fails. Delivery
 * counts and dead-lettering are the broker's. A broker that goes away is looked for again for ever; nothing here may wait without a deadline.
 */
import type {
  ProcessErrorArgs,
  ServiceBusClient,
  ServiceBusReceivedMessage,
  ServiceBusReceiver,
  ServiceBusSessionReceiver,
} from '@azure/service-bus';
import type { RegisteredFunction } from './functions-core.ts';
import type { Invoker, LogSink } from './invoke.ts';
import type { ClientFactory } from './service-bus-connection.ts';
import { toInvocation } from './service-bus-message.ts';

export interface ServiceBusListenerOptions {
  readonly fn: RegisteredFunction;
  readonly connect: ClientFactory;
  /** Settings resolved; `<queue>/$DeadLetterQueue` reads dead letters. */
  readonly queueName: string;
  readonly sessions: boolean;
  readonly autoComplete: boolean;
  readonly maxConcurrentCalls: number;
  readonly maxConcurrentSessions: number;
  readonly maxAutoLockRenewalMs: number;
  readonly sessionIdleMs: number;
  readonly invoker: Invoker;
  readonly log: LogSink;
}

export interface ServiceBusListener {
  /** No further message is taken; gives handlers under way `graceMs` (default 2,000). Unsettled messages come again. */
  stop(graceMs?: number): Promise<void>;
}

/** A settlement that takes longer is given up: the message comes again when its lock expires. The client gives up after 2 × 5 s by itself. */
const settleDeadlineMs = 15_000;
/** Added to the client's own time limits before a call counts as hung. */
const hungAfterMs = 15_000;
/** A session is handed back after this time even when it is busy, so that others get their turn and its lock never ages. */
const sessionTurnMs = 300_000;
const firstBackOffMs = 200;
const longestBackOffMs = 10_000;
/** After so many failures in a row the connection is thought wedged and replaced. */
const failuresPerClient = 3;
/** The same complaint (broker away) is logged once in this time. */
const repeatLogMs = 60_000;

const deadLetterSuffix = /\/\$deadletterqueue$/i;

export function startServiceBusListener(options: ServiceBusListenerOptions): ServiceBusListener {
  const listener = options.sessions ? new SessionListener(options) : new QueueListener(options);
  void listener.run();
  return listener;
}

/** What both kinds share: the client, the handling of one message, back-off, stopping. */
abstract class Listener implements ServiceBusListener {
  protected readonly options: ServiceBusListenerOptions;
  protected readonly stopping = new AbortController();
  protected readonly underWay = new Set<Promise<unknown>>();
  #client: ServiceBusClient | undefined;
  #lastComplaint = { text: '', at: Number.NEGATIVE_INFINITY };

  constructor(options: ServiceBusListenerOptions) {
    this.options = options;
  }

  protected async client(): Promise<ServiceBusClient> {
    this.#client ??= await this.options.connect();
    return this.#client;
  }

  protected async dropClient(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client) await settledWithin(client.close(), 2_000);
  }

  /** Runs until stopped; never rejects. */
  async run(): Promise<void> {
    for (let failures = 0; !this.stopping.signal.aborted; ) {
      try {
        await this.listen();
        failures = 0;
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        failures++;
        this.complain(error);
        if (failures % failuresPerClient === 0) await this.dropClient();
        await this.pause(Math.min(firstBackOffMs * 2 ** Math.min(failures, 10), longestBackOffMs));
      }
    }
  }

  /** One attempt to listen; resolving means "again at once", rejecting "again after a pause". */
  protected abstract listen(): Promise<void>;
  /** Ends the taking of messages. */
  protected abstract stopTaking(): Promise<void>;

  async stop(graceMs = 2_000): Promise<void> {
    this.stopping.abort();
    await settledWithin(this.stopTaking(), 1_000);
    await settledWithin(Promise.allSettled(this.underWay), graceMs);
    await this.dropClient();
  }

  /** Answers whether the message is settled as intended. */
  protected async handle(receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage): Promise<boolean> {
    const { fn, invoker, autoComplete } = this.options;
    const outcome = await invoker.invoke(fn, toInvocation(fn, message));
    if (outcome.ok && !autoComplete) return true;
    const settling = outcome.ok ? receiver.completeMessage(message) : receiver.abandonMessage(message);
    try {
      await withDeadline(settling, settleDeadlineMs, 'settling the message');
      return true;
    } catch (error) {
      const act = outcome.ok ? 'completed' : 'abandoned';
      const text = `Message ${message.messageId} could not be ${act}; it comes again when its lock expires: ${messageOf(error)}`;
      const at = { functionName: fn.name, invocationId: outcome.invocationId };
      this.options.log({ level: 'warning', category: 'host', message: text, ...at });
      return false;
    }
  }

  protected track<T>(work: Promise<T>): Promise<T> {
    this.underWay.add(work);
    const forget = () => this.underWay.delete(work);
    work.then(forget, forget);
    return work;
  }

  protected complain(error: unknown): void {
    const text = `Service Bus queue "${this.options.queueName}": ${messageOf(error)}`;
    const now = performance.now();
    if (text === this.#lastComplaint.text && now - this.#lastComplaint.at < repeatLogMs) return;
    this.#lastComplaint = { text, at: now };
    this.options.log({ level: 'warning', category: 'host', message: text, functionName: this.options.fn.name });
  }

  protected async pause(ms: number): Promise<void> {
    const { signal } = this.stopping;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}

/** A queue without sessions: one streaming receiver, which finds a broker that comes back by itself. */
class QueueListener extends Listener {
  #subscription: { close(): Promise<void> } | undefined;

  protected async listen(): Promise<void> {
    const { queueName, maxConcurrentCalls, maxAutoLockRenewalMs } = this.options;
    const client = await this.client();
    const receiver = client.createReceiver(queueName.replace(deadLetterSuffix, ''), {
      ...(deadLetterSuffix.test(queueName) && { subQueueType: 'deadLetter' as const }),
      maxAutoLockRenewalDurationInMs: maxAutoLockRenewalMs,
      skipParsingBodyAsJson: true,
    });
    // The receiver retries for ever; only an error of its own making ends the wait.
    await new Promise<void>((_resolve, reject) => {
      this.stopping.signal.addEventListener('abort', () => reject(new Error('stopped')));
      this.#subscription = receiver.subscribe(
        {
          processMessage: async (message) => {
            if (!this.stopping.signal.aborted) await this.track(this.handle(receiver, message));
          },
          processError: async (args) => this.#onError(args, receiver, reject),
        },
        { autoCompleteMessages: false, maxConcurrentCalls },
      );
    });
  }

  #onError(args: ProcessErrorArgs, receiver: ServiceBusReceiver, giveUp: (error: Error) => void): void {
    if (this.stopping.signal.aborted) return;
    this.complain(args.error);
    if (receiver.isClosed) giveUp(args.error);
  }

  protected async stopTaking(): Promise<void> {
    await this.#subscription?.close();
  }
}

/**
 * A queue with sessions: one acceptor takes the next free session while fewer than `maxConcurrentSessions` are held; each held session is
 * worked off in order, one message at a time. A session receiver does not survive its connection: it is given up and the session taken anew.
 */
class SessionListener extends Listener {
  #held = 0;
  #released: () => void = () => undefined;

  protected async listen(): Promise<void> {
    while (this.#held >= this.options.maxConcurrentSessions) {
      await new Promise<void>((resolve) => {
        this.#released = resolve;
      });
    }
    if (this.stopping.signal.aborted) return;
    const receiver = await this.#acceptNext();
    if (!receiver) return;
    this.#held++;
    void this.track(this.#workOff(receiver)).finally(() => {
      this.#held--;
      this.#released();
    });
  }

  async #acceptNext(): Promise<ServiceBusSessionReceiver | undefined> {
    const client = await this.client();
    const startedAt = performance.now();
    const accepting = client.acceptNextSession(this.options.queueName, {
      maxAutoLockRenewalDurationInMs: sessionTurnMs + this.options.maxAutoLockRenewalMs,
      skipParsingBodyAsJson: true,
      abortSignal: this.stopping.signal,
    });
    try {
      return await withDeadline(accepting, 10_000 + hungAfterMs, 'waiting for the next session');
    } catch (error) {
      // A late answer must not hold a session that nobody works off.
      accepting.then((late) => settledWithin(late.close(), 2_000)).catch(() => undefined);
      // "No session has messages" is the broker's answer at the end of a long poll; at once it would be a busy loop.
      if (codeOf(error) === 'ServiceTimeout' && performance.now() - startedAt > 500) return undefined;
      throw error;
    }
  }

  async #workOff(receiver: ServiceBusSessionReceiver): Promise<void> {
    const { sessionIdleMs } = this.options;
    const { signal } = this.stopping;
    const endsAt = performance.now() + sessionTurnMs;
    try {
      while (!signal.aborted && performance.now() < endsAt && !receiver.isClosed) {
        const receiving = receiver.receiveMessages(1, { maxWaitTimeInMs: sessionIdleMs, abortSignal: signal });
        const [message] = await withDeadline(receiving, sessionIdleMs + hungAfterMs, 'receiving from a session');
        if (!message || !(await this.handle(receiver, message))) break;
      }
    } catch (error) {
      if (!signal.aborted) this.complain(error);
    } finally {
      await settledWithin(receiver.close(), 2_000);
    }
  }

  protected async stopTaking(): Promise<void> {
    this.#released();
  }
}

async function withDeadline<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for the end of `work`, good or bad, but not longer than `ms`. */
async function settledWithin(work: Promise<unknown>, ms: number): Promise<void> {
  await withDeadline(work, ms, 'closing').catch(() => undefined);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
