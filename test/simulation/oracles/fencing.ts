/** S8: once a newer epoch has written a service's rows, no older workflow writes them again, and a replica never walks backwards. */
import type { Oracle, RowEvent } from '../types.ts';
import { isReplica, nameOf, workflowOf } from './rows.ts';

const rank: Readonly<Record<string, number>> = {
  planned: 0,
  creating: 1,
  starting: 2,
  ready: 3,
  unready: 3,
  lost: 3,
  failed: 4,
  draining: 5,
  deleting: 6,
  gone: 7,
};

export const fencing: Oracle = {
  name: 'fencing',
  invariant: 'S8',
  create() {
    const newest = new Map<string, number>();
    return {
      onEvent(view, event) {
        if (event.type !== 'row') return;
        // A restored table is another world: its epochs begin anew.
        if (event.foreign) return newest.clear();
        const writer = workflowOf(event.cause?.instance ?? null);
        const kind = event.after?.['kind'];
        if (writer && (kind === 'service' || kind === 'replica') && event.after?.['service'] === writer.service) {
          const key = `${writer.app}/${writer.service}`;
          const seen = newest.get(key) ?? 0;
          if (writer.epoch < seen)
            view.fail(`epoch ${writer.epoch} of ${key} wrote ${event.row} after epoch ${seen} had: ${event.cause?.fn}`);
          if (event.cause?.fn === 'pass') newest.set(key, Math.max(seen, writer.epoch));
        }
        const step = backwards(event);
        if (step) view.fail(`a replica walked backwards: ${step}`);
      },
    };
  },
};

function backwards({ before, after }: RowEvent): string | null {
  if (!isReplica(before) || !isReplica(after)) return null;
  const from = rank[String(before['state'])] ?? -1;
  const to = rank[String(after['state'])] ?? -1;
  return to < from ? `${nameOf(after)} from ${before['state']} to ${after['state']}` : null;
}
