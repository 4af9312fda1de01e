/**
 * History events of an orchestration in the JSON of the Durable extension (numbers, field names, field order), and their texts.
 * Builds and serialises only; what happens next is decided in `replayer.ts` and `turn.ts`.
 */

export const EventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventRaised: 15,
  GenericEvent: 17,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
} as const;

interface Common {
  /** Sequence id of the decision, -1 for what only happened. */
  readonly EventId: number;
  readonly IsPlayed: boolean;
  /** UTC, as .NET writes it: trailing zeros of the fraction are dropped. */
  readonly Timestamp: string;
}

export interface OrchestrationInstance {
  readonly InstanceId: string;
  readonly ExecutionId: string;
}

export interface ParentInstance {
  readonly Name: string;
  readonly OrchestrationInstance: OrchestrationInstance;
  readonly TaskScheduleId: number;
  readonly Version: string | null;
}

export interface FailureDetails {
  readonly ErrorType: string;
  readonly ErrorMessage: string;
  readonly StackTrace: string | null;
  readonly InnerFailure: null;
  readonly IsNonRetriable: boolean;
  readonly Properties: unknown;
}

export interface ExecutionStarted extends Common {
  readonly EventType: typeof EventType.ExecutionStarted;
  readonly OrchestrationInstance: OrchestrationInstance;
  readonly ParentInstance: ParentInstance | null;
  readonly Name: string;
  readonly Version: string | null;
  /** JSON text, or null for none. */
  readonly Input: string | null;
  readonly Tags: null;
  readonly Correlation: null;
  readonly ParentTraceContext: null;
  readonly ScheduledStartTime: null;
  readonly Generation: number | null;
  readonly GenerateNewTrace: boolean;
}

/** The numbers of DurableTask's `OrchestrationStatus`. */
export const statusNumbers = {
  Running: 0,
  Completed: 1,
  ContinuedAsNew: 2,
  Failed: 3,
  Canceled: 4,
  Terminated: 5,
  Pending: 6,
  Suspended: 7,
} as const;

export type RuntimeStatus = keyof typeof statusNumbers;

export interface ExecutionCompleted extends Common {
  readonly EventType: typeof EventType.ExecutionCompleted;
  readonly OrchestrationStatus: number;
  readonly Result: string | null;
  readonly FailureDetails: null;
}

export interface TaskScheduled extends Common {
  readonly EventType: typeof EventType.TaskScheduled;
  readonly Name: string;
  readonly Version: string;
  readonly Input: null;
  readonly ParentTraceContext: null;
  readonly Tags: null;
}

export interface Completion extends Common {
  readonly EventType: typeof EventType.TaskCompleted | typeof EventType.SubOrchestrationInstanceCompleted;
  readonly TaskScheduledId: number;
  /** JSON text or null; the SDK cannot replay a missing one. */
  readonly Result: string | null;
}

export interface Failure extends Common {
  readonly EventType: typeof EventType.TaskFailed | typeof EventType.SubOrchestrationInstanceFailed;
  readonly TaskScheduledId: number;
  readonly Reason: string;
  readonly Details: string | null;
  readonly FailureDetails: FailureDetails | null;
}

export interface SubOrchestrationCreated extends Common {
  readonly EventType: typeof EventType.SubOrchestrationInstanceCreated;
  readonly Name: string;
  readonly Version: string | null;
  readonly InstanceId: string;
  readonly Input: null;
  readonly ClientSpanId: null;
  readonly Tags: null;
}

export interface TimerCreated extends Common {
  readonly EventType: typeof EventType.TimerCreated;
  readonly FireAt: string;
}

export interface TimerFired extends Common {
  readonly EventType: typeof EventType.TimerFired;
  readonly TimerId: number;
  readonly FireAt: string;
}

export interface EventRaised extends Common {
  readonly EventType: typeof EventType.EventRaised;
  readonly Name: string;
  readonly Input: string | null;
  readonly ParentTraceContext: null;
}

export interface Terminated extends Common {
  readonly EventType: typeof EventType.ExecutionTerminated;
  readonly Input: string | null;
}

export interface SuspendedOrResumed extends Common {
  readonly EventType: typeof EventType.ExecutionSuspended | typeof EventType.ExecutionResumed;
  readonly Reason: string | null;
}

export interface Generic extends Common {
  readonly EventType: typeof EventType.GenericEvent;
  readonly Data: string | null;
}

export interface TurnMark extends Common {
  readonly EventType: typeof EventType.OrchestratorStarted | typeof EventType.OrchestratorCompleted;
}

export type HistoryEvent =
  | ExecutionStarted
  | ExecutionCompleted
  | TaskScheduled
  | Completion
  | Failure
  | SubOrchestrationCreated
  | TimerCreated
  | TimerFired
  | EventRaised
  | Terminated
  | SuspendedOrResumed
  | Generic
  | TurnMark;

/** `2026-01-01T00:00:00.5Z`: .NET drops trailing zeros of the fraction. `atMs` in epoch ms. */
export function netTime(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.?0+Z$/, 'Z');
}

