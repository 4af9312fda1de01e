/** What every state store promises (src/ports/state-store.ts). Bound to implementations by `state-store.test.ts`. */
import { describe, expect, it } from 'vitest';
import { keyOf, keys } from '../../src/model/keys.ts';
import type { AppRow, EventRow, GuardRow, LogRow, OperationRow, Row } from '../../src/model/state.ts';
import type { Change, StateStore } from '../../src/ports/state-store.ts';
import { aDue, aGuard, anAppRow, anEvent, anOperation, aPool, aReplica, aRevision, at } from '../support/rows.ts';
import { failOnce, type TableFixture } from '../support/table-fixture.ts';

const insert = (row: Row): Change => ({ type: 'insert', row });

async function given(store: StateStore, ...rows: Row[]): Promise<ReadonlyMap<string, string>> {
  const result = await store.commit({ txId: 'given', changes: rows.map(insert) });
  if (!result.ok) throw new Error(result.error.message);
  return result.value.etags;
}

const kindOf = (result: { ok: true } | { ok: false; error: { kind: string } }) =>
  result.ok ? 'ok' : result.error.kind;

export function stateStoreContract(name: string, open: () => TableFixture): void {
  describe(`state store: ${name}`, () => {
    it('creates its table with the first write, and reads nothing from one that is not there', async () => {
      const { store } = open();
      expect(await store.read(keys.app('shop'))).toEqual({ ok: true, value: null });
      expect(kindOf(await store.commit({ txId: 't', changes: [insert(anAppRow())] }))).toBe('ok');
    });

    it('gives back every kind of row as written, with its ETag', async () => {
      const { store } = open();
      const rows: Row[] = [
        anAppRow({ spec: { name: 'shop', pools: ['east'], services: [] } }),
        aGuard({ workflow: 'deployment:shop.web:1', wakeAt: 0, reason: 'RollingOut' }),
        aRevision(),
        aReplica({ attempt: null, logTail: 'line\nline' }),
        anOperation({ problems: [{ severity: 'error', path: 'a', problem: 'p', remedy: 'r' }] }),
        anEvent({ service: 'web', replica: 'web/0/1', reason: 'ProbeFailed' }),
      ];
      const etags = await given(store, ...rows);
      for (const row of [...rows]) {
        const etag = etags.get(keyOf(row).row);
        expect(await store.read(keyOf(row))).toEqual({ ok: true, value: { ...row, etag } });
      }
    });

    it('keeps documents that are much longer than a property may be', async () => {
      const { store } = open();
      // Pseudo-random text, so that compression cannot hide the size.
      let seed = 1;
      const noise = Array.from({ length: 150_000 }, () => {
        seed = (seed * 48_271) % 2_147_483_647;
        return String.fromCharCode(33 + (seed % 90));
      }).join('');
      const operation = anOperation({ body: { name: 'shop', noise } });
      await given(store, operation);
      expect(await store.read(keyOf(operation))).toMatchObject({ ok: true, value: { body: { noise } } });
    });

    it('sorts the rows of an app by kind, without its events', async () => {
      const { store } = open();
      await given(
        store,
        anAppRow(),
        aGuard(),
        aRevision(),
        aReplica(),
        aReplica({ slot: 1, incarnation: 2 }),
        anOperation(),
        anEvent(),
      );
      const result = await store.readApp('shop');
      expect(result.ok).toBe(true);
      if (!result.ok) return;
      const { app, guards, revisions, replicas, operations } = result.value;
      expect([app?.app, guards.length, revisions.length, replicas.map((r) => r.slot), operations.length]).toEqual([
        'shop',
        1,
        1,
        [0, 1],
        1,
      ]);
    });

    it('leaves out what is over and that nothing follows from, of whole apps and of one service; a purge finds it', async () => {
      const { store } = open();
      const over = aReplica({ slot: 1, incarnation: 2, state: 'gone', failures: 0 });
      const failed = aReplica({ slot: 2, incarnation: 3, state: 'gone', failures: 4 });
      const applied = anOperation({ id: 'op-0', seq: 1, state: 'applied', finishedAt: 1 });
      const pending = anOperation({ id: 'op-2', seq: 2 });
      await given(store, anAppRow(), aGuard(), aRevision(), aReplica(), over, failed, applied, pending, anEvent());
      const [app, service] = [await store.readApp('shop'), await store.readService('shop', 'web')];
      const whole = await store.readWholeApp('shop');
      if (!app.ok || !service.ok || !whole.ok) throw new Error('not read');
      for (const { value } of [app, service]) {
        expect(value.replicas.map(({ slot }) => slot)).toEqual([0, 2]);
        expect([value.guards.length, value.revisions.length]).toEqual([1, 1]);
      }
      expect(app.value.operations.map(({ id }) => id)).toEqual(['op-2']);
      expect(whole.value.replicas.map(({ slot }) => slot)).toEqual([0, 1, 2]);
      expect(whole.value.operations.map(({ id }) => id)).toEqual(['op-0', 'op-2']);
      expect([whole.value.guards.length, whole.value.revisions.length]).toEqual([1, 1]);
    });

    it('reads an app through pages that end early or are empty', async () => {
      const { store, fail } = open();
      await given(store, anAppRow(), ...Array.from({ length: 9 }, (_, slot) => aReplica({ slot })));
      let page = 0;
      fail((key) => (key.endsWith('/page') ? 1 + (page++ % 2) : 0));
      const result = await store.readApp('shop');
      expect(result.ok && result.value.replicas.map((r) => r.slot)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    });

    it('reads one service without the replicas and revisions of the others, whose names may begin like its own', async () => {
      const { store } = open();
      const of = (service: string) => [aGuard({ service }), aRevision({ service }), aReplica({ service })];
      const over = anOperation({ id: 'op-2', seq: 2, state: 'applied' });
      await given(store, anAppRow(), anOperation(), over, ...['web', 'web-2', 'we', 'webs'].flatMap(of));
      const result = await store.readService('shop', 'web');
      if (!result.ok) throw new Error(result.error.message);
      const { app, guards, revisions, replicas } = result.value;
      expect([app?.app, guards.map((row) => row.service)]).toEqual(['shop', ['we', 'web', 'web-2', 'webs']]);
      expect([...revisions, ...replicas].map((row) => row.service)).toEqual(['web', 'web']);
      const pending = await store.readPending('shop');
      expect(pending.ok && pending.value.map((row) => row.id)).toEqual(['op-1']);
    });

    it.each(['readApp', 'readService'] as const)(
      '%s needs two requests where one page holds the rows',
      async (name) => {
        const { store, requests } = open();
        await given(store, anAppRow(), aGuard(), aRevision(), aReplica(), anOperation());
        const before = requests.length;
        await store[name]('shop', 'web');
        const made = requests.slice(before).filter((key) => key.endsWith('/fault'));
        expect(made).toEqual(['tables GET flotilla/shop/app/fault', 'tables QUERY flotilla/fault']);
      },
    );

    it.each(
      (['readApp', 'readService'] as const).flatMap((name) => [
        { name, pages: 'one page', choice: 0 },
        // So that a read takes long enough to be overtaken in its midst.
        { name, pages: 'pages of one row', choice: 1 },
      ]),
    )(
      '$name, by $pages, never shows a guard newer than its replicas, so that a commit with its ETag proves that none was overlooked',
      async ({ name, choice }) => {
        const { store, fail } = open();
        const first = await given(store, anAppRow(), aGuard());
        let etag = first.get('service|web') ?? '';
        fail((key) => (key.endsWith('/page') ? choice : 0));
        const grow = async () => {
          for (let incarnation = 1; incarnation <= 40; incarnation += 1) {
            const row = aGuard({ nextIncarnation: incarnation + 1 });
            const replica = aReplica({ slot: incarnation, incarnation });
            const changes: Change[] = [{ type: 'update', row, etag }, insert(replica)];
            const written = await store.commit({ txId: `tx-${incarnation}`, changes });
            if (!written.ok) throw new Error(written.error.message);
            etag = written.value.etags.get('service|web') ?? '';
          }
        };
        const growing = grow();
        for (let n = 0; n < 8; n += 1) {
          const read = await store[name]('shop', 'web');
          if (!read.ok) throw new Error(read.error.message);
          const { guards, replicas } = read.value;
          expect(replicas.length).toBeGreaterThanOrEqual((guards[0]?.nextIncarnation ?? 0) - 1);
        }
        await growing;
      },
    );

    it('shows events newest first, and continues before and after a cursor', async () => {
      const { store } = open();
      const messages = ['one', 'two', 'three', 'four', 'five'];
      await given(store, ...messages.map((message, n) => anEvent({ at: at + n * 1000, message })));
      const read = async (options: Parameters<StateStore['readEvents']>[1]) => {
        const result = await store.readEvents('shop', options);
        if (!result.ok) throw new Error(result.error.message);
        return result.value;
      };
      const first = await read({ limit: 2 });
      expect(first.events.map((e) => e.message)).toEqual(['five', 'four']);
      const second = await read({ limit: 2, before: first.oldest ?? '' });
      expect(second.events.map((e) => e.message)).toEqual(['three', 'two']);
      const since = await read({ limit: 10, after: second.newest ?? '' });
      expect(since.events.map((e) => e.message)).toEqual(['five', 'four']);
      expect(await read({ limit: 10, after: first.newest ?? '' })).toEqual({ events: [], newest: null, oldest: null });
    });

    it('lists due rows and pools, each from their partition', async () => {
      const { store } = open();
      await given(store, aDue({ app: 'a' }), aDue({ app: 'b' }));
      await given(store, aPool({ pool: 'east', reservations: [{ owner: 'a/b/0/1', cores: 0.5, at }] }));
      const due = await store.readDue();
      const pools = await store.readPools();
      expect(due.ok && due.value.map((row) => row.app)).toEqual(['a', 'b']);
      expect(pools.ok && pools.value[0]?.reservations).toEqual([{ owner: 'a/b/0/1', cores: 0.5, at }]);
    });

    it('scans the app rows of all partitions and nothing else', async () => {
      const { store, fail } = open();
      for (const app of ['a', 'b', 'c']) await given(store, anAppRow({ app }), anOperation({ app }));
      let page = 0;
      fail((key) => (key.endsWith('/page') ? (page++ % 2) + 1 : 0));
      const seen: string[] = [];
      let from: string | null = null;
      do {
        const result: Awaited<ReturnType<StateStore['scanApps']>> = await store.scanApps(from);
        if (!result.ok) throw new Error(result.error.message);
        seen.push(...result.value.apps.map((row) => row.app));
        from = result.value.next;
      } while (from !== null);
      expect(seen).toEqual(['a', 'b', 'c']);
    });

    it('commits all or nothing when an ETag is stale or an insert meets a row', async () => {
      const { store } = open();
      const etags = await given(store, anAppRow(), aGuard());
      const etag = etags.get('app') ?? '';
      const stale = await store.commit({
        txId: 't1',
        changes: [insert(anOperation()), { type: 'update', row: anAppRow({ generation: 2 }), etag: 'W/"stale"' }],
      });
      const met = await store.commit({
        txId: 't2',
        changes: [{ type: 'update', row: anAppRow({ generation: 3 }), etag }, insert(aGuard())],
      });
      expect([kindOf(stale), kindOf(met)]).toEqual(['Conflict', 'Conflict']);
      expect(await store.read<AppRow>(keys.app('shop'))).toMatchObject({ value: { generation: 1, etag } });
      expect(await store.read(keys.operation('shop', 'op-1'))).toEqual({ ok: true, value: null });
    });

    it('takes an update of a row that is gone for a conflict', async () => {
      const { store } = open();
      await given(store, anAppRow());
      const change: Change = { type: 'update', row: aGuard(), etag: 'W/"x"' };
      expect(kindOf(await store.commit({ txId: 't', changes: [change] }))).toBe('Conflict');
    });

    it('deletes by ETag only the row as it was read', async () => {
      const { store } = open();
      const key = keys.due('shop');
      const first = await store.commit({ txId: 't1', changes: [{ type: 'upsert', row: aDue() }] });
      const second = await store.commit({ txId: 't2', changes: [{ type: 'upsert', row: aDue({ since: at + 1 }) }] });
      if (!first.ok || !second.ok) throw new Error('not committed');
      const remove = (etag: string) => store.commit({ txId: 't3', changes: [{ type: 'delete', key, etag }] });
      expect(kindOf(await remove(first.value.etags.get('shop') ?? ''))).toBe('Conflict');
      expect(await store.read(key)).toMatchObject({ value: { since: at + 1 } });
      expect(kindOf(await remove(second.value.etags.get('shop') ?? ''))).toBe('ok');
      expect(await store.read(key)).toEqual({ ok: true, value: null });
    });

    it('refuses what the table cannot do in one transaction, naming it', async () => {
      const { store } = open();
      const many = Array.from({ length: 101 }, (_, slot) => insert(aReplica({ slot })));
      const refusals = await Promise.all([
        store.commit({ txId: 't', changes: many }),
        store.commit({ txId: 't', changes: [insert(anAppRow()), insert(aDue())] }),
        store.commit({ txId: 't', changes: [] }),
        store.commit({
          txId: 't',
          changes: [insert(anAppRow()), { type: 'delete', key: keys.guard('shop', 'web'), etag: 'W/"x"' }],
        }),
      ]);
      expect(refusals.map((r) => (r.ok ? '' : `${r.error.kind}: ${r.error.message}`))).toEqual([
        expect.stringMatching(/^Invalid: .*101 changes.*at most 100/),
        expect.stringMatching(/^Invalid: .*partitions shop, ~due/),
        expect.stringMatching(/^Invalid: .*no change/),
        expect.stringMatching(/^Invalid: .*commit that delete alone/),
      ]);
    });

    it('takes a transaction of 100 changes', async () => {
      const { store } = open();
      const rows = Array.from({ length: 100 }, (_, slot) => aReplica({ slot }));
      expect((await given(store, ...rows)).size).toBe(100);
    });

    it.each(['insert', 'update', 'upsert', 'delete'] as const)(
      'writes one row alone without a transaction, and tells its ETag: %s',
      async (type) => {
        const { store, requests } = open();
        const row = anAppRow({ nextSeq: 7 });
        const key = keyOf(row);
        const etag = type === 'insert' ? '' : ((await given(store, anAppRow())).get(key.row) ?? '');
        const before = requests.length;
        const change: Change =
          type === 'delete' ? { type, key, etag } : ({ type, row, ...(type === 'update' && { etag }) } as Change);
        const written = await store.commit({ txId: 't', changes: [change] });
        expect(requests.slice(before).filter((asked) => /BATCH/.test(asked))).toEqual([]);
        const read = await store.read<AppRow>(key);
        const told = written.ok ? written.value.etags.get(key.row) : 'refused';
        expect(read).toEqual({ ok: true, value: type === 'delete' ? null : { ...row, etag: told } });
      },
    );

    it.each(['insert', 'update'] as const)(
      'says Conflict of one row alone that somebody else wrote: %s',
      async (type) => {
        const { store } = open();
        const etag = (await given(store, anAppRow())).get('app') ?? '';
        await store.commit({ txId: 'other', changes: [{ type: 'update', row: anAppRow({ nextSeq: 2 }), etag }] });
        const change: Change = type === 'insert' ? insert(anAppRow()) : { type, row: anAppRow(), etag };
        expect(kindOf(await store.commit({ txId: 't', changes: [change] }))).toBe('Conflict');
      },
    );

    const lost = { 'refused with 503': 1, 'answer lost': 2, 'applied, then 500': 3, 'request lost': 6 };
    for (const [fault, choice] of Object.entries(lost)) {
      it(`commits one row alone exactly once by its witness: ${fault}`, async () => {
        const { store, fail } = open();
        const etags = await given(store, anAppRow({ nextSeq: 1 }));
        fail(failOnce(/PUT/, choice));
        const next = anAppRow({ nextSeq: 2, lastTx: 'mine' });
        const changes: Change[] = [{ type: 'update', row: next, etag: etags.get('app') ?? '' }];
        const result = await store.commit({ txId: 'mine', witness: keys.app('shop'), changes });
        const row = await store.read<AppRow>(keys.app('shop'));
        expect([kindOf(result), row.ok && row.value?.nextSeq]).toEqual(['ok', 2]);
        expect(result.ok && result.value.etags.get('app')).toBe(row.ok && row.value?.etag);
      });

      it(`commits exactly once by its witness: ${fault}`, async () => {
        const { store, fail } = open();
        const etags = await given(store, anAppRow({ nextSeq: 1 }));
        fail(failOnce(/BATCH/, choice));
        const result = await store.commit({
          txId: 'mine',
          witness: keys.app('shop'),
          changes: [
            { type: 'update', row: anAppRow({ nextSeq: 2, lastTx: 'mine' }), etag: etags.get('app') ?? '' },
            insert(anOperation()),
          ],
        });
        const row = await store.read<AppRow>(keys.app('shop'));
        const operation = await store.read<OperationRow>(keys.operation('shop', 'op-1'));
        expect(kindOf(result)).toBe('ok');
        expect([row.ok && row.value?.nextSeq, operation.ok && operation.value?.id]).toEqual([2, 'op-1']);
        expect(result.ok && result.value.etags.get('app')).toBe(row.ok && row.value?.etag);
      });
    }

    it('answers ok when a committed transaction is repeated with the same id', async () => {
      const { store } = open();
      const transaction = {
        txId: 'mine',
        witness: keys.app('shop'),
        changes: [insert(anAppRow({ lastTx: 'mine' })), insert(anEvent({ txId: 'mine' }))],
      };
      expect([kindOf(await store.commit(transaction)), kindOf(await store.commit(transaction))]).toEqual(['ok', 'ok']);
      const events = await store.readEvents('shop', { limit: 10 });
      expect(events.ok && events.value.events.length).toBe(1);
    });

    it('knows its commit by its event even after another writer overwrote the witness', async () => {
      const { store, fail } = open();
      const etags = await given(store, aGuard());
      const mine = {
        txId: 'mine',
        witness: keys.guard('shop', 'web'),
        changes: [
          { type: 'update' as const, row: aGuard({ lastTx: 'mine' }), etag: etags.get('service|web') ?? '' },
          insert(anEvent({ txId: 'mine' })),
        ],
      };
      fail(failOnce(/BATCH/, 2));
      expect(kindOf(await store.commit(mine))).toBe('ok');
      const read = await store.read<GuardRow>(keys.guard('shop', 'web'));
      const etag = read.ok ? (read.value?.etag ?? '') : '';
      await store.commit({ txId: 'other', changes: [{ type: 'update', row: aGuard({ lastTx: 'other' }), etag }] });
      expect(kindOf(await store.commit(mine))).toBe('ok');
    });

    it('does not take the commit of another for its own', async () => {
      const { store } = open();
      const etags = await given(store, anAppRow());
      const etag = etags.get('app') ?? '';
      const write = (txId: string) =>
        store.commit({
          txId,
          witness: keys.app('shop'),
          changes: [{ type: 'update', row: anAppRow({ lastTx: txId }), etag }],
        });
      expect([kindOf(await write('one')), kindOf(await write('two'))]).toEqual(['ok', 'Conflict']);
    });

    it('says Unknown of a lost answer that nothing can prove', async () => {
      const { store, fail } = open();
      const etags = await given(store, aReplica());
      fail(failOnce(/PUT/, 2));
      const row = aReplica({ state: 'draining' });
      const result = await store.commit({
        txId: 't',
        changes: [{ type: 'update', row, etag: etags.get(keyOf(row).row) ?? '' }],
      });
      expect(kindOf(result)).toBe('Unknown');
    });

    it('says Unknown when neither the commit nor its look-up is answered', async () => {
      const { store, fail } = open();
      await given(store, aDue());
      fail((key) => (/POST|GET/.test(key) ? 2 : 0));
      const changes = [insert(anAppRow({ lastTx: 'mine' }))];
      expect(kindOf(await store.commit({ txId: 'mine', witness: keys.app('shop'), changes }))).toBe('Unknown');
    });

    it('repeats reads that fail for a moment, and gives up with Unavailable', async () => {
      const { store, fail } = open();
      await given(store, anAppRow());
      fail(failOnce(/GET/, 2));
      expect(kindOf(await store.read(keys.app('shop')))).toBe('ok');
      fail((key) => (key.includes('QUERY') ? 3 : 0));
      expect(kindOf(await store.readApp('shop'))).toBe('Unavailable');
    });

    it('reads the kept logs of a service, or of an app, or those taken before an instant', async () => {
      const { store } = open();
      const log = (service: string, slot: number, takenAt: number): LogRow => ({
        kind: 'log',
        app: 'shop',
        service,
        slot,
        incarnation: 1,
        revision: 1,
        container: service,
        takenAt,
        lines: Array.from({ length: 900 }, (_, n) => ({ at: null, text: `${n} ${'x'.repeat(n % 97)}` })),
        truncated: true,
      });
      const rows = [log('web', 0, at), log('web', 1, at + 1), log('web-2', 0, at), log('api', 3, at)];
      for (const row of rows) await store.commit({ txId: 'log', changes: [{ type: 'upsert', row }] });
      await given(store, anAppRow());
      const read = async (query: Parameters<typeof store.readLogs>[1]) => {
        const found = await store.readLogs('shop', query);
        if (!found.ok) throw new Error(found.error.message);
        return found.value.map(({ service, slot }) => `${service}.${slot}`);
      };
      expect(await read({ service: null, limit: 9 })).toEqual(['api.3', 'web-2.0', 'web.0', 'web.1']);
      expect(await read({ service: 'web', limit: 9 })).toEqual(['web.0', 'web.1']);
      expect(await read({ service: null, limit: 2 })).toEqual(['api.3', 'web-2.0']);
      expect(await read({ service: 'web', takenBefore: at + 1, limit: 9 })).toEqual(['web.0']);
      expect(await store.read(keyOf(rows[1] as LogRow))).toMatchObject({ value: rows[1] });
    });

    it('reads app rows by name, so many at a time, and no rows of other partitions', async () => {
      const { store } = open();
      for (const app of ['b', 'a', 'c']) await given(store, anAppRow({ app }), aGuard({ app }));
      await given(store, aDue({ app: 'a' }));
      const read = async (after: string | null, limit: number) => {
        const page = await store.readApps(after, limit);
        if (!page.ok) throw new Error(page.error.message);
        return page.value.map(({ app }) => app);
      };
      expect(await read(null, 2)).toEqual(['a', 'b']);
      expect(await read('b', 2)).toEqual(['c']);
      expect(await read('c', 2)).toEqual([]);
    });

    it('lets one of many concurrent writers of a row win each round', async () => {
      const { store } = open();
      await given(store, anAppRow({ nextSeq: 0 }));
      const increment = async (writer: number): Promise<void> => {
        for (let n = 0; ; n += 1) {
          const read = await store.read<AppRow>(keys.app('shop'));
          if (!read.ok || !read.value) throw new Error('no row');
          const { etag, ...row } = read.value;
          const txId = `w${writer}-${n}`;
          const next = { ...row, nextSeq: row.nextSeq + 1, lastTx: txId };
          const changes: Change[] = [{ type: 'update', row: next, etag }, insert(anEvent({ txId }) satisfies EventRow)];
          const result = await store.commit({ txId, witness: keys.app('shop'), changes });
          if (result.ok) return;
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, writer) => increment(writer)));
      expect(await store.read<AppRow>(keys.app('shop'))).toMatchObject({ value: { nextSeq: 8 } });
    });
  });
}
