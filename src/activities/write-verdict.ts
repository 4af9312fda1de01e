/** Writes a changed verdict on a ready replica and wakes its app. A row that somebody else has changed meanwhile is left alone: it was judged as it was. */
import { noteDue, wakeAssessor } from '../commands/wake.ts';
import type { Verdict } from '../decide/verdict.ts';
import type { ReplicaRow, Stored } from '../model/state.ts';
import type { ActivityPorts } from './ports.ts';
import { eventRows } from './rows.ts';

/** @param cause for the audit: the rule by which the replica was looked at. */
export async function writeVerdict(
  ports: ActivityPorts,
  replica: Stored<ReplicaRow>,
  { row, events }: Verdict,
  cause: string,
): Promise<boolean> {
  const { app, service } = replica;
  const noted = await noteDue(ports, app);
  if (!noted.ok) return false;
  const txId = ports.ids.next();
  const written = await ports.store.commit({
    txId,
    changes: [
      { type: 'update', row, etag: replica.etag },
      ...eventRows(events, { app, service, txId, at: ports.now(), cause }).map((event) => ({
        type: 'insert' as const,
        row: event,
      })),
    ],
  });
  if (written.ok) await wakeAssessor(ports, ports.workflows, app);
  return written.ok;
}
