/**
 * Deletes the container group of one replica. Intent is irrevocable and written before: the row says `deleting`. Only a group whose tags name exactly
 * this incarnation is touched, and without an answer nothing is. How long ARM wants to be left alone stands in the row, for whoever comes next.
 */
import { isGroupOf } from '../decide/group-spec.ts';
import { keys } from '../model/keys.ts';
import type { Step } from '../model/plan.ts';
import type { AppRow, PoolRow, ReplicaRow, Stored } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { StepResult } from './create-group.ts';
import { keepLogs, takeLogs } from './keep-logs.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';
import { bare } from './rows.ts';

export type DeleteInput = Extract<Step, { kind: 'deleteGroup' }> & { readonly workflow: string };

const skipped = (detail: string): StepResult => ({ outcome: 'skipped', detail });

export async function deleteGroup(
  ports: ActivityPorts,
  { installation }: ActivitySettings,
  input: DeleteInput,
): Promise<StepResult> {
  const { store, groups, log } = ports;
  const replica = await store.read<ReplicaRow>(keys.replica(input.app, input.service, input.slot, input.incarnation));
  if (!replica.ok) return skipped(replica.error.message);
  if (replica.value === null) return skipped('the replica has no row');
  if (replica.value.epoch !== input.epoch) return skipped(`superseded by epoch ${replica.value.epoch}`);
  if (replica.value.state !== 'deleting') return skipped(`the replica is ${replica.value.state}`);
  if (ports.now() < (replica.value.redeleteAt ?? 0)) return skipped('ARM asked to wait');
  const app = await store.read<AppRow>(keys.app(input.app));
  const pool = await store.read<PoolRow>(keys.pool(replica.value.pool));
  if (!app.ok || app.value === null || !pool.ok || pool.value === null) return skipped('its app or pool has no row');

  if (app.value.frozen) return skipped('the app is frozen');

  const found = await groups.get(pool.value, replica.value.group);
  if (!found.ok) {
    if (found.error.kind === 'NotFound') return { outcome: 'done', detail: 'there is no group' };
    await noteWait(ports, replica.value, found.error);
    return { outcome: 'unknown', detail: found.error.message };
  }
  if (!isGroupOf(found.value.tags, { installation, appUid: app.value.uid }, replica.value)) {
    log.error('A container group has the name of ours but not its tags; it is left alone.', { ...input });
    return skipped('a group of this name is not ours');
  }
  const isGoing = found.value.provisioningState === 'Deleting';
  const logs = isGoing ? null : await takeLogs(ports, replica.value, pool.value);
  const answer = await groups.delete(pool.value, replica.value.group);
  if (logs !== null) await keepLogs(ports, logs);
  if (answer.ok) return { outcome: 'done', detail: answer.value };
  await noteWait(ports, replica.value, answer.error);
  return { outcome: answer.error.kind === 'Unknown' ? 'unknown' : 'refused', detail: answer.error.message };
}

/** Without a wait that ARM names, the planner's own applies. A row that changed meanwhile is another's: it will be told the same. */
async function noteWait(
  { store, ids, now, log }: ActivityPorts,
  replica: Stored<ReplicaRow>,
  error: PortError,
): Promise<void> {
  if ((error.kind !== 'Throttled' && error.kind !== 'Unavailable') || error.retryAfterMs === null) return;
  const row: ReplicaRow = { ...bare(replica), redeleteAt: now() + error.retryAfterMs };
  const written = await store.commit({ txId: ids.next(), changes: [{ type: 'update', row, etag: replica.etag }] });
  if (!written.ok) log.warn('The wait that ARM asked for was not written.', { group: row.group, ...written.error });
}
