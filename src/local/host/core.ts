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
import {
  type CoreLog,
  type CoreState,
  createFunctionsCore,
  type LoadedApp,
  newLoading,
  runHooks,
  toLoadedApp,
} from './functions-core.ts';
import type { ProgrammingModel } from './rpc.ts';
import { HostStartError } from './start-error.ts';

export interface LoadOptions {
  /** Directory of the app's package.json. */
  readonly appDir: string;
  /** Overrides package.json `main`: a glob relative to `appDir`. */
  readonly main?: string;
  /** Receives what the library logs outside any invocation. Default: discarded. */
  readonly log?: CoreLog;
}

const state: CoreState = { loading: undefined, programmingModel: undefined };
const core = createFunctionsCore(state);
let installed = false;
let queue: Promise<unknown> = Promise.resolve();
const loadCounts = new Map<string, number>();

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
  const loading = newLoading(options.log ?? (() => undefined));
  state.loading = loading;
  try {
    for (const file of files) await loadFile(appDir, file);
  } finally {
    loading.locked = true;
  }
  if (loading.functions.size === 0 || !state.programmingModel) throw nothingRegistered(main, files);
  loading.locked = false;
  const app = toLoadedApp(appDir, loading, state.programmingModel);
  try {
    await runHooks(app, 'appStart', { functionAppDirectory: appDir });
  } finally {
    loading.locked = true;
  }
  await refuseHttpStream(state.programmingModel);
  return { ...app, functions: [...loading.functions.values()] };
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
