/** Writes down commands that were refused before they had a place in the order of their app, so that their sender can ask what became of them. */
import type { Problem } from '../model/problem.ts';
import type { Reason } from '../model/reasons.ts';
import { ok } from '../model/result.ts';
import type { CommandName, EventRow, OperationRow } from '../model/state.ts';
import { bodyHashOf, operationIdOf, replyRefusedEvent } from './accept.ts';
import { PassingFailure, type PatientPorts, patiently } from './patience.ts';

/** Partition of the events about messages that name no operation. */
export const rejectedPartition = '~rejected';

export interface Rejection {
  readonly app: string;
  readonly idempotencyKey: string;
  readonly command: CommandName;
  readonly document: unknown;
  readonly reason: Reason;
  readonly problems: readonly Problem[];
  /** As of a command. */
  readonly replyRefused: string | null;
}

/** It never had a place in the order of its app, so its `seq` is 0 and the app row is not touched. */
export async function recordRejected(ports: PatientPorts, rejection: Rejection): Promise<void> {
  const now = ports.now();
  const { app, command, reason, problems, replyRefused } = rejection;
  const id = operationIdOf(rejection);
  const operation: OperationRow = {
    kind: 'op',
    app,
    id,
    seq: 0,
    command,
    state: 'rejected',
    bodyHash: bodyHashOf(rejection),
    body: null,
    acceptedAt: now,
    sentAt: now,
    attempt: 0,
    finishedAt: now,
    generation: null,
    reason,
    problems,
  };
  const result = await patiently(ports, async () => {
    const txId = ports.ids.next();
    const event = eventRow(app, txId, now, { reason, message: `A command was rejected: ${reason}.`, cause: id });
    const written = await ports.store.commit({
      txId,
      changes: [
        { type: 'insert', row: operation },
        { type: 'insert', row: event },
        ...(replyRefused ? [{ type: 'insert' as const, row: replyRefusedEvent(event, replyRefused) }] : []),
      ],
    });
    // Recorded by an earlier delivery.
    return written.ok || written.error.kind === 'Conflict' ? ok(undefined) : written;
  });
  if (!result.ok) throw new PassingFailure(result.error);
}

export interface Note {
  readonly reason: Reason;
  readonly message: string;
  readonly cause: string;
}

/** A refusal that no operation can carry, in the audit log alone. */
export async function recordEvent(ports: PatientPorts, partition: string, note: Note): Promise<void> {
  const result = await patiently(ports, () => {
    const txId = ports.ids.next();
    const row = eventRow(partition, txId, ports.now(), note);
    return ports.store.commit({ txId, changes: [{ type: 'insert', row }] });
  });
  if (!result.ok) throw new PassingFailure(result.error);
}

const eventRow = (app: string, txId: string, at: number, note: Note): EventRow => ({
  kind: 'event',
  app,
  at,
  txId,
  n: 0,
  type: 'OperationRejected',
  service: null,
  replica: null,
  ...note,
});
