/**
 * The texts that the Durable extension and DurableTask show to apps, and the diagnostics of this engine.
 * Sources: recorded behaviour of extension 3.14.1; Azure/durabletask `TaskOrchestrationContext.cs` (June 2026), both MIT.
 */
import type { FailureFields } from './history.ts';

export const orchestratorFailed = (name: string, error: string) => `Orchestrator function '${name}' failed: ${error}`;

/** `Details` of a failed sub-orchestration. The stack is of the host, not of the app. */
export const orchestratorFailureDetails = (error: string) =>
  `Message: ${error}, StackTrace:    at Flotilla.Durable.TaskOrchestrationShim.InvokeUserCodeAndHandleResults()`;

export function unknownFunction(kind: 'orchestrator' | 'activity' | 'entity', name: string, known: readonly string[]) {
  const article = kind === 'orchestrator' ? 'an orchestrator' : kind === 'activity' ? 'an activity' : 'an entity';
  const list = known.map((n) => `'${n}'`).join(', ');
  const info =
    known.length > 0
      ? `The following are the known ${kind} functions: ${list}.`
      : `No ${kind} functions are registered.`;
  return `The function '${name}' doesn't exist, is disabled, or is not ${article} function. Additional info: ${info}`;
}

export const customStatusTooBig = (sizeBytes: number) =>
  `The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. The current payload size is ${Math.floor(sizeBytes / 1024)} KB.`;

/** Ends every diagnostic of a case that the cloud leaves Running. */
const cloudHangs = 'In Azure this instance would stay Running for ever; the embedded engine fails it instead.';

export const hangs = {
  notAnError: () =>
    `the orchestrator threw something that is not an Error with a message, so the extension never sees a failure. Throw an Error. ${cloudHangs}`,
  unknown: (message: string) => `${message} Check the name that the orchestrator calls. ${cloudHangs}`,
  retryTimeout: (name: string) =>
    `retryTimeoutInMilliseconds elapsed for '${name}': the extension stops retrying without the timer that the SDK waits for. Bound retries by maxNumberOfAttempts. ${cloudHangs}`,
  childId: (instanceId: string) =>
    `sub-orchestration id '${instanceId}' is refused by the extension: it must not start with '@' and must differ from the ids of this instance and its parent. ${cloudHangs}`,
  entities: (what: string) =>
    `entities are not offered by the embedded engine (${what}). Keep the state in a table or an orchestration instead.`,
} as const;

const changed = 'Was a change made to the orchestrator code after this instance had already started running?';
const before = 'A previous execution of this orchestration scheduled';

/** DurableTask's non-determinism texts; `actual` is the .NET name of what the replay produced instead. */
export const nonDeterminism = {
  prefix: (message: string) => `Non-Deterministic workflow detected: ${message}`,
  taskMissing: (id: number, name: string) =>
    `${before} an activity task with sequence ID ${id} and name '${name}' (version ''), but the current replay execution hasn't (yet?) scheduled this task. ${changed}`,
  taskKind: (id: number, name: string, actual: string) =>
    `${before} an activity task with sequence number ${id} named '${name}', but the current orchestration replay instead produced a ${actual} action with this sequence number. ${changed}`,
  taskName: (id: number, name: string, actual: string) =>
    `${before} an activity task with sequence number ${id} named '${name}', but the current orchestration replay instead scheduled an activity task named '${actual}' with this sequence number.  ${changed}`,
  timerMissing: (id: number) =>
    `${before} a timer task with sequence number ${id} but the current replay execution hasn't (yet?) scheduled this task. ${changed}`,
  timerKind: (id: number, actual: string) =>
    `${before} a timer task with sequence number ${id} named but the current orchestration replay instead produced a ${actual} action with this sequence number. ${changed}`,
  childMissing: (id: number, name: string, version: string, instanceId: string) =>
    `${child(id, name, version, instanceId)} hasn't (yet?) scheduled this task. ${changed}`.replace(
      'current orchestration replay',
      'current replay execution',
    ),
  childKind: (id: number, name: string, version: string, instanceId: string, actual: string) =>
    `${child(id, name, version, instanceId)} instead produced a ${actual} action at this sequence number. ${changed}`,
  childName: (id: number, name: string, version: string, instanceId: string, actual: string) =>
    `${child(id, name, version, instanceId)} instead scheduled a sub-orchestration task with name ${actual} at this sequence number. ${changed}`,
} as const;

function child(id: number, name: string, version: string, instanceId: string): string {
  return `${before} a sub-orchestration task with sequence ID ${id} and name '${name}' (version '${version}', instance ID '${instanceId}'), but the current orchestration replay`;
}

/** `TaskFailed` of an activity that threw `message`; the .NET exception JSON is what `error.message` ends with in an orchestrator. */
export function activityFailed(name: string, message: string, stack: string | undefined): FailureFields {
  const structured = structuredFailure(message);
  if (structured) {
    return {
      reason: `Activity function '${name}' failed with an unhandled exception.`,
      details: null,
      failureDetails: structured,
    };
  }
  const remoteStack = stack ?? message;
  const inner = {
    $type: 'Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException, Microsoft.Azure.WebJobs.Script',
    IsUserException: false,
    RemoteStackTrace: remoteStack,
    RemoteMessage: message,
    RemoteTypeName: null,
    Message: `Result: Failure\nException: ${message}\nStack: ${remoteStack}`,
    Data: { $type: 'System.Collections.ListDictionaryInternal, System.Private.CoreLib' },
    InnerException: null,
    HelpLink: null,
    Source: 'Host',
    HResult: -2146233088,
    StackTrace: null,
  };
  const details = {
    $type: 'System.Exception, System.Private.CoreLib',
    ClassName: 'System.Exception',
    Message: ` ${message}`,
    Data: null,
    InnerException: inner,
    HelpURL: null,
    StackTraceString: null,
    RemoteStackTraceString: null,
    RemoteStackIndex: 0,
    ExceptionMethod: null,
    HResult: -2146233088,
    Source: null,
    WatsonBuckets: null,
  };
  // Two blanks: the extension strips "Result: Failure\nException:" and keeps the blank behind it.
  return { reason: `Activity function '${name}' failed:  ${message}`, details: JSON.stringify(details) };
}

/** With `setExceptionPropertiesProvider` the SDK throws a JSON message that the extension turns into FailureDetails. */
function structuredFailure(message: string) {
  if (!message.startsWith('{"errorType":')) return undefined;
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(message) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { errorType, errorMessage, stackTrace, isNonRetriable, properties } = parsed;
  if (typeof errorType !== 'string' || typeof errorMessage !== 'string') return undefined;
  return {
    ErrorType: errorType,
    ErrorMessage: errorMessage,
    StackTrace: typeof stackTrace === 'string' ? stackTrace : null,
    InnerFailure: null,
    IsNonRetriable: isNonRetriable === true,
    Properties: properties ?? null,
  };
}

/** `TaskFailed` of callHttp when no answer came. */
export function httpFailed(message: string): FailureFields {
  const details = {
    $type: 'System.Net.Http.HttpRequestException, System.Net.Http',
    HttpRequestError: 2,
    StatusCode: null,
    Message: message,
    Data: { $type: 'System.Collections.ListDictionaryInternal, System.Private.CoreLib' },
    InnerException: null,
    HelpLink: null,
    Source: 'System.Net.Http',
    HResult: -2147467259,
    StackTrace: null,
  };
  return { reason: message, details: JSON.stringify(details) };
}
