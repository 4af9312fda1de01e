import { describe, expect, it } from 'vitest';
import { accept, operationIdOf } from '../../../src/commands/accept.ts';
import { createQueueHandlers } from '../../../src/commands/queue-handlers.ts';
import { rejectedPartition } from '../../../src/commands/record-rejection.ts';
import { keys } from '../../../src/model/keys.ts';
import type { AppRow, OperationRow } from '../../../src/model/state.ts';
import {
  type CommandFixture,
  commandFixture,
  document,
  givenPools,
  incoming,
  noReplies,
} from '../../support/command-fixture.ts';
import { anOperation } from '../../support/rows.ts';

const whole = (idempotencyKey: string, body: unknown = document()) => ({
  command: 'apply',
  app: 'shop',
  idempotencyKey,
  document: body,
});

const handlersOf = (fixture: CommandFixture) => {
  const { onMessage, onDeadLetter } = createQueueHandlers(fixture.ports, noReplies);
  return {
    message: (body: unknown) => onMessage(incoming(body), fixture.workflows),
    deadLetter: (body: unknown) => onDeadLetter(incoming(body), fixture.workflows),
  };
};

async function accepted(fixture: CommandFixture, key: string, body: unknown = document()) {
  const command = { app: 'shop', command: 'apply', document: body, idempotencyKey: key } as const;
  const result = await accept(fixture.ports, command);
  if (!result.ok) throw new Error(result.error.kind);
  return { app: 'shop', operationId: result.value.id };
}

const operationOf = async ({ store }: CommandFixture, id: string) => {
  const read = await store.read<OperationRow>(keys.operation('shop', id));
  return read.ok ? read.value : null;
};
const appOf = async ({ store }: CommandFixture) => {
  const read = await store.read<AppRow>(keys.app('shop'));
  return read.ok ? read.value : null;
};

