/** The reaper against a real table and an ARM that turns it away. */
import { describe, expect, it } from 'vitest';
import { reapPool } from '../../../src/activities/reaper.ts';
import { groupName } from '../../../src/decide/group-spec.ts';
import type { ListedGroup } from '../../../src/model/group.ts';
import { keys } from '../../../src/model/keys.ts';
import { ok } from '../../../src/model/result.ts';
import type { PoolRow, Stored } from '../../../src/model/state.ts';
import { bench, refusal, settings } from '../../support/activity-bench.ts';
import { aGuard, aPool, at } from '../../support/rows.ts';
import { aGroup, identity, inState, tagsOf } from '../../support/snapshots.ts';

const incarnations = [1, 2, 3];
const orphanOf = (incarnation: number) => {
  const group = groupName(identity, { service: 'web', slot: 0, incarnation });
  const replica = inState('gone', { incarnation, group });
  return { ...aGroup(replica), tags: tagsOf(replica) };
};
const orphans = incarnations.map(orphanOf);
const sighted = orphans.map(({ name }) => ({ group: name, firstSeenAt: at - 600_000 }));

/** A pool in which three orphans are due. */
async function orphaned(over: Partial<PoolRow> = {}) {
  const made = await bench(aGuard({ nextIncarnation: 9 }));
  await made.change(aPool({ orphans: sighted, ...over }), keys.pool('east'));
  const { store, groups } = made.ports;
  const looked: string[] = [];
  const get: typeof groups.get = async (_, name) => {
    looked.push(name);
    const known = orphans.find((orphan) => orphan.name === name);
    return made.answers.get.ok || made.answers.get.error.kind !== 'NotFound'
      ? made.answers.get
      : known === undefined
        ? refusal('NotFound')
        : ok(known);
  };
  const ports = { ...made.ports, groups: { ...groups, get } };
  const pool = async () => {
    const read = await store.read<PoolRow>(keys.pool('east'));
    if (!read.ok || read.value === null) throw new Error('no pool');
    return read.value;
  };
  const reap = async (seen?: Stored<PoolRow>, listing: readonly ListedGroup[] = orphans) => {
    const rows = await store.readApp('shop');
    if (!rows.ok) throw new Error(rows.error.message);
    return await reapPool(ports, settings, seen ?? (await pool()), listing, new Map([['shop', rows.value]]));
  };
  return { ...made, ports, looked, pool, reap };
}

describe('the reaper', () => {
  it('deletes every orphan that is due', async () => {
    const { called, reap } = await orphaned();
    await reap();
    expect(called.toSorted()).toEqual(orphans.map(({ name }) => `delete ${name}`).toSorted());
  });

  it('asks for no further deletion in this tick once ARM has had enough', async () => {
    const { answers, called, reap } = await orphaned();
    answers.delete = refusal('Throttled', { retryAfterMs: 60_000 });
    await reap();
    expect(called).toHaveLength(1);
  });

  it('nor looks further when ARM turns the look away', async () => {
    const { answers, looked, called, reap } = await orphaned();
    answers.get = refusal('Throttled');
    await reap();
    expect([looked.length, called]).toEqual([1, []]);
  });

  it('goes on when one of them is refused for itself', async () => {
    const { answers, called, reap } = await orphaned();
    answers.delete = refusal('Conflict');
    await reap();
    expect(called).toHaveLength(3);
  });

  it('notes what it saw though others keep changing the pool, and keeps what they wrote', async () => {
    const { called, change, pool, reap } = await orphaned({ orphans: [] });
    const before = await pool();
    const reservations = [{ owner: 'shop/api/0/1', cores: 1, at }];
    await change(aPool({ orphans: [], reservations }), keys.pool('east'));
    expect(await reap(before)).toBe('done');
    expect(await pool()).toMatchObject({ reservations, listedGroups: 3, listedAt: at + 1_000 });
    expect((await pool()).orphans.map(({ group }) => group).toSorted()).toEqual(
      sighted.map(({ group }) => group).toSorted(),
    );
    expect(called).toEqual([]);
  });

  it.each([
    ['keeps the budget of a group that stands, whatever its row says', {}, {}, ['shop/web/0/1']],
    ['lets nobody hold budget by a copy of its tags', { name: 'forged' }, {}, []],
    ['nor another installation', { name: 'other' }, { 'flotilla-installation': 'other' }, []],
  ] as const)('%s', async (_, over, tags, expected) => {
    const [orphan] = orphans;
    if (orphan === undefined) throw new Error('no orphan');
    const reservations = [{ owner: 'shop/web/0/1', cores: 1, at: at - 60 * 60_000 }];
    const { reap, pool } = await orphaned({ reservations });
    await reap(undefined, [{ ...orphan, ...over, tags: { ...orphan.tags, ...tags } }]);
    expect((await pool()).reservations.map(({ owner }) => owner)).toEqual(expected);
  });

  it('does not take budget anew that was given back while it looked', async () => {
    const { ports, change, pool, reap } = await orphaned();
    const row = inState('deleting', { incarnation: 8, slot: 8 });
    await ports.store.commit({ txId: 'row', changes: [{ type: 'insert', row }] });
    const held = [{ owner: 'shop/web/8/8', cores: 1, at }];
    await change(aPool({ orphans: sighted, reservations: held }), keys.pool('east'));
    const before = await pool();
    await change(aPool({ orphans: sighted, reservations: [] }), keys.pool('east'));
    await reap(before);
    expect((await pool()).reservations).toEqual([]);
  });

  it('gives up when the pool changes at every try, and deletes nothing', async () => {
    const { ports, called, pool, reap } = await orphaned();
    ports.store.commit = async () => refusal('Conflict');
    const before = await pool();
    expect(await reap()).toBe('done');
    expect(called).toEqual([]);
    expect(await pool()).toEqual(before);
  });

  it('writes and deletes nothing when the pool has moved meanwhile: what it saw is of the old place', async () => {
    const { called, change, pool, reap } = await orphaned();
    const before = await pool();
    await change(aPool({ region: 'westus2' }), keys.pool('east'));
    expect(await reap(before)).toBe('moved');
    expect(await pool()).toMatchObject({ region: 'westus2', orphans: [], listedAt: null });
    expect(called).toEqual([]);
  });
});
