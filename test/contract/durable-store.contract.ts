/** What every store of the durable engine promises. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActivityRecord, DurableStore, InstanceRecord, MessageRecord } from '../../src/local/host/engine/store.ts';

export interface StoreTarget {
  readonly name: string;
  /** `reopen` gives a second store over what the first has committed; undefined when nothing outlives the process. */
  open(): { readonly store: DurableStore; reopen?(): DurableStore; dispose(): void };
}

export const anInstance = (over: Partial<InstanceRecord> = {}): InstanceRecord => ({
  key: 1,
  instanceId: 'a',
  executionId: 'x1',
  name: 'orchestrator',
  version: null,
  status: 'Pending',
  input: '{"n":1}',
  output: null,
  customStatus: null,
  createdAtMs: 1_000,
  updatedAtMs: 1_000,
  parent: null,
  generation: 0,
  ...over,
});

const aMessage = (over: Partial<MessageRecord> = {}): MessageRecord => ({
  id: 10,
  instanceId: 'a',
  executionId: null,
  visibleAtMs: 1_000,
  event: '{"EventType":15}',
  ...over,
});

const anActivity = (over: Partial<ActivityRecord> = {}): ActivityRecord => ({
  id: 20,
  instanceId: 'a',
  executionId: 'x1',
  taskId: 0,
  name: 'step',
  input: null,
  leaseUntilMs: null,
  ...over,
});

