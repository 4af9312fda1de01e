/**
 * Wakes the assessor of an app (design §6): the due row is written *before* the change that makes work, so that a crash between the two is
 * repaired by the resync, and the assessor is started *after* it, so that it sees the change. One that was running already may have read the app
 * before the change and the due row after it was noted: noting it once more makes that one look again.
 */
import { assessorId, names } from '../model/names.ts';
import { ok, type Result } from '../model/result.ts';
import type { Now } from '../ports/ambient.ts';
import type { PortError } from '../ports/errors.ts';
import type { StateStore, Transaction } from '../ports/state-store.ts';
import type { Workflows } from '../ports/workflows.ts';

/**
 * First half: call it before the commit. Its new ETag tells a running assessor to look once more.
 *
 * @param inMs when a resync is to start the assessor; 0 for what is started right after the commit
 */
export async function noteDue(
  { store, now }: { readonly store: StateStore; readonly now: Now },
  app: string,
  inMs = 0,
): Promise<Result<void, PortError>> {
  const at = now();
  const transaction: Transaction = {
    txId: `due-${app}`,
    changes: [{ type: 'upsert', row: { kind: 'due', app, dueAt: at + inMs, since: at } }],
  };
  const result = await store.commit(transaction);
  return result.ok ? ok(undefined) : result;
}

/** Second half: call it after the commit. A failure is repaired by the next resync. */
export async function wakeAssessor(
  ports: { readonly store: StateStore; readonly now: Now },
  workflows: Pick<Workflows, 'start'>,
  app: string,
): Promise<Result<void, PortError>> {
  const started = await startAssessor(workflows, app);
  if (!started.ok) return started;
  return started.value === 'existing' ? await noteDue(ports, app) : ok(undefined);
}

export async function startAssessor(
  workflows: Pick<Workflows, 'start'>,
  app: string,
): Promise<Result<'started' | 'existing', PortError>> {
  return await workflows.start(names.orchestrators.app, assessorId(app), { app });
}
