import { describe, expect, it } from 'vitest';
import { groupName } from '../../../src/decide/group-spec.ts';
import { recount } from '../../../src/decide/recount.ts';
import {
  isReadDue,
  probedAddress,
  type Sighting,
  type Suspicion,
  sharedAddresses,
  suspicionOf,
  unprobedReadsOf,
  watch,
} from '../../../src/decide/watch.ts';
import type { ServiceTemplate } from '../../../src/model/app-spec.ts';
import { defaults } from '../../../src/model/defaults.ts';
import type { ListedGroup } from '../../../src/model/group.ts';
import type { Observation } from '../../../src/model/snapshot.ts';
import type { ReplicaRow } from '../../../src/model/state.ts';
import { aPool, aTemplate, at } from '../../support/rows.ts';
import { aContainer, identity, inState, seen, tagsOf } from '../../support/snapshots.ts';

const ready = inState('ready');
const listed: ListedGroup = {
  name: ready.group,
  tags: tagsOf(ready),
  provisioningState: 'Succeeded',
  ip: '10.0.0.4',
};
const quiet = aTemplate({ readiness: { kind: 'running', afterMs: 10_000 } });

describe('what makes a ready replica suspect', () => {
  const quietly = inState('ready', { ip: null });
  const nowhere = { ...listed, ip: null };
  const theirs = { ...listed, tags: { ...listed.tags, 'flotilla-installation': 'other' } };
  const ofAnother = { ...listed, tags: { ...listed.tags, 'flotilla-revision': '9' } };
  it.each<[string, ReplicaRow, ServiceTemplate, Partial<Sighting>, Suspicion | null]>([
    ['nothing', ready, aTemplate(), {}, null],
    ['a probe that was not made', ready, aTemplate(), { probe: null }, null],
    ['not being listed', ready, aTemplate(), { listed: undefined }, 'unlisted'],
    ['only a group with its name but other tags', ready, aTemplate(), { listed: { ...listed, tags: {} } }, 'unlisted'],
    ['only a group of another installation', ready, aTemplate(), { listed: theirs }, 'unlisted'],
    ['only a group that was made for another revision', ready, aTemplate(), { listed: ofAnother }, 'unlisted'],
    ['another address', ready, aTemplate(), { listed: { ...listed, ip: '10.0.0.9' } }, 'moved'],
    ['no address in the listing, though its old one answers', ready, aTemplate(), { listed: nowhere }, 'moved'],
    ['the address of a group being placed', ready, aTemplate(), { listed: { ...listed, ip: '0.0.0.0' } }, 'moved'],
    ['an address where it had none', quietly, quiet, { probe: null }, 'moved'],
    ['no address where it needs none (near miss)', quietly, aTemplate(), { listed: nowhere, probe: null }, null],
    ['an address that another row has too, though it answers', ready, aTemplate(), { shared: true }, 'shared'],
    ['a failing probe', ready, aTemplate(), { probe: 'failed' }, 'failing'],
    ['not being probed from outside at all', ready, quiet, { probe: null }, 'unprobed'],
    [
      'not being ready: its own workflow looks after it',
      inState('unready'),
      aTemplate(),
      { listed: undefined, probe: 'failed' },
      null,
    ],
  ])('%s', (_, replica, template, over, expected) => {
    expect(suspicionOf(replica, template, { listed, probe: 'passed', shared: false, ...over }, identity)).toBe(
      expected,
    );
  });
});

describe('whose address a probe speaks of', () => {
  it.each<[string, ListedGroup | undefined, string | null]>([
    ['its own, as the listing shows it', listed, '10.0.0.4'],
    ['nobody’s, when the listing shows another', { ...listed, ip: '10.0.0.9' }, null],
    ['nobody’s, when the listing shows none', { ...listed, ip: null }, null],
    ['nobody’s, when it is not listed', undefined, null],
  ])('%s', (_, group, expected) => {
    expect(probedAddress(ready, group)).toBe(expected);
  });

  it('two rows cannot both have one; what is over or not there yet does not count', () => {
    const rows = [
      ready,
      inState('starting', { slot: 1, ip: '10.0.0.4' }),
      inState('ready', { slot: 2, ip: '10.0.0.5' }),
      inState('deleting', { slot: 3, ip: '10.0.0.5' }),
      inState('failed', { slot: 4, ip: '10.0.0.5' }),
      inState('ready', { slot: 5, ip: null }),
      inState('ready', { slot: 6, ip: null }),
    ];
    expect([...sharedAddresses(rows)]).toEqual(['10.0.0.4']);
  });

  it.each(['starting', 'unready', 'lost'] as const)('one that is %s has its address all the same', (state) => {
    expect([...sharedAddresses([ready, inState(state, { slot: 1, ip: '10.0.0.4' })])]).toEqual(['10.0.0.4']);
  });
});

