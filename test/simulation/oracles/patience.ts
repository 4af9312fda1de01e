/** S7: fail closed. The reaper deletes a group only after nobody has owned it for a while, and nothing at all when too many look like orphans. */
import type { ArmGroup, EffectEvent, Oracle, RowEvent, View } from '../types.ts';
import { isReplica, isSkewed, rowOfTags, skewMs } from './rows.ts';

/** Two sightings, the second at least a minute after the first (semantics, "Reaper"). */
const graceMs = 60_000;
const alarmAbove = { count: 5, share: 0.1 };

interface Memory {
  /** When a group was last owned by a live row. */
  readonly ownedAt: Map<string, number>;
  hasSkew: boolean;
  /** Listings may have shown less than there is. */
  seesLess: boolean;
}

export const patience: Oracle = {
  name: 'patience',
  invariant: 'S7',
  create() {
    const memory: Memory = { ownedAt: new Map(), hasSkew: false, seesLess: false };
    return {
      onEvent(view, event) {
        if (isSkewed(event)) memory.hasSkew = true;
        if (event.type === 'fault') memory.seesLess ||= event.fault === 'shortList' || event.fault === 'staleRead';
        else if (event.type === 'tick') look(view, event.at, memory);
        else if (event.type === 'row') noteOwner(event, memory);
        else if (event.type === 'effect') judge(view, event, memory);
      },
    };
  },
};

function look(view: View, at: number, { ownedAt }: Memory): void {
  for (const group of view.groups()) if (isOwned(view, group)) ownedAt.set(group.name, at);
}

function noteOwner({ at, before }: RowEvent, { ownedAt }: Memory): void {
  if (isReplica(before) && before['state'] !== 'gone') ownedAt.set(String(before['group']), at);
}

function judge(view: View, event: EffectEvent, { ownedAt, hasSkew, seesLess }: Memory): void {
  if (event.target !== 'arm' || event.method !== 'DELETE' || event.moment !== 'sent') return;
  const group = view.group(event.group ?? '');
  if (event.cause?.fn !== 'resync' || !group) return;
  const ageMs = event.at - Math.max(ownedAt.get(group.name) ?? 0, group.createdAt);
  if (ageMs < graceMs - (hasSkew ? skewMs : 0))
    view.fail(`the reaper deletes ${group.label}, which was owned or unborn ${ageMs} ms ago`);
  if (!seesLess && !hasSkew) judgeNumber(view, group);
}

const isOwned = (view: View, group: ArmGroup): boolean => {
  const row = rowOfTags(view, group.tags);
  return row !== undefined && row['group'] === group.name && row['state'] !== 'gone';
};

function judgeNumber(view: View, { region, label }: ArmGroup): void {
  const ours = view
    .groups()
    .filter((group) => group.region === region && group.tags['flotilla-installation'] === view.installation);
  const orphans = ours.filter((group) => !group.deleting && !isOwned(view, group) && isKnown(view, group));
  if (orphans.length > alarmAbove.count && orphans.length > ours.length * alarmAbove.share)
    view.fail(`the reaper deletes ${label} although ${orphans.length} of ${ours.length} groups look like orphans`);
}

/** A group newer than the store is held, not orphaned. */
function isKnown(view: View, { tags }: ArmGroup): boolean {
  const guard = view.row(tags['flotilla-app'] ?? '', `service|${tags['flotilla-service']}`);
  return guard !== undefined && Number(tags['flotilla-incarnation']) < Number(guard['nextIncarnation']);
}
