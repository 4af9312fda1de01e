/**
 * What one turn changes: from the replay's result to the rows written, the history appended, and the effects that follow the commit.
 * Pure but for the ids it is given; commits and dispatches nothing.
 */
import type { WorkerAnswer } from './actions.ts';
import type { Decision } from './decisions.ts';
import {
  completion,
  EventType,
  type ExecutionStarted,
  executionCompleted,
  executionStarted,
  failure,
  type HistoryEvent,
  subOrchestrationCreated,
  taskScheduled,
  timeOf,
  timerCreated,
  timerFired,
  turnMark,
} from './history.ts';
import type { Inbound, Instance } from './instance.ts';
import type { Ending, ReplayResult } from './replayer.ts';
import type { ActivityRecord, InstanceRecord, MessageRecord, Write } from './store.ts';

/** What the turn takes in. */
export interface Batch {
  readonly consumed: readonly Inbound[];
  /** New events, this turn's OrchestratorStarted first (a seed brings its own). */
  readonly events: readonly HistoryEvent[];
  /** Their texts, joined; IsPlayed as the worker shall see it. */
  readonly text: string;
  readonly isSeed: boolean;
}

export interface TurnTools {
  readonly nowMs: number;
  readonly nextId: () => number;
  /** 32 hex digits. */
  readonly newExecutionId: () => string;
  readonly defaultVersion: string | undefined;
  readonly timerDueAtMs: (fireAtMs: number, nowMs: number) => number;
  /** The key of an existing instance id, or a new one. */
  readonly keyOf: (instanceId: string) => number;
  /** Lease of a new activity item if it can start at once, else null. */
  readonly leaseUntilMs: () => number | null;
}

export interface TurnOutcome {
  readonly writes: readonly Write[];
  readonly record: InstanceRecord;
  readonly text: string;
  readonly events: readonly HistoryEvent[];
  /** The history is cleared: continueAsNew. */
  readonly restarts: boolean;
  readonly ended: boolean;
  readonly activities: readonly ActivityRecord[];
  readonly messages: readonly MessageRecord[];
  readonly children: readonly InstanceRecord[];
}

/** Whether a turn would take anything: before its start (or seed) has arrived, an instance keeps its events waiting. */
export function hasWork(instance: Instance): boolean {
  const { inbox, record } = instance;
  if (instance.events.length > 0) return inbox.length > 0;
  return inbox.some((item) => !concerns(item, record) || begins(item));
}

/** Takes what has arrived, drops what belongs to other executions, and lets a seed go alone. */
export function takeBatch(instance: Instance, nowMs: number): Batch {
  const { record } = instance;
  const isStarted = instance.events.length > 0;
  const stale = instance.inbox.filter((item) => !concerns(item, record));
  const current = instance.inbox.filter((item) => concerns(item, record));
  const seed = current.find((item) => item.isSeed);
  const mayGo = seed ? [seed] : isStarted || current.some(begins) ? inWorkOrder(current) : [];
  instance.inbox = current.filter((item) => !mayGo.includes(item));
  const consumed = [...stale, ...mayGo];
  const accepted = startOnce(
    mayGo.flatMap((item) => item.events),
    isStarted,
  );
  if (accepted.length === 0) return { consumed, events: [], text: '', isSeed: false };
  const events = seed ? accepted : [turnMark('started', nowMs), ...accepted];
  const text = events.map((event) => JSON.stringify(event)).join(',');
  return { consumed, events, text, isSeed: seed !== undefined };
}

const isStart = (event: HistoryEvent): boolean => event.EventType === EventType.ExecutionStarted;

function begins(item: Inbound): boolean {
  return item.isSeed || item.events.some(isStart);
}

/** A second start of one execution is swallowed; the first stands before everything that overtook it. */
function startOnce(events: readonly HistoryEvent[], isStarted: boolean): HistoryEvent[] {
  const first = events.find(isStart);
  if (!first || events[0]?.EventType === EventType.OrchestratorStarted) return [...events];
  const others = events.filter((event) => !isStart(event));
  return isStarted ? others : [first, ...others];
}

/**
 * Activities that answer together are taken in the order in which they were scheduled, whatever the event loop made of it:
 * the same run gives the same history. Everything else keeps its place.
 */
function inWorkOrder(items: readonly Inbound[]): Inbound[] {
  const answers = items.filter((item) => item.activityId !== undefined);
  answers.sort((a, b) => (a.activityId ?? 0) - (b.activityId ?? 0));
  let next = 0;
  return items.map((item) => (item.activityId === undefined ? item : (answers[next++] ?? item)));
}

