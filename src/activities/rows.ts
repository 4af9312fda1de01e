/** Rows on their way in and out of the table: without their tags for the planner, with time, transaction and cause for the audit. */
import { keyOf } from '../model/keys.ts';
import type { PlannedEvent } from '../model/plan.ts';
import type { EventRow, Row, Stored } from '../model/state.ts';

export function bare<R extends Row>(row: R | Stored<R>): R {
  const { etag: _, ...rest } = row as Stored<R>;
  return rest as unknown as R;
}

/** The row as it was written; an empty tag where the commit did not tell it. */
export const withTag = <R extends Row>(row: R, etags: ReadonlyMap<string, string>): Stored<R> => ({
  ...row,
  etag: etags.get(keyOf(row).row) ?? '',
});

export interface Occasion {
  readonly app: string;
  readonly service: string | null;
  readonly txId: string;
  readonly at: number;
  /** A workflow id, an operation id, or a rule's name. */
  readonly cause: string;
}

export function eventRows(events: readonly PlannedEvent[], occasion: Occasion): readonly EventRow[] {
  return events.map((event, n) => ({
    kind: 'event',
    app: occasion.app,
    at: occasion.at,
    txId: occasion.txId,
    n,
    type: event.type,
    service: occasion.service,
    replica:
      event.replica === undefined ? null : `${occasion.service}/${event.replica.slot}/${event.replica.incarnation}`,
    reason: event.reason ?? null,
    message: event.message,
    cause: occasion.cause,
  }));
}
