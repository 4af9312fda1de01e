/**
 * The engine's durable state as a port. One process owns a store. Two implementations, one contract suite.
 * Reads show what has been committed; `commit` is atomic, durable when it resolves, and keeps the order of the calls.
 */
import type { ParentInstance, RuntimeStatus } from './history.ts';

/** One orchestration instance: what a status query shows, and what the next turn needs. */
export interface InstanceRecord {
  /** Stable for one instance id; a number of its own so that neighbours in time are neighbours on disk. */
  readonly key: number;
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly version: string | null;
  readonly status: RuntimeStatus;
  /** JSON text or null. */
  readonly input: string | null;
  /** JSON text, or the bare text of a failure or of a reason, or null. */
  readonly output: string | null;
  /** JSON text or null. */
  readonly customStatus: string | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly parent: ParentInstance | null;
  /** Counts restarts of the id; null after continueAsNew and in sub-orchestrations, as in the extension. */
  readonly generation: number | null;
}

/** An event on its way to an instance: pending work, or a timer when `visibleAtMs` lies ahead. */
export interface MessageRecord {
  readonly id: number;
  readonly instanceId: string;
  /** Dropped unless the instance is still in this execution; null = any. */
  readonly executionId: string | null;
  readonly visibleAtMs: number;
  /** JSON text of one history event, or of an array of them: the seed of the next generation. */
  readonly event: string;
}

export interface ActivityRecord {
  readonly id: number;
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly name: string;
  /** JSON text or null. */
  readonly input: string | null;
  /** Nobody else runs it before this instant; null = free. */
  readonly leaseUntilMs: number | null;
}

export type Write =
  | { readonly op: 'putInstance'; readonly record: InstanceRecord }
  /** The members that a turn changes. */
  | { readonly op: 'updateInstance'; readonly record: InstanceRecord }
  /** Removes the instance with its history, messages and activities. */
  | { readonly op: 'deleteInstance'; readonly key: number; readonly instanceId: string }
  /** `events`: JSON texts joined by commas. Positions ascend from 0. */
  | { readonly op: 'appendHistory'; readonly key: number; readonly position: number; readonly events: string }
  | { readonly op: 'clearHistory'; readonly key: number }
  | { readonly op: 'putMessage'; readonly record: MessageRecord }
  | { readonly op: 'deleteMessage'; readonly id: number }
  | { readonly op: 'putActivity'; readonly record: ActivityRecord }
  | { readonly op: 'leaseActivity'; readonly id: number; readonly leaseUntilMs: number | null }
  | { readonly op: 'deleteActivity'; readonly id: number };

export interface InstanceFilter {
  readonly instanceIdPrefix?: string;
  /** Empty = any. */
  readonly statuses?: readonly RuntimeStatus[];
  /** Inclusive, epoch ms. */
  readonly createdFromMs?: number;
  readonly createdToMs?: number;
  /** First instance id of the page, inclusive. */
  readonly fromInstanceId?: string;
  readonly limit: number;
}

export interface DurableStore {
  /** The largest key or id in use, 0 for none. */
  lastId(): number;
  instance(instanceId: string): InstanceRecord | undefined;
  /** Instances that have not ended. */
  unfinished(): InstanceRecord[];
  /** The chunks as appended. */
  history(key: number): string[];
  /** In the order of their ids. */
  messages(): MessageRecord[];
  /** In the order of their ids. */
  activities(): ActivityRecord[];
  /** Ordered by instance id (UTF-16 code units). */
  query(filter: InstanceFilter): InstanceRecord[];
  commit(writes: readonly Write[]): Promise<void>;
  /** Waits for nothing: call it after the last commit has resolved. */
  close(): void;
}

export const endedStatuses: ReadonlySet<RuntimeStatus> = new Set(['Completed', 'Failed', 'Terminated', 'Canceled']);

export function hasEnded(record: InstanceRecord): boolean {
  return endedStatuses.has(record.status);
}

/** Whether a record belongs to a page; shared by the implementations that filter in memory and by their tests. */
export function matches(record: InstanceRecord, filter: InstanceFilter): boolean {
  return (
    (filter.instanceIdPrefix === undefined || record.instanceId.startsWith(filter.instanceIdPrefix)) &&
    (!filter.statuses?.length || filter.statuses.includes(record.status)) &&
    (filter.createdFromMs === undefined || record.createdAtMs >= filter.createdFromMs) &&
    (filter.createdToMs === undefined || record.createdAtMs <= filter.createdToMs) &&
    (filter.fromInstanceId === undefined || record.instanceId >= filter.fromInstanceId)
  );
}
