/** The reaper against a real table and an ARM that turns it away. */
import { describe, expect, it } from 'vitest';
import { reapPool } from '../../../src/activities/reaper.ts';
import { groupName } from '../../../src/decide/group-spec.ts';
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
  const reap = async (seen?: Stored<PoolRow>) => {
    const rows = await store.readApp('shop');
    if (!rows.ok) throw new Error(rows.error.message);
    return await reapPool(ports, settings, seen ?? (await pool()), orphans, new Map([['shop', rows.value]]));
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
});