export function runStoreContract(target: StoreTarget): void {
  describe(`the ${target.name} store`, () => {
    let opened: ReturnType<StoreTarget['open']>;
    let store: DurableStore;
    beforeEach(() => {
      opened = target.open();
      store = opened.store;
    });
    afterEach(() => opened.dispose());

    it('is empty at first', () => {
      expect(store.lastId()).toBe(0);
      expect(store.instance('a')).toBeUndefined();
      expect([store.unfinished(), store.messages(), store.activities(), store.history(1)]).toEqual([[], [], [], []]);
    });

    it('gives back an instance as it was put, with every member', async () => {
      const parent = {
        Name: 'p',
        OrchestrationInstance: { InstanceId: 'i', ExecutionId: 'e' },
        TaskScheduleId: 3,
        Version: null,
      };
      const full = anInstance({ version: '1.2', output: '"o"', customStatus: '{"p":1}', parent, generation: null });
      await store.commit([{ op: 'putInstance', record: full }]);
      expect(store.instance('a')).toEqual(full);
    });

    it('updates what a turn changes and replaces a record of the same id and key', async () => {
      await store.commit([{ op: 'putInstance', record: anInstance() }]);
      const running = anInstance({ status: 'Running', output: 'o', customStatus: '1', updatedAtMs: 2_000 });
      await store.commit([{ op: 'updateInstance', record: running }]);
      expect(store.instance('a')).toEqual(running);
      const again = anInstance({ executionId: 'x2', input: null, generation: 1 });
      await store.commit([{ op: 'putInstance', record: again }]);
      expect(store.instance('a')).toEqual(again);
    });

    it('lists as unfinished only what has not ended', async () => {
      const statuses = ['Pending', 'Running', 'Suspended', 'Completed', 'Failed', 'Terminated'] as const;
      await store.commit(
        statuses.map((status, i) => ({
          op: 'putInstance',
          record: anInstance({ key: i + 1, instanceId: `i${i}`, status }),
        })),
      );
      expect(store.unfinished().map((r) => r.status)).toEqual(['Pending', 'Running', 'Suspended']);
    });

    it('appends history per instance and clears it', async () => {
      await store.commit([
        { op: 'appendHistory', key: 1, position: 0, events: '{"a":1}' },
        { op: 'appendHistory', key: 2, position: 0, events: '{"b":1}' },
      ]);
      await store.commit([{ op: 'appendHistory', key: 1, position: 1, events: '{"a":2},{"a":3}' }]);
      expect(store.history(1)).toEqual(['{"a":1}', '{"a":2},{"a":3}']);
      await store.commit([
        { op: 'clearHistory', key: 1 },
        { op: 'appendHistory', key: 1, position: 0, events: '{"new":1}' },
      ]);
      expect([store.history(1), store.history(2)]).toEqual([['{"new":1}'], ['{"b":1}']]);
    });

    it('keeps messages and activities in the order of their ids until they are deleted', async () => {
      await store.commit([
        { op: 'putMessage', record: aMessage({ id: 12, executionId: 'x1' }) },
        { op: 'putMessage', record: aMessage({ id: 11 }) },
        { op: 'putActivity', record: anActivity({ id: 22, input: '"in"' }) },
        { op: 'putActivity', record: anActivity({ id: 21, leaseUntilMs: 5_000 }) },
      ]);
      expect(store.messages()).toEqual([aMessage({ id: 11 }), aMessage({ id: 12, executionId: 'x1' })]);
      expect(store.activities()).toEqual([
        anActivity({ id: 21, leaseUntilMs: 5_000 }),
        anActivity({ id: 22, input: '"in"' }),
      ]);
      await store.commit([
        { op: 'deleteMessage', id: 11 },
        { op: 'deleteActivity', id: 21 },
        { op: 'leaseActivity', id: 22, leaseUntilMs: 9_000 },
        { op: 'leaseActivity', id: 21, leaseUntilMs: 9_000 },
      ]);
      expect(store.messages().map((m) => m.id)).toEqual([12]);
      expect(store.activities()).toEqual([anActivity({ id: 22, input: '"in"', leaseUntilMs: 9_000 })]);
    });

    it('knows the largest key or id in use', async () => {
      await store.commit([{ op: 'putInstance', record: anInstance({ key: 7 }) }]);
      expect(store.lastId()).toBe(7);
      await store.commit([{ op: 'putMessage', record: aMessage({ id: 30 }) }]);
      expect(store.lastId()).toBe(30);
      await store.commit([{ op: 'putActivity', record: anActivity({ id: 31 }) }]);
      expect(store.lastId()).toBe(31);
    });

    it('deletes an instance with everything of it and nothing else', async () => {
      await store.commit([
        { op: 'putInstance', record: anInstance() },
        { op: 'putInstance', record: anInstance({ key: 2, instanceId: 'b' }) },
        { op: 'appendHistory', key: 1, position: 0, events: '{}' },
        { op: 'appendHistory', key: 2, position: 0, events: '{}' },
        { op: 'putMessage', record: aMessage() },
        { op: 'putMessage', record: aMessage({ id: 11, instanceId: 'b' }) },
        { op: 'putActivity', record: anActivity() },
        { op: 'putActivity', record: anActivity({ id: 21, instanceId: 'b' }) },
      ]);
      await store.commit([{ op: 'deleteInstance', key: 1, instanceId: 'a' }]);
      expect(store.instance('a')).toBeUndefined();
      expect(store.history(1)).toEqual([]);
      expect([store.instance('b')?.key, store.history(2), store.messages().length, store.activities().length]).toEqual([
        2,
        ['{}'],
        1,
        1,
      ]);
    });

    it('queries by prefix, status and creation, ordered by id, in pages that begin where they are told to', async () => {
      const rows = [
        anInstance({ key: 1, instanceId: 'app:b', status: 'Running', createdAtMs: 100 }),
        anInstance({ key: 2, instanceId: 'app:a', status: 'Failed', createdAtMs: 200 }),
        anInstance({ key: 3, instanceId: 'App:c', status: 'Running', createdAtMs: 300 }),
        anInstance({ key: 4, instanceId: 'app_%', status: 'Completed', createdAtMs: 400 }),
      ];
      await store.commit(rows.map((record) => ({ op: 'putInstance', record })));
      const ids = (filter: Parameters<DurableStore['query']>[0]) => store.query(filter).map((r) => r.instanceId);
      expect(ids({ limit: 10 })).toEqual(['App:c', 'app:a', 'app:b', 'app_%']);
      expect(ids({ instanceIdPrefix: 'app:', limit: 10 })).toEqual(['app:a', 'app:b']);
      expect(ids({ instanceIdPrefix: 'app_', limit: 10 })).toEqual(['app_%']);
      expect(ids({ statuses: ['Running', 'Completed'], limit: 10 })).toEqual(['App:c', 'app:b', 'app_%']);
      expect(ids({ statuses: [], createdFromMs: 200, createdToMs: 300, limit: 10 })).toEqual(['App:c', 'app:a']);
      expect(ids({ limit: 2 })).toEqual(['App:c', 'app:a']);
      expect(ids({ fromInstanceId: 'app:b', limit: 2 })).toEqual(['app:b', 'app_%']);
    });

    it('commits in the order of the calls', async () => {
      await Promise.all([
        store.commit([{ op: 'putInstance', record: anInstance() }]),
        store.commit([{ op: 'updateInstance', record: anInstance({ status: 'Running' }) }]),
        store.commit([{ op: 'deleteInstance', key: 1, instanceId: 'a' }]),
        store.commit([{ op: 'putInstance', record: anInstance({ executionId: 'x9' }) }]),
      ]);
      expect(store.instance('a')?.executionId).toBe('x9');
    });

    it('has everything that was committed when it is opened again', async ({ skip }) => {
      if (!opened.reopen) skip('keeps nothing beyond the process');
      await store.commit([
        { op: 'putInstance', record: anInstance() },
        { op: 'appendHistory', key: 1, position: 0, events: '{"kept":1}' },
        { op: 'putMessage', record: aMessage() },
        { op: 'putActivity', record: anActivity() },
      ]);
      const again = opened.reopen?.();
      expect(again?.instance('a')).toEqual(anInstance());
      expect([again?.history(1), again?.messages(), again?.activities()]).toEqual([
        ['{"kept":1}'],
        [aMessage()],
        [anActivity()],
      ]);
      again?.close();
    });
  });
}
