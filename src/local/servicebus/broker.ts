/** Starts and stops a Service Bus namespace of declared queues on one address: wires store, queues and the AMQP front. */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../model/clock.ts';
import { systemClock } from '../system-clock.ts';
import type { SharedAccessKey } from './cbs.ts';
import { createFront } from './front.ts';
import { Queue } from './queue.ts';
import { Store } from './store.ts';

/** A queue as declared; unset fields take Azure's defaults. */
export interface QueueOptions {
  /** Up to 260 letters, digits, `.`, `-`, `_` and inner `/`; upper and lower case are the same. */
  readonly name: string;
  /** Default false. */
  readonly requiresSession?: boolean;
  /** Failed deliveries after which a message is dead-lettered; default 10. */
  readonly maxDeliveryCount?: number;
  /** Default 60,000, at most 300,000 ms. */
  readonly lockDurationMs?: number;
  /** Whether messages with the id of one that was sent before are dropped silently. Default false. */
  readonly requiresDuplicateDetection?: boolean;
  /** For how long ids are remembered; default 600,000, in 20,000..604,800,000 ms. */
  readonly duplicateDetectionHistoryTimeWindowMs?: number;
}

export interface BrokerOptions {
  /** 0 = any free port. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** File of the durable state, or `:memory:`. */
  readonly dataPath: string;
  readonly key: SharedAccessKey;
  readonly queues: readonly QueueOptions[];
  /** Default: the system's. */
  readonly clock?: Clock;
}

export interface Broker {
  readonly port: number;
  /** For `new ServiceBusClient(...)`. */
  readonly connectionString: string;
  /** Drops all connections and closes the file. */
  close(): Promise<void>;
}

const DEFAULT_MAX_DELIVERY_COUNT = 10;
const DEFAULT_LOCK_DURATION_MS = 60_000;
/** Longest lock of a queue (service-bus-quotas). */
const MAX_LOCK_DURATION_MS = 300_000;
/** Limits and default of the duplicate detection window (learn.microsoft.com/azure/service-bus-messaging/duplicate-detection). */
const DUPLICATE_WINDOW_MS = { least: 20_000, default: 600_000, most: 604_800_000 };
/** `maxSizeInMegabytes` of a new queue in Azure. */
const MAX_SIZE_BYTES = 1024 * 1024 * 1024;
const QUEUE_KEYS: ReadonlySet<string> = new Set<keyof QueueOptions>([
  'name',
  'requiresSession',
  'maxDeliveryCount',
  'lockDurationMs',
  'requiresDuplicateDetection',
  'duplicateDetectionHistoryTimeWindowMs',
]);
const NAME = /^[A-Za-z0-9]$|^[A-Za-z0-9][\w.\-/]{0,258}[A-Za-z0-9]$/;

/** @throws When the configuration is wrong (all problems in one message) or the port is taken. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const problems = checkOptions(options);
  if (problems.length > 0) throw new Error(`The broker's configuration is wrong:\n${problems.join('\n')}`);
  const clock = options.clock ?? systemClock;
  const store = new Store(options.dataPath);
  const queueByPath = openQueues(options.queues, store, clock);
  const serve = createFront({
    key: options.key,
    queueByPath,
    now: () => clock.now(),
    newMessageId: () => randomUUID().replaceAll('-', ''),
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(socket);
  });
  const address = options.address ?? '127.0.0.1';
  try {
    await listen(server, options.port, address);
  } catch (error) {
    await store.close();
    throw new Error(`The broker cannot listen on ${address}:${options.port}: ${String(error)}. Choose another port.`);
  }
  const { port } = server.address() as AddressInfo;
  return {
    port,
    connectionString: connectionString(address, port, options.key),
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
      for (const queue of queueByPath.values()) queue.close();
      await store.close();
    },
  };
}

const listen = (server: Server, port: number, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });

const connectionString = (address: string, port: number, key: SharedAccessKey): string =>
  `Endpoint=sb://${address}:${port};SharedAccessKeyName=${key.name};SharedAccessKey=${key.value};UseDevelopmentEmulator=true;`;

function openQueues(declared: readonly QueueOptions[], store: Store, clock: Clock): Map<string, Queue> {
  const queueByPath = new Map<string, Queue>();
  for (const options of declared) {
    const { name, requiresSession = false } = options;
    const { lockDurationMs = DEFAULT_LOCK_DURATION_MS, maxDeliveryCount = DEFAULT_MAX_DELIVERY_COUNT } = options;
    const parts = { store: store.queue(name, requiresSession), clock, newToken: randomUUID };
    const deadLetterName = `${name}/$DeadLetterQueue`;
    const { duplicateDetectionHistoryTimeWindowMs: duplicateWindowMs = DUPLICATE_WINDOW_MS.default } = options;
    const definition = {
      name,
      requiresSession,
      maxDeliveryCount,
      lockDurationMs,
      maxSizeBytes: MAX_SIZE_BYTES,
      ...(options.requiresDuplicateDetection && { duplicateWindowMs }),
    };
    const deadLetters = new Queue({ ...definition, name: deadLetterName, requiresSession: false }, parts);
    const queue = new Queue(definition, { ...parts, deadLetters });
    queueByPath.set(deadLetterName.toLowerCase(), deadLetters);
    queueByPath.set(name.toLowerCase(), queue);
  }
  return queueByPath;
}

function checkOptions({ key, queues }: BrokerOptions): string[] {
  const problems: string[] = [];
  if (!key?.name || !key.value) problems.push('key: needs a non-empty name and value, as in a shared access policy.');
  const seen = new Set<string>();
  for (const [i, queue] of queues.entries()) {
    const at = `queues[${i}]`;
    const { name, maxDeliveryCount = 1, lockDurationMs = 1 } = queue;
    if (typeof name !== 'string' || !NAME.test(name))
      problems.push(`${at}.name: '${name}' is no queue name; use letters, digits, '.', '-', '_' and inner '/'.`);
    else if (seen.has(name.toLowerCase())) problems.push(`${at}.name: '${name}' is declared twice; remove one.`);
    else seen.add(name.toLowerCase());
    if (!Number.isInteger(maxDeliveryCount) || maxDeliveryCount < 1)
      problems.push(`${at}.maxDeliveryCount: ${maxDeliveryCount} is no whole number of at least 1.`);
    if (!(lockDurationMs > 0 && lockDurationMs <= MAX_LOCK_DURATION_MS))
      problems.push(`${at}.lockDurationMs: ${lockDurationMs} is not in 1..${MAX_LOCK_DURATION_MS}.`);
    const { duplicateDetectionHistoryTimeWindowMs: windowMs = DUPLICATE_WINDOW_MS.default } = queue;
    if (!(windowMs >= DUPLICATE_WINDOW_MS.least && windowMs <= DUPLICATE_WINDOW_MS.most))
      problems.push(
        `${at}.duplicateDetectionHistoryTimeWindowMs: ${windowMs} is not in ${DUPLICATE_WINDOW_MS.least}..${DUPLICATE_WINDOW_MS.most}.`,
      );
    for (const key of Object.keys(queue))
      if (!QUEUE_KEYS.has(key)) problems.push(`${at}.${key}: the local Service Bus does not offer it; remove it.`);
  }
  return problems;
}
