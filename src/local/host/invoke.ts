/**
 * Runs one invocation of a registered function through the library's programming model: arguments, hooks, the handler, the response.
 * Decides nothing about triggers: what to send and what to make of the outcome is the trigger's business.
 */
import type { HookContext, HookName, LoadedApp, RegisteredFunction } from './functions-core.ts';
import type {
  CoreInvocationContext,
  FunctionCallback,
  InvocationRequest,
  InvocationResponse,
  ParameterBinding,
  RpcException,
  RpcLogCategory,
  RpcLogLevel,
  RpcRetryContext,
  RpcTypedData,
} from './rpc.ts';

/** One line of the host's log. */
export interface LogLine {
  readonly level: RpcLogLevel;
  readonly category: RpcLogCategory | 'host';
  readonly message: string;
  readonly functionName?: string;
  readonly invocationId?: string;
}

export type LogSink = (line: LogLine) => void;

/** What a trigger hands over. */
export interface Invocation {
  /** The trigger's value. */
  readonly inputData: readonly ParameterBinding[];
  readonly triggerMetadata?: Readonly<Record<string, RpcTypedData>>;
  readonly retryContext?: RpcRetryContext;
  readonly traceContext?: { readonly traceParent?: string; readonly traceState?: string };
  /** Default: a new one. */
  readonly invocationId?: string;
}

/** A failed function is a value: its trigger decides what follows. */
export type InvocationOutcome =
  | {
      readonly ok: true;
      readonly invocationId: string;
      readonly returnValue: RpcTypedData | null | undefined;
      readonly outputData: readonly ParameterBinding[];
    }
  | {
      readonly ok: false;
      readonly invocationId: string;
      readonly error: RpcException;
      /** The handler did not end within `functionTimeout`; it may still be running. */
      readonly timedOut: boolean;
    };

export interface InvokerOptions {
  readonly app: LoadedApp;
  readonly log: LogSink;
  /** host.json `functionTimeout`; more than 24 days (the longest Node timer) = unlimited. */
  readonly timeoutMs: number;
  readonly newId: () => string;
  /** Values of the function's `in` bindings other than the trigger (durable clients). Default: none. */
  readonly extraInputs?: (fn: RegisteredFunction) => readonly ParameterBinding[];
}

export interface Invoker {
  invoke(fn: RegisteredFunction, invocation: Invocation): Promise<InvocationOutcome>;
  /** Invocations that have not been answered yet. */
  inFlight(): number;
}

/** Never rejects: every failure is an outcome, and is logged with function name and invocation id. */
export function createInvoker(options: InvokerOptions): Invoker {
  let inFlight = 0;
  return {
    inFlight: () => inFlight,
    async invoke(fn, invocation) {
      const invocationId = invocation.invocationId ?? options.newId();
      inFlight++;
      try {
        return await withTimeout(options, fn, invocationId, () => run(options, fn, invocation, invocationId));
      } finally {
        inFlight--;
      }
    },
  };
}

async function run(
  options: InvokerOptions,
  fn: RegisteredFunction,
  invocation: Invocation,
  invocationId: string,
): Promise<InvocationOutcome> {
  const request: InvocationRequest = {
    invocationId,
    functionId: fn.name,
    inputData: [...invocation.inputData, ...(options.extraInputs?.(fn) ?? [])],
    triggerMetadata: invocation.triggerMetadata ?? {},
    traceContext: invocation.traceContext,
    retryContext: invocation.retryContext,
  };
  const hookData: Record<string, unknown> = {};
  let invocationContext: unknown;
  const coreContext: CoreInvocationContext = {
    invocationId,
    metadata: fn.metadata,
    request,
    state: undefined,
    log: (level, category, message) => {
      const base = { hookData, appHookData: options.app.appHookData, invocationContext };
      const line = afterLogHooks(options.app, { ...base, level, category, message });
      options.log({ ...line, category, functionName: fn.name, invocationId });
    },
  };
  try {
    const response = await callModel(options.app, fn, coreContext, hookData, (context) => {
      invocationContext = context;
    });
    const { returnValue, outputData = [] } = response;
    return { ok: true, invocationId, returnValue, outputData };
  } catch (thrown) {
    const error = toException(thrown);
    const message = `Executed "${fn.name}" (Failed): ${error.stackTrace ?? error.message}`;
    options.log({ level: 'error', category: 'host', message, functionName: fn.name, invocationId });
    return { ok: false, invocationId, error, timedOut: false };
  }
}

async function callModel(
  app: LoadedApp,
  fn: RegisteredFunction,
  coreContext: CoreInvocationContext,
  hookData: Record<string, unknown>,
  onContext: (context: unknown) => void,
): Promise<InvocationResponse> {
  const model = await app.programmingModel.getInvocationModel(coreContext);
  const { context, inputs } = await model.getArguments();
  onContext(context);
  const shared = { hookData, appHookData: app.appHookData, invocationContext: context };

  coreContext.state = 'preInvocationHooks';
  const before: HookContext = { ...shared, functionCallback: fn.callback, inputs };
  await runHooks(app, 'preInvocation', before);

  coreContext.state = 'invocation';
  const after: HookContext = { ...shared, inputs: before['inputs'], result: null, error: null };
  try {
    after['result'] = await model.invokeFunction(
      context,
      before['inputs'] as unknown[],
      before['functionCallback'] as FunctionCallback,
    );
  } catch (error) {
    // `throw undefined` must not pass as success.
    after['error'] = error ?? new Error('Unknown error');
  }

  coreContext.state = 'postInvocationHooks';
  await runHooks(app, 'postInvocation', after);
  if (after['error'] !== null && after['error'] !== undefined) throw after['error'];
  return await model.getResponse(context, after['result']);
}

async function runHooks(app: LoadedApp, name: HookName, context: HookContext): Promise<void> {
  for (const hook of [...app.hooks(name)]) await hook(context);
}

/** Log hooks run synchronously and may change level and message. */
function afterLogHooks(app: LoadedApp, context: HookContext): { level: RpcLogLevel; message: string } {
  for (const hook of app.hooks('log')) hook(context);
  return { level: context['level'] as RpcLogLevel, message: String(context['message']) };
}

/** The real worker's conversion: what is not an Error becomes one, objects as JSON. */
function toException(thrown: unknown): RpcException {
  if (thrown instanceof Error) {
    return { message: thrown.message, ...(thrown.stack !== undefined && { stackTrace: thrown.stack }) };
  }
  if (thrown === undefined || thrown === null) return { message: 'Unknown error' };
  return { message: typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown) };
}

async function withTimeout(
  options: InvokerOptions,
  fn: RegisteredFunction,
  invocationId: string,
  work: () => Promise<InvocationOutcome>,
): Promise<InvocationOutcome> {
  const { timeoutMs } = options;
  if (timeoutMs >= 2 ** 31) return await work();
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<InvocationOutcome>((resolve) => {
    timer = setTimeout(() => {
      const message = `Timeout value of ${timeoutMs} ms exceeded by function "${fn.name}" (Id: "${invocationId}"). Initiating cancellation.`;
      options.log({ level: 'error', category: 'host', message, functionName: fn.name, invocationId });
      resolve({ ok: false, invocationId, error: { message }, timedOut: true });
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(), expired]);
  } finally {
    clearTimeout(timer);
  }
}
