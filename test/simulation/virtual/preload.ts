/**
 * Loaded by `--import` before anything else: replaces clock, timers and randomness of this process, in the globals and in the builtin
 * modules, by virtual ones, and builds the fences. Libraries that keep `Date.now` or `Math.random` when they are loaded get the virtual ones too.
 */
import './natives.ts';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { buildFences } from './fences.ts';
import { createGenerator, type Generator } from './random.ts';
import { createTimeKit } from './timers.ts';

const require = createRequire(import.meta.url);
let generator: Generator = createGenerator(0);

/** A new run: the same numbers for the same seed. */
export function reseed(seed: number): void {
  generator = createGenerator(seed);
}

const define = (owner: object, values: Readonly<Record<string, unknown>>): void => {
  for (const [name, value] of Object.entries(values)) {
    const before = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, {
      value,
      writable: true,
      configurable: true,
      enumerable: before?.enumerable ?? true,
    });
  }
};

function patchTime(): void {
  const kit = createTimeKit(null);
  const { promises: _, ...timers } = kit.timers;
  define(globalThis, { Date: kit.Date, performance: kit.performance, AbortSignal: kit.AbortSignal, ...timers });
  define(Date.prototype, { constructor: kit.Date });
  define(require('node:timers') as object, kit.timers);
  define(require('node:timers/promises') as object, kit.promises);
  define(require('node:perf_hooks') as object, { performance: kit.performance });
  define(process, { hrtime: kit.hrtime, uptime: kit.uptime });
}

function patchRandom(): void {
  const fill = <T extends ArrayBufferView>(view: T): T => {
    generator.bytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    return view;
  };
  const randomBytes = (size: number, then?: (error: null, bytes: Buffer) => void): Buffer | undefined => {
    const bytes = fill(Buffer.alloc(size));
    if (!then) return bytes;
    process.nextTick(then, null, bytes);
    return undefined;
  };
  const randomInt = (low: number, high?: number): number => {
    const [from, to] = high === undefined ? [0, low] : [low, high];
    return from + Math.floor(generator.next() * (to - from));
  };
  const randomUUID = () => generator.uuid();
  define(Math, { random: () => generator.next() });
  define(require('node:crypto') as object, {
    randomUUID,
    randomBytes,
    pseudoRandomBytes: randomBytes,
    randomInt,
    randomFillSync: fill,
  });
  // `node:crypto`'s own webcrypto cannot be redefined, but it reads through this prototype.
  define(Object.getPrototypeOf(globalThis.crypto) as object, { randomUUID, getRandomValues: fill });
}

process.env['TZ'] = 'UTC';
// Stacks hold paths of this machine, and some of them reach histories.
Error.stackTraceLimit = 0;
patchTime();
patchRandom();
buildFences();
syncBuiltinESMExports();
