/**
 * The shapes that cross the door between the Functions host and `@azure/functions` (in Azure: the worker's gRPC messages).
 * Types only; nothing here decides anything. Source: `@azure/functions` 4.16 and `@azure/functions-core`.
 */

/** A one-of: exactly one member is set, or none for "no data". */
export interface RpcTypedData {
  readonly string?: string | null;
  readonly json?: string | null;
  readonly bytes?: Uint8Array | null;
  readonly stream?: Uint8Array | null;
  readonly int?: number | null;
  readonly double?: number | null;
  readonly http?: RpcHttpData | null;
  readonly collectionString?: { readonly string?: readonly string[] } | null;
}

export type RpcNullableMap = Readonly<Record<string, { readonly value: string }>>;

/** An HTTP request on its way in, or a response on its way out. */
export interface RpcHttpData {
  readonly method?: string;
  readonly url?: string;
  readonly nullableHeaders?: RpcNullableMap;
  readonly nullableQuery?: RpcNullableMap;
  readonly nullableParams?: RpcNullableMap;
  readonly body?: RpcTypedData | null;
  readonly statusCode?: string | null;
  readonly headers?: Readonly<Record<string, string>> | null;
  readonly cookies?: readonly RpcHttpCookie[] | null;
}

export interface RpcHttpCookie {
  readonly name: string;
  readonly value: string;
  readonly domain?: { readonly value: string };
  readonly path?: { readonly value: string };
  readonly expires?: { readonly value: { readonly seconds?: number; readonly nanos?: number } };
  readonly secure?: { readonly value: boolean };
  readonly httpOnly?: { readonly value: boolean };
  /** The library's own spelling; `None` is left out. */
  readonly sameSite?: string | number;
  readonly maxAge?: { readonly value: number };
}

/** One binding of a function as registered; trigger and binding options stand beside the fixed members. */
export interface RpcBinding {
  readonly name: string;
  readonly type: string;
  readonly direction: string;
  readonly [option: string]: unknown;
}

interface RpcRetryOptions {
  readonly strategy?: string;
  readonly retryStrategy?: string;
  readonly maxRetryCount?: number;
  /** `seconds` as the library writes it. */
  readonly delayInterval?: { readonly seconds?: number };
  readonly minimumInterval?: { readonly seconds?: number };
  readonly maximumInterval?: { readonly seconds?: number };
}

/** What `app.*` hands to the host for one function. */
export interface FunctionMetadata {
  readonly name: string;
  readonly bindings: Readonly<Record<string, RpcBinding>>;
  readonly retryOptions?: RpcRetryOptions | undefined;
}

export type FunctionCallback = (...args: unknown[]) => unknown;

export interface ParameterBinding {
  /** The binding's name in the metadata. */
  readonly name: string;
  readonly data: RpcTypedData | null | undefined;
}

export interface RpcException {
  readonly message: string;
  readonly stackTrace?: string;
}

export interface RpcRetryContext {
  readonly retryCount: number;
  readonly maxRetryCount: number;
  readonly exception?: RpcException;
}

export interface InvocationRequest {
  readonly invocationId: string;
  readonly functionId: string;
  readonly inputData: readonly ParameterBinding[];
  readonly triggerMetadata: Readonly<Record<string, RpcTypedData>>;
  readonly traceContext?: { readonly traceParent?: string; readonly traceState?: string } | undefined;
  readonly retryContext?: RpcRetryContext | undefined;
}

export interface InvocationResponse {
  readonly invocationId: string;
  readonly outputData?: readonly ParameterBinding[];
  readonly returnValue?: RpcTypedData | null | undefined;
}

export type RpcLogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';
export type RpcLogCategory = 'user' | 'system' | 'customMetric';

/** What the programming model is told about one invocation. */
export interface CoreInvocationContext {
  readonly invocationId: string;
  readonly metadata: FunctionMetadata;
  readonly request: InvocationRequest;
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  log(level: RpcLogLevel, category: RpcLogCategory, message: string): void;
}

/** The library's object for one invocation; `context` is its `InvocationContext`, opaque to the host. */
interface InvocationModel {
  getArguments(): Promise<{ readonly context: unknown; readonly inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: readonly unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>;
}

export interface ProgrammingModel {
  readonly name: string;
  readonly version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel | Promise<InvocationModel>;
  getCapabilities(
    capabilities: Record<string, string>,
  ): Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
}
