/**
 * Answers `require('@azure/functions-core')` and loads a function app: the files that package.json `main` matches run, what they register is
 * collected, then registration is locked. Nothing is judged here: which triggers the host can serve is decided in `functions-host.ts`.
 *
 * `@azure/functions` keeps the first core it gets for the life of the process, so there is one core per process and it hands every
 * registration to the app that is being loaded. Apps are loaded one after another.
 */
import { globSync, readFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type {
  FunctionCallback,
  FunctionMetadata,
  ProgrammingModel,
  RpcBinding,
  RpcLogCategory,
  RpcLogLevel,
} from './rpc.ts';
import { HostStartError } from './start-error.ts';

const hookNames = ['preInvocation', 'postInvocation', 'appStart', 'appTerminate', 'log'] as const;
export type HookName = (typeof hookNames)[number];
export type HookContext = Record<string, unknown>;
type HookCallback = (context: HookContext) => unknown;

/** One registered function. Names are unique without regard to case, as in the extension. */
export interface RegisteredFunction {
  readonly name: string;
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
  /** The binding whose type ends in `Trigger`. */
  readonly trigger: RpcBinding;
}

/** A function app after start-up; its registrations no longer change, its hooks may. */
export interface LoadedApp {
  readonly appDir: string;
  /** In the order of registration. */
  readonly functions: readonly RegisteredFunction[];
  readonly programmingModel: ProgrammingModel;
  /** Shared by all hooks of the app (the library's v4 model does not show it to handlers). */
  readonly appHookData: Record<string, unknown>;
  /** The `hookData` of appStart and appTerminate hooks. */
  readonly appLevelHookData: Record<string, unknown>;
  /** The callbacks registered now, in order. */
  hooks(name: HookName): readonly HookCallback[];
  /** Runs the appTerminate hooks. */
  terminate(): Promise<void>;
}

export interface LoadOptions {
  /** Directory of the app's package.json. */
  readonly appDir: string;
  /** Overrides package.json `main`: a glob relative to `appDir`. */
  readonly main?: string;
  /** Receives what the library logs outside any invocation. Default: discarded. */
  readonly log?: (level: RpcLogLevel, category: RpcLogCategory, message: string) => void;
}

interface Loading {
  readonly functions: Map<string, RegisteredFunction>;
  readonly hooks: Map<HookName, HookCallback[]>;
  readonly log: NonNullable<LoadOptions['log']>;
  locked: boolean;
}

class Disposable {
  readonly #dispose: () => void;
  constructor(dispose: () => void) {
    this.#dispose = dispose;
  }
  dispose(): void {
    this.#dispose();
  }
}

let current: Loading | undefined;
let programmingModel: ProgrammingModel | undefined;
let installed = false;
let queue: Promise<unknown> = Promise.resolve();
const loadCounts = new Map<string, number>();

/** An error that the library reports as the platform's, not the user's. */
const systemError = (error: Error): Error => Object.assign(error, { isAzureFunctionsSystemError: true });

const core = {
  version: '3.13.0',
  hostVersion: '4.1042.100',
  Disposable,
  registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
    const app = current;
    if (!app || app.locked) {
      throw systemError(
        new Error(`Function "${metadata.name}": a function can only be registered during app start-up, not later.`),
      );
    }
    const key = metadata.name.toLowerCase();
    const earlier = app.functions.get(key);
    if (earlier) {
      throw systemError(
        new Error(`A function named "${earlier.name}" is registered already (names are compared without case).`),
      );
    }
    const trigger = Object.values(metadata.bindings).find((b) => /trigger$/i.test(b.type));
    if (!trigger) throw systemError(new Error(`Function "${metadata.name}" has no trigger.`));
    app.functions.set(key, { name: metadata.name, metadata, callback, trigger });
    return new Disposable(() => {
      if (app.locked) throw systemError(new Error('A function can only be disposed during app start-up.'));
      app.functions.delete(key);
    });
  },
  setProgrammingModel(model: ProgrammingModel): void {
    programmingModel = model;
  },
  getProgrammingModel(): ProgrammingModel | undefined {
    return programmingModel;
  },
  registerHook(name: string, callback: HookCallback): Disposable {
    const known = hookNames.find((h) => h === name);
    if (!known) throw systemError(new RangeError(`Unrecognized hook "${name}"; known: ${hookNames.join(', ')}.`));
    if (!current) throw systemError(new Error(`Hook "${name}" was registered while no function app is loaded.`));
    const callbacks = current.hooks.get(known) ?? [];
    current.hooks.set(known, callbacks);
    callbacks.push(callback);
    return new Disposable(() => {
      const index = callbacks.indexOf(callback);
      if (index >= 0) callbacks.splice(index, 1);
    });
  },
  log(level: RpcLogLevel, category: RpcLogCategory, message: string): void {
    current?.log(level, category, message);
  },
};

/** Patches `require` as the real worker does; harmless when called again. */
function installCore(): void {
  if (installed) return;
  installed = true;
  const original = Module.prototype.require;
  Module.prototype.require = function (this: Module, id: string) {
    return id === '@azure/functions-core' ? core : original.call(this, id);
  } as typeof original;
}

/**
 * Loads the app of `appDir` and runs its appStart hooks.
 * @throws HostStartError when package.json or `main` is unusable, a file throws while it is loaded, or nothing was registered.
 */
