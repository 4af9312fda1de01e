/**
 * What must not happen once a world runs: sockets, files, name look-ups, processes, threads, and work of the thread pool. Every such function
 * throws while the fence is up. {@link unfenced} is for the loader, which reads source files.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const fence = { up: false };

export class FenceError extends Error {
  constructor(what: string) {
    super(`${what} was called in virtual time: it cannot be made deterministic`);
    this.name = 'FenceError';
  }
}

export function raiseFence(up: boolean): void {
  fence.up = up;
}

/** Runs synchronous work with the fence down. */
export function unfenced<T>(work: () => T): T {
  const before = fence.up;
  fence.up = false;
  try {
    return work();
  } finally {
    fence.up = before;
  }
}

type Functions = Record<string, unknown>;

function guard(owner: Functions, module: string, names: readonly string[], when: (args: unknown[]) => boolean): void {
  for (const name of names) {
    const original = owner[name];
    if (typeof original !== 'function') continue;
    const guarded = function (this: unknown, ...args: unknown[]): unknown {
      if (fence.up && when(args)) throw new FenceError(`${module}.${name}`);
      return new.target ? Reflect.construct(original, args, new.target) : Reflect.apply(original, this, args);
    };
    Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(original));
    Object.defineProperty(owner, name, { ...Object.getOwnPropertyDescriptor(owner, name), value: guarded });
  }
}

const always = () => true;
const withCallback = (args: unknown[]) => typeof args.at(-1) === 'function';
const functionsOf = (owner: Functions) =>
  Object.keys(owner).filter((name) => typeof owner[name] === 'function' && /^[a-z]/.test(name));

/** Patches the builtin modules; `syncBuiltinESMExports` must follow. */
export function buildFences(): void {
  for (const name of ['fs', 'fs/promises', 'dns', 'dns/promises', 'child_process']) {
    const module = require(`node:${name}`) as Functions;
    guard(module, name, functionsOf(module), always);
  }
  const net = require('node:net') as Functions;
  guard(net, 'net', ['connect', 'createConnection', 'createServer'], always);
  guard((net['Socket'] as { prototype: Functions }).prototype, 'net.Socket', ['connect'], always);
  guard(require('node:tls') as Functions, 'tls', ['connect'], always);
  guard(require('node:dgram') as Functions, 'dgram', ['createSocket'], always);
  guard(require('node:http') as Functions, 'http', ['request', 'get'], always);
  guard(require('node:https') as Functions, 'https', ['request', 'get'], always);
  guard(require('node:worker_threads') as Functions, 'worker_threads', ['Worker'], always);
  const zlib = require('node:zlib') as Functions;
  guard(
    zlib,
    'zlib',
    functionsOf(zlib).filter((name) => !name.endsWith('Sync') && !name.startsWith('create')),
    withCallback,
  );
  const crypto = require('node:crypto') as Functions;
  const slow = [
    'pbkdf2',
    'scrypt',
    'hkdf',
    'generateKeyPair',
    'generateKey',
    'generatePrime',
    'checkPrime',
    'sign',
    'verify',
  ];
  guard(crypto, 'crypto', [...slow, 'randomBytes', 'randomFill', 'randomInt'], withCallback);
  const subtle = Object.getPrototypeOf(globalThis.crypto.subtle) as Functions;
  guard(
    subtle,
    'crypto.subtle',
    Object.getOwnPropertyNames(subtle).filter((name) => name !== 'constructor'),
    always,
  );
  guard(globalThis as unknown as Functions, 'global', ['fetch'], always);
  guard(
    (globalThis as unknown as { WebAssembly: Functions }).WebAssembly,
    'WebAssembly',
    ['compile', 'instantiate', 'compileStreaming'],
    always,
  );
  guard(Atomics as unknown as Functions, 'Atomics', ['waitAsync'], always);
}