describe('a hint', () => {
  it('applies every accepted operation of its app in the order of acceptance, and starts the assessor', async () => {
    const fixture = commandFixture();
    const first = await accepted(fixture, 'k1', document('nginx:1'));
    const second = await accepted(fixture, 'k2', document('nginx:2'));
    await handlersOf(fixture).message(second);
    expect(await operationOf(fixture, first.operationId)).toMatchObject({ state: 'applied', generation: 1 });
    expect(await operationOf(fixture, second.operationId)).toMatchObject({ state: 'applied', generation: 2 });
    expect(await appOf(fixture)).toMatchObject({ generation: 2, appliedSeq: 2 });
    expect(fixture.started).toEqual(['app:shop']);
  });

  it('whose operation is applied already changes nothing, but wakes the app', async () => {
    const fixture = commandFixture();
    const hint = await accepted(fixture, 'k1');
    await handlersOf(fixture).message(hint);
    const before = await appOf(fixture);
    fixture.clock.now += 5_000;
    await handlersOf(fixture).message(hint);
    expect(await appOf(fixture)).toEqual(before);
    expect(fixture.started).toEqual(['app:shop', 'app:shop']);
    expect(await fixture.store.readDue()).toMatchObject({ value: [{ dueAt: fixture.clock.now }] });
  });

  it('for an app that does not exist is dropped without a trace in the table', async () => {
    const fixture = commandFixture();
    await handlersOf(fixture).message({ app: 'ghost', operationId: '0'.repeat(32) });
    expect(fixture.logged.join()).toContain('names an app that does not exist');
    expect([fixture.started, await fixture.store.readDue()]).toMatchObject([[], { value: [] }]);
  });

  it('rejects an operation whose pool has left the configuration meanwhile, and applies the next', async () => {
    const fixture = commandFixture();
    await givenPools(fixture, 'east', 'west');
    const doomed = await accepted(fixture, 'k1', document('nginx:1', { 'x-flotilla': { pools: ['west'] } }));
    const next = await accepted(fixture, 'k2', document('nginx:2', { 'x-flotilla': { pools: ['east'] } }));
    const pools = await fixture.store.readPools();
    const west = pools.ok ? pools.value.find(({ pool }) => pool === 'west') : undefined;
    if (!west) throw new Error('no pool');
    const { etag, ...row } = west;
    await fixture.store.commit({ txId: 't', changes: [{ type: 'update', row: { ...row, retired: true }, etag }] });
    await handlersOf(fixture).message(doomed);
    expect(await operationOf(fixture, doomed.operationId)).toMatchObject({
      state: 'rejected',
      reason: 'UnknownPool',
      problems: [{ path: 'x-flotilla.pools[0]' }],
    });
    expect(await operationOf(fixture, next.operationId)).toMatchObject({ state: 'applied' });
    expect(await appOf(fixture)).toMatchObject({ state: 'active', generation: 1, appliedSeq: 2 });
  });

  it('never lets a command come after one that was accepted later', async () => {
    const fixture = commandFixture();
    await handlersOf(fixture).message(await accepted(fixture, 'k1', document('nginx:1')));
    await handlersOf(fixture).message(await accepted(fixture, 'k2', document('nginx:2')));
    const before = await appOf(fixture);
    const late = anOperation({ id: '1'.repeat(32), seq: 1, body: document('nginx:1') });
    await fixture.store.commit({ txId: 't', changes: [{ type: 'insert', row: late }] });
    await handlersOf(fixture).message({ app: 'shop', operationId: late.id });
    expect(await operationOf(fixture, late.id)).toMatchObject({ state: 'superseded', reason: 'NewerCommandApplied' });
    expect(await appOf(fixture)).toMatchObject({ generation: 2, appliedSeq: 2, spec: before?.spec });
  });

  it('waits out a store that fails for a while', async () => {
    const fixture = commandFixture();
    const hint = await accepted(fixture, 'k1');
    let failures = 8;
    fixture.fail((key) => (key.includes('QUERY') && key.endsWith('/fault') && failures-- > 0 ? 4 : 0));
    await handlersOf(fixture).message(hint);
    expect(await operationOf(fixture, hint.operationId)).toMatchObject({ state: 'applied' });
  });

  it('is given back when the store stays away for three minutes', async () => {
    const fixture = commandFixture();
    const hint = await accepted(fixture, 'k1');
    const startedAt = fixture.clock.now;
    // Refused before anything happens, and the client is told not to wait for it: only the handler's own patience counts.
    const { store } = fixture;
    const away = { kind: 'Unavailable', code: null, message: 'away', retryAfterMs: null } as const;
    const ports = { ...fixture.ports, store: { ...store, readApp: async () => ({ ok: false, error: away }) as const } };
    const { onMessage, onDeadLetter } = createQueueHandlers(ports, noReplies);
    await expect(onMessage(incoming(hint), fixture.workflows)).rejects.toThrow('Unavailable: away');
    const waitedMs = fixture.clock.now - startedAt;
    expect(waitedMs).toBeGreaterThan(120_000);
    expect(waitedMs).toBeLessThanOrEqual(180_000);
    await expect(onDeadLetter(incoming(hint), fixture.workflows)).rejects.toThrow('Unavailable: away');
    expect(await operationOf(fixture, hint.operationId)).toMatchObject({ state: 'accepted' });
  });

  it('has one patience for all that is done about it, and begins nothing that would outlast the function', async () => {
    const fixture = commandFixture();
    const startedAt = fixture.clock.now;
    const away = { kind: 'Unavailable', code: null, message: 'away', retryAfterMs: null } as const;
    const { store } = fixture;
    const slowly = async () => {
      fixture.clock.now += 90_000;
      return { ok: false, error: away } as const;
    };
    const commit: typeof store.commit = async (transaction) =>
      fixture.clock.now - startedAt < 90_000 ? await slowly() : await store.commit(transaction);
    const ports = { ...fixture.ports, store: { ...store, commit, readApp: slowly } };
    const command = { command: 'apply', app: 'shop', idempotencyKey: 'k1', document: document() };
    await expect(createQueueHandlers(ports, noReplies).onMessage(incoming(command), fixture.workflows)).rejects.toThrow(
      'away',
    );
    expect(fixture.clock.now - startedAt).toBeLessThan(240_000);
  });

  it('is complete even if the assessor cannot be started: the due row is there', async () => {
    const fixture = commandFixture();
    const hint = await accepted(fixture, 'k1');
    const error = { kind: 'Unavailable', code: null, message: 'no host', retryAfterMs: null } as const;
    const { onMessage } = createQueueHandlers(fixture.ports, noReplies);
    await onMessage(incoming(hint), { start: async () => ({ ok: false, error }) });
    expect(await operationOf(fixture, hint.operationId)).toMatchObject({ state: 'applied' });
    expect(await fixture.store.readDue()).toMatchObject({ value: [{ app: 'shop' }] });
  });
});

