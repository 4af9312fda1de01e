/**
 * S7: nothing is concluded from an answer that says nothing. A replica is called missing, or its name free, only when its group really does not exist
 * (or ARM is deleting it for somebody).
 */
import type { Oracle, RowEvent, View } from '../types.ts';
import { isReplica, nameOf } from './rows.ts';

export const absence: Oracle = {
  name: 'absence',
  invariant: 'S7',
  create() {
    let isRestored = false;
    return {
      onEvent(view, event) {
        if (event.type !== 'row') return;
        isRestored ||= event.foreign;
        // A restored table may name groups that were made and removed in the time it has forgotten.
        if (!isRestored) judge(view, event);
      },
    };
  },
};

/** From a read to the commit of what follows from it, with a slow call of the table between them. */
const commitMs = 60_000;

function judge(view: View, { before, after, cause }: RowEvent): void {
  if (!isReplica(before) || !isReplica(after)) return;
  const becomes = (state: string) => before['state'] !== state && after['state'] === state;
  const isFreed = becomes('gone');
  if (!isFreed && !(becomes('failed') && after['reason'] === 'GroupMissing')) return;
  // An operator answers for it.
  if (after['reason'] === 'Forgotten') return;
  const group = view.group(String(after['group']));
  if (group === undefined || group.deleting) return;
  // A create that ARM had lost sight of may land between the last look and the commit.
  if (view.now - group.createdAt <= commitMs) return;
  view.fail(`${cause?.fn} wrote that ${nameOf(after)} is ${isFreed ? 'gone' : 'missing'} while its group stands`);
}
