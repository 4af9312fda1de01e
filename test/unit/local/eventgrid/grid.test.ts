/** Who gets an event, when it is tried again, when it is given up; and that both stores keep the same promises. */
import { describe, expect, it } from 'vitest';
import { addEventFault, fateOf, listEventFaults } from '../../../../src/local/eventgrid/faults.ts';
import { createEventGrid, RETRY_SCHEDULE_MS, wants } from '../../../../src/local/eventgrid/grid.ts';
import { createMemoryEventStore } from '../../../../src/local/eventgrid/memory-store.ts';
import type { EventStore, PublishedEvent, Subscription } from '../../../../src/local/eventgrid/model.ts';
import { toCloudEvent, toEventGridEvent } from '../../../../src/local/eventgrid/schema.ts';
import { createSqliteEventStore } from '../../../../src/local/eventgrid/sqlite-store.ts';
import { openDatabase } from '../../../../src/local/sqlite.ts';

const at = Date.parse('2026-11-24T12:00:00Z');
const event: PublishedEvent = {
  id: 'e1',
  type: 'Microsoft.Resources.ResourceDeleteSuccess',
  topic: '/subscriptions/s/resourceGroups/r',
  subject: '/subscriptions/s/resourceGroups/r/providers/Microsoft.ContainerInstance/containerGroups/g1',
  at,
  data: { status: 'Succeeded' },
  dataVersion: '2',
};
const subscription: Subscription = {
  name: 'one',
  endpoint: 'http://127.0.0.1:1/?code=secret',
  schema: 'EventGridSchema',
  maxAttempts: 30,
  ttlMs: 24 * 3_600_000,
  state: 'succeeded',
};
const refused = (status: number | null) => ({ status, problem: `status ${status}` });

describe.each<{ name: string; create: () => EventStore }>([
  { name: 'memory', create: createMemoryEventStore },
  { name: 'SQLite', create: () => createSqliteEventStore(openDatabase(':memory:')) },
])('Event Grid on the $name store', ({ create }) => {
  const gridWith = (over: Partial<Subscription> = {}) => {
    const grid = createEventGrid({ store: create() });
    grid.store.putSubscription({ ...subscription, ...over });
    return grid;
  };

  it('delivers at once, and forgets what was taken', () => {
    const grid = gridWith();
    grid.publish(event, at, [0]);
    const [delivery] = grid.due(at, 10);
    expect(delivery).toMatchObject({ subscription: 'one', event, attempts: 0 });
    expect(grid.settle(delivery?.id ?? 0, { status: 202, problem: '' }, at)).toBeUndefined();
    expect([grid.due(at, 10), grid.nextAt(), grid.store.pending()]).toEqual([[], undefined, 0]);
  });

  it.each(['creating', 'failed'] as const)('keeps nothing for a subscription that is %s', (state) => {
    const grid = gridWith({ state });
    grid.publish(event, at, [0]);
    expect(grid.store.pending()).toBe(0);
  });

  it('waits as documented between attempts, and gives up when the event has expired', () => {
    const grid = gridWith();
    grid.publish(event, at, [0]);
    const waits: number[] = [];
    let now = at;
    for (let n = 0; n < 40 && grid.store.pending() > 0; n += 1) {
      const [delivery] = grid.due(now, 10);
      grid.settle(delivery?.id ?? 0, refused(null), now);
      const next = grid.nextAt();
      if (next !== undefined) waits.push(next - now);
      now = next ?? now;
    }
    const minutes = waits.map((ms) => ms / 60_000);
    expect(minutes).toEqual([1 / 6, 0.5, 1, 5, 10, 30, 60, 180, 360, 720]);
    expect(waits).toEqual(RETRY_SCHEDULE_MS);
    expect(grid.store.deadLetters()).toMatchObject([
      { reason: 'TimeToLiveExceeded', attempts: 11, subscription: 'one' },
    ]);
  });

  it('gives up after as many attempts as the subscription allows, and says of which event', () => {
    const grid = gridWith({ maxAttempts: 2 });
    grid.publish(event, at, [0]);
    expect(grid.settle(1, refused(500), at)).toBeUndefined();
    expect(grid.settle(1, refused(500), at + 10_000)).toMatchObject({ event });
    expect(grid.store.deadLetters()).toMatchObject([
      { reason: 'MaxDeliveryAttemptsExceeded', lastError: 'status 500' },
    ]);
  });

  it.each([400, 401, 403, 413])('does not try again what is answered %i', (status) => {
    const grid = gridWith();
    grid.publish(event, at, [0]);
    grid.settle(1, refused(status), at);
    expect(grid.store.deadLetters()).toMatchObject([{ reason: 'NotRetriable' }]);
  });

  it.each([
    [503, 30_000],
    [408, 120_000],
    [500, 10_000],
  ])('waits after %i at least %i ms, scaled by its argument alone', (status, waitMs) => {
    const grid = createEventGrid({ store: create(), retryScale: 0.1 });
    grid.store.putSubscription(subscription);
    grid.publish(event, at, [0]);
    grid.settle(1, refused(status), at);
    expect(grid.nextAt()).toBe(at + waitMs / 10);
  });

  it('carries out the fate of an event: lost, twice, late', () => {
    const grid = gridWith();
    grid.publish(event, at, []);
    expect(grid.store.pending()).toBe(0);
    grid.publish(event, at, [0, 5_000]);
    expect(grid.due(at, 10).length).toBe(1);
    expect(grid.due(at + 5_000, 10).length).toBe(2);
  });

  it('forgets what is on its way to a subscription that is removed', () => {
    const grid = gridWith();
    grid.publish(event, at, [0]);
    grid.store.removeSubscription('one');
    expect([grid.store.pending(), grid.settle(1, refused(500), at)]).toEqual([0, undefined]);
  });

  it('uses up faults one by one, by the name of the group', () => {
    const store = create();
    addEventFault(store, { name: 'g*', times: 1, effect: { kind: 'delay', ms: 7 } });
    addEventFault(store, { times: 2, effect: { kind: 'duplicate', afterMs: 3 } });
    addEventFault(store, { name: 'other', times: null, effect: { kind: 'lose' } });
    expect(fateOf(store, event)).toEqual([7, 10]);
    expect(fateOf(store, event)).toEqual([0, 3]);
    expect(fateOf(store, event)).toEqual([0]);
    expect(listEventFaults(store).map(({ name }) => name)).toEqual(['other']);
  });
});

describe('a subscription', () => {
  it.each<[string, Partial<Subscription>, boolean]>([
    ['without filters wants everything', {}, true],
    ['wants the types that it names', { eventTypes: [event.type] }, true],
    ['wants no other type', { eventTypes: ['Microsoft.Resources.ResourceWriteSuccess'] }, false],
    ['compares subjects without case', { subjectBeginsWith: '/SUBSCRIPTIONS/s/resourcegroups/R/' }, true],
    ['wants no other subject', { subjectBeginsWith: '/subscriptions/other/' }, false],
  ])('%s', (_, over, wanted) => {
    expect(wants({ ...subscription, ...over }, event)).toBe(wanted);
  });
});

describe('the schemas', () => {
  it('say the same', () => {
    const { id, topic, subject, type, data } = event;
    const time = '2026-11-24T12:00:00.000Z';
    expect(toEventGridEvent(event)).toEqual({
      id,
      topic,
      subject,
      eventType: type,
      eventTime: time,
      data,
      dataVersion: '2',
      metadataVersion: '1',
    });
    expect(toCloudEvent(event)).toEqual({ specversion: '1.0', id, source: topic, subject, type, time, data });
  });
});
