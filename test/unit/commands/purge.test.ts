import { describe, expect, it } from 'vitest';
import { purgePartition, staleRows } from '../../../src/commands/purge.ts';
import { keyOf } from '../../../src/model/keys.ts';
import type { LogRow, Row, Stored } from '../../../src/model/state.ts';
import { commandFixture } from '../../support/command-fixture.ts';
import { aGuard, anAppRow, anEvent, anOperation, aReplica, aRevision, at } from '../../support/rows.ts';

const day = 24 * 3_600_000;
const retention = { retainMs: 7 * day, eventRetainMs: 30 * day, revisionHistory: 10, secretGraceMs: 1_000 };
const now = at + 100 * day;
const stored = <R extends Row>(row: R): Stored<R> => ({ ...row, etag: 'e' });
const none = { operations: [], replicas: [], revisions: [], guards: [] };

describe('rows that nobody needs any more', () => {
  it.each([
    ['an operation finished more than 7 days ago', { finishedAt: now - 7 * day - 1 }, true],
    ['one finished just then', { finishedAt: now - 7 * day }, false],
    ['one that waits, however long', { finishedAt: null, acceptedAt: 0 }, false],
  ])('%s', (_, over, isStale) => {
    const operations = [stored(anOperation(over))];
    expect(staleRows({ ...none, operations }, retention, now).length).toBe(isStale ? 1 : 0);
  });

  it.each([
    ['a replica gone for more than 7 days', { state: 'gone', stateAt: now - 8 * day }, true],
    ['one gone since yesterday', { state: 'gone', stateAt: now - day }, false],
    ['one that is still being deleted', { state: 'deleting', stateAt: 0 }, false],
  ] as const)('%s', (_, over, isStale) => {
    const replicas = [stored(aReplica(over))];
    expect(staleRows({ ...none, replicas }, retention, now).length).toBe(isStale ? 1 : 0);
  });

  const revisions = Array.from({ length: 15 }, (_, n) => stored(aRevision({ revision: n + 1 })));
  it.each([
    ['beyond the newest ten', aGuard({ revision: 15 }), [], [5, 4, 3, 2, 1]],
    ['but not the target', aGuard({ revision: 2 }), [], [5, 4, 3, 1]],
    ['nor the verified-good one', aGuard({ revision: 15, verifiedRevision: 4 }), [], [5, 3, 2, 1]],
    ['nor one of a replica', aGuard({ revision: 15 }), [aReplica({ revision: 1 })], [5, 4, 3, 2]],
    [
      'except a replica that is purged itself',
      aGuard({ revision: 15 }),
      [aReplica({ revision: 1, state: 'gone', stateAt: 0 })],
      [5, 4, 3, 2, 1],
    ],
    ['nor for another service', aGuard({ service: 'api', revision: 1 }), [], []],
  ])('revisions: %s', (_, guard, replicas, stale) => {
    const rows = { ...none, revisions, guards: [stored(guard)], replicas: replicas.map(stored) };
    const found = staleRows(rows, retention, now).filter((row) => row.kind === 'revision');
    expect(found.map((row) => row.kind === 'revision' && row.revision)).toEqual(stale);
  });
});

const aLog: LogRow = {
  kind: 'log',
  app: 'shop',
  service: 'web',
  slot: 0,
  incarnation: 1,
  revision: 1,
  container: 'web',
  takenAt: at,
  lines: [],
  truncated: false,
};

describe('purging a partition', () => {
  it('removes them all, many at a time, and leaves the rest', async () => {
    const { ports, store } = commandFixture();
    const old = now - 31 * day;
    const insert = async (rows: Row[]) => {
      // The rows of one call share a partition.
      for (let n = 0; n < rows.length; n += 100) {
        const changes = rows.slice(n, n + 100).map((row) => ({ type: 'insert' as const, row }));
        expect((await store.commit({ txId: `given-${n}`, changes })).ok).toBe(true);
      }
    };
    await insert([anAppRow(), aGuard(), anOperation({ finishedAt: old }), anOperation({ id: 'op-2', seq: 2 })]);
    const logs = (slot: number, takenAt: number): LogRow => ({ ...aLog, slot, takenAt });
    await insert([logs(0, now - 7 * day - 1), logs(1, now - 7 * day)]);
    await insert(Array.from({ length: 230 }, (_, n) => anEvent({ at: old - n, message: `${n}` })));
    await insert([anEvent({ at: now - 30 * day + 1, message: 'young' })]);
    const result = await purgePartition({ ...ports, now: () => now }, 'shop', retention);
    expect(result).toEqual({ ok: true, value: 232 });
    const rows = await store.readApp('shop');
    expect(rows.ok && rows.value.operations.map(({ id }) => id)).toEqual(['op-2']);
    const kept = await store.readLogs('shop', { service: null, limit: 9 });
    expect(kept.ok && kept.value.map(({ slot }) => slot)).toEqual([1]);
    const events = await store.readEvents('shop', { limit: 999 });
    expect(events.ok && events.value.events.map(({ message }) => message)).toEqual(['young']);
    expect(await purgePartition({ ...ports, now: () => now }, 'shop', retention)).toEqual({ ok: true, value: 0 });
    expect(await store.read(keyOf(aGuard()))).toMatchObject({ value: { service: 'web' } });
  });
});
