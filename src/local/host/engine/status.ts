/** Status bodies of the management API: instance records and the merged history with text event types. Pure. */
import { EventType, type HistoryEvent, statusNumbers } from './history.ts';
import type { InstanceRecord } from './store.ts';

/** JSON if it parses, otherwise the text itself (reasons and failures are bare texts). */
export function jsonOrText(text: string | null): unknown {
  if (text === null) return null;
  const trimmed = text.trim();
  if (trimmed === '') return '';
  try {
    return JSON.parse(trimmed);
  } catch {
    return text;
  }
}

/** `2026-01-01T00:00:00Z`: whole seconds. */
function seconds(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

export interface StatusBody {
  readonly name: string;
  readonly instanceId: string;
  readonly runtimeStatus: string;
  readonly input: unknown;
  readonly customStatus: unknown;
  readonly output: unknown;
  readonly createdTime: string;
  readonly lastUpdatedTime: string;
  readonly historyEvents?: readonly Record<string, unknown>[];
}

export function statusBody(
  record: InstanceRecord,
  showInput: boolean,
  historyEvents?: readonly Record<string, unknown>[],
): StatusBody {
  return {
    name: record.name,
    instanceId: record.instanceId,
    runtimeStatus: record.status,
    input: showInput ? jsonOrText(record.input) : null,
    customStatus: jsonOrText(record.customStatus),
    output: jsonOrText(record.output),
    createdTime: seconds(record.createdAtMs),
    lastUpdatedTime: seconds(record.updatedAtMs),
    ...(historyEvents && { historyEvents }),
  };
}

const names = new Map<number, string>(Object.entries(EventType).map(([name, number]) => [number, name]));
const statusNames = new Map<number, string>(Object.entries(statusNumbers).map(([name, number]) => [number, name]));

export type MergedHistory =
  | { readonly ok: true; readonly events: readonly Record<string, unknown>[] }
  /** One id was scheduled twice, as after a non-determinism failure: the extension cannot show such a history (400). */
  | { readonly ok: false; readonly duplicate: string };

/** Each schedule event is folded into its completion; turn marks, ids and flags are left out. */
export function mergedHistory(
  history: readonly HistoryEvent[],
  showOutput: boolean,
  showInput: boolean,
): MergedHistory {
  const scheduled = new Map<string, HistoryEvent>();
  for (const event of history) {
    if (!isSchedule(event)) continue;
    const key = `${names.get(event.EventType)}_${event.EventId}`;
    if (scheduled.has(key)) return { ok: false, duplicate: key };
    scheduled.set(key, event);
  }
  const causes = new Map<HistoryEvent, HistoryEvent>();
  for (const event of history) {
    const cause = 'TaskScheduledId' in event ? scheduled.get(causeKey(event)) : undefined;
    if (cause) causes.set(event, cause);
  }
  const folded = new Set(causes.values());
  const events: Record<string, unknown>[] = [];
  for (const event of history) {
    const isMark =
      event.EventType === EventType.OrchestratorStarted || event.EventType === EventType.OrchestratorCompleted;
    if (isMark || folded.has(event)) continue;
    events.push(shown(event, causes.get(event), showOutput, showInput));
  }
  return { ok: true, events };
}

function isSchedule(event: HistoryEvent): boolean {
  return event.EventType === EventType.TaskScheduled || event.EventType === EventType.SubOrchestrationInstanceCreated;
}

function causeKey(event: Extract<HistoryEvent, { TaskScheduledId: number }>): string {
  const isActivity = event.EventType === EventType.TaskCompleted || event.EventType === EventType.TaskFailed;
  return `${isActivity ? 'TaskScheduled' : 'SubOrchestrationInstanceCreated'}_${event.TaskScheduledId}`;
}

function shown(
  event: HistoryEvent,
  cause: HistoryEvent | undefined,
  showOutput: boolean,
  showInput: boolean,
): Record<string, unknown> {
  const { EventType: type, EventId: _id, IsPlayed: _played, ...rest } = event as HistoryEvent & Record<string, unknown>;
  const out: Record<string, unknown> = { EventType: names.get(type), ...rest };
  delete out['TaskScheduledId'];
  delete out['TimerId'];
  if (event.EventType === EventType.ExecutionStarted) {
    for (const field of ['OrchestrationInstance', 'ParentInstance', 'Name', 'Version', 'Tags']) delete out[field];
    out['FunctionName'] = event.Name;
  } else if (
    event.EventType === EventType.TaskScheduled ||
    event.EventType === EventType.SubOrchestrationInstanceCreated
  ) {
    delete out['Version'];
  } else if (event.EventType === EventType.ExecutionCompleted) {
    out['OrchestrationStatus'] = statusNames.get(event.OrchestrationStatus);
  }
  if ('Result' in event) {
    if (showOutput) out['Result'] = jsonOrText(event.Result);
    else delete out['Result'];
  }
  if (cause && 'Name' in cause) {
    out['ScheduledTime'] = cause.Timestamp.replace(/Z$/, '+00:00');
    out['FunctionName'] = cause.Name;
    out['Input'] = null;
  }
  if (!showInput) delete out['Input'];
  return out;
}
