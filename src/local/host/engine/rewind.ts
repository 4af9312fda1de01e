/**
 * Rewind of a failed instance: failures are struck out of the history so that the failed calls run again.
 * Follows DurableTask.AzureStorage `RewindHistoryAsync`: the events stay as GenericEvents; a failed sub-orchestration is rewound itself.
 */
import { EventType, generic, type HistoryEvent, statusNumbers } from './history.ts';

export interface Rewound {
  readonly events: readonly HistoryEvent[];
  /** Instance ids of failed sub-orchestrations. Without any, this instance is the one to wake. */
  readonly failedChildren: readonly string[];
}

export function rewindHistory(history: readonly HistoryEvent[]): Rewound {
  const failedTasks = new Set<number>();
  const failedChildren = new Set<number>();
  for (const event of history) {
    if (event.EventType === EventType.TaskFailed) failedTasks.add(event.TaskScheduledId);
    else if (event.EventType === EventType.SubOrchestrationInstanceFailed) failedChildren.add(event.TaskScheduledId);
  }
  const children: string[] = [];
  const events = history.map((event) => {
    switch (event.EventType) {
      case EventType.TaskFailed:
      case EventType.SubOrchestrationInstanceFailed:
        return generic(null, event);
      case EventType.ExecutionCompleted:
        return event.OrchestrationStatus === statusNumbers.Failed ? generic(null, event) : event;
      case EventType.TaskScheduled:
        return failedTasks.has(event.EventId) ? generic(null, event) : event;
      case EventType.SubOrchestrationInstanceCreated:
        if (failedChildren.has(event.EventId)) children.push(event.InstanceId);
        return event;
      default:
        return event;
    }
  });
  return { events, failedChildren: children };
}
