/** Both stores of the ARM stand-in keep the same promises; the durable one also across a new connection. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { GroupRecord } from '../../../../src/local/aci/model.ts';
import { createSqliteAciStore } from '../../../../src/local/aci/sqlite-store.ts';
import { type AciStore, createMemoryAciStore, LOG_LIMIT_BYTES } from '../../../../src/local/aci/store.ts';
import { openDatabase } from '../../../../src/local/sqlite.ts';

const dir = mkdtempSync(join(tmpdir(), 'flotilla-aci-'));
afterAll(() => rmSync(dir, { recursive: true }));

const group = (key: string, dueAt: readonly number[] = []): GroupRecord => ({
  key,
  id: key.toUpperCase(),
  subscriptionId: 's',
  resourceGroup: 'r',
  name: key,
  location: 'eastus',
  tags: { a: 'b' },
  properties: {},
  restartPolicy: 'Always',
  cores: 1,
  memoryGiB: 1,
  spot: false,
  provisioningMs: 1,
  provisioningState: 'Pending',
  uid: key,
  operationId: 'op',
  containers: [],
  events: [],
  due: dueAt.map((at) => ({ at, step: 'schedule' })),
});

describe.each<{ name: string; create: () => AciStore }>([
  { name: 'memory', create: createMemoryAciStore },
  { name: 'SQLite', create: () => createSqliteAciStore(openDatabase(':memory:')) },
])('the $name store', ({ create }) => {
  it('keeps groups by key, in order, and forgets removed ones with their logs', () => {
    const store = create();
    for (const key of ['b', 'a', 'c']) store.putGroup(group(key));
    store.appendLog('b', 'main', { at: 1, text: 'hello' });
    store.appendLog('bb', 'main', { at: 1, text: 'another' });
    expect(store.groups().map((one) => one.key)).toEqual(['a', 'b', 'c']);
    expect(store.group('b')).toEqual(group('b'));
    store.removeGroup('b');
    expect(store.group('b')).toBeUndefined();
    expect(store.logs('b', 'main')).toEqual([]);
    expect(store.logs('bb', 'main')).toHaveLength(1);
    expect(store.groups().map((one) => one.key)).toEqual(['a', 'c']);
  });

  it('knows what is due and when the next instant is', () => {
    const store = create();
    expect(store.nextAt()).toBeUndefined();
    store.putGroup(group('late', [30]));
    store.putGroup(group('soon', [20, 10]));
    store.putGroup(group('never'));
    expect(store.nextAt()).toBe(10);
    expect(store.dueGroups(9)).toEqual([]);
    expect(store.dueGroups(10).map((one) => one.key)).toEqual(['soon']);
    store.putGroup(group('soon'));
    expect(store.nextAt()).toBe(30);
  });

  it('changes its revision with everything that sockets or timers depend on', () => {
    const store = create();
    const seen = [store.revision];
    store.putGroup(group('a'));
    seen.push(store.revision);
    store.setMeta('regions', {});
    seen.push(store.revision);
    store.removeGroup('a');
    seen.push(store.revision);
    expect(new Set(seen).size).toBe(4);
  });

  it('forgets old operations only', () => {
    const store = create();
    const operation = { kind: 'create', groupKey: 'g', location: 'eastus', status: 'InProgress' } as const;
    store.putOperation({ ...operation, id: 'old', startAt: 1 });
    store.putOperation({ ...operation, id: 'new', startAt: 2 });
    store.forgetOperationsBefore(2);
    expect([store.operation('old'), store.operation('new')?.startAt]).toEqual([undefined, 2]);
  });

  it('hands out the audit from an instant on, in order of acceptance', () => {
    const store = create();
    const entry = { id: 'i', name: 'n', subscriptionId: 's', location: 'eastus' };
    for (const [at, action] of [
      [1, 'create'],
      [2, 'update'],
      [2, 'delete'],
      [3, 'gone'],
    ] as const) {
      store.appendAudit({ ...entry, at, action });
    }
    expect(store.audit(2).map((one) => one.action)).toEqual(['update', 'delete', 'gone']);
    expect(store.audit(4)).toEqual([]);
  });

  it('keeps no more than 4 MB of a log, the newest lines', () => {
    const store = create();
    const text = 'x'.repeat(1024 * 1024 - 1);
    for (let at = 0; at < 6; at += 1) store.appendLog('g', 'main', { at, text });
    const kept = store.logs('g', 'main');
    expect(kept.map((line) => line.at)).toEqual([2, 3, 4, 5]);
    expect(kept.length * (text.length + 1)).toBe(LOG_LIMIT_BYTES);
  });
});

describe('the SQLite store', () => {
  it('still has everything when it is opened again', () => {
    const path = join(dir, 'aci.db');
    const first = openDatabase(path);
    const store = createSqliteAciStore(first);
    store.putGroup(group('a', [5]));
    store.setMeta('faults', [1]);
    store.appendLog('a', 'main', { at: 1, text: 'hello' });
    first.close();
    const second = openDatabase(path);
    const again = createSqliteAciStore(second);
    expect(again.group('a')).toEqual(group('a', [5]));
    expect(again.nextAt()).toBe(5);
    expect(again.meta('faults')).toEqual([1]);
    expect(again.logs('a', 'main')).toEqual([{ at: 1, text: 'hello' }]);
    second.close();
  });
});
