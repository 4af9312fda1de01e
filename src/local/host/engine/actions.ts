/** What an orchestrator function answers for one turn (`durable-functions` 3.5, out-of-process schema V4), parsed and nothing more. */
import type { RetryOptions } from './retry.ts';

export const ActionType = {
  CallActivity: 0,
  CallActivityWithRetry: 1,
  CallSubOrchestrator: 2,
  CallSubOrchestratorWithRetry: 3,
  ContinueAsNew: 4,
  CreateTimer: 5,
  WaitForExternalEvent: 6,
  CallEntity: 7,
  CallHttp: 8,
  SignalEntity: 9,
  ScheduledSignalEntity: 10,
  WhenAny: 11,
  WhenAll: 12,
  LockEntities: 13,
  ReleaseEntities: 14,
} as const;

export interface DurableHttpRequest {
  readonly method: string;
  readonly uri: string;
  readonly content?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tokenSource?: unknown;
  readonly asynchronousPatternEnabled?: boolean;
}

/** One action; which members are set depends on `actionType`. */
export interface Action {
  readonly actionType: number;
  readonly functionName?: string;
  readonly input?: unknown;
  readonly retryOptions?: RetryOptions;
  readonly instanceId?: string;
  readonly version?: string;
  /** ISO instant. */
  readonly fireAt?: string;
  readonly isCanceled?: boolean;
  readonly externalEventName?: string;
  readonly httpRequest?: DurableHttpRequest;
  readonly compoundActions?: readonly Action[];
  readonly operation?: string;
}

/** One answer: everything since the start of the generation. */
export interface WorkerAnswer {
  readonly actions: readonly Action[];
  readonly isDone: boolean;
  /** JSON text of the output, or null. */
  readonly output: string | null;
  /** The error message, once the orchestrator has thrown. */
  readonly error: string | undefined;
  /** JSON text, or null for none. */
  readonly customStatus: string | null;
  /** The orchestrator threw, but what it threw carries no message. */
  readonly threwNothing: boolean;
}

interface OrchestratorState {
  readonly isDone?: boolean;
  readonly actions?: readonly (readonly Action[])[];
  readonly output?: unknown;
  readonly error?: unknown;
  readonly customStatus?: unknown;
}

const label = '$OutOfProcData$:';

/** What the function returned: normally the state as JSON. */
export function parseAnswer(returned: string): WorkerAnswer {
  let state: unknown;
  try {
    state = JSON.parse(returned);
  } catch {
    state = undefined;
  }
  if (!state || typeof state !== 'object')
    return failedAnswer('Out of proc orchestrators must return a valid JSON schema');
  return toAnswer(state as OrchestratorState, false);
}

/** What the function threw: the state follows a label; without the label it is a failure of the worker or of the registration. */
export function parseThrown(message: string): WorkerAnswer {
  const at = message.indexOf(label);
  if (at < 0) return failedAnswer(message);
  try {
    return toAnswer(JSON.parse(message.slice(at + label.length)) as OrchestratorState, true);
  } catch {
    return failedAnswer(message);
  }
}

/** A turn that brought no actions: the replay then finds the history's events without a cause. */
export function failedAnswer(error: string): WorkerAnswer {
  return { actions: [], isDone: false, output: null, error, customStatus: null, threwNothing: false };
}

function toAnswer(state: OrchestratorState, threw: boolean): WorkerAnswer {
  const error = typeof state.error === 'string' && state.error !== '' ? state.error : undefined;
  return {
    actions: state.actions?.[0] ?? [],
    isDone: state.isDone === true,
    output: toJson(state.output),
    error,
    customStatus: toJson(state.customStatus),
    threwNothing: threw && error === undefined,
  };
}

function toJson(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}
