/** How the queues and topics of a namespace are declared, and what is wrong with a declaration. */
import type { Clock } from '../../model/clock.ts';
import type { SharedAccessKey } from './cbs.ts';
import type { Rule } from './rules.ts';

/** What queues and subscriptions have in common; unset fields take Azure's defaults. */
export interface ReceivableOptions {
  /** Up to 260 letters, digits, `.`, `-`, `_` and inner `/`; upper and lower case are the same. */
  readonly name: string;
  /** Default false. */
  readonly requiresSession?: boolean;
  /** Failed deliveries after which a message is dead-lettered; default 10. */
  readonly maxDeliveryCount?: number;
  /** Default 60,000, at most 300,000 ms. */
  readonly lockDurationMs?: number;
  /** How long messages are kept that name no time to live, and the most that one may name; default: for ever. */
  readonly defaultMessageTimeToLiveMs?: number;
  /** Whether expired messages become dead letters instead of being dropped. Default false. */
  readonly deadLetteringOnMessageExpiration?: boolean;
}

interface DuplicateDetection {
  /** Whether messages with the id of one that was sent before are dropped silently. Default false. */
  readonly requiresDuplicateDetection?: boolean;
  /** For how long ids are remembered; default 600,000, in 20,000..604,800,000 ms. */
  readonly duplicateDetectionHistoryTimeWindowMs?: number;
}

export interface QueueOptions extends ReceivableOptions, DuplicateDetection {}

export interface SubscriptionOptions extends ReceivableOptions {
  /** Which messages it gets when it is new; default: all. Later its rules are what clients have made of them. */
  readonly rules?: readonly Rule[];
}

export interface TopicOptions extends DuplicateDetection {
  readonly name: string;
  readonly defaultMessageTimeToLiveMs?: number;
  readonly subscriptions: readonly SubscriptionOptions[];
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
  readonly topics?: readonly TopicOptions[];
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** Longest lock of a queue (service-bus-quotas). */
const MAX_LOCK_DURATION_MS = 300_000;
/** Limits and default of the duplicate detection window (learn.microsoft.com/azure/service-bus-messaging/duplicate-detection). */
export const DUPLICATE_WINDOW_MS = { least: 20_000, default: 600_000, most: 604_800_000 };

const NAME = /^[A-Za-z0-9]$|^[A-Za-z0-9][\w.\-/]{0,258}[A-Za-z0-9]$/;

type Declared = Readonly<Record<string, unknown>> & { readonly name: string };

/** The checks of one field each: what is wrong with its value, or undefined. Fields that are not listed for a kind are refused. */
const checks: Readonly<Record<string, (value: never) => string | undefined>> = {
  maxDeliveryCount: (value: number) => wholeFromOne(value),
  lockDurationMs: (value: number) =>
    value > 0 && value <= MAX_LOCK_DURATION_MS ? undefined : `is not in 1..${MAX_LOCK_DURATION_MS}`,
  duplicateDetectionHistoryTimeWindowMs: (value: number) =>
    value >= DUPLICATE_WINDOW_MS.least && value <= DUPLICATE_WINDOW_MS.most
      ? undefined
      : `is not in ${DUPLICATE_WINDOW_MS.least}..${DUPLICATE_WINDOW_MS.most}`,
  defaultMessageTimeToLiveMs: (value: number) => wholeFromOne(value),
};

const wholeFromOne = (value: number): string | undefined =>
  Number.isInteger(value) && value >= 1 ? undefined : 'is no whole number of at least 1';

const RECEIVABLE = [
  'requiresSession',
  'maxDeliveryCount',
  'lockDurationMs',
  'defaultMessageTimeToLiveMs',
  'deadLetteringOnMessageExpiration',
];
const DUPLICATES = ['requiresDuplicateDetection', 'duplicateDetectionHistoryTimeWindowMs'];
const FIELDS = {
  queue: new Set(['name', ...RECEIVABLE, ...DUPLICATES]),
  topic: new Set(['name', 'defaultMessageTimeToLiveMs', 'subscriptions', ...DUPLICATES]),
  subscription: new Set(['name', 'rules', ...RECEIVABLE]),
};

/** Everything that is wrong, each as a sentence with its place. */
export function checkOptions({ key, queues, topics = [] }: BrokerOptions): string[] {
  const problems: string[] = [];
  if (!key?.name || !key.value) problems.push('key: needs a non-empty name and value, as in a shared access policy.');
  const seen = new Set<string>();
  for (const [i, queue] of queues.entries()) problems.push(...checkEntity('queue', `queues[${i}]`, queue, seen));
  for (const [i, topic] of topics.entries()) {
    problems.push(...checkEntity('topic', `topics[${i}]`, topic, seen));
    const inTopic = new Set<string>();
    for (const [n, subscription] of topic.subscriptions.entries())
      problems.push(...checkEntity('subscription', `topics[${i}].subscriptions[${n}]`, subscription, inTopic));
  }
  return problems;
}

function checkEntity(kind: keyof typeof FIELDS, at: string, declared: object, seen: Set<string>): string[] {
  const problems: string[] = [];
  const { name, ...fields } = declared as Declared;
  if (typeof name !== 'string' || !NAME.test(name))
    problems.push(`${at}.name: '${name}' is no ${kind} name; use letters, digits, '.', '-', '_' and inner '/'.`);
  else if (seen.has(name.toLowerCase())) problems.push(`${at}.name: '${name}' is declared twice; remove one.`);
  else seen.add(name.toLowerCase());
  for (const [field, value] of Object.entries(fields)) {
    const fault = value === undefined ? undefined : checks[field]?.(value as never);
    if (!FIELDS[kind].has(field)) problems.push(`${at}.${field}: the local Service Bus does not offer it; remove it.`);
    else if (fault) problems.push(`${at}.${field}: ${String(value)} ${fault}.`);
  }
  return problems;
}
