import { describe, expect, it } from 'vitest';
import { groupName } from '../../../src/decide/group-spec.ts';
import { type OwnerRows, type ReapInput, reap } from '../../../src/decide/reap.ts';
import type { ListedGroup } from '../../../src/model/group.ts';
import { aGuard, anAppRow, at } from '../../support/rows.ts';
import { inState, tagsOf } from '../../support/snapshots.ts';

const replica = inState('ready');
/** A listed group that carries the tags of `replica` but for those given, and the name that follows from them. */
const listed = (over: Record<string, string | undefined> = {}, name?: string): ListedGroup => {
  const tags = Object.fromEntries(
    Object.entries({ ...tagsOf(replica), ...over }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  const named = groupName(
    { installation: tags['flotilla-installation'] ?? '', appUid: tags['flotilla-app-uid'] ?? '' },
    {
      service: tags['flotilla-service'] ?? '',
      slot: Number(tags['flotilla-slot']),
      incarnation: Number(tags['flotilla-incarnation']),
    },
  );
  return { name: name ?? named, tags, provisioningState: 'Succeeded', ip: null };
};
const nth = (slot: number): ListedGroup => listed({ 'flotilla-slot': String(slot) });
const orphan = nth(7);
const seenLongAgo = (groups: readonly ListedGroup[]) => groups.map(({ name }) => ({ group: name, firstSeenAt: 0 }));
const owner: OwnerRows = { app: anAppRow(), guards: [aGuard({ nextIncarnation: 5 })], replicas: [replica] };
const input = (over: Partial<ReapInput> = {}): ReapInput => ({
  installation: 'test',
  installationEpoch: 1,
  groups: [orphan],
  owners: new Map([['shop', owner]]),
  sightings: [{ group: orphan.name, firstSeenAt: at - 60_000 }],
  orphanGraceMs: 60_000,
  ...over,
});
/** The one group of the listing, sighted long ago. */
const alone = (group: ListedGroup): Partial<ReapInput> => ({ groups: [group], sightings: seenLongAgo([group]) });
const deleted = (over: Partial<ReapInput>) => reap(input(over), at).deletions.map(({ group }) => group);

describe('the reaper', () => {
  it.each<[string, Partial<ReapInput>, string[]]>([
    ['deletes at the second sighting after the grace', {}, [orphan.name]],
    ['waits for the grace', { sightings: [{ group: orphan.name, firstSeenAt: at - 59_999 }] }, []],
    ['never deletes at the first sighting', { sightings: [] }, []],
    ['leaves another installation alone', alone(listed({ 'flotilla-installation': 'other' })), []],
    ['leaves a group without tags alone', alone({ ...orphan, tags: {} }), []],
    ['holds a group with incomplete tags', alone(listed({ 'flotilla-incarnation': undefined })), []],
    ['holds a group of an app the store does not know', { owners: new Map([['shop', null]]) }, []],
    ['holds a group of an app that could not be read', { owners: new Map() }, []],
    ['holds a group of an app with another uid', alone(listed({ 'flotilla-app-uid': 'uid-2' })), []],
    ['holds a group of an unknown service', alone(listed({ 'flotilla-service': 'new' })), []],
    ['holds an incarnation newer than the store', alone(listed({ 'flotilla-incarnation': '5' })), []],
    [
      'holds a group whose tags were copied from another, for it may be anybody’s',
      alone(listed({ 'flotilla-slot': '7' }, 'f-somebody-web')),
      [],
    ],
    ['holds a group without a slot', alone(listed({ 'flotilla-slot': undefined })), []],
    [
      'deletes the newest incarnation the store knows of',
      alone(listed({ 'flotilla-slot': '7', 'flotilla-incarnation': '4' })),
      [listed({ 'flotilla-slot': '7', 'flotilla-incarnation': '4' }).name],
    ],
    ['deletes what a lower epoch left', { installationEpoch: 2 }, [orphan.name]],
    ['deletes nothing of a higher epoch', alone(listed({ 'flotilla-installation-epoch': '2' })), []],
    [
      'deletes nothing at all once a higher epoch is at work',
      { groups: [orphan, listed({ 'flotilla-slot': '8', 'flotilla-installation-epoch': '2' })] },
      [],
    ],
    [
      'deletes the group of a replica that is confirmed gone',
      {
        groups: [listed()],
        sightings: [{ group: replica.group, firstSeenAt: 0 }],
        owners: new Map([['shop', { ...owner, replicas: [inState('gone')] }]]),
      },
      [replica.group],
    ],
    ['keeps the group of a live row', alone(listed()), []],
    [
      'deletes nothing of a frozen app',
      { owners: new Map([['shop', { ...owner, app: { ...owner.app, frozen: true } }]]) },
      [],
    ],
  ])('%s', (_, over, expected) => {
    expect(deleted(over)).toEqual(expected);
  });

  const many = (count: number) => Array.from({ length: count }, (_, n) => nth(n + 1));

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
    const owned = Array.from({ length: 54 }, (_, n) => inState('ready', { slot: 100 + n }));
    const six = many(6);
    const groups = [...six, ...owned.map(({ slot }) => nth(slot))];
    const owners = new Map([['shop', { ...owner, replicas: owned }]]);
    expect(deleted({ groups, owners, sightings: seenLongAgo(six) })).toHaveLength(6);
    const fewer = groups.slice(0, -1);
    expect(deleted({ groups: fewer, owners, sightings: seenLongAgo(six) })).toHaveLength(0);
  });

  it('tells which orphans are new, and keeps the first sighting of the others', () => {
    const fresh = nth(9);
    const reaping = reap(input({ groups: [orphan, fresh] }), at);
    expect(reaping.found).toEqual([{ group: fresh.name, app: 'shop', service: 'web' }]);
    expect(new Map(reaping.sightings.map(({ group, firstSeenAt }) => [group, firstSeenAt]))).toEqual(
      new Map([
        [orphan.name, at - 60_000],
        [fresh.name, at],
      ]),
    );
    expect(reaping.held).toEqual([]);
  });

  it('does not count what is foreign when it says how many are too many', () => {
    const foreign = Array.from({ length: 94 }, (_, n) => ({ ...nth(200 + n), tags: {} }));
    const six = many(6);
    expect(deleted({ groups: [...six, ...foreign], sightings: seenLongAgo(six) })).toEqual([]);
  });

  it('gives the same answer for every order of the listing', () => {
    const groups = many(3);
    const sightings = seenLongAgo(groups);
    const given = reap(input({ groups, sightings }), at);
    expect(reap(input({ groups: groups.toReversed(), sightings }), at)).toEqual(given);
    const names = given.deletions.map(({ group }) => group);
    expect(names).toEqual(names.toSorted());
  });

  it.each(['app', 'service', 'slot', 'incarnation', 'installation-epoch'])(
    'holds a group without its tag %s',
    (tag) => {
      const [held] = reap(input(alone(listed({ [`flotilla-${tag}`]: undefined }, 'f-any-web'))), at).held;
      expect(held).toEqual({ group: 'f-any-web', because: 'its tags are incomplete' });
    },
  );

  it('holds a group that names no uid, though its name follows from its other tags', () => {
    const nameless = listed({ 'flotilla-app-uid': undefined });
    expect(reap(input(alone(nameless)), at)).toMatchObject({
      deletions: [],
      held: [{ because: 'its app has another uid' }],
    });
  });

  it('holds an orphan of a frozen app', () => {
    const frozen = { ...owner, app: anAppRow({ frozen: true }) };
    expect(reap(input({ owners: new Map([['shop', frozen]]) }), at)).toMatchObject({
      deletions: [],
      held: [{ because: 'its app is frozen' }],
    });
  });

  it('holds a group whose incarnation is not a number', () => {
    const [held] = reap(input(alone(listed({ 'flotilla-incarnation': '4x' }, 'f-any-web'))), at).held;
    expect(held?.because).toBe('its tags are incomplete');
  });

  it('forgets a sighting when the group is owned or gone', () => {
    expect(reap(input({ groups: [] }), at).sightings).toEqual([]);
  });
});
