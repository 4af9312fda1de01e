import { describe, expect, it } from 'vitest';
import { accept, announce, type Command, operationIdOf } from '../../../src/commands/accept.ts';
import { applyOperations } from '../../../src/commands/apply-operations.ts';
import { resendStale } from '../../../src/commands/resend.ts';
import { keys } from '../../../src/model/keys.ts';
import { err } from '../../../src/model/result.ts';
import type { AppRow, DueRow, OperationRow } from '../../../src/model/state.ts';
import { commandFixture, document, givenPools } from '../../support/command-fixture.ts';
import { failOnce } from '../../support/table-fixture.ts';

const apply = (idempotencyKey: string, body: unknown = document()): Command => ({
  app: 'shop',
  command: 'apply',
  document: body,
  idempotencyKey,
});
const remove = (idempotencyKey: string): Command => ({
  app: 'shop',
  command: 'delete',
  document: null,
  idempotencyKey,
});
const busy = { kind: 'Unavailable', code: null, message: 'not now', retryAfterMs: null } as const;

describe('accepting a command', () => {
  it('writes operation, order and event, and notes the app as due', async () => {
    const { ports, store, clock } = commandFixture();
    const result = await accept(ports, apply('k1'));
    expect(result).toMatchObject({ ok: true, value: { state: 'accepted', seq: 1, attempt: 1, body: document() } });
    const rows = await store.readApp('shop');
    expect(rows).toMatchObject({
      value: { app: { nextSeq: 2, appliedSeq: 0, generation: 0, state: 'active' }, operations: [{ seq: 1 }] },
    });
    const events = await store.readEvents('shop', { limit: 9 });
    expect(events).toMatchObject({
      value: { events: [{ type: 'OperationAccepted', cause: operationIdOf(apply('k1')) }] },
    });
    expect(await store.read<DueRow>(keys.due('shop'))).toMatchObject({ value: { dueAt: clock.now, since: clock.now } });
  });

  it('notes the app as due before it commits', async () => {
    const { ports, requests } = commandFixture();
    await accept(ports, apply('k1'));
    const commits = requests.filter((key) => /BATCH|PUT/.test(key) && key.endsWith('/fault'));
    expect(commits.map((key) => key.split('/')[1])).toEqual(['~due', 'shop']);
  });

  it('answers the same key and body with what became of it, and stores nothing', async () => {
    const { ports, store } = commandFixture();
    const first = await accept(ports, apply('k1'));
    await applyOperations(ports, 'shop');
    // The same document with its keys in another order.
    const { services, name } = document();
    const second = await accept(ports, apply('k1', { services, name }));
    expect([first, second]).toMatchObject([
      { value: { seq: 1, state: 'accepted' } },
      { value: { seq: 1, state: 'applied', generation: 1 } },
    ]);
    expect(await store.read<AppRow>(keys.app('shop'))).toMatchObject({ value: { nextSeq: 2 } });
  });

  it('refuses a key that was used for another body or another command', async () => {
    const { ports } = commandFixture();
    await accept(ports, apply('k1'));
    const operationId = operationIdOf(apply('k1'));
    expect(await accept(ports, apply('k1', document('nginx:1.28')))).toEqual(err({ kind: 'keyReused', operationId }));
    expect(await accept(ports, remove('k1'))).toEqual(err({ kind: 'keyReused', operationId }));
  });

  it('keeps the keys of two apps apart', () => {
    expect(operationIdOf({ app: 'a', idempotencyKey: 'k' })).not.toBe(operationIdOf({ app: 'b', idempotencyKey: 'k' }));
  });

  it.each([
    ['an invalid document', document('nginx:1', { services: { web: {} } })],
    ['a document for another app', document('nginx:1', { name: 'other' })],
  ])('refuses %s with its faults and stores nothing', async (_, body) => {
    const { ports, store } = commandFixture();
    const result = await accept(ports, apply('k1', body));
    expect(result).toMatchObject({ ok: false, error: { kind: 'invalid', reason: 'InvalidDocument' } });
    expect(!result.ok && result.error.kind === 'invalid' && result.error.problems.length).toBeGreaterThan(0);
    expect(await store.readApp('shop')).toMatchObject({ value: { app: null, operations: [] } });
    expect(await store.readDue()).toMatchObject({ value: [] });
  });

  it('refuses a pool that is not configured, naming those that are', async () => {
    const fixture = commandFixture();
    await givenPools(fixture, 'east', 'west');
    const body = document('nginx:1', { 'x-flotilla': { pools: ['east', 'mars'] } });
    expect(await accept(fixture.ports, apply('k1', body))).toMatchObject({
      error: {
        reason: 'UnknownPool',
        problems: [{ path: 'x-flotilla.pools[1]', remedy: 'Name one of: east, west.' }],
      },
    });
  });

  it('says nothing about a pool before any is recorded', async () => {
    const { ports } = commandFixture();
    const body = document('nginx:1', { 'x-flotilla': { pools: ['east'] } });
    expect(await accept(ports, apply('k1', body))).toMatchObject({
      error: { kind: 'port', error: { kind: 'Unavailable' } },
    });
  });

  it('refuses to delete an app that is not there, or gone', async () => {
    const { ports, store } = commandFixture();
    expect(await accept(ports, remove('k1'))).toEqual(err({ kind: 'appNotFound' }));
    await accept(ports, apply('k2'));
    await applyOperations(ports, 'shop');
    const read = await store.read<AppRow>(keys.app('shop'));
    if (!read.ok || !read.value) throw new Error('no app');
    const { etag, ...row } = read.value;
    await store.commit({ txId: 't', changes: [{ type: 'update', row: { ...row, state: 'deleted' }, etag }] });
    expect(await accept(ports, remove('k3'))).toEqual(err({ kind: 'appNotFound' }));
    await accept(ports, apply('k4'));
    expect(await accept(ports, remove('k5'))).toMatchObject({ ok: true, value: { seq: 3 } });
  });

  it('gives every one of many simultaneous commands its own place', async () => {
    const { ports, store } = commandFixture();
    const results = await Promise.all(Array.from({ length: 12 }, (_, n) => accept(ports, apply(`k${n}`))));
    const places = results.map((result) => (result.ok ? result.value.seq : result.error.kind));
    expect(places.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
    expect(await store.read<AppRow>(keys.app('shop'))).toMatchObject({ value: { nextSeq: 13 } });
  });

  it('accepts the same command, sent many times at once, one time', async () => {
    const { ports, store } = commandFixture();
    const results = await Promise.all(Array.from({ length: 6 }, () => accept(ports, apply('same'))));
    expect(results.map((result) => result.ok && result.value.seq)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(await store.readApp('shop')).toMatchObject({ value: { app: { nextSeq: 2 }, operations: [{ seq: 1 }] } });
  });

  it.each([
    ['the answer is lost', 2],
    ['the service fails after the fact', 3],
  ])('is accepted once when %s', async (_, choice) => {
    const { ports, store, fail } = commandFixture();
    fail(failOnce(/BATCH flotilla\/shop/, choice));
    expect(await accept(ports, apply('k1'))).toMatchObject({ ok: true, value: { seq: 1 } });
    expect(await store.readApp('shop')).toMatchObject({ value: { app: { nextSeq: 2 } } });
  });
});

describe('announcing an operation', () => {
  it('does not fail the command when the bus does', async () => {
    const { ports, sent, logged, answerSends } = commandFixture();
    answerSends(err(busy));
    const accepted = await accept(ports, apply('k1'));
    if (!accepted.ok) throw new Error('refused');
    await announce(ports, accepted.value);
    expect(sent).toEqual([{ app: 'shop', operationId: accepted.value.id, attempt: 1 }]);
    expect(logged.join()).toContain('warn: The message of an operation could not be sent');
  });

  it('is repeated under a new attempt once it is overdue, not before and not after it was applied', async () => {
    const { ports, sent, clock, store } = commandFixture();
    const id = operationIdOf(apply('k1'));
    await accept(ports, apply('k1'));
    expect(await resendStale(ports, 'shop', 60_000)).toEqual({ ok: true, value: null });
    clock.now += 60_000;
    expect(await resendStale(ports, 'shop', 60_000)).toEqual({ ok: true, value: id });
    expect(await resendStale(ports, 'shop', 60_000)).toEqual({ ok: true, value: null });
    expect(sent).toEqual([{ app: 'shop', operationId: id, attempt: 2 }]);
    expect(await store.read<OperationRow>(keys.operation('shop', id))).toMatchObject({
      value: { attempt: 2, sentAt: clock.now },
    });
    await applyOperations(ports, 'shop');
    clock.now += 600_000;
    expect(await resendStale(ports, 'shop', 60_000)).toEqual({ ok: true, value: null });
  });
});
