/**
 * S1: our own acts never take a ready replica of the wanted revision while one that is not ready could go instead, and never below what is desired.
 * The rollout is a recreate, so replicas of older revisions are not protected.
 */
import type { Oracle, RawEntity, View } from '../types.ts';
import { guardOf, isReplica, isStanding, nameOf, replicasOf } from './rows.ts';

export const availability: Oracle = {
  name: 'availability',
  invariant: 'S1',
  create() {
    /** Ready replicas that a plan of the present instant sends away. */
    let taken: { readonly at: number; readonly row: RawEntity }[] = [];
    return {
      onEvent(view, event) {
        if (taken.some(({ at }) => event.at > at)) {
          for (const { row } of taken) judge(view, row);
          taken = [];
        }
        if (event.type !== 'row' || event.foreign || !isReplica(event.before) || !isReplica(event.after)) return;
        const leaves = event.after['state'] === 'draining' || event.after['state'] === 'deleting';
        if (event.before['state'] === 'ready' && leaves) taken.push({ at: event.at, row: event.after });
      },
    };
  },
};

function judge(view: View, row: RawEntity): void {
  const guard = guardOf(view, row.partitionKey, String(row['service']));
  if (guard === undefined || guard['removed'] === true || row['revision'] !== guard['revision']) return;
  // By its own rule: `restarts`.
  if (row['reason'] === 'Restarting') return;
  const rows = replicasOf(view, row.partitionKey, String(row['service']));
  const standing = rows.filter(isStanding);
  // What a restart takes is made up for, and bounded by its own rule.
  const restarting = rows.filter((one) => one['state'] === 'draining' && one['reason'] === 'Restarting').length;
  const ready = standing.filter((one) => one['state'] === 'ready' && one['revision'] === guard['revision']);
  const weaker = standing.filter((one) => one['state'] !== 'ready');
  if (ready.length + restarting < Number(guard['desired']) && weaker.length > 0)
    view.fail(
      `${nameOf(row)} was ready and is taken away while ${weaker.map(nameOf).join(', ')} is not ready and stays`,
    );
  if (standing.length + restarting < Number(guard['desired']))
    view.fail(
      `${nameOf(row)} was ready and is taken away; ${standing.length} of ${guard['desired']} are left standing`,
    );
}
