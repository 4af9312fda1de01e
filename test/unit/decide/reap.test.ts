import { describe, expect, it } from 'vitest';
import { type OwnerRows, type ReapInput, reap } from '../../../src/decide/reap.ts';
import type { ListedGroup } from '../../../src/model/group.ts';
import { aGuard, anAppRow, at } from '../../support/rows.ts';
import { inState, tagsOf } from '../../support/snapshots.ts';

const replica = inState('ready');
const listed = (name: string, tags: Record<string, string | undefined> = {}): ListedGroup => ({
  name,
  tags: Object.fromEntries(
    Object.entries({ ...tagsOf(replica), ...tags }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  ),
  provisioningState: 'Succeeded',
  ip: null,
});
const owner: OwnerRows = { app: anAppRow(), guards: [aGuard({ nextIncarnation: 5 })], replicas: [replica] };
const input = (over: Partial<ReapInput> = {}): ReapInput => ({
  installation: 'test',
  installationEpoch: 1,
  groups: [listed('f-orphan')],
  owners: new Map([['shop', owner]]),
  sightings: [{ group: 'f-orphan', firstSeenAt: at - 60_000 }],
  orphanGraceMs: 60_000,
  ...over,
});
const deleted = (over: Partial<ReapInput>) => reap(input(over), at).deletions.map(({ group }) => group);

describe('the reaper', () => {
  it.each<[string, Partial<ReapInput>, string[]]>([
    ['deletes at the second sighting after the grace', {}, ['f-orphan']],
    ['waits for the grace', { sightings: [{ group: 'f-orphan', firstSeenAt: at - 59_999 }] }, []],
    ['never deletes at the first sighting', { sightings: [] }, []],
    ['leaves another installation alone', { groups: [listed('f-orphan', { 'flotilla-installation': 'other' })] }, []],
    ['leaves a group without tags alone', { groups: [{ ...listed('f-orphan'), tags: {} }] }, []],
    ['holds a group with incomplete tags', { groups: [listed('f-orphan', { 'flotilla-incarnation': undefined })] }, []],
    ['holds a group of an app the store does not know', { owners: new Map([['shop', null]]) }, []],
    ['holds a group of an app that could not be read', { owners: new Map() }, []],
    ['holds a group of an app with another uid', { groups: [listed('f-orphan', { 'flotilla-app-uid': 'uid-2' })] }, []],
    ['holds a group of an unknown service', { groups: [listed('f-orphan', { 'flotilla-service': 'new' })] }, []],
    [
      'holds an incarnation newer than the store',
      { groups: [listed('f-orphan', { 'flotilla-incarnation': '5' })] },
      [],
    ],
    [
      'deletes the newest incarnation the store knows of',
      { groups: [listed('f-orphan', { 'flotilla-incarnation': '4' })] },
      ['f-orphan'],
    ],
    ['deletes what a lower epoch left', { installationEpoch: 2 }, ['f-orphan']],
    ['deletes nothing of a higher epoch', { groups: [listed('f-orphan', { 'flotilla-installation-epoch': '2' })] }, []],
    [
      'deletes nothing at all once a higher epoch is at work',
      { groups: [listed('f-orphan'), listed('f-new', { 'flotilla-installation-epoch': '2' })] },
      [],
    ],
    [
      'deletes the group of a replica that is confirmed gone',
      {
        groups: [listed(replica.group)],
        sightings: [{ group: replica.group, firstSeenAt: 0 }],
        owners: new Map([['shop', { ...owner, replicas: [inState('gone')] }]]),
      },
      [replica.group],
    ],
    [
      'keeps the group of a live row',
      { groups: [listed(replica.group)], sightings: [{ group: replica.group, firstSeenAt: 0 }] },
      [],
    ],
  ])('%s', (_, over, expected) => {
    expect(deleted(over)).toEqual(expected);
  });

  const many = (count: number) => Array.from({ length: count }, (_, n) => listed(`f-${String(n).padStart(3, '0')}`));
  const seenLongAgo = (groups: readonly ListedGroup[]) => groups.map(({ name }) => ({ group: name, firstSeenAt: 0 }));

  it('deletes nothing when more than 5 and more than 10 % look like orphans', () => {
    const groups = many(6);
    const reaping = reap(input({ groups, sightings: seenLongAgo(groups) }), at);
    expect(reaping.deletions).toEqual([]);
    expect(reaping.alarm).toContain('6 of 6');
    expect(reaping.sightings).toHaveLength(6);
  });

  it('deletes 5, whatever their share, and 6 of 60, whatever their number', () => {
    const five = many(5);
    expect(deleted({ groups: five, sightings: seenLongAgo(five) })).toHaveLength(5);
    const owned = Array.from({ length: 54 }, (_, slot) => inState('ready', { slot, group: `f-owned-${slot}` }));
    const six = many(6);
    const groups = [...six, ...owned.map(({ group }) => listed(group))];
    const owners = new Map([['shop', { ...owner, replicas: owned }]]);
    expect(deleted({ groups, owners, sightings: seenLongAgo(six) })).toHaveLength(6);
    const fewer = groups.slice(0, -1);
    expect(deleted({ groups: fewer, owners, sightings: seenLongAgo(six) })).toHaveLength(0);
  });

  it('forgets a sighting when the group is owned or gone', () => {
    expect(reap(input({ groups: [] }), at).sightings).toEqual([]);
  });
});
