/**
 * S1: our own acts never take a ready replica of the wanted revision while one that is not ready could go instead, and never below what is desired; of
 * an older revision never so many that fewer are ready than the rollout may leave. A loss that a decision could not know of does not count.
 */
import type { Oracle, RawEntity, View } from '../types.ts';
import { guardOf, isReplica, isStanding, nameOf, paceOf, replicasOf } from './rows.ts';

export const availability: Oracle = {
  name: 'availability',
  invariant: 'S1',
  create() {
    /** Ready replicas that a plan of the present instant sends away. */
    let taken: { readonly at: number; readonly row: RawEntity }[] = [];
    /** When a replica lost its readiness, or was lost, by no act of ours. */
    const lostAt = new Map<string, number>();
    return {
      onEvent(view, event) {
        if (taken.some(({ at }) => event.at > at)) {
          for (const { row } of taken) judge(view, row);
          judgeFloor(view, taken, lostAt);
          taken = [];
        }
        if (event.type !== 'row' || event.foreign || !isReplica(event.before) || !isReplica(event.after)) return;
        const leaves = event.after['state'] === 'draining' || event.after['state'] === 'deleting';
        if (event.before['state'] === 'ready' && leaves) taken.push({ at: event.at, row: event.after });
        else if (event.before['state'] === 'ready' && event.after['state'] !== 'ready')
          lostAt.set(nameOf(event.after), event.at);
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
  const weaker = standing.filter((one) => one['state'] !== 'ready' && one['revision'] === guard['revision']);
  if (ready.length + restarting < Number(guard['desired']) && weaker.length > 0)
    view.fail(
      `${nameOf(row)} was ready and is taken away while ${weaker.map(nameOf).join(', ')} is not ready and stays`,
    );
  if (standing.length + restarting < Number(guard['desired']))
    view.fail(
      `${nameOf(row)} was ready and is taken away; ${standing.length} of ${guard['desired']} are left standing`,
    );
}

/** A decision may be this old when it is committed: calls of the table that are slow and repeated. */
const decisionMs = 120_000;

function judgeFloor(
  view: View,
  taken: readonly { readonly at: number; readonly row: RawEntity }[],
  lostAt: ReadonlyMap<string, number>,
): void {
  for (const { at, row } of taken) {
    const [app, service] = [row.partitionKey, String(row['service'])];
    const guard = guardOf(view, app, service);
    if (guard === undefined || guard['removed'] === true || row['revision'] === guard['revision']) continue;
    const desired = Number(guard['desired']);
    const rows = replicasOf(view, app, service);
    const ready = rows.filter((one) => one['state'] === 'ready').length;
    const lost = rows.filter(
      (one) => one['state'] !== 'ready' && at - (lostAt.get(nameOf(one)) ?? 0) <= decisionMs,
    ).length;
    const floor = desired - paceOf(view, app, service, desired).unavailable;
    if (ready + lost < floor)
      view.fail(`${nameOf(row)} of an older revision is taken away; ${ready} of ${floor} are left ready`);
  }
}