describe('when a ready replica that only ARM can tell of is read', () => {
  const second = 1_000;
  const minute = 60 * second;
  const tick = 30 * second;
  const replica = (quietMs: number) => ({ group: 'f-1-web', stateAt: at - quietMs, observedAt: null });
  /** How many of the 64 sweeps before now would have read one that has been quiet for so long at each of them. */
  const turnsOf = (quietMs: number, unprobed = 1, sweepMs = tick, reads = 20): number =>
    Array.from({ length: 64 }, (_, n) => at + n * sweepMs).filter((now) =>
      isReadDue({ ...replica(quietMs), stateAt: now - quietMs }, { now, sweptAt: now - sweepMs, unprobed, reads }),
    ).length;

  it.each<[string, number, number]>([
    ['every tick when it has just become ready', turnsOf(0), 64],
    ['every tick for two minutes (near miss)', turnsOf(2 * minute - 1), 64],
    ['every other tick after two minutes', turnsOf(2 * minute), 32],
    ['every fourth after four', turnsOf(4 * minute), 16],
    ['every eighth after eight', turnsOf(8 * minute), 8],
    ['every eighth, 4 minutes, however steady', turnsOf(30 * 24 * 60 * minute), 8],
    ['more rarely where there are more than can be read', turnsOf(8 * minute, 16 * 20), 4],
    ['and so also while it is young', turnsOf(0, 40), 32],
    ['no more rarely than that takes', turnsOf(8 * minute, 10 * 20), 6],
    ['as often as before where they just fit (near miss)', turnsOf(0, 20), 64],
    ['more rarely with one more than fits', turnsOf(0, 21), 32],
    ['at every sweep where these are rarer than its turns', turnsOf(8 * minute, 1, 8 * tick), 64],
  ])('%s', (_, turns, expected) => {
    expect(turns).toBe(expected);
  });

  it('young again once something about it has changed', () => {
    const restarted = { ...replica(60 * minute), observedAt: at - minute };
    const turns = Array.from({ length: 8 }, (_, n) => at + n * second);
    for (const now of turns) {
      expect(isReadDue(restarted, { now, sweptAt: now - tick, unprobed: 1, reads: 20 })).toBe(true);
    }
  });

  it('at once in a pool that was never swept; not twice for one turn, nor while the clock of another host was ahead', () => {
    const steady = replica(60 * minute);
    expect(isReadDue(steady, { now: at, sweptAt: null, unprobed: 1, reads: 20 })).toBe(true);
    expect(isReadDue(steady, { now: at, sweptAt: at, unprobed: 1, reads: 20 })).toBe(false);
    expect(isReadDue(steady, { now: at, sweptAt: at + minute, unprobed: 1, reads: 20 })).toBe(false);
  });

  it.each([
    [0, 450],
    [1, 450],
    [10, 45],
    [1_000, 1],
  ])('%i pools of a subscription share what ARM lets a sweep read: %i each', (pools, reads) => {
    expect(unprobedReadsOf(pools)).toBe(reads);
  });

  it('not all at the same tick', () => {
    const due = Array.from({ length: 80 }, (_, n) => ({ ...replica(60 * minute), group: groupOf(n) })).filter((one) =>
      isReadDue(one, { now: at, sweptAt: at - tick, unprobed: 80, reads: 20 }),
    );
    expect(due.length).toBeGreaterThan(2);
    expect(due.length).toBeLessThan(25);
  });
});

const groupOf = (slot: number): string =>
  groupName({ installation: 'test', appUid: 'uid' }, { service: 'web', slot, incarnation: slot + 1 });

