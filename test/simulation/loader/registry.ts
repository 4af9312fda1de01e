/** One module registry: all modules of one host, freed with it. Builtin modules are shared, except those that show a clock. */
import { createRequire, isBuiltin } from 'node:module';
import { dirname, extname } from 'node:path';
import { unfenced } from '../virtual/fences.ts';
import { natives } from '../virtual/natives.ts';
import type { TimeKit } from '../virtual/timers.ts';
import { compile, type Patch, resolveFrom, shadowed } from './compile.ts';

const realRequire = createRequire(import.meta.url);

export interface RegistryOptions {
  readonly time: TimeKit;
  /** What hosts see as `process.env`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Modules that the world provides instead: by package name, or by absolute path. Called once per registry; gets the module it replaces on demand. */
  readonly provided: ReadonlyMap<string, (original: () => unknown) => unknown>;
  /** Takes what the host prints. */
  readonly print: (level: string, values: readonly unknown[]) => void;
  /** Planted bugs, by absolute path. */
  readonly patches?: ReadonlyMap<string, readonly Patch[]>;
}

export interface Registry {
  require(from: string, request: string): unknown;
  load(file: string): unknown;
}

interface Module {
  exports: unknown;
}

export function createRegistry(options: RegistryOptions): Registry {
  const { time, provided, patches } = options;
  const modules = new Map<string, Module>();
  const globals: Readonly<Record<(typeof shadowed)[number], unknown>> = {
    ...(time.timers as Record<string, never>),
    Date: time.Date,
    performance: time.performance,
    AbortSignal: time.AbortSignal,
    process: processOf(options),
    console: consoleOf(options.print),
  } as never;
  const own: Readonly<Record<string, unknown>> = {
    timers: time.timers,
    'timers/promises': time.promises,
    perf_hooks: { ...(realRequire('node:perf_hooks') as object), performance: time.performance },
    process: globals.process,
  };
  const values = shadowed.map((name) => globals[name]);

  function load(file: string): unknown {
    const known = modules.get(file);
    if (known) return known.exports;
    const substitute = provided.get(file);
    if (!substitute) return evaluate(file, file).exports;
    const module: Module = { exports: {} };
    modules.set(file, module);
    module.exports = substitute(() => evaluate(file, `${file}#original`).exports);
    return module.exports;
  }

  function evaluate(file: string, id: string): Module {
    const known = modules.get(id);
    if (known) return known;
    const module: Module = { exports: {} };
    modules.set(id, module);
    if (extname(file) === '.json') {
      module.exports = JSON.parse(unfenced(() => natives.readFileSync(file, 'utf8')));
      return module;
    }
    const wrapper = compile(file, patches?.get(file))(...values);
    const require = Object.assign((request: string) => requireFrom(file, request), {
      resolve: (request: string) => resolveFrom(file, request),
      cache: {},
    });
    wrapper.call(module.exports, module.exports, require, module, file, dirname(file));
    const { exports } = module;
    // How an ES module says what `require` of it gives.
    if (typeof exports === 'object' && exports !== null && Object.hasOwn(exports, 'module.exports')) {
      module.exports = (exports as Readonly<Record<string, unknown>>)['module.exports'];
    }
    return module;
  }

  function requireFrom(from: string, request: string): unknown {
    if (provided.has(request)) {
      let module = modules.get(request);
      if (!module) {
        module = { exports: provided.get(request)?.(() => undefined) };
        modules.set(request, module);
      }
      return module.exports;
    }
    if (isBuiltin(request)) {
      const name = request.replace(/^node:/, '');
      return own[name] ?? realRequire(request);
    }
    return load(resolveFrom(from, request));
  }

  return { require: requireFrom, load };
}

function consoleOf(print: RegistryOptions['print']): unknown {
  const levels = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const;
  return Object.fromEntries(levels.map((level) => [level, (...values: unknown[]) => print(level, values)]));
}

/** The host's `process`: its own environment and clock, everything else shared. */
function processOf({ environment, time }: RegistryOptions): unknown {
  const env = { TZ: 'UTC', ...environment };
  const own: Readonly<Record<string, unknown>> = { env, hrtime: time.hrtime, uptime: time.uptime };
  return new Proxy(process, {
    get: (target, name) => {
      if (typeof name === 'string' && Object.hasOwn(own, name)) return own[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
