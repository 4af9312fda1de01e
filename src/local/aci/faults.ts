/**
 * What goes wrong on purpose: a table in the store (set through the control API, used up one by one) and the world's named draws.
 * Decides only; `core.ts` acts on the answer.
 */
import type { Draw } from '../core.ts';
import { type ArmError, armError } from './errors.ts';
import type { Mishap } from './model.ts';
import type { Quotas } from './settings.ts';
import type { AciStore } from './store.ts';

/** What a request is about, as faults select it. */
export const ACTS = [
  'create',
  'get',
  'list',
  'update',
  'delete',
  'start',
  'stop',
  'restart',
  'logs',
  'exec',
  'poll',
  'usage',
  'dns',
  'metrics',
] as const;
export type Act = (typeof ACTS)[number];

export type FaultEffect =
  | { readonly kind: 'latency'; readonly ms: number }
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly code: string;
      readonly message: string;
      readonly retryAfterSeconds?: number;
      /** The request takes effect all the same. */
      readonly after: boolean;
    }
  /** The connection breaks; with `after`, the request took effect. */
  | { readonly kind: 'drop'; readonly after: boolean }
  /** The next create, start or restart is accepted and ends as the mishap says. */
  | { readonly kind: 'mishap'; readonly mishap: Mishap }
  /** The next deletion is accepted and gets nowhere, until the group is released. */
  | { readonly kind: 'stuck' };

export interface Fault {
  readonly id: number;
  /** Absent = any. */
  readonly act?: Act;
  /** Group name; `*` stands for anything. Absent = any. */
  readonly name?: string;
  readonly location?: string;
  /** How often it strikes; null = until removed. */
  readonly times: number | null;
  readonly effect: FaultEffect;
}

export interface RegionState {
  /** `unavailable`: every request about a group there is answered 503; `noCapacity`: creates are answered 409 ServiceUnavailable. */
  readonly arm?: 'unavailable' | 'noCapacity';
  /** No address of the region answers. */
  readonly containersDown?: boolean;
  readonly quotas?: Partial<Quotas>;
  /** All that the region has room for; absent = endless. */
  readonly cores?: number;
  /** By name. `down`: nothing pinned to it answers, and nothing can be placed there. */
  readonly zones?: Readonly<Record<string, { readonly down?: boolean; readonly cores?: number }>>;
}

export interface Target {
  readonly act: Act;
  readonly name?: string;
  readonly location?: string;
}

/** What a mishap can befall. */
const BEGINNINGS: readonly Act[] = ['create', 'start', 'restart'];

const FAULTS = 'faults';
const REGIONS = 'regions';

export const listFaults = (store: AciStore): readonly Fault[] => (store.meta(FAULTS) as Fault[] | undefined) ?? [];

export function addFault(store: AciStore, fault: Omit<Fault, 'id'>): Fault {
  const faults = listFaults(store);
  const added = { ...fault, id: faults.reduce((max, one) => Math.max(max, one.id), 0) + 1 };
  store.setMeta(FAULTS, [...faults, added]);
  return added;
}

/** Removes one fault, or all of them without an id. */
export function removeFaults(store: AciStore, id?: number): void {
  store.setMeta(FAULTS, id === undefined ? [] : listFaults(store).filter((fault) => fault.id !== id));
}

export const regionStates = (store: AciStore): Readonly<Record<string, RegionState>> =>
  (store.meta(REGIONS) as Record<string, RegionState> | undefined) ?? {};

export function setRegionState(store: AciStore, location: string, state: RegionState): void {
  store.setMeta(REGIONS, { ...regionStates(store), [location]: state });
}

export interface Strike {
  readonly delayMs: number;
  readonly error?: ArmError;
  readonly drop: boolean;
  /** The request takes effect although it is answered by `error` or not at all. */
  readonly takesEffect: boolean;
  readonly mishap?: Mishap;
  readonly stuck?: boolean;
}

/** Draws and uses up what strikes this request. */
export function strike(store: AciStore, target: Target, draw: Draw): Strike {
  let result = drawn(target, draw);
  for (const fault of listFaults(store)) {
    if (!matches(fault, target)) continue;
    if (fault.effect.kind === 'mishap' && !BEGINNINGS.includes(target.act)) continue;
    if (fault.effect.kind === 'stuck' && target.act !== 'delete') continue;
    if (fault.times !== null) useUp(store, fault);
    result = withEffect(result, fault.effect);
  }
  return result;
}

function drawn(target: Target, draw: Draw): Strike {
  const benign: Strike = { delayMs: 0, drop: false, takesEffect: true };
  const server = (after: boolean) =>
    armError(
      after ? 500 : 503,
      after ? 'InternalServerError' : 'ServiceUnavailable',
      'The service is unavailable now.',
    );
  switch (draw(`arm ${target.act} ${target.name ?? ''}/fault`, 6)) {
    case 1:
      return { ...benign, takesEffect: false, error: armError(429, 'TooManyRequests', 'Too many requests.', 1) };
    case 2:
      return { ...benign, takesEffect: false, error: server(false) };
    case 3:
      return { ...benign, error: server(true) };
    case 4:
      return { ...benign, takesEffect: false, drop: true };
    case 5:
      return { ...benign, drop: true };
    default:
      return benign;
  }
}

function withEffect(strikeSoFar: Strike, effect: FaultEffect): Strike {
  switch (effect.kind) {
    case 'latency':
      return { ...strikeSoFar, delayMs: strikeSoFar.delayMs + effect.ms };
    case 'error':
      return {
        ...strikeSoFar,
        error: armError(effect.status, effect.code, effect.message, effect.retryAfterSeconds),
        takesEffect: strikeSoFar.takesEffect && effect.after,
      };
    case 'drop':
      return { ...strikeSoFar, drop: true, takesEffect: strikeSoFar.takesEffect && effect.after };
    case 'mishap':
      return { ...strikeSoFar, mishap: effect.mishap };
    case 'stuck':
      return { ...strikeSoFar, stuck: true };
  }
}

function matches(fault: Fault, target: Target): boolean {
  if (fault.act && fault.act !== target.act) return false;
  if (fault.location && fault.location !== target.location) return false;
  return !fault.name || isLike(target.name ?? '', fault.name);
}

function isLike(name: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(name);
}

function useUp(store: AciStore, fault: Fault): void {
  const left = (fault.times ?? 1) - 1;
  if (left <= 0) removeFaults(store, fault.id);
  else
    store.setMeta(
      FAULTS,
      listFaults(store).map((one) => (one.id === fault.id ? { ...one, times: left } : one)),
    );
}