describe('what a full read of it changes', () => {
  const changed = (suspicion: Suspicion, observation: Observation, template = aTemplate()) =>
    watch(ready, template, suspicion, observation, {
      identity,
      settings: defaults,
      now: at + 60_000,
      peersReady: false,
    });

  it('not listed and 404: its group is gone', () => {
    expect(changed('unlisted', { kind: 'missing' })?.row).toMatchObject({
      state: 'failed',
      reason: 'GroupMissing',
      endpoint: false,
    });
  });

  it('listed and read with tags that are not ours: it is somebody else’s group now', () => {
    expect(changed('unlisted', seen(ready, { tags: {} }, 'passed'))?.row).toMatchObject({
      state: 'failed',
      reason: 'GroupMissing',
      endpoint: false,
    });
  });

  it('not listed but there: a stale listing changes nothing', () => {
    expect(changed('unlisted', seen(ready, {}, 'passed'))).toBeNull();
  });

  it('listed but 404: one answer against another changes nothing', () => {
    expect(changed('failing', { kind: 'missing' })).toBeNull();
  });

  it('no answer: changes nothing', () => {
    expect(changed('unlisted', { kind: 'unknown', message: '' })).toBeNull();
  });

  it('failing its probe: unready', () => {
    expect(changed('failing', seen(ready, {}, 'failed'))?.row).toMatchObject({ state: 'unready', endpoint: false });
  });

  it('crashed: unready with that reason', () => {
    const container = aContainer({ state: 'Terminated', exitCode: 137 });
    expect(changed('failing', seen(ready, { container }))?.row).toMatchObject({ reason: 'ContainerCrashed' });
  });

  it('restarted and well again: told, and the count kept', () => {
    const container = aContainer({ exitCode: 1, restartCount: 3 });
    expect(changed('unprobed', seen(ready, { container }), quiet)).toMatchObject({
      row: { state: 'ready', restartCount: 3 },
      events: [{ type: 'ContainerRestarted' }],
    });
  });

  it('moved and well: the endpoints follow', () => {
    expect(changed('moved', seen(ready, { ip: '10.0.0.9' }, 'passed'))?.row).toMatchObject({
      state: 'ready',
      ip: '10.0.0.9',
    });
  });

  it('moved, and without an address: out of the endpoints', () => {
    expect(changed('moved', seen(ready, { ip: null }))?.row).toMatchObject({
      state: 'unready',
      ip: null,
      endpoint: false,
    });
  });

  it('of two with one address: whoever has another one gives it up', () => {
    expect(changed('shared', seen(ready, { ip: '10.0.0.9' }, 'passed'))?.row).toMatchObject({ ip: '10.0.0.9' });
    expect(changed('shared', seen(ready, {}, 'passed'))).toBeNull();
  });

  it('well: nothing is written', () => {
    expect(changed('unprobed', seen(ready), quiet)).toBeNull();
  });
});

describe('the recount of a ledger', () => {
  const held = (owner: string, atMs = at) => ({ owner, cores: 1, at: atMs });
  const counted = (
    reservations: ReturnType<typeof held>[],
    replicas = [ready],
    read = ['shop'],
    now = at + 1,
    listed = '',
  ) =>
    recount(
      {
        pool: aPool({ reservations }),
        replicas,
        read: new Set(read),
        isGivenOut: (owner) => Number(owner.split('/')[3]) < 9,
        isListed: (owner) => owner === listed,
        coresOf: () => 2,
        graceMs: 60_000,
      },
      now,
    ).map(({ owner }) => owner);

  it.each<[string, string[], string[]]>([
    ['keeps what a row owns', counted([held('shop/web/0/1')]), ['shop/web/0/1']],
    ['drops what is confirmed gone', counted([held('shop/web/0/1')], [inState('gone')]), []],
    ['drops what was committed and is over, with or without its row', counted([held('shop/web/0/8')], []), []],
    [
      'keeps what is forgotten while its group is listed',
      counted([held('shop/web/0/1')], [inState('gone')], ['shop'], at + 1, 'shop/web/0/1'),
      ['shop/web/0/1'],
    ],
    ['keeps what may still be committed', counted([held('shop/web/0/9')], []), ['shop/web/0/9']],
    ['drops what was never committed', counted([held('shop/web/0/9')], [], ['shop'], at + 60_000), []],
    [
      'keeps what is taken for a run that has no place yet',
      counted([held('shop/web/0/8')], [{ ...ready, incarnation: 8, state: 'planned', pool: '' }]),
      ['shop/web/0/8'],
    ],
    [
      'drops what was taken for a run that has got none in time',
      counted(
        [held('shop/web/0/8')],
        [{ ...ready, incarnation: 8, state: 'planned', pool: '' }],
        ['shop'],
        at + 60_000,
      ),
      [],
    ],
    ['keeps what it could not read', counted([held('other/web/0/9')], [], ['shop'], at + 60_000), ['other/web/0/9']],
    ['adds what is missing', counted([]), ['shop/web/0/1']],
    ['adds nothing for what is gone', counted([], [inState('gone')]), []],
    ['adds nothing of another pool', counted([], [{ ...ready, pool: 'west' }]), []],
  ])('%s', (_, actual, expected) => {
    expect(actual).toEqual(expected);
  });
});
