/**
 * Deletes the container group of one replica. Intent is irrevocable and written before: the row says `deleting`. Only a group whose tags name exactly
 * this incarnation is touched, and without an answer nothing is.
 */
import { isGroupOf } from '../decide/group-spec.ts';
import { keys } from '../model/keys.ts';
import type { Step } from '../model/plan.ts';
import type { AppRow, PoolRow, ReplicaRow } from '../model/state.ts';
import type { StepResult } from './create-group.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';

export type DeleteInput = Extract<Step, { kind: 'deleteGroup' }> & { readonly workflow: string };

const skipped = (detail: string): StepResult => ({ outcome: 'skipped', detail });

export async function deleteGroup(
  { store, groups, log }: ActivityPorts,
  { installation }: ActivitySettings,
  input: DeleteInput,
): Promise<StepResult> {
  const replica = await store.read<ReplicaRow>(keys.replica(input.app, input.service, input.slot, input.incarnation));
  if (!replica.ok) return skipped(replica.error.message);
  if (replica.value === null) return skipped('the replica has no row');
  if (replica.value.epoch !== input.epoch) return skipped(`superseded by epoch ${replica.value.epoch}`);
  if (replica.value.state !== 'deleting') return skipped(`the replica is ${replica.value.state}`);
  const app = await store.read<AppRow>(keys.app(input.app));
  const pool = await store.read<PoolRow>(keys.pool(replica.value.pool));
  if (!app.ok || app.value === null || !pool.ok || pool.value === null) return skipped('its app or pool has no row');

  const found = await groups.get(pool.value, replica.value.group);
  if (!found.ok) {
    return found.error.kind === 'NotFound'
      ? { outcome: 'done', detail: 'there is no group' }
      : { outcome: 'unknown', detail: found.error.message };
  }
  if (!isGroupOf(found.value.tags, { installation, appUid: app.value.uid }, replica.value)) {
    log.error('A container group has the name of ours but not its tags; it is left alone.', { ...input });
    return skipped('a group of this name is not ours');
  }
  const answer = await groups.delete(pool.value, replica.value.group);
  return answer.ok
    ? { outcome: 'done', detail: answer.value }
    : { outcome: answer.error.kind === 'Unknown' ? 'unknown' : 'refused', detail: answer.error.message };
}
