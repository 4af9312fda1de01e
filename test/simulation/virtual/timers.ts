/** Date, timers, performance and abort signals over the virtual clock, for one owner: a host with its own skew, or nobody (the world). */
import { inspect, promisify } from 'node:util';
import { clock, epoch, type Owner, type Scheduled } from './clock.ts';

const RealDate = globalThis.Date;
const RealAbortSignal = globalThis.AbortSignal;
/** The longest delay of Node's timers, ms; longer ones fire at once. */
const delayMax = 2 ** 31 - 1;

type Callback = (...args: unknown[]) => void;

let timeoutIds = 0;
const byId = new Map<number, VirtualTimeout>();

/** Stands in for `NodeJS.Timeout`. */
class VirtualTimeout {
  readonly id: number;
  readonly #owner: Owner | null;
  readonly #fn: () => void;
  readonly #everyMs: number | null;
  readonly #delayMs: number;
  #event: Scheduled;

  constructor(fn: () => void, delayMs: number, repeats: boolean, owner: Owner | null) {
    const ms = delayMs >= 1 && delayMs <= delayMax ? Math.trunc(delayMs) : 1;
    this.id = ++timeoutIds;
    this.#fn = fn;
    this.#delayMs = ms;
    this.#everyMs = repeats ? ms : null;
    this.#owner = owner;
    this.#event = this.#arm();
  }

  #arm(): Scheduled {
    return clock.at(clock.now + this.#delayMs, () => this.#run(), this.#owner);
  }

