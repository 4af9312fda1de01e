/**
 * S1 for a restart: every replica that was there before it is replaced exactly once, none that came after it, and one at a time: a ready one goes only
 * while no more than one of the service is missing.
 */
import type { Oracle, RawEntity, View } from '../types.ts';
import { guardOf, isReplica, nameOf, replicasOf } from './rows.ts';

const isLeaving = (row: RawEntity): boolean => row['state'] === 'draining' || row['state'] === 'deleting';
const cycleOf = (row: RawEntity | undefined): number => Number(row?.['cycle'] ?? 0);

export const restarts: Oracle = {
  name: 'restarts',
  invariant: 'S1',
  create() {
    /** Sent away by a transaction of the present instant: judged once it is whole. */
    let sent: { readonly at: number; readonly row: RawEntity; readonly wasReady: boolean }[] = [];
    const replaced = new Set<string>();
    return {
      onEvent(view, event) {
        if (sent.some(({ at }) => event.at > at)) {
          for (const { row, wasReady } of sent) judge(view, row, wasReady, replaced);
          sent = [];
        }
        if (event.type !== 'row') return;
        // A restored table begins its counts anew.
        if (event.foreign) return replaced.clear();
        const { before, after } = event;
        if (!isReplica(before) || !isReplica(after) || isLeaving(before) || !isLeaving(after)) return;
        if (after['reason'] === 'Restarting')
          sent.push({ at: event.at, row: after, wasReady: before['state'] === 'ready' });
      },
      onEnd: judgeEnd,
    };
  },
};

function judge(view: View, row: RawEntity, wasReady: boolean, replaced: Set<string>): void {
  const guard = guardOf(view, row.partitionKey, String(row['service']));
  if (guard === undefined) return;
  if (cycleOf(row) >= cycleOf(guard))
    view.fail(`${nameOf(row)} of cycle ${cycleOf(row)} is replaced by a restart although it came after it`);
  if (replaced.has(nameOf(row))) view.fail(`${nameOf(row)} is replaced twice`);
  replaced.add(nameOf(row));
  if (!wasReady) return;
  const rows = replicasOf(view, row.partitionKey, String(row['service']));
  const ready = rows.filter((one) => one['state'] === 'ready').length;
  if (ready < Number(guard['desired']) - 1)
    view.fail(`a restart takes ${nameOf(row)}; ${ready} of ${guard['desired']} are left ready`);
}

function judgeEnd(view: View): void {
  for (const guard of view.rowsOf('service')) {
    if (guard['removed'] === true || view.row(guard.partitionKey, 'app')?.['frozen'] === true) continue;
    for (const row of replicasOf(view, guard.partitionKey, String(guard['service']))) {
      if (row['state'] === 'ready' && cycleOf(row) < cycleOf(guard))
        view.fail(`${nameOf(row)} was not restarted: it is of cycle ${cycleOf(row)}, its service at ${cycleOf(guard)}`);
    }
  }
}