describe('an operation that the table will never take', () => {
  const refuseApplies = (fixture: CommandFixture): CommandFixture['ports'] => ({
    ...fixture.ports,
    store: {
      ...fixture.store,
      commit: async (transaction) =>
        transaction.changes.some(({ type }) => type === 'insert') &&
        transaction.changes.some((change) => change.type !== 'delete' && change.row.kind === 'revision')
          ? { ok: false, error: { kind: 'Invalid', code: 'EntityTooLarge', message: 'too large', retryAfterMs: null } }
          : await fixture.store.commit(transaction),
    },
  });

  it('is rejected with the reason, so that those behind it go on', async () => {
    const fixture = commandFixture();
    const hint = await accepted(fixture, 'k1');
    await createQueueHandlers(refuseApplies(fixture), noReplies).onMessage(incoming(hint), fixture.workflows);
    expect(await operationOf(fixture, hint.operationId)).toMatchObject({
      state: 'rejected',
      reason: 'CommandFailed',
      problems: [{ problem: 'too large' }],
    });
  });
});

describe('a whole command', () => {
  it('is accepted and applied at once, and a second delivery changes nothing', async () => {
    const fixture = commandFixture();
    await handlersOf(fixture).message(whole('k1'));
    const before = await appOf(fixture);
    await handlersOf(fixture).message(whole('k1'));
    expect(await appOf(fixture)).toEqual(before);
    expect(before).toMatchObject({ generation: 1, nextSeq: 2 });
    expect(fixture.sent).toEqual([]);
  });

  it('deletes', async () => {
    const fixture = commandFixture();
    await handlersOf(fixture).message(whole('k1'));
    await handlersOf(fixture).message({ command: 'delete', app: 'shop', idempotencyKey: 'k2' });
    expect(await appOf(fixture)).toMatchObject({ state: 'deleting', generation: 2 });
  });

  it('with an invalid document is recorded as rejected with every fault, and has no effect', async () => {
    const fixture = commandFixture();
    await handlersOf(fixture).message(whole('k1', { name: 'shop', services: { web: { bild: 'x' } } }));
    await handlersOf(fixture).message(whole('k1', { name: 'shop', services: { web: { bild: 'x' } } }));
    const operation = await operationOf(fixture, operationIdOf({ app: 'shop', idempotencyKey: 'k1' }));
    expect(operation).toMatchObject({ state: 'rejected', reason: 'InvalidDocument', seq: 0, body: null });
    expect(operation?.problems.length).toBeGreaterThan(0);
    expect(await appOf(fixture)).toBeNull();
    expect(fixture.started).toEqual([]);
  });

  it('to delete an app that is not there is recorded as rejected', async () => {
    const fixture = commandFixture();
    await handlersOf(fixture).message({ command: 'delete', app: 'shop', idempotencyKey: 'k1' });
    const operation = await operationOf(fixture, operationIdOf({ app: 'shop', idempotencyKey: 'k1' }));
    expect(operation).toMatchObject({ state: 'rejected', reason: 'AppNotFound', command: 'delete' });
  });

  it('under a key that belongs to another one leaves that alone and is told in the audit log', async () => {
    const fixture = commandFixture();
    await handlersOf(fixture).message(whole('k1', document('nginx:1')));
    await handlersOf(fixture).message(whole('k1', document('nginx:2')));
    expect(await appOf(fixture)).toMatchObject({ generation: 1 });
    const events = await fixture.store.readEvents('shop', { limit: 50 });
    expect(events.ok && events.value.events.map(({ type, reason }) => [type, reason])).toContainEqual([
      'OperationRejected',
      'KeyReused',
    ]);
  });
});

