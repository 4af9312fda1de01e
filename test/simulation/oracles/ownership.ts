/**
 * S6: nothing that is not ours is ever touched, and no group of ours is deleted under a living replica. At the end of the calm every group of ours is
 * owned, on its way out, or held for a reason that the rows show.
 */
import type { ArmGroup, Oracle, RawEntity, View } from '../types.ts';

/** States of a replica row in which its group may be deleted. */
const leaving = new Set(['deleting', 'gone', 'failed', 'draining']);

export const ownership: Oracle = {
  name: 'ownership',
  invariant: 'S6',
  create: () => ({
    onEvent(view, event) {
      if (event.type !== 'effect' || event.target !== 'arm' || event.moment !== 'applied') return;
      const { tags } = event;
      if (!event.writes || !tags) return;
      if (tags['flotilla-installation'] !== view.installation) {
        view.fail(`${event.method} of a group that is not ours: ${event.group} (${event.key})`);
      } else if (event.method === 'DELETE' && event.status !== null && event.status < 300) {
        const row = ownerOf(view, tags);
        if (row && row['group'] === event.group && !leaving.has(String(row['state']))) {
          view.fail(`the group of a replica that is ${row['state']} was deleted: ${event.key}, by ${event.cause?.fn}`);
        }
      }
    },
    onEnd(view) {
      const ours = view.groups().filter(({ tags }) => tags['flotilla-installation'] === view.installation);
      const orphans = ours.filter((group) => !group.deleting && !isOwned(view, group) && !isHeld(view, group));
      // So many at once are left to a person to decide.
      if (orphans.length > 5 && orphans.length > ours.length * 0.1) return;
      for (const { label } of orphans) view.fail(`a group of ours that nobody owns is left after the calm: ${label}`);
    },
  }),
};

function isOwned(view: View, group: ArmGroup): boolean {
  const row = ownerOf(view, group.tags);
  return row !== undefined && row['group'] === group.name && row['state'] !== 'gone';
}

/** The store may be older than the group (it was restored), or not know whose it is. */
function isHeld(view: View, { tags }: ArmGroup): boolean {
  const app = tags['flotilla-app'] ?? '';
  const head = view.row(app, 'app');
  const guard = view.row(app, `service|${tags['flotilla-service']}`);
  if (!head || !guard || head['uid'] !== tags['flotilla-app-uid']) return true;
  return Number(tags['flotilla-incarnation']) >= Number(guard['nextIncarnation']);
}

function ownerOf(view: View, tags: Readonly<Record<string, string>>): RawEntity | undefined {
  const pad = (tag: string, width: number) => (tags[`flotilla-${tag}`] ?? '').padStart(width, '0');
  const key = `replica|${tags['flotilla-service']}|${pad('slot', 4)}|${pad('incarnation', 8)}`;
  return view.row(tags['flotilla-app'] ?? '', key);
}
