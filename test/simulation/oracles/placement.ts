/**
 * S11: no replica is planned where a rule of its service forbids it. The rules are those of two services by name: `pinned` may be in westus2 only, and no
 * two replicas of `apart` may be in one region. What stands of its revision when a replica is planned counts; what drains, and what a rollout
 * replaces, does not.
 */
import type { Oracle, RawEntity, View } from '../types.ts';
import { isReplica, isStanding, nameOf, replicasOf } from './rows.ts';

export const placement: Oracle = {
  name: 'placement',
  invariant: 'S11',
  create() {
    /** Planned at the present instant: judged once the transaction is whole. */
    let planned: { readonly at: number; readonly row: RawEntity }[] = [];
    return {
      onEvent(view, event) {
        if (planned.some(({ at }) => event.at > at)) {
          for (const { row } of planned) judge(view, row);
          planned = [];
        }
        if (event.type !== 'row' || event.foreign || event.before !== null || !isReplica(event.after)) return;
        planned.push({ at: event.at, row: event.after });
      },
    };
  },
};

function judge(view: View, row: RawEntity): void {
  if (row['service'] === 'pinned' && row['pool'] !== 'westus2')
    view.fail(`${nameOf(row)} is planned in ${row['pool']}`);
  if (row['service'] !== 'apart') return;
  const peers = replicasOf(view, row.partitionKey, 'apart').filter(
    (peer) => isStanding(peer) && peer['pool'] === row['pool'] && peer['revision'] === row['revision'],
  );
  if (peers.length > 1) view.fail(`of one region: ${peers.map(nameOf).join(' and ')}`);
}