function concerns(item: Inbound, record: InstanceRecord): boolean {
  return item.executionId === undefined || item.executionId === record.executionId;
}

export function compileTurn(
  instance: Instance,
  batch: Batch,
  answer: WorkerAnswer,
  result: ReplayResult,
  tools: TurnTools,
): TurnOutcome {
  const before = instance.record;
  const effects = decide(before, result.decisions, tools);
  const { ending } = result;
  const played = batch.events.map(markPlayed);
  const appended = [...played, ...effects.events];
  // A seed carries the old status through its own turn (DurableTask's carryOverStatus).
  const customStatus = answer.customStatus ?? (batch.isSeed ? before.customStatus : null);
  const consumed = batch.consumed.flatMap(deletions);

  if (ending?.status === 'ContinuedAsNew') {
    const seed = nextGeneration(before, ending, result, tools);
    const record: InstanceRecord = {
      ...before,
      executionId: seed.started.OrchestrationInstance.ExecutionId,
      status: 'Running',
      input: ending.result,
      output: null,
      customStatus,
      createdAtMs: timeOf(seed.started),
      updatedAtMs: tools.nowMs,
      generation: null,
    };
    const messages = [...effects.messages, seed.message];
    const clear: Write[] = [
      { op: 'clearHistory', key: before.key },
      { op: 'putInstance', record },
    ];
    const writes = [...consumed, ...clear, ...effects.writes, putMessage(seed.message)];
    return { ...effects, writes, record, messages, text: '', events: [], restarts: true, ended: false };
  }

  if (ending) appended.push(executionCompleted(ending.id, ending.status, ending.result, tools.nowMs));
  appended.push(turnMark('completed', tools.nowMs));
  const text = appended.map((event) => JSON.stringify(event)).join(',');
  const record: InstanceRecord = {
    ...before,
    ...statusAfter(before, batch, result),
    customStatus,
    updatedAtMs: tools.nowMs,
  };
  const answerToParent = ending && notifyParent(before, ending, tools);
  const messages = answerToParent ? [...effects.messages, answerToParent] : effects.messages;
  const writes: Write[] = [
    ...consumed,
    { op: 'updateInstance', record },
    { op: 'appendHistory', key: before.key, position: instance.chunks, events: text },
    ...effects.writes,
    ...(answerToParent ? [putMessage(answerToParent)] : []),
  ];
  return { ...effects, writes, record, messages, text, events: appended, restarts: false, ended: ending !== undefined };
}

/** Rows of consumed items. */
export function deletions(item: Inbound): Write[] {
  const writes: Write[] = [];
  if (item.messageId !== undefined) writes.push({ op: 'deleteMessage', id: item.messageId });
  if (item.activityId !== undefined) writes.push({ op: 'deleteActivity', id: item.activityId });
  return writes;
}

/** The extension marks what a turn has processed as played; its own OrchestratorStarted stays unplayed. */
function markPlayed(event: HistoryEvent): HistoryEvent {
  return event.EventType === EventType.OrchestratorStarted || event.IsPlayed ? event : { ...event, IsPlayed: true };
}

function statusAfter(
  before: InstanceRecord,
  batch: Batch,
  result: ReplayResult,
): Pick<InstanceRecord, 'status' | 'output'> {
  if (result.ending) return { status: result.ending.status as InstanceRecord['status'], output: result.ending.result };
  if (!result.suspended) return { status: 'Running', output: null };
  const suspension = batch.events.findLast((event) => event.EventType === EventType.ExecutionSuspended);
  const reason = suspension?.EventType === EventType.ExecutionSuspended ? suspension.Reason : before.output;
  return { status: 'Suspended', output: reason };
}

interface Effects {
  readonly events: readonly HistoryEvent[];
  readonly writes: readonly Write[];
  readonly activities: readonly ActivityRecord[];
  readonly messages: readonly MessageRecord[];
  readonly children: readonly InstanceRecord[];
}