  #run(): void {
    if (this.#everyMs !== null) this.#event = this.#arm();
    this.#fn();
  }

  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
  refresh(): this {
    clock.cancel(this.#event);
    this.#event = this.#arm();
    return this;
  }
  close(): this {
    clock.cancel(this.#event);
    byId.delete(this.id);
    return this;
  }
  [Symbol.toPrimitive](): number {
    byId.set(this.id, this);
    return this.id;
  }
  [Symbol.dispose](): void {
    this.close();
  }
  [inspect.custom](): string {
    return 'Timeout';
  }
}

class VirtualImmediate {
  readonly #event: Scheduled;
  constructor(fn: () => void, owner: Owner | null) {
    this.#event = clock.immediate(fn, owner);
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
  close(): void {
    clock.cancel(this.#event);
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

export interface TimeKit {
  readonly Date: DateConstructor;
  /** As `node:timers` exports them. */
  readonly timers: Readonly<Record<string, unknown>>;
  /** As `node:timers/promises` exports them. */
  readonly promises: Readonly<Record<string, unknown>>;
  readonly performance: Readonly<Record<string, unknown>>;
  readonly AbortSignal: typeof AbortSignal;
  readonly hrtime: (() => [number, number]) & { bigint(): bigint };
  readonly uptime: () => number;
}

export function createTimeKit(owner: Owner | null): TimeKit {
  const now = owner === null ? () => clock.now : () => clock.now + owner.skewMs;
  const setTimeout = (fn: Callback, delay?: number, ...args: unknown[]) =>
    new VirtualTimeout(() => fn(...args), Number(delay ?? 1), false, owner);
  const setInterval = (fn: Callback, delay?: number, ...args: unknown[]) =>
    new VirtualTimeout(() => fn(...args), Number(delay ?? 1), true, owner);
  const setImmediate = (fn: Callback, ...args: unknown[]) => new VirtualImmediate(() => fn(...args), owner);
  const clear = (timer: unknown): void => {
    if (timer instanceof VirtualTimeout || timer instanceof VirtualImmediate) timer.close();
    else byId.get(Number(timer))?.close();
  };
  const promises = promisesOf(setTimeout, setImmediate);
  Object.defineProperty(setTimeout, promisify.custom, { value: promises['setTimeout'] });
  Object.defineProperty(setImmediate, promisify.custom, { value: promises['setImmediate'] });
  // Monotonic: a host whose date is wrong, or is put right, still measures durations well.
  const elapsedMs = () => clock.now - epoch;
  return {
    Date: dateOf(now),
    timers: {
      setTimeout,
      setInterval,
      setImmediate,
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
      promises,
    },
    promises,
    performance: performanceOf(elapsedMs),
    AbortSignal: abortSignalOf(owner),
    hrtime: hrtimeOf(elapsedMs),
    uptime: () => elapsedMs() / 1000,
  };
}

function dateOf(now: () => number): DateConstructor {
  const VirtualDate = function (this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return new RealDate(now()).toString();
    if (new.target === (VirtualDate as unknown) && args.length <= 1)
      return args.length === 0 ? new RealDate(now()) : new RealDate(args[0] as number);
    return Reflect.construct(RealDate, args.length === 0 ? [now()] : args, new.target);
  };
  VirtualDate.prototype = RealDate.prototype;
  Object.assign(VirtualDate, { now, parse: RealDate.parse, UTC: RealDate.UTC });
  Object.defineProperty(VirtualDate, 'name', { value: 'Date' });
  Object.defineProperty(VirtualDate, 'length', { value: 7 });
  return VirtualDate as unknown as DateConstructor;
}

function hrtimeOf(elapsedMs: () => number): TimeKit['hrtime'] {
  const hrtime = (previous?: [number, number]): [number, number] => {
    const ms = elapsedMs();
    const [seconds, nanos] = [Math.floor(ms / 1000), (ms % 1000) * 1e6];
    if (!previous) return [seconds, nanos];
    const carry = nanos < previous[1] ? 1 : 0;
    return [seconds - previous[0] - carry, nanos - previous[1] + carry * 1e9];
  };
  return Object.assign(hrtime, { bigint: () => BigInt(elapsedMs()) * 1_000_000n });
}

function performanceOf(elapsedMs: () => number): Readonly<Record<string, unknown>> {
  const nothing = () => undefined;
  return {
    now: elapsedMs,
    timeOrigin: epoch,
    mark: nothing,
    measure: nothing,
    clearMarks: nothing,
    clearMeasures: nothing,
    clearResourceTimings: nothing,
    setResourceTimingBufferSize: nothing,
    markResourceTiming: nothing,
    getEntries: () => [],
    getEntriesByName: () => [],
    getEntriesByType: () => [],
    timerify: (fn: unknown) => fn,
    eventLoopUtilization: () => ({ idle: 0, active: 0, utilization: 0 }),
    toJSON: () => ({}),
  };
}

type Arm = (fn: Callback, delay?: number) => { close(): unknown };

/**
 * A proxy, so that `instanceof`, `any` and `abort` stay the real ones. Its timers are nobody's: they outlast the calls they are for, and a host would
 * always seem to wait for something.
 */
function abortSignalOf(owner: Owner | null): typeof AbortSignal {
  const timeout = (ms: number): AbortSignal => {
    const controller = new AbortController();
    const abort = () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    clock.at(clock.now + Math.max(1, Math.trunc(ms)), () => !owner?.dead && abort());
    return controller.signal;
  };
  return new Proxy(RealAbortSignal, {
    get: (target, name, receiver) => (name === 'timeout' ? timeout : Reflect.get(target, name, receiver)),
  });
}

interface WaitOptions {
  readonly signal?: AbortSignal;
}

function promisesOf(setTimeout: Arm, setImmediate: Arm): Readonly<Record<string, unknown>> {
  const wait = (arm: (fn: Callback) => { close(): unknown }, value: unknown, signal: AbortSignal | undefined) =>
    new Promise((resolve, reject) => {
      const aborted = () => {
        timer.close();
        reject(Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR' }));
      };
      const timer = arm(() => {
        signal?.removeEventListener('abort', aborted);
        resolve(value);
      });
      if (signal?.aborted) aborted();
      else signal?.addEventListener('abort', aborted, { once: true });
    });
  const timeout = (ms?: number, value?: unknown, options: WaitOptions = {}) =>
    wait((fn) => setTimeout(fn, ms), value, options.signal);
  const immediate = (value?: unknown, options: WaitOptions = {}) =>
    wait((fn) => setImmediate(fn), value, options.signal);
  return {
    setTimeout: timeout,
    setImmediate: immediate,
    async *setInterval(ms?: number, value?: unknown) {
      for (;;) {
        await wait((fn) => setTimeout(fn, ms), value, undefined);
        yield value;
      }
    },
    scheduler: {
      wait: (ms: number, options?: WaitOptions) => timeout(ms, undefined, options),
      yield: () => immediate(),
    },
  };
}
