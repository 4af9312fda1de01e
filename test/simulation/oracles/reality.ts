/** L1: what the rows say at the end is what the world is: a ready replica's group stands under its own address and tags, and is in the endpoints. */
import type { Oracle, RawEntity, View } from '../types.ts';
import { isReplica, nameOf } from './rows.ts';

export const reality: Oracle = {
  name: 'reality',
  invariant: 'L1',
  create: () => ({
    onEnd(view) {
      for (const row of view.rows().filter(isReplica)) judge(view, row);
      for (const pool of view.rows('~pools')) {
        for (const owner of lentTo(view, pool))
          view.fail(`${pool.rowKey} still holds budget for ${owner}, which is gone`);
      }
    },
  }),
};

function judge(view: View, row: RawEntity): void {
  const wrong = row['state'] === 'gone' ? ghost(view, row) : row['state'] === 'ready' ? mismatch(view, row) : null;
  if (wrong) view.fail(`${nameOf(row)} is ${row['state']} after the calm, but ${wrong}`);
}

function ghost(view: View, row: RawEntity): string | null {
  const group = view.group(String(row['group']));
  return group && !group.deleting ? 'its group stands' : null;
}

function mismatch(view: View, row: RawEntity): string | null {
  const group = view.group(String(row['group']));
  if (group === undefined) return 'its group does not exist';
  if (group.ip !== (row['ip'] ?? null)) return `its group has the address ${group.ip} and not ${row['ip']}`;
  const hasPorts = (view.json(row, 'ports') as readonly unknown[] | null)?.length;
  return hasPorts && row['endpoint'] !== true ? 'it is not in the endpoints' : null;
}

function lentTo(view: View, pool: RawEntity): readonly string[] {
  const held = (view.json(pool, 'reservations') as readonly { readonly owner: string }[] | null) ?? [];
  return held
    .map(({ owner }) => owner)
    .filter((owner) => {
      const [app, service, slot, incarnation] = owner.split('/');
      const key = `replica|${service}|${slot?.padStart(4, '0')}|${incarnation?.padStart(8, '0')}`;
      const row = view.row(app ?? '', key);
      return row === undefined || row['state'] === 'gone';
    });
}
