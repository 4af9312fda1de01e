/** Lets go of a service whose work is done: the guard names nobody any more, and the app is woken to see what that means for it. */
import { noteDue, wakeAssessor } from '../commands/wake.ts';
import { keys } from '../model/keys.ts';
import type { GuardRow } from '../model/state.ts';
import type { PassInput } from './pass.ts';
import type { ActivityPorts } from './ports.ts';
import { bare, eventRows } from './rows.ts';

export interface FinishInput extends PassInput {
  /** Of the guard as the last pass left it: a change since then means that the work may not be done. */
  readonly guardEtag: string;
}

export interface FinishResult {
  readonly outcome: 'released' | 'again';
}

export async function finish(ports: ActivityPorts, input: FinishInput): Promise<FinishResult> {
  const { store, ids, log, now, workflows } = ports;
  const { app, service, workflow, guardEtag } = input;
  const guard = await store.read<GuardRow>(keys.guard(app, service));
  if (!guard.ok) return { outcome: 'again' };
  if (guard.value?.workflow === workflow) {
    if (guard.value.etag !== guardEtag) return { outcome: 'again' };
    const noted = await noteDue(ports, app);
    if (!noted.ok) return { outcome: 'again' };
    const txId = ids.next();
    const free = { workflow: null, claimedAt: null, claimedBy: null, wakeAt: null };
    const row: GuardRow = { ...bare(guard.value), ...free, lastTx: txId };
    const ended = { type: 'WorkflowEnded' as const, message: `${workflow} ended.` };
    const written = await store.commit({
      txId,
      witness: keys.guard(app, service),
      changes: [
        { type: 'update', row, etag: guardEtag },
        ...eventRows([ended], { app, service, txId, at: now(), cause: workflow }).map((event) => ({
          type: 'insert' as const,
          row: event,
        })),
      ],
    });
    if (!written.ok) return { outcome: 'again' };
  }
  // Also when an earlier delivery let go: it may have died before this.
  const woken = await wakeAssessor(ports, workflows, app);
  if (!woken.ok) log.warn('The assessor could not be woken; the resync will.', { app, ...woken.error });
  return { outcome: 'released' };
}
