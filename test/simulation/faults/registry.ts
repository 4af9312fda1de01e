/**
 * The faults by name. *Call* faults strike one call of a host; the rest of a call's fate is its two latencies. *Weather* is what the world does by
 * itself now and then. A seed draws a subset of all names (swarm) and how often they strike.
 */
import type { Target } from '../types.ts';

export type CallFault =
  /** Refused before it took effect: the connection was never made. */
  | 'refused'
  /** Took effect; the connection broke instead of an answer. */
  | 'replyLost'
  /** Took effect; no answer ever comes and the client times out. */
  | 'replyNever'
  /** Takes effect only after the client has given up. */
  | 'appliedLate'
  /** 429 with Retry-After, without effect. */
  | 'throttled'
  /** 503 without effect. */
  | 'unavailable'
  /** 500 although it took effect. */
  | 'errorAfter'
  /** Everything works, seconds late. */
  | 'slow'
  /** The host dies before the call leaves it. */
  | 'crashBefore'
  /** The host dies with the call on its way: it takes effect, nobody hears of it. */
  | 'crashAfter'
  /** The platform gives the host up, but it lives on for a while and its calls still count. */
  | 'zombie'
  /** A read shows the world of some time ago. */
  | 'staleRead'
  /** A list misses some of its entries. */
  | 'shortList';

interface CallFaultRule {
  readonly fault: CallFault;
  readonly targets: readonly Target[];
  /** Only calls that are meant to change something, only those that are not, or any. */
  readonly only?: 'writes' | 'reads' | 'lists';
  /** Per call, before the seed's own factor. */
  readonly rate: number;
}

const remote: readonly Target[] = ['arm', 'table', 'bus', 'durable'];

/** The index in this list is the recorded choice, + 1: append only. */
export const callFaults: readonly CallFaultRule[] = [
  { fault: 'refused', targets: [...remote, 'probe'], rate: 0.01 },
  { fault: 'replyLost', targets: remote, only: 'writes', rate: 0.01 },
  { fault: 'replyNever', targets: remote, rate: 0.004 },
  { fault: 'appliedLate', targets: ['arm', 'table', 'durable'], only: 'writes', rate: 0.004 },
  { fault: 'throttled', targets: ['arm', 'table'], rate: 0.01 },
  { fault: 'unavailable', targets: ['arm', 'table', 'durable'], rate: 0.01 },
  { fault: 'errorAfter', targets: ['arm', 'table', 'durable'], only: 'writes', rate: 0.008 },
  { fault: 'slow', targets: [...remote, 'probe'], rate: 0.01 },
  { fault: 'crashBefore', targets: remote, rate: 0.0015 },
  { fault: 'crashAfter', targets: remote, only: 'writes', rate: 0.003 },
  { fault: 'zombie', targets: remote, rate: 0.0008 },
  { fault: 'staleRead', targets: ['arm'], only: 'reads', rate: 0.02 },
  { fault: 'shortList', targets: ['arm'], only: 'lists', rate: 0.02 },
];

/** What becomes of an accepted create: index + 1 is the recorded choice. */
export const provisioningFaults = [
  'neverProvisions',
  'provisioningFails',
  'failsThenRuns',
  'noCapacity',
  'slowStart',
] as const;
export type ProvisioningFault = (typeof provisioningFaults)[number];

export const deliveryFaults = ['redelivered', 'duplicated', 'delayed', 'lost', 'poison'] as const;
export type DeliveryFault = (typeof deliveryFaults)[number];

/** What the queue does to which replies are sent: it is not there for them, or shows one twice. */
export const replyFaults = ['replyAway', 'replyTwice'] as const;
export type ReplyFault = (typeof replyFaults)[number];

export const durableFaults = ['activityTwice', 'activityAgain', 'turnLost', 'hintLost', 'timersEarly'] as const;
export type DurableFault = (typeof durableFaults)[number];

export const timerFaults = ['timerEarly', 'timerLate', 'timerLost'] as const;
export type TimerFault = (typeof timerFaults)[number];

export const weatherFaults = [
  'containerCrash',
  'containerHang',
  'maintenance',
  'capacityGone',
  'quotaShrunk',
  'foreignGroups',
  'forgedTags',
  'secondInstallation',
  'stuckDelete',
  'groupVanishes',
  'hostRestart',
  'tableRestored',
  'regionDown',
  'lateCreate',
  'containerFlaps',
  'containerLeaks',
  'clockJump',
  'deploy',
  'deletedByHand',
  'eventForged',
  'stoppedByHand',
] as const;
export type WeatherFault = (typeof weatherFaults)[number];

export const eventFaults = ['eventLost', 'eventTwice', 'eventLate'] as const;
export type EventFault = (typeof eventFaults)[number];

export type FaultName =
  | CallFault
  | ProvisioningFault
  | DeliveryFault
  | ReplyFault
  | DurableFault
  | TimerFault
  | WeatherFault
  | EventFault
  | 'clockSkew'
  | 'twoHosts';

export const allFaults: readonly FaultName[] = [
  ...callFaults.map(({ fault }) => fault),
  ...provisioningFaults,
  ...deliveryFaults,
  ...durableFaults,
  ...timerFaults,
  ...weatherFaults,
  'clockSkew',
  'twoHosts',
  ...replyFaults,
  ...eventFaults,
];

/** Which faults strike in a run, and how much more or less often than their rate. */
export interface FaultPlan {
  readonly names: ReadonlySet<FaultName>;
  readonly factor: number;
}

export const noFaults: FaultPlan = { names: new Set(), factor: 0 };
export const everyFault: FaultPlan = { names: new Set(allFaults), factor: 1 };
