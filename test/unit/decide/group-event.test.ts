/** What an event may say, and whose a name is: everything that is not ours is dropped before anything is called. */
import { describe, expect, it } from 'vitest';
import {
  candidatesOf,
  containerStateType,
  type DropReason,
  isNamed,
  readGroupEvent,
} from '../../../src/decide/group-event.ts';
import { groupName } from '../../../src/decide/group-spec.ts';
import { aPool } from '../../support/rows.ts';

const name = 'f-0123456789abcdef-web';
const topic = '/subscriptions/S-1/resourceGroups/Flotilla';
const subject = `${topic}/providers/Microsoft.ContainerInstance/containerGroups/${name}`;
const grid = (over: object = {}) => ({ eventType: 'Microsoft.Resources.ResourceDeleteSuccess', subject, ...over });
const cloud = (over: object = {}) => ({ specversion: '1.0', type: containerStateType, subject, ...over });
const read = { subscriptionId: 'S-1', resourceGroup: 'Flotilla', name };

describe('an event', () => {
  it.each<[string, unknown]>([
    ['of ARM in the schema of Event Grid', grid()],
    ['of ARM as a CloudEvent', cloud({ type: 'Microsoft.Resources.ResourceWriteFailure' })],
    ['about an action', grid({ eventType: 'Microsoft.Resources.ResourceActionSuccess' })],
    ['about a part of the group', grid({ subject: `${subject}/containers/web` })],
    [
      'with an id in other letters',
      grid({ subject: subject.toUpperCase().replace('S-1', 'S-1').replace('FLOTILLA', 'Flotilla') }),
    ],
    ['of a container state, whatever its data', cloud({ data: { state: 7 } })],
  ])('%s names the group', (_, event) => {
    expect(readGroupEvent(event)).toEqual({ ok: true, subject: read });
  });

  it.each<[string, unknown, DropReason]>([
    ['that is nothing', null, 'Malformed'],
    ['that is a text', 'deleted', 'Malformed'],
    ['that is a list', [grid()], 'Malformed'],
    ['without a subject', grid({ subject: undefined }), 'Malformed'],
    ['whose subject is no text', grid({ subject: { toString: null } }), 'Malformed'],
    ['without a type', grid({ eventType: 3 }), 'Malformed'],
    ['of CloudEvents 0.3', cloud({ specversion: '0.3' }), 'Malformed'],
    ['about something else of ARM', grid({ eventType: 'Microsoft.Resources.ResourceReadSuccess' }), 'OtherType'],
    ['of another publisher', cloud({ type: 'com.example.Changed' }), 'OtherType'],
    ['about a storage account', grid({ subject: subject.replace('ContainerInstance', 'Storage') }), 'OtherResource'],
    ['whose subject climbs out', grid({ subject: `/x${subject}` }), 'OtherResource'],
    ['whose subject has no end', grid({ subject: subject + '/x'.repeat(1_000) }), 'OtherResource'],
    ['about a group of another name', grid({ subject: subject.replace(name, 'website') }), 'OtherName'],
    [
      'about a name that is nearly ours',
      grid({ subject: subject.replace(name, 'f-0123456789abcdeg-web') }),
      'OtherName',
    ],
    ['about a name with an encoded slash', grid({ subject: subject.replace('-web', '-web%2f..') }), 'OtherName'],
  ])('%s is dropped as such', (_, event, reason) => {
    expect(readGroupEvent(event)).toEqual({ ok: false, reason });
  });
});

describe('the owner of a name', () => {
  const reservations = [
    { owner: 'shop/web/0/1', cores: 1, at: 0 },
    { owner: 'shop/api/0/1', cores: 1, at: 0 },
    { owner: 'blog/web/2/7', cores: 1, at: 0 },
  ];
  const pool = aPool({ subscriptionId: 's-1', resourceGroup: 'flotilla', reservations });

  it('is sought among the incarnations of that service in the pools of that place', () => {
    expect(candidatesOf(read, [pool])).toEqual({
      ok: true,
      candidates: [
        { pool: pool.pool, app: 'shop', service: 'web', slot: 0, incarnation: 1 },
        { pool: pool.pool, app: 'blog', service: 'web', slot: 2, incarnation: 7 },
      ],
    });
  });

  it('may be in a pool that is retired, and in any that shares the place', () => {
    const found = candidatesOf(read, [
      { ...pool, retired: true },
      { ...pool, pool: 'west', reservations: [] },
    ]);
    expect(found).toMatchObject({ ok: true, candidates: [{ app: 'shop' }, { app: 'blog' }] });
  });

  it.each([{ subscriptionId: 's-2' }, { resourceGroup: 'theirs' }])('is nobody where no pool is: %j', (over) => {
    expect(candidatesOf(read, [{ ...pool, ...over }])).toEqual({ ok: false, reason: 'OtherScope' });
  });

  it('is the incarnation whose name it is, of this installation and this app', () => {
    const identity = { installation: 'test', appUid: 'uid-1' };
    const candidate = { pool: 'east', app: 'shop', service: 'web', slot: 0, incarnation: 1 };
    const own = groupName(identity, candidate);
    expect(isNamed(candidate, identity, own)).toBe(true);
    expect(isNamed({ ...candidate, incarnation: 2 }, identity, own)).toBe(false);
    expect(isNamed(candidate, { ...identity, appUid: 'uid-2' }, own)).toBe(false);
    expect(isNamed(candidate, { ...identity, installation: 'other' }, own)).toBe(false);
  });
});