function decide(record: InstanceRecord, decisions: readonly Decision[], tools: TurnTools): Effects {
  const events: HistoryEvent[] = [];
  const writes: Write[] = [];
  const activities: ActivityRecord[] = [];
  const messages: MessageRecord[] = [];
  const children: InstanceRecord[] = [];
  const { nowMs } = tools;
  const { instanceId, executionId } = record;
  for (const decision of decisions) {
    if (decision.kind === 'activity') {
      events.push(taskScheduled(decision.id, decision.name, nowMs));
      const input = decision.input === undefined || decision.input === null ? null : JSON.stringify(decision.input);
      const item: ActivityRecord = {
        id: tools.nextId(),
        instanceId,
        executionId,
        taskId: decision.id,
        name: decision.name,
        input,
        leaseUntilMs: tools.leaseUntilMs(),
      };
      activities.push(item);
      writes.push({ op: 'putActivity', record: item });
    } else if (decision.kind === 'timer') {
      events.push(timerCreated(decision.id, decision.fireAtMs, nowMs));
      const event = JSON.stringify(timerFired(decision.id, decision.fireAtMs, nowMs));
      const visibleAtMs = tools.timerDueAtMs(decision.fireAtMs, nowMs);
      const message = { id: tools.nextId(), instanceId, executionId, visibleAtMs, event };
      messages.push(message);
      writes.push(putMessage(message));
    } else {
      const child = startChild(record, decision, tools);
      events.push(subOrchestrationCreated(decision.id, { ...decision, version: child.record.version }, nowMs));
      children.push(child.record);
      messages.push(child.message);
      writes.push(...child.writes);
    }
  }
  return { events, writes, activities, messages, children };
}

const putMessage = (record: MessageRecord): Write => ({ op: 'putMessage', record });

function startChild(
  parent: InstanceRecord,
  decision: Extract<Decision, { kind: 'sub-orchestration' }>,
  tools: TurnTools,
): NewExecution {
  const { name, instanceId } = decision;
  return newExecution(
    {
      name,
      instanceId,
      version: decision.version ?? tools.defaultVersion ?? null,
      input: decision.input === undefined || decision.input === null ? null : JSON.stringify(decision.input),
      parent: {
        Name: parent.name,
        OrchestrationInstance: { InstanceId: parent.instanceId, ExecutionId: parent.executionId },
        TaskScheduleId: decision.id,
        Version: parent.version,
      },
      generation: null,
      executionId: tools.newExecutionId(),
    },
    tools,
  );
}

export interface NewExecution {
  readonly record: InstanceRecord;
  readonly message: MessageRecord;
  /** Puts the instance as Pending with an empty history and its start message; replaces whatever had this id. */
  readonly writes: readonly Write[];
}

type StartOf = Pick<
  InstanceRecord,
  'name' | 'instanceId' | 'version' | 'input' | 'parent' | 'generation' | 'executionId'
>;

export function newExecution(start: StartOf, tools: Pick<TurnTools, 'nowMs' | 'nextId' | 'keyOf'>): NewExecution {
  const { nowMs } = tools;
  const { instanceId, executionId } = start;
  const key = tools.keyOf(instanceId);
  const record: InstanceRecord = {
    ...start,
    key,
    status: 'Pending',
    output: null,
    customStatus: null,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  const instance = { InstanceId: instanceId, ExecutionId: executionId };
  const event = JSON.stringify(executionStarted({ ...start, instance }, nowMs));
  const message = { id: tools.nextId(), instanceId, executionId, visibleAtMs: nowMs, event };
  return { record, message, writes: [{ op: 'clearHistory', key }, { op: 'putInstance', record }, putMessage(message)] };
}

function nextGeneration(
  before: InstanceRecord,
  ending: Ending,
  result: ReplayResult,
  tools: TurnTools,
): { readonly started: ExecutionStarted; readonly message: MessageRecord } {
  const { nowMs } = tools;
  const executionId = tools.newExecutionId();
  const started = executionStarted(
    {
      instance: { InstanceId: before.instanceId, ExecutionId: executionId },
      parent: before.parent,
      name: before.name,
      version: before.version,
      input: ending.result,
      generation: null,
    },
    nowMs,
  );
  const carried = result.carriedOver.map(markPlayed);
  const seed = [turnMark('started', nowMs), started, ...carried, turnMark('completed', nowMs)];
  const { instanceId } = before;
  const message = { id: tools.nextId(), instanceId, executionId, visibleAtMs: nowMs, event: JSON.stringify(seed) };
  return { started, message };
}

/** The answer of an ended sub-orchestration to its parent's execution. */
export function notifyParent(
  record: InstanceRecord,
  ending: Ending,
  tools: Pick<TurnTools, 'nowMs' | 'nextId'>,
): MessageRecord | undefined {
  if (!record.parent) return undefined;
  const { OrchestrationInstance: parent, TaskScheduleId: taskId } = record.parent;
  const event =
    ending.status === 'Completed'
      ? completion('sub-orchestration', taskId, ending.result, tools.nowMs)
      : failure('sub-orchestration', taskId, { reason: ending.result ?? '', details: ending.details }, tools.nowMs);
  return {
    id: tools.nextId(),
    instanceId: parent.InstanceId,
    executionId: parent.ExecutionId,
    visibleAtMs: tools.nowMs,
    event: JSON.stringify(event),
  };
}
