import { describe, expect, it } from 'vitest';
import { mapWhile, rotated } from '../../../src/activities/bounded.ts';
import { retention } from '../../../src/activities/retention.ts';
import { visitApps } from '../../../src/activities/visit-apps.ts';
import { rejectedPartition } from '../../../src/commands/record-rejection.ts';
import { defaults } from '../../../src/model/defaults.ts';
import { ok } from '../../../src/model/result.ts';
import type { Row } from '../../../src/model/state.ts';
import { commandFixture } from '../../support/command-fixture.ts';
import { anAppRow, anEvent, anOperation, at } from '../../support/rows.ts';

const insert = (row: Row) => ({ type: 'insert' as const, row });

async function manyApps(count: number) {
  const fixture = commandFixture();
  for (let n = 0; n < count; n += 1) {
    await fixture.store.commit({ txId: `app-${n}`, changes: [insert(anAppRow({ app: `app-${n}` }))] });
  }
  return fixture;
}

describe('visiting all apps', () => {
  it('visits each once', async () => {
    const { ports } = await manyApps(30);
    const seen: string[] = [];
    const left = await visitApps(ports, defaults, async (app) => void seen.push(app));
    expect(left).toEqual(ok(0));
    expect(new Set(seen).size).toBe(30);
  });

  it('stops when its time is over, and reaches the others in later runs', async () => {
    const { ports, clock } = await manyApps(60);
    const seen = new Set<string>();
    for (let run = 0; run < 16; run += 1) {
      let visits = 0;
      const left = await visitApps(ports, defaults, async (app) => {
        seen.add(app);
        visits += 1;
        clock.now += 20_000;
      });
      expect(left).toEqual(ok(60 - visits));
      expect(visits).toBeLessThan(30);
      clock.now = at + (run + 1) * 15 * 60_000;
    }
    expect(seen.size).toBe(60);
  });
});

describe('the daily purge', () => {
  it('also forgets what was rejected without an app to belong to', async () => {
    const { ports, store, clock } = commandFixture();
    await store.commit({ txId: 'tx', changes: [insert(anEvent({ app: rejectedPartition, at }))] });
    clock.now = at + defaults.eventRetainMs + 1;
    await retention({ ...ports, workflows: { purge: async () => ok(0) } } as never, defaults);
    expect(await store.readEvents(rejectedPartition, { limit: 10 })).toMatchObject({ value: { events: [] } });
  });
});

describe('the daily purge of what was rejected for an app that never was', () => {
  it.each([
    ['keeps it, and its events, as long as events are kept', 0, 1],
    ['then forgets both', 1, 0],
  ])('%s', async (_, laterMs, left) => {
    const { ports, store, clock } = commandFixture();
    const rejected = anOperation({ app: 'ghost', seq: 0, state: 'rejected', finishedAt: at });
    await store.commit({ txId: 'tx', changes: [insert(rejected), insert(anEvent({ app: 'ghost', at }))] });
    clock.now = at + defaults.eventRetainMs + laterMs;
    await retention({ ...ports, workflows: { purge: async () => ok(0) } } as never, defaults);
    const rows = await store.readWholeApp('ghost');
    const events = await store.readEvents('ghost', { limit: 10 });
    expect([rows.ok && rows.value.operations.length, events.ok && events.value.events.length]).toEqual([left, left]);
  });
});

describe('bounded work', () => {
  it('begins nothing more once it may not, and keeps results in the order of the items', async () => {
    let begun = 0;
    const work = async (n: number) => n * 2;
    expect(await mapWhile([1, 2, 3, 4], 2, () => begun++ < 3, work)).toEqual([2, 4, 6, undefined]);
  });

  it.each([
    [[], 3, []],
    [[1, 2, 3], 0, [1, 2, 3]],
    [[1, 2, 3], 5, [3, 1, 2]],
  ])('%j beginning at %i is %j', (items, start, expected) => {
    expect(rotated(items, start)).toEqual(expected);
  });
});
