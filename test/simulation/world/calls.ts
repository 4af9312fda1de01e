/**
 * The one way by which anything a host does reaches the world. Each call is sent, applied by the service after a first latency, and answered
 * after a second; both are drawn, and so is the fault that strikes it. Nothing is ever answered at the same instant.
 */
import { type CallFault, callFaults } from '../faults/registry.ts';
import type { Cause, EffectEvent, Target } from '../types.ts';
import { clock, type Owner } from '../virtual/clock.ts';
import { causeNow, mayStrike, noteFault, type WorldCore } from './core.ts';

/** The part of a host that its calls need. */
export interface Caller {
  readonly id: string;
  readonly owner: Owner;
  /** Calls that are not answered yet. */
  outstanding: number;
}

export interface Call<T> {
  readonly target: Target;
  readonly key: string;
  readonly method: string;
  readonly writes: boolean;
  readonly lists?: boolean;
  /** What the service does. `stale`: show the past; `short`: leave some of a list out. */
  apply(how: { readonly stale: boolean; readonly short: boolean }): T | Promise<T>;
  /** The answer of a service that refuses: 429, 503, or 500 after it has done its work. */
  status(code: 429 | 500 | 503): T;
  /** The error of a connection that was never made, or broke. */
  broken(code: 'ECONNREFUSED' | 'ECONNRESET'): Error;
  statusOf(answer: T): number;
  /** What ARM knows of the group at this moment. */
  facts?(): Pick<EffectEvent, 'group' | 'tags'>;
  readonly signal?: AbortSignal | undefined;
}

export interface Calls {
  /** Settles never when the host dies first. */
  exchange<T>(caller: Caller, call: Call<T>): Promise<T>;
  /** Drawn under the key: true so often. */
  chance(key: string, share: number): boolean;
}

export interface CallsOptions {
  readonly world: WorldCore;
  /** The host is given up: dead, or alive without anybody listening. */
  readonly crash: (hostId: string, how: 'crashed' | 'zombie', fault: CallFault) => void;
}

/** Later than any client waits. */
const afterGivingUpMs = 65_000;
const latencyMs = [1, 2, 3, 4, 5, 7, 9, 12, 16, 21, 28, 37, 49, 65, 87, 120];
const slowMs = [3_000, 6_000, 12_000, 25_000];

export function createCalls({ world, crash }: CallsOptions): Calls {
  let ids = 0;
  const latency = (key: string): number => latencyMs[world.choices.pick(`${key}/ms`, latencyMs.length)] ?? 1;

  function drawFault(call: Call<unknown>): CallFault | null {
    if (!mayStrike(world, 'slow') && clock.now >= world.calmFrom) return null;
    const weights = [0];
    for (const { fault, targets, only, rate } of callFaults) {
      const fits =
        world.plan.names.has(fault) &&
        targets.includes(call.target) &&
        (only === undefined ||
          (only === 'writes' && call.writes) ||
          (only === 'reads' && !call.writes) ||
          (only === 'lists' && call.lists === true));
      weights.push(fits ? rate * world.plan.factor : 0);
    }
    const value = world.choices.weighted(`${call.key}/fault`, weights);
    return value === 0 ? null : (callFaults[value - 1]?.fault ?? null);
  }

  function exchange<T>(caller: Caller, call: Call<T>): Promise<T> {
    // What a host still does after its death reaches nobody.
    if (caller.owner.dead) return new Promise<T>(() => undefined);
    // As a real client: what is called off before it is sent never leaves the host.
    if (call.signal?.aborted) return Promise.reject(abortError());
    const cause = causeNow();
    const fault = drawFault(call);
    ids += 1;
    const flight = new Flight(world, caller, call, cause, fault, ids);
    if (fault) noteFault(world, fault, cause, call.key);
    flight.note('sent', null);
    if (fault === 'crashBefore' || fault === 'crashAfter') crash(caller.id, 'crashed', fault);
    if (fault === 'zombie') crash(caller.id, 'zombie', fault);
    if (fault === 'crashBefore') return new Promise<T>(() => undefined);
    const delayMs = fault === 'slow' ? (slowMs[world.choices.pick(`${call.key}/slow`, slowMs.length)] ?? 0) : 0;
    return flight.start(latency(call.key), latency(`${call.key}/reply`), delayMs);
  }
  const chance = (key: string, share: number): boolean => world.choices.weighted(key, [0, share]) === 1;
  return { exchange, chance };
}

/** One call on its way. */
class Flight<T> {
  readonly #world: WorldCore;
  readonly #caller: Caller;
  readonly #call: Call<T>;
  readonly #cause: Cause | null;
  readonly #fault: CallFault | null;
  readonly #id: number;
  #settled = false;

  constructor(
    world: WorldCore,
    caller: Caller,
    call: Call<T>,
    cause: Cause | null,
    fault: CallFault | null,
    id: number,
  ) {
    this.#world = world;
    this.#caller = caller;
    this.#call = call;
    this.#cause = cause;
    this.#fault = fault;
    this.#id = id;
  }

  note(moment: EffectEvent['moment'], status: number | null): void {
    const { target, key, method, writes, facts } = this.#call;
    this.#world.emit({
      type: 'effect',
      at: clock.now,
      moment,
      id: this.#id,
      host: this.#caller.id,
      target,
      key,
      method,
      writes,
      status,
      fault: this.#fault,
      cause: this.#cause,
      ...(target === 'arm' && facts?.()),
    });
  }

  start(toServiceMs: number, backMs: number, slowMs: number): Promise<T> {
    const fault = this.#fault;
    return new Promise<T>((resolve, reject) => {
      this.#caller.outstanding += 1;
      const settle = (how: () => void, status: number | null): void => {
        if (this.#settled) return;
        this.#settled = true;
        this.#caller.outstanding -= 1;
        if (this.#caller.owner.dead) return;
        this.note('replied', status);
        how();
      };
      const answer = (value: T) => settle(() => resolve(value), this.#call.statusOf(value));
      const fail = (error: Error) => settle(() => reject(error), null);
      const later = (ms: number, then: () => void) => clock.at(clock.now + ms, then);
      this.#call.signal?.addEventListener('abort', () => fail(abortError()), { once: true });
      if (fault === 'refused') return later(toServiceMs, () => fail(this.#call.broken('ECONNREFUSED')));
      if (fault === 'throttled') return later(toServiceMs, () => answer(this.#call.status(429)));
      if (fault === 'unavailable') return later(toServiceMs, () => answer(this.#call.status(503)));
      const lateMs = fault === 'appliedLate' ? afterGivingUpMs : slowMs;
      return later(toServiceMs + lateMs, () =>
        this.#apply((value) => {
          if (fault === 'replyNever' || fault === 'appliedLate') return;
          later(backMs, () => {
            if (fault === 'replyLost') fail(this.#call.broken('ECONNRESET'));
            else if (fault === 'errorAfter') answer(this.#call.status(500));
            else answer(value);
          });
        }, fail),
      );
    });
  }

  #apply(then: (value: T) => void, fail: (error: Error) => void): void {
    const how = { stale: this.#fault === 'staleRead', short: this.#fault === 'shortList' };
    const done = (value: T) => {
      this.note('applied', this.#call.statusOf(value));
      then(value);
    };
    const result = this.#call.apply(how);
    if (result instanceof Promise) result.then(done, (error: unknown) => fail(error as Error));
    else done(result);
  }
}

const abortError = (): Error =>
  Object.assign(new Error('The operation was aborted.'), { name: 'AbortError', code: 'ABORT_ERR' });
