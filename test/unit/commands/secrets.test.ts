/** Secrets through the API, and apps that are protected, over the real store. */
import { HttpRequest, type HttpResponseInit } from '@azure/functions';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyOperations } from '../../../src/commands/apply-operations.ts';
import { createHttpHandlers, type HttpHandlers } from '../../../src/commands/http/handlers.ts';
import { createQueueHandlers } from '../../../src/commands/queue-handlers.ts';
import type { SecretResource } from '../../../src/model/api.ts';
import { keys } from '../../../src/model/keys.ts';
import type { OperationRow } from '../../../src/model/state.ts';
import { type CommandFixture, commandFixture, document } from '../../support/command-fixture.ts';

let fixture: CommandFixture;
let handlers: HttpHandlers;
beforeEach(() => {
  fixture = commandFixture();
  handlers = createHttpHandlers(fixture.ports, 'test');
});

const base = 'http://127.0.0.1:7071/api/v1/apps/shop';
const canary = 'canary-5d41402abc4b2a76';

interface Asked {
  readonly method?: string;
  readonly params?: Record<string, string>;
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
}

function ask(path: string, { body, params, ...rest }: Asked = {}): HttpRequest {
  const query = Object.fromEntries(new URL(`${base}${path}`).searchParams);
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return new HttpRequest({
    method: 'GET',
    url: `${base}${path}`,
    query,
    params: { app: 'shop', ...params },
    ...rest,
    ...(bytes && { body: { bytes } }),
  });
}

const octets = { 'content-type': 'application/octet-stream' };
const put = (name: string, body: string | Uint8Array, query = '', headers: Record<string, string> = octets) =>
  handlers.secret(ask(`/secrets/${name}${query}`, { method: 'PUT', params: { name }, body, headers }));
const remove = (name: string) => handlers.secret(ask(`/secrets/${name}`, { method: 'DELETE', params: { name } }));
const list = () => handlers.secrets(ask('/secrets'));
const apply = (body: unknown) =>
  handlers.app(ask('', { method: 'PUT', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }));
const bodyOf = <T>({ body }: HttpResponseInit): T => JSON.parse(String(body)) as T;

const withSecret = (version?: string) => ({
  ...document(),
  services: { web: { image: 'nginx', secrets: ['db'] } },
  secrets: { db: { 'x-flotilla': { secretRef: 'db', ...(version && { version }) } } },
});

describe('a secret through the API', () => {
  it('goes in and never comes out again', async () => {
    const set = await put('db', canary, '?managed=true');
    expect(set.status).toBe(200);
    expect(bodyOf<SecretResource>(set)).toMatchObject({ kind: 'secret', name: 'db', sizeBytes: 23, managed: true });
    const listed = await list();
    expect(bodyOf<SecretResource[]>(listed)).toMatchObject([{ name: 'db', newest: true, usedBy: [] }]);
    for (const answer of [set, listed]) expect(JSON.stringify(answer)).not.toContain(canary);
    expect((await handlers.secret(ask('/secrets/db', { params: { name: 'db' } }))).status).toBe(405);
    expect(fixture.logged.join()).not.toContain(canary);
  });

  it('is found by the document that names it; its services then need it', async () => {
    const { version } = bodyOf<SecretResource>(await put('db', canary));
    await apply(withSecret(version));
    await applyOperations(fixture.ports, 'shop');
    expect(bodyOf<SecretResource[]>(await list())).toMatchObject([{ usedBy: ['web'] }]);
    const refused = await remove('db');
    expect([refused.status, bodyOf<{ detail: string }>(refused).detail]).toEqual([
      409,
      expect.stringMatching(/needed by web/),
    ]);
  });

  it('is the newest one where the document names no version, and a new one makes a new revision', async () => {
    await put('db', 'one');
    await apply(withSecret());
    await applyOperations(fixture.ports, 'shop');
    await apply(withSecret());
    await applyOperations(fixture.ports, 'shop');
    const revisions = async () => {
      const rows = await fixture.store.readApp('shop');
      return rows.ok ? rows.value.revisions.length : -1;
    };
    expect(await revisions()).toBe(1);
    await put('db', 'two');
    await apply(withSecret());
    await applyOperations(fixture.ports, 'shop');
    expect(await revisions()).toBe(2);
  });

  it('that is not stored makes the document wrong, with the name and what to do', async () => {
    const refused = await apply(withSecret());
    expect(refused.status).toBe(422);
    expect(bodyOf<{ problems: unknown }>(refused).problems).toMatchObject([
      { path: 'secrets.db', remedy: expect.stringContaining('flotilla secrets set shop db') },
    ]);
  });

  it('of a dry run is told and not stored', async () => {
    expect(bodyOf<SecretResource>(await put('db', canary, '?dryRun=true')).version).toMatch(/^[0-9a-f]{16}$/);
    expect((await list()).status).toBe(404);
  });

  it('is removed with all its versions once nothing needs it', async () => {
    await put('db', 'one');
    await put('db', 'two');
    expect(bodyOf(await remove('db'))).toEqual({ removed: 2 });
    expect((await remove('db')).status).toBe(404);
  });

  it.each<[string, () => Promise<HttpResponseInit>, number]>([
    ['a value as JSON', () => put('db', '{}', '', { 'content-type': 'application/json' }), 415],
    ['a value that is too large', () => put('db', Buffer.alloc(512 * 1024 + 1)), 413],
    ['a name with a bar', () => put('a|b', 'x'), 400],
    ['an unknown parameter', () => put('db', 'x', '?plain=true'), 400],
    ['a flag that is neither true nor false', () => put('db', 'x', '?managed=yes'), 400],
    ['the removal of what is not there', () => remove('db'), 404],
  ])('refuses %s, and repeats no value', async (_, send, status) => {
    const answer = await send();
    expect(answer.status).toBe(status);
  });
});

