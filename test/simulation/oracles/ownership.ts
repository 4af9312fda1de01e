/**
 * S6: nothing that is not ours is ever touched, and no group of ours is deleted under a living replica. At the end of the calm every group of ours is
 * owned, on its way out, or held for a reason that the rows show.
 */
import type { ArmGroup, EffectEvent, Oracle, RawEntity, View } from '../types.ts';

/** States of a replica row in which its group may be deleted. */
const leaving = new Set(['deleting', 'gone', 'failed', 'draining']);

export const ownership: Oracle = {
  name: 'ownership',
  invariant: 'S6',
  create: () => watcher(),
};

/** What was on its way to DELETE when the table was restored may still arrive: the longest that calls of the table and reads of ARM take before it. */
const underwayMs = 120_000;

function watcher(): ReturnType<Oracle['create']> {
  let restoredAt = Number.NEGATIVE_INFINITY;
  return {
    onEvent(view, event) {
      if (event.type === 'row' && event.foreign) restoredAt = event.at;
      if (event.type === 'effect' && event.target === 'arm' && event.moment === 'applied' && event.writes)
        judgeWrite(view, event, event.at - restoredAt <= underwayMs);
    },
    onEnd(view) {
      const ours = view.groups().filter(({ tags }) => tags['flotilla-installation'] === view.installation);
      const orphans = ours.filter((group) => !group.deleting && !isOwned(view, group) && !isHeld(view, group));
      // So many at once are left to a person to decide.
      if (orphans.length > 5 && orphans.length > ours.length * 0.1) return;
      for (const { label } of orphans) view.fail(`a group of ours that nobody owns is left after the calm: ${label}`);
    },
  };
}

function judgeWrite(view: View, { tags, method, group, key, status, cause }: EffectEvent, isUnderway: boolean): void {
  if (!tags) return;
  if (tags['flotilla-installation'] !== view.installation) {
    view.fail(`${method} of a group that is not ours: ${group} (${key})`);
    return;
  }
  if (method !== 'DELETE' || status === null || status >= 300 || isUnderway) return;
  const row = ownerOf(view, tags);
  if (row && row['group'] === group && !leaving.has(String(row['state'])))
    view.fail(`the group of a replica that is ${row['state']} was deleted: ${key}, by ${cause?.fn}`);
}

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
