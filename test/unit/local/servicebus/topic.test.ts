/** Topics over a store in a file, in time that the test moves: what becomes of them when the broker is killed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Entities, openEntities } from '../../../../src/local/servicebus/entities.ts';
import type { BrokerOptions } from '../../../../src/local/servicebus/options.ts';
import { Store } from '../../../../src/local/servicebus/store.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { bodyOf, draft } from '../../../support/queue-fixture.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flotilla-topic-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const options: BrokerOptions = {
  port: 0,
  dataPath: '',
  key: { name: 'k', value: 'v' },
  queues: [],
  topics: [{ name: 'Events', subscriptions: [{ name: 'a' }, { name: 'b' }] }],
};

function open(clock = manualClock(0)) {
  const store = new Store(join(directory, 'bus.db'));
  const entities = openEntities(options, store, clock);
  const close = async () => {
    entities.close();
    await store.close();
  };
  return { entities, store, clock, close };
}

const topicOf = (entities: Entities) => {
  const entity = entities.byPath.get('events');
  if (entity?.kind !== 'topic') throw new Error('events is a topic');
  return entity.topic;
};
const seen = (entities: Entities, subscription: string): unknown[] => {
  const entity = entities.byPath.get(`events/subscriptions/${subscription}`);
  if (entity?.kind !== 'subscription') throw new Error(`${subscription} is a subscription`);
  return entity.queue.peek(0, 99).map(bodyOf);
};

describe('a topic that was closed and opened again', () => {
  it('still gives out what was scheduled, at its time, and nothing twice', async () => {
    const first = open();
    await topicOf(first.entities).send([draft('now'), { ...draft('later'), dueAt: 5_000 }]);
    await first.close();
    const { entities, clock, close } = open(first.clock);
    expect([seen(entities, 'a'), seen(entities, 'b')]).toEqual([['now'], ['now']]);
    clock.advance(5_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([seen(entities, 'a'), seen(entities, 'b')]).toEqual([
      ['now', 'later'],
      ['now', 'later'],
    ]);
    await close();
    const third = open(clock);
    clock.advance(60_000);
    expect(seen(third.entities, 'a')).toEqual(['now', 'later']);
    await third.close();
  });

  it('has the rules that clients made, not those it was declared with', async () => {
    const rulesOf = ({ byPath }: Entities) => {
      const entity = byPath.get('events/subscriptions/a');
      if (entity?.kind !== 'subscription') throw new Error('a is a subscription');
      return entity.rules;
    };
    const first = open();
    await rulesOf(first.entities).remove('$default');
    await rulesOf(first.entities).add({ name: 'Mine', filter: { kind: 'false' } });
    await first.close();
    const { entities, close } = open();
    expect(rulesOf(entities).list()).toEqual([{ name: 'Mine', filter: { kind: 'false' } }]);
    await topicOf(entities).send([draft('1')]);
    expect([seen(entities, 'a'), seen(entities, 'b')]).toEqual([[], ['1']]);
    await close();
  });
});

describe('what is sent to a topic', () => {
  it('reaches all of its subscriptions or none', async () => {
    const { entities, store, close } = open();
    // The second copy does not fit into the table.
    store.db.exec(`CREATE TRIGGER full BEFORE INSERT ON message WHEN (SELECT count(*) FROM message) >= 1
      BEGIN SELECT RAISE(ABORT, 'full'); END`);
    expect(await topicOf(entities).send([draft('1')])).toMatchObject({ ok: false });
    expect([seen(entities, 'a'), seen(entities, 'b')]).toEqual([[], []]);
    store.db.exec('DROP TRIGGER full');
    expect(await topicOf(entities).send([draft('2')])).toMatchObject({ ok: true });
    expect([seen(entities, 'a'), seen(entities, 'b')]).toEqual([['2'], ['2']]);
    await close();
  });
});
