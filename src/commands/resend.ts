/** Sends the messages of operations again that were accepted long ago and not applied: a message may be lost, the operation may not. */
import { ok, type Result } from '../model/result.ts';
import type { OperationRow, Stored } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import { announce } from './accept.ts';
import { pendingOf } from './apply-operations.ts';
import type { CommandPorts } from './ports.ts';

/** One message per app is enough: it applies all. Returns the id of the operation that was announced, or null. */
export async function resendStale(
  ports: CommandPorts,
  app: string,
  resendAfterMs: number,
): Promise<Result<string | null, PortError>> {
  const operations = await ports.store.readPending(app);
  if (!operations.ok) return operations;
  const [first] = pendingOf(operations.value);
  if (first === undefined || ports.now() - first.sentAt < resendAfterMs) return ok(null);
  return await resend(ports, first);
}

/** Sends under a new message id, or the bus would take it for a duplicate. `null` = somebody else has just done it. */
async function resend(ports: CommandPorts, operation: Stored<OperationRow>): Promise<Result<string | null, PortError>> {
  const { etag, ...row } = operation;
  const next: OperationRow = { ...row, attempt: row.attempt + 1, sentAt: ports.now() };
  const written = await ports.store.commit({ txId: ports.ids.next(), changes: [{ type: 'update', row: next, etag }] });
  if (written.ok) {
    await announce(ports, next);
    return ok(next.id);
  }
  return written.error.kind === 'Conflict' ? ok(null) : written;
}