describe('a protected app', () => {
  const protectedApp = { ...document(), 'x-flotilla': { protected: true } };
  const deleting = (query = '') => handlers.app(ask(query, { method: 'DELETE' }));
  const given = async (body: unknown = protectedApp) => {
    await apply(body);
    await applyOperations(fixture.ports, 'shop');
  };
  const state = async () => {
    const rows = await fixture.store.readApp('shop');
    return rows.ok ? rows.value.app?.state : undefined;
  };

  it.each(['', '?confirm=other', '?confirm='])('is not deleted by DELETE%s, and the answer says how', async (query) => {
    await given();
    const answer = await deleting(query);
    expect(answer.status).toBe(409);
    expect(bodyOf<{ detail: string }>(answer).detail).toMatch(/flotilla down shop --yes shop.*confirm=shop/);
    await applyOperations(fixture.ports, 'shop');
    expect(await state()).toBe('active');
  });

  it('is deleted by DELETE?confirm=shop, and an unprotected one without', async () => {
    await given();
    expect((await deleting('?confirm=shop')).status).toBe(202);
    await applyOperations(fixture.ports, 'shop');
    expect(await state()).toBe('deleting');
  });

  it('is no longer protected once it is applied without the line', async () => {
    await given();
    await given(document());
    expect((await deleting()).status).toBe(202);
  });

  it('that became protected after the deletion was accepted stays, and the operation says why', async () => {
    await given(document());
    await apply(protectedApp);
    const accepted = await deleting();
    expect(accepted.status).toBe(202);
    await applyOperations(fixture.ports, 'shop');
    const { id } = bodyOf<{ id: string }>(accepted);
    const operation = await fixture.store.read<OperationRow>(keys.operation('shop', id));
    expect(operation).toMatchObject({ ok: true, value: { state: 'rejected', reason: 'AppProtected' } });
    expect(await state()).toBe('active');
  });

  it.each([
    [undefined, 'active'],
    ['shop', 'deleting'],
  ])('over the queue is deleted only with its name: confirm %s leaves it %s', async (confirm, expected) => {
    await given();
    const { onMessage } = createQueueHandlers(fixture.ports, { replyQueues: [] });
    const body = { command: 'delete', app: 'shop', idempotencyKey: 'k', ...(confirm && { confirm }) };
    await onMessage({ body, messageId: 'm1', replyTo: null, replyToSessionId: null }, fixture.workflows);
    expect(await state()).toBe(expected);
  });
});
