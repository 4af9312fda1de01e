/**
 * L1: what the rows say is what the world is. Whenever a replica becomes ready, its group runs the image of its own revision; at the end a ready
 * replica's group stands under its own address, and is in the endpoints.
 */
import type { Oracle, RawEntity, View } from '../types.ts';
import { imageOf, isReplica, nameOf } from './rows.ts';

export const reality: Oracle = {
  name: 'reality',
  invariant: 'L1',
  create: () => ({
    onEvent(view, event) {
      if (event.type !== 'row' || event.foreign || !isReplica(event.after)) return;
      if (event.after['state'] !== 'ready' || event.before?.['state'] === 'ready') return;
      const wrong = imposture(view, event.after);
      if (wrong) view.fail(`${nameOf(event.after)} becomes ready, but ${wrong}`);
    },
    onEnd(view) {
      for (const row of view.rowsOf('replica')) judge(view, row);
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
  const imposed = imposture(view, row);
  if (imposed) return imposed;
  const hasPorts = (view.json(row, 'ports') as readonly unknown[] | null)?.length;
  return hasPorts && row['endpoint'] !== true ? 'it is not in the endpoints' : null;
}

/** A group of the replica's name that was made for another revision. */
function imposture(view: View, row: RawEntity): string | null {
  const group = view.group(String(row['group']));
  const image = imageOf(view, row.partitionKey, String(row['service']), Number(row['revision']));
  if (group === undefined || image === null || group.image === image) return null;
  return `its group runs ${group.image} and its revision ${row['revision']} is ${image}`;
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
