/**
 * The object that `require('@azure/functions-core')` gives to a function app, and what an app registers through it. Nothing here is global: a process has
 * one (`core.ts`), a simulator one for each of its hosts.
 */
import type {
  FunctionCallback,
  FunctionMetadata,
  ProgrammingModel,
  RpcBinding,
  RpcLogCategory,
  RpcLogLevel,
} from './rpc.ts';

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

/** Receives what the library logs outside any invocation. */
export type CoreLog = (level: RpcLogLevel, category: RpcLogCategory, message: string) => void;

/** What an app that is being loaded has registered so far. */
export interface Loading {
  readonly functions: Map<string, RegisteredFunction>;
  readonly hooks: Map<HookName, HookCallback[]>;
  readonly log: CoreLog;
  locked: boolean;
}

export const newLoading = (log: CoreLog): Loading => ({ functions: new Map(), hooks: new Map(), log, locked: false });

/** Who uses one core: the app that is being loaded, and the programming model that its library has announced. */
export interface CoreState {
  loading: Loading | undefined;
  programmingModel: ProgrammingModel | undefined;
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

/** An error that the library reports as the platform's, not the user's. */
const systemError = (error: Error): Error => Object.assign(error, { isAzureFunctionsSystemError: true });

export const createFunctionsCore = (state: CoreState) => ({
  version: '3.13.0',
  hostVersion: '4.1042.100',
  Disposable,
  registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
    const app = state.loading;
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
    state.programmingModel = model;
  },
  getProgrammingModel(): ProgrammingModel | undefined {
    return state.programmingModel;
  },
  registerHook(name: string, callback: HookCallback): Disposable {
    const known = hookNames.find((h) => h === name);
    if (!known) throw systemError(new RangeError(`Unrecognized hook "${name}"; known: ${hookNames.join(', ')}.`));
    if (!state.loading) throw systemError(new Error(`Hook "${name}" was registered while no function app is loaded.`));
    const callbacks = state.loading.hooks.get(known) ?? [];
    state.loading.hooks.set(known, callbacks);
    callbacks.push(callback);
    return new Disposable(() => {
      const index = callbacks.indexOf(callback);
      if (index >= 0) callbacks.splice(index, 1);
    });
  },
  log(level: RpcLogLevel, category: RpcLogCategory, message: string): void {
    state.loading?.log(level, category, message);
  },
});

/** The app with all that was registered for it. */
export function toLoadedApp(appDir: string, loading: Loading, model: ProgrammingModel): LoadedApp {
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

export async function runHooks(app: LoadedApp, name: HookName, extra: HookContext): Promise<void> {
  const context = { hookData: app.appLevelHookData, appHookData: app.appHookData, ...extra };
  for (const hook of [...app.hooks(name)]) await hook(context);
}