describe('a poison message', () => {
  it.each([
    ['text', 'no JSON'],
    ['nothing', null],
    ['a list', []],
    ['an unknown command', { command: 'explode', app: 'shop' }],
    ['a hint without operation', { app: 'shop' }],
    ['an illegal app name', { app: '../x', operationId: '0'.repeat(32) }],
    ['an extra member', { app: 'shop', operationId: '0'.repeat(32), secret: 'hunter2' }],
  ])('that names no operation (%s) is completed, logged and told, without its content', async (_, body) => {
    const fixture = commandFixture();
    await handlersOf(fixture).message(body);
    const events = await fixture.store.readEvents(rejectedPartition, { limit: 9 });
    expect(events).toMatchObject({
      value: { events: [{ type: 'OperationRejected', reason: 'InvalidMessage', cause: 'message-1' }] },
    });
    expect(fixture.logged.length).toBe(1);
    expect(JSON.stringify([events, fixture.logged])).not.toContain('hunter2');
  });

  it('with app and key is rejected in the operation of that key, saying where it is wrong', async () => {
    const fixture = commandFixture();
    await handlersOf(fixture).message({ command: 'explode', app: 'shop', idempotencyKey: 'k1' });
    await handlersOf(fixture).message({ command: 'explode', app: 'shop', idempotencyKey: 'k1' });
    const operation = await operationOf(fixture, operationIdOf({ app: 'shop', idempotencyKey: 'k1' }));
    expect(operation).toMatchObject({ state: 'rejected', reason: 'InvalidMessage', problems: [{ path: 'command' }] });
    expect(await appOf(fixture)).toBeNull();
  });
});

describe('a dead letter', () => {
  it('is applied late rather than never', async () => {
    const fixture = commandFixture();
    const hint = await accepted(fixture, 'k1');
    await handlersOf(fixture).deadLetter(hint);
    expect(await operationOf(fixture, hint.operationId)).toMatchObject({ state: 'applied' });
    expect(fixture.started).toEqual(['app:shop']);
  });

  const broken = (fixture: CommandFixture): CommandFixture['ports'] => ({
    ...fixture.ports,
    pools: () => {
      throw new TypeError('a bug');
    },
  });
  const withPools = document('nginx:1', { 'x-flotilla': { pools: ['east'] } });

  it('whose handler fails by a bug ends its operation as rejected', async () => {
    const fixture = commandFixture();
    await givenPools(fixture, 'east');
    const hint = await accepted(fixture, 'k1', withPools);
    const handlers = createQueueHandlers(broken(fixture), noReplies);
    await expect(handlers.onMessage(incoming(hint), fixture.workflows)).rejects.toThrow('a bug');
    await handlers.onDeadLetter(incoming(hint), fixture.workflows);
    expect(await operationOf(fixture, hint.operationId)).toMatchObject({
      state: 'rejected',
      reason: 'CommandFailed',
      problems: [{ problem: 'a bug' }],
    });
  });

  it('with a whole command that was never accepted is recorded under its own key', async () => {
    const fixture = commandFixture();
    const other = await accepted(fixture, 'other');
    await createQueueHandlers(broken(fixture), noReplies).onDeadLetter(
      incoming(whole('k1', withPools)),
      fixture.workflows,
    );
    const id = operationIdOf({ app: 'shop', idempotencyKey: 'k1' });
    expect(await operationOf(fixture, id)).toMatchObject({ state: 'rejected', reason: 'CommandFailed' });
    expect(await operationOf(fixture, other.operationId)).toMatchObject({ state: 'accepted' });
  });
});