const common = (eventId: number, atMs: number): Common => ({
  EventId: eventId,
  IsPlayed: false,
  Timestamp: netTime(atMs),
});

export function turnMark(kind: 'started' | 'completed', atMs: number): TurnMark {
  const type = kind === 'started' ? EventType.OrchestratorStarted : EventType.OrchestratorCompleted;
  return { EventType: type, ...common(-1, atMs) };
}

export interface StartFields {
  readonly instance: OrchestrationInstance;
  readonly parent: ParentInstance | null;
  readonly name: string;
  readonly version: string | null;
  readonly input: string | null;
  readonly generation: number | null;
}

export function executionStarted(fields: StartFields, atMs: number): ExecutionStarted {
  return {
    OrchestrationInstance: fields.instance,
    EventType: EventType.ExecutionStarted,
    ParentInstance: fields.parent,
    Name: fields.name,
    Version: fields.version,
    Input: fields.input,
    Tags: null,
    Correlation: null,
    ParentTraceContext: null,
    ScheduledStartTime: null,
    Generation: fields.generation,
    GenerateNewTrace: false,
    ...common(-1, atMs),
  };
}

export function executionCompleted(
  id: number,
  status: RuntimeStatus,
  result: string | null,
  atMs: number,
): ExecutionCompleted {
  return {
    EventType: EventType.ExecutionCompleted,
    OrchestrationStatus: statusNumbers[status],
    Result: result,
    FailureDetails: null,
    ...common(id, atMs),
  };
}

export function taskScheduled(id: number, name: string, atMs: number): TaskScheduled {
  return {
    EventType: EventType.TaskScheduled,
    Name: name,
    Version: '',
    Input: null,
    ParentTraceContext: null,
    Tags: null,
    ...common(id, atMs),
  };
}

export function subOrchestrationCreated(
  id: number,
  child: { readonly name: string; readonly version: string | null; readonly instanceId: string },
  atMs: number,
): SubOrchestrationCreated {
  return {
    EventType: EventType.SubOrchestrationInstanceCreated,
    Name: child.name,
    Version: child.version,
    InstanceId: child.instanceId,
    Input: null,
    ClientSpanId: null,
    Tags: null,
    ...common(id, atMs),
  };
}

export function timerCreated(id: number, fireAtMs: number, atMs: number): TimerCreated {
  return { EventType: EventType.TimerCreated, FireAt: netTime(fireAtMs), ...common(id, atMs) };
}

/** `atMs` is the instant of the timer's creation, as in the extension, not of its firing. */
export function timerFired(id: number, fireAtMs: number, atMs: number): TimerFired {
  return { EventType: EventType.TimerFired, TimerId: id, FireAt: netTime(fireAtMs), ...common(-1, atMs) };
}

export type TaskKind = 'activity' | 'sub-orchestration';

export function completion(kind: TaskKind, taskId: number, result: string | null, atMs: number): Completion {
  const type = kind === 'activity' ? EventType.TaskCompleted : EventType.SubOrchestrationInstanceCompleted;
  return { EventType: type, TaskScheduledId: taskId, Result: result, ...common(-1, atMs) };
}

export interface FailureFields {
  readonly reason: string;
  readonly details: string | null;
  readonly failureDetails?: FailureDetails | null;
}

export function failure(kind: TaskKind, taskId: number, fields: FailureFields, atMs: number): Failure {
  return {
    EventType: kind === 'activity' ? EventType.TaskFailed : EventType.SubOrchestrationInstanceFailed,
    TaskScheduledId: taskId,
    Reason: fields.reason,
    Details: fields.details,
    FailureDetails: fields.failureDetails ?? null,
    ...common(-1, atMs),
  };
}

/** `input` is JSON text. */
export function eventRaised(name: string, input: string | null, atMs: number): EventRaised {
  return { EventType: EventType.EventRaised, Name: name, Input: input, ParentTraceContext: null, ...common(-1, atMs) };
}

export function terminated(reason: string | null, atMs: number): Terminated {
  return { EventType: EventType.ExecutionTerminated, Input: reason, ...common(-1, atMs) };
}

export function suspendedOrResumed(kind: 'suspended' | 'resumed', reason: string | null, atMs: number) {
  const type = kind === 'suspended' ? EventType.ExecutionSuspended : EventType.ExecutionResumed;
  return { EventType: type, Reason: reason, ...common(-1, atMs) } satisfies SuspendedOrResumed;
}

/** What a rewound event becomes: its place in the history stays, its meaning is gone. */
export function generic(data: string | null, mark: Common): Generic {
  const { EventId, IsPlayed, Timestamp } = mark;
  return { Data: data, EventType: EventType.GenericEvent, EventId, IsPlayed, Timestamp };
}

/** Epoch ms of a history timestamp; fractions below 1 ms are cut. */
export function timeOf(event: { readonly Timestamp: string }): number {
  return Date.parse(event.Timestamp);
}
