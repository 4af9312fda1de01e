/** One live instance in memory: its record, its history as text and as events, and what has arrived for it. No decisions. */
import type { HistoryEvent } from './history.ts';
import type { InstanceRecord, MessageRecord } from './store.ts';

/** Something that arrived for an instance, with the rows that its turn consumes. */
export interface Inbound {
  /** Undefined = not stored as a message. */
  readonly messageId?: number;
  /** The activity item that this answers; deleted with the turn. */
  readonly activityId?: number;
  /** Undefined = any execution. */
  readonly executionId?: string;
  /** One event, or the seed of a generation. */
  readonly events: readonly HistoryEvent[];
  readonly isSeed: boolean;
}

export class Instance {
  record: InstanceRecord;
  /** Texts of `events`, joined by commas. */
  text: string;
  events: HistoryEvent[];
  /** Chunks in the store. */
  chunks: number;
  inbox: Inbound[] = [];
  /** `waking`: a turn is about to take what has arrived; `turning`: it has taken it. */
  state: 'idle' | 'waking' | 'turning' = 'idle';

  constructor(record: InstanceRecord, chunks: readonly string[] = []) {
    this.record = record;
    this.text = chunks.join(',');
    this.events = JSON.parse(`[${this.text}]`) as HistoryEvent[];
    this.chunks = chunks.length;
  }

  /** A new execution: the history starts again. */
  reset(record: InstanceRecord): void {
    this.record = record;
    this.text = '';
    this.events = [];
    this.chunks = 0;
  }

  append(text: string, events: readonly HistoryEvent[]): void {
    this.text = this.text === '' ? text : `${this.text},${text}`;
    for (const event of events) this.events.push(event);
    this.chunks++;
  }
}

export function toInbound(message: MessageRecord): Inbound {
  const parsed = JSON.parse(message.event) as HistoryEvent | HistoryEvent[];
  const isSeed = Array.isArray(parsed);
  return {
    messageId: message.id,
    ...(message.executionId !== null && { executionId: message.executionId }),
    events: isSeed ? parsed : [parsed],
    isSeed,
  };
}
