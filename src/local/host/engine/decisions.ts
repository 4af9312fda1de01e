/** What a replay decides: new work under its sequence id; and whether the history agrees. Pure. */
import { EventType, type HistoryEvent } from './history.ts';
import { nonDeterminism } from './texts.ts';

/** New work, in the order of its ids. */
export type Decision =
  | { readonly kind: 'activity'; readonly id: number; readonly name: string; readonly input: unknown }
  | { readonly kind: 'timer'; readonly id: number; readonly fireAtMs: number }
  | {
      readonly kind: 'sub-orchestration';
      readonly id: number;
      readonly name: string;
      /** Asked for by the action; undefined = the host's default. */
      readonly version: string | undefined;
      readonly instanceId: string;
      readonly input: unknown;
    };

export type ScheduleEvent = Extract<HistoryEvent, { EventType: 4 | 7 | 10 }>;

/** Why a decision is not the one that the history recorded under its id; undefined = it is. */
export function mismatchText(event: ScheduleEvent, decision: Decision | undefined): string | undefined {
  const id = event.EventId;
  if (event.EventType === EventType.TimerCreated) {
    if (!decision) return nonDeterminism.timerMissing(id);
    return decision.kind === 'timer' ? undefined : nonDeterminism.timerKind(id, netName(decision));
  }
  if (event.EventType === EventType.TaskScheduled) {
    if (!decision) return nonDeterminism.taskMissing(id, event.Name);
    if (decision.kind !== 'activity') return nonDeterminism.taskKind(id, event.Name, netName(decision));
    return sameName(decision.name, event.Name) ? undefined : nonDeterminism.taskName(id, event.Name, decision.name);
  }
  const child = [id, event.Name, event.Version ?? '', event.InstanceId] as const;
  if (!decision) return nonDeterminism.childMissing(...child);
  if (decision.kind !== 'sub-orchestration') return nonDeterminism.childKind(...child, netName(decision));
  return sameName(decision.name, event.Name) ? undefined : nonDeterminism.childName(...child, decision.name);
}

/** Names of functions and instances compare without regard to case. */
export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** The name of the .NET action class, as the extension's texts show it. */
function netName(decision: Decision): string {
  if (decision.kind === 'activity') return 'ScheduleTaskOrchestratorAction';
  return decision.kind === 'timer' ? 'CreateTimerOrchestratorAction' : 'CreateSubOrchestrationAction';
}
