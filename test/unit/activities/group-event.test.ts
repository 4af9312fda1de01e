/** An event through a real table and an ARM that answers as told: what is read, what is written, and what never is. */
import { describe, expect, it } from 'vitest';
import { groupEvent } from '../../../src/activities/group-event.ts';
import { bare } from '../../../src/activities/rows.ts';
import { err, ok } from '../../../src/model/result.ts';
import type { ReplicaRow } from '../../../src/model/state.ts';
import { bench, refusal, settings } from '../../support/activity-bench.ts';
import { aPool } from '../../support/rows.ts';
import { aGroup, inState } from '../../support/snapshots.ts';

const { subscriptionId, resourceGroup } = aPool();
const eventOf = (group: string, over: object = {}) => ({
  eventType: 'Microsoft.Resources.ResourceDeleteSuccess',
  subject: `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerInstance/containerGroups/${group}`,
  ...over,
});

/** A table whose pool has the replica in its ledger; counts what ARM is asked and what is said. */
async function world(replica: ReplicaRow, reserved = 'shop/web/0/1') {
  const made = await bench(replica);
  const { ports, answers } = made;
  const pools = await ports.store.readPools();
  const [pool] = pools.ok ? pools.value : [];
  if (!pool) throw new Error('no pool');
  const reservations = [{ owner: reserved, cores: 1, at: 0 }];
  const put = await ports.store.commit({
    txId: 'ledger',
    changes: [{ type: 'update', row: { ...bare(pool), reservations }, etag: pool.etag }],
  });
  if (!put.ok) throw new Error(put.error.message);
  const said: unknown[] = [];
  const sleeps: number[] = [];
  let reads = 0;
  const gets: (typeof answers.get)[] = [];
  const watched = {
    ...ports,
    groups: {
      ...ports.groups,
      get: async () => {
        reads += 1;
        return gets.shift() ?? answers.get;
      },
    },
    log: {
      ...ports.log,
      info: (_: string, fields?: Readonly<Record<string, unknown>>) => void said.push(fields?.['reason'] ?? 'Written'),
    },
    sleep: async (ms: number) => void sleeps.push(ms),
  };
  return {
    ...made,
    gets,
    said,
    sleeps,
    reads: () => reads,
    tell: (event: unknown) => groupEvent(watched, settings, event),
    prober: (passed: boolean[]) => {
      Object.assign(watched, { prober: { probe: async () => ({ passed: passed.shift() ?? true, detail: '' }) } });
    },
  };
}

const ready = inState('ready');

describe('an event about a ready replica', () => {
  it('whose group is gone is believed after two reads of ARM, written, and wakes the app', async () => {
    const { tell, replica, called, events, said, sleeps, reads } = await world(ready);
    await tell(eventOf(ready.group));
    expect(await replica()).toMatchObject({ state: 'failed', reason: 'GroupMissing', endpoint: false });
    expect(called).toEqual(['start app:shop']);
    expect((await events()).every((event) => event.endsWith('by rule:event'))).toBe(true);
    expect([said, sleeps, reads()]).toEqual([['Written'], [1_000], 2]);
  });

  it('whose group is well changes nothing, whatever the event says', async () => {
    const { tell, replica, called, answers, said } = await world(ready);
    answers.get = ok(aGroup(ready));
    const before = await replica();
    await tell(eventOf(ready.group));
    expect(await replica()).toEqual(before);
    expect([called, said]).toEqual([[], ['Unchanged']]);
  });

  it('is not believed by one read: the group shows again', async () => {
    const { tell, replica, called, gets, answers } = await world(ready);
    gets.push(refusal('NotFound'));
    answers.get = ok(aGroup(ready));
    await tell(eventOf(ready.group));
    expect((await replica())?.state).toBe('ready');
    expect(called).toEqual([]);
  });

  it('fails its probe twice, 5 s apart, before it is unready', async () => {
    const { tell, replica, answers, prober, sleeps } = await world(ready);
    answers.get = ok(aGroup(ready));
    prober([false, true]);
    await tell(eventOf(ready.group));
    expect((await replica())?.state).toBe('ready');
    prober([false, false]);
    await tell(eventOf(ready.group));
    expect((await replica())?.state).toBe('unready');
    expect(sleeps).toEqual([5_000, 5_000]);
  });

  it('is written once, however often the event comes', async () => {
    const { tell, events, said, reads } = await world(ready);
    for (let n = 0; n < 3; n += 1) await tell(eventOf(ready.group));
    expect((await events()).filter((event) => event.startsWith('ReplicaFailed'))).toHaveLength(1);
    expect([said, reads()]).toEqual([['Written', 'NotWatched', 'NotWatched'], 2]);
  });

  it('says nothing while ARM does not answer', async () => {
    const { tell, replica, answers, called } = await world(ready);
    answers.get = err({ kind: 'Unavailable', code: null, message: 'down', retryAfterMs: null });
    await tell(eventOf(ready.group));
    expect((await replica())?.state).toBe('ready');
    expect(called).toEqual([]);
  });
});

describe('an event leads to no call at ARM and to no write', () => {
  it.each<[string, ReplicaRow, unknown, string]>([
    ['when it is no event', ready, { hello: 'world' }, 'Malformed'],
    ['when it is of another type', ready, eventOf(ready.group, { eventType: 'Example.Changed' }), 'OtherType'],
    ['when its group has a foreign name', ready, eventOf('website'), 'OtherName'],
    [
      'when its group is in a foreign place',
      ready,
      eventOf(ready.group, { subject: eventOf(ready.group).subject.replace(resourceGroup, 'theirs') }),
      'OtherScope',
    ],
    ['when its name is made up', ready, eventOf('f-ffffffffffffffff-web'), 'NotOurs'],
    ['while the replica is in transition', inState('deleting'), eventOf(inState('deleting').group), 'NotWatched'],
    ['when the replica is over', inState('gone'), eventOf(inState('gone').group), 'NotWatched'],
  ])('%s', async (_, row, event, reason) => {
    const { tell, replica, called, said, reads } = await world(row);
    const before = await replica();
    await tell(event);
    expect(said).toEqual([reason]);
    expect([called, reads()]).toEqual([[], 0]);
    expect(await replica()).toEqual(before);
  });

  it('when the ledger does not know the incarnation', async () => {
    const { tell, said, reads } = await world(ready, 'shop/web/0/2');
    await tell(eventOf(ready.group));
    expect([said, reads()]).toEqual([['NotOurs'], 0]);
  });
});
