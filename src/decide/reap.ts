/**
 * Which container groups of a pool nobody owns. Fail closed: only groups of this installation, only by complete listings, only at the second sighting,
 * never one that is newer than the store, and nothing at all when too many look like orphans at once. The caller never asks with a partial listing.
 */
import type { ListedGroup } from '../model/group.ts';
import { names } from '../model/names.ts';
import type { AppRow, GuardRow, PoolRow, ReplicaRow } from '../model/state.ts';
import { groupName } from './group-spec.ts';

/** Rows of an app that a group's tags name; null when the store knows no such app. */
export interface OwnerRows {
  readonly app: AppRow;
  readonly guards: readonly GuardRow[];
  readonly replicas: readonly ReplicaRow[];
}

export interface ReapInput {
  readonly installation: string;
  readonly installationEpoch: number;
  /** A complete listing of the pool. */
  readonly groups: readonly ListedGroup[];
  /** By app name, read after the listing. */
  readonly owners: ReadonlyMap<string, OwnerRows | null>;
  readonly sightings: PoolRow['orphans'];
  readonly orphanGraceMs: number;
}

export type Finding =
  | { readonly verdict: 'foreign' | 'owned' }
  | { readonly verdict: 'held'; readonly because: string }
  | { readonly verdict: 'orphan'; readonly app: string; readonly service: string };

export interface Reaping {
  readonly sightings: PoolRow['orphans'];
  readonly found: readonly OrphanGroup[];
  readonly deletions: readonly OrphanGroup[];
  readonly held: readonly { readonly group: string; readonly because: string }[];
  /** Why nothing is deleted although orphans are due, else null. */
  readonly alarm: string | null;
}

export interface OrphanGroup {
  readonly group: string;
  readonly app: string;
  readonly service: string;
}

/** More than this many and more than this share at once is more likely our mistake than theirs (semantics, "Reaper"). */
const alarmAbove = { count: 5, share: 0.1 };

export function reap(input: ReapInput, now: number): Reaping {
  const findings = [...input.groups]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((group) => ({ group: group.name, finding: findingOf(group, input) }));
  const ours = findings.filter(({ finding }) => finding.verdict !== 'foreign').length;
  const orphans = findings.flatMap(({ group, finding }) =>
    finding.verdict === 'orphan' ? [{ group, app: finding.app, service: finding.service }] : [],
  );
  const held = findings.flatMap(({ group, finding }) =>
    finding.verdict === 'held' ? [{ group, because: finding.because }] : [],
  );
  const firstSeen = new Map(input.sightings.map((sighting) => [sighting.group, sighting.firstSeenAt]));
  const sightings = orphans.map(({ group }) => ({ group, firstSeenAt: firstSeen.get(group) ?? now }));
  const due = orphans.filter(({ group }) => {
    const seenAt = firstSeen.get(group);
    return seenAt !== undefined && now - seenAt >= input.orphanGraceMs;
  });
  const found = orphans.filter(({ group }) => !firstSeen.has(group));
  const tooMany = orphans.length > alarmAbove.count && orphans.length > ours * alarmAbove.share;
  const newer = held.some(({ because }) => because === newerEpoch);
  const alarm = newer
    ? 'A higher installation epoch is at work on these groups: this installation is superseded and deletes nothing.'
    : tooMany
      ? `${orphans.length} of ${ours} container groups look like orphans: nothing is deleted without consent.`
      : null;
  return { sightings, found, deletions: alarm === null ? due : [], held, alarm };
}

const newerEpoch = 'it carries a higher installation epoch';

function findingOf(group: ListedGroup, input: ReapInput): Finding {
  const { tags } = group;
  if (tags[names.tags.installation] !== input.installation) return { verdict: 'foreign' };
  const app = tags[names.tags.app];
  const service = tags[names.tags.service];
  const appUid = tags[names.tags.appUid] ?? '';
  const slot = wholeNumber(tags[names.tags.slot]);
  const incarnation = wholeNumber(tags[names.tags.incarnation]);
  const epoch = wholeNumber(tags[names.tags.epoch]);
  if (app === undefined || service === undefined || slot === null || incarnation === null || epoch === null) {
    return { verdict: 'held', because: 'its tags are incomplete' };
  }
  if (group.name !== groupName({ installation: input.installation, appUid }, { service, slot, incarnation })) {
    return { verdict: 'held', because: 'its name does not follow from its tags, so these are not its own' };
  }
  if (epoch > input.installationEpoch) return { verdict: 'held', because: newerEpoch };
  const rows = input.owners.get(app) ?? null;
  if (rows === null) return { verdict: 'held', because: 'the store does not know its app' };
  if (rows.app.uid !== appUid) return { verdict: 'held', because: 'its app has another uid' };
  if (rows.replicas.some((row) => row.group === group.name && row.state !== 'gone')) return { verdict: 'owned' };
  const guard = rows.guards.find((row) => row.service === service);
  if (guard === undefined) return { verdict: 'held', because: 'the store does not know its service' };
  if (incarnation >= guard.nextIncarnation) return { verdict: 'held', because: 'it is newer than the store' };
  if (rows.app.frozen) return { verdict: 'held', because: 'its app is frozen' };
  return { verdict: 'orphan', app, service };
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