export function loadApp(options: LoadOptions): Promise<LoadedApp> {
  const loaded = queue.then(() => load(options));
  queue = loaded.catch(() => undefined);
  return loaded;
}

async function load(options: LoadOptions): Promise<LoadedApp> {
  installCore();
  const appDir = resolve(options.appDir);
  const { files, main } = appFiles(appDir, options.main);
  const loading: Loading = {
    functions: new Map(),
    hooks: new Map(),
    log: options.log ?? (() => undefined),
    locked: false,
  };
  current = loading;
  try {
    for (const file of files) await loadFile(appDir, file);
  } finally {
    loading.locked = true;
  }
  if (loading.functions.size === 0 || !programmingModel) throw nothingRegistered(main, files);
  loading.locked = false;
  const app = toLoadedApp(appDir, loading, programmingModel);
  try {
    await runHooks(app, 'appStart', { functionAppDirectory: appDir });
  } finally {
    loading.locked = true;
  }
  await refuseHttpStream(programmingModel);
  return { ...app, functions: [...loading.functions.values()] };
}

function toLoadedApp(appDir: string, loading: Loading, model: ProgrammingModel): LoadedApp {
  const app: LoadedApp = {
    appDir,
    functions: [...loading.functions.values()],
    programmingModel: model,
    appHookData: {},
    appLevelHookData: {},
    hooks: (name) => loading.hooks.get(name) ?? [],
    terminate: () => runHooks(app, 'appTerminate', {}),
  };
  return app;
}

async function runHooks(app: LoadedApp, name: HookName, extra: HookContext): Promise<void> {
  const context = { hookData: app.appLevelHookData, appHookData: app.appHookData, ...extra };
  for (const hook of [...app.hooks(name)]) await hook(context);
}

/** `getCapabilities` also locks `app.setup`. With streaming on, the library answers HTTP through a proxy server of its own. */
async function refuseHttpStream(model: ProgrammingModel): Promise<void> {
  const capabilities = await model.getCapabilities({});
  if (!('HttpUri' in capabilities)) return;
  throw new HostStartError([
    {
      path: 'app.setup',
      problem: 'enableHttpStream is not supported by the embedded host',
      remedy: 'leave it off, requests and responses then travel whole (up to 100 MB)',
    },
  ]);
}

function nothingRegistered(main: string, files: readonly string[]): HostStartError {
  return new HostStartError([
    {
      path: 'package.json: main',
      problem: `the ${files.length} file(s) matching "${main}" registered no function (Azure would offer nothing, without an error)`,
      remedy: 'let "main" match the files that call app.http, app.timer, app.serviceBusQueue or df.app.*',
    },
  ]);
}

function appFiles(appDir: string, override: string | undefined): { main: string; files: string[] } {
  const main = override ?? readMain(join(appDir, 'package.json'));
  const files = globSync(main, { cwd: appDir })
    .map((file) => resolve(appDir, file))
    .sort();
  if (files.length > 0) return { main, files };
  throw new HostStartError([
    {
      path: `${join(appDir, 'package.json')}: main`,
      problem: `no file matches "${main}"`,
      remedy: 'build the app first, or correct the glob',
    },
  ]);
}

function readMain(path: string): string {
  const refuse = (problem: string, remedy: string, cause?: unknown) =>
    new HostStartError([{ path, problem, remedy }], { cause });
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw refuse(
      `cannot be read: ${messageOf(error)}`,
      'a function app is a directory with a package.json in JSON',
      error,
    );
  }
  const main = (json as { main?: unknown } | null)?.main;
  if (typeof main === 'string' && main !== '') return main;
  throw refuse('has no "main"', 'set "main" to a glob of the files that register functions');
}

/**
 * A second load in the same process (tests, restarts) runs the entry files again; what they import stays loaded.
 * As in the real worker, `require` loads CommonJS and `import` loads ES modules.
 */
async function loadFile(appDir: string, file: string): Promise<void> {
  const count = loadCounts.get(file) ?? 0;
  loadCounts.set(file, count + 1);
  try {
    if (isEsModule(file)) {
      const url = pathToFileURL(file).href;
      await import(/* @vite-ignore */ count === 0 ? url : `${url}?load=${count}`);
    } else {
      const require = createRequire(file);
      delete require.cache[file];
      require(file);
    }
  } catch (error) {
    throw new HostStartError(
      [
        {
          path: relative(appDir, file),
          problem: `failed while it was loaded: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
          remedy: 'no function of the app is offered until every file that "main" matches loads',
        },
      ],
      { cause: error },
    );
  }
}

function isEsModule(file: string): boolean {
  if (/\.m[jt]s$/.test(file)) return true;
  if (/\.c[jt]s$/.test(file)) return false;
  let dir = resolve(file, '..');
  for (;;) {
    const type = packageType(join(dir, 'package.json'));
    if (type !== undefined) return type === 'module';
    const parent = resolve(dir, '..');
    if (parent === dir) return false;
    dir = parent;
  }
}

/** `undefined` when there is no package.json here; the nearest one decides, also when it names no type. */
function packageType(path: string): string | undefined {
  try {
    const { type } = JSON.parse(readFileSync(path, 'utf8')) as { type?: unknown };
    return type === 'module' ? 'module' : 'commonjs';
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
