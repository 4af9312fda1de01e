import { readFileSync } from 'node:fs';
import { HttpRequest, type HttpRequestInit, type HttpResponseInit } from '@azure/functions';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyOperations } from '../../../src/commands/apply-operations.ts';
import { createHttpHandlers, type HttpHandlers } from '../../../src/commands/http/handlers.ts';
import type { ApiProblem, AppList, AppResource, EventList, OperationResource } from '../../../src/model/api.ts';
import { keys } from '../../../src/model/keys.ts';
import type { Row } from '../../../src/model/state.ts';
import { version } from '../../../src/model/version.ts';
import { type CommandFixture, commandFixture, document, givenPools } from '../../support/command-fixture.ts';
import { aGuard, anAppRow, aReplica, at } from '../../support/rows.ts';

let fixture: CommandFixture;
let handlers: HttpHandlers;
beforeEach(() => {
  fixture = commandFixture();
  handlers = createHttpHandlers(fixture.ports, 'test');
});

const base = 'http://127.0.0.1:7071/api/v1';

interface Sent extends Omit<HttpRequestInit, 'body' | 'headers'> {
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
}

const requestOf = (path: string, { body, ...init }: Sent = {}): HttpRequest => {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const query = Object.fromEntries(new URL(`${base}${path}`).searchParams);
  return new HttpRequest({
    method: 'GET',
    url: `${base}${path}`,
    query,
    params: { app: 'shop' },
    ...init,
    ...(bytes && { body: { bytes } }),
  });
};

const put = (body: unknown, headers: Record<string, string> = {}, path = '/apps/shop') =>
  handlers.app(
    requestOf(path, {
      method: 'PUT',
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    }),
  );

const bodyOf = <T>({ body }: HttpResponseInit): T => JSON.parse(String(body)) as T;
const headerOf = ({ headers }: HttpResponseInit, name: string) =>
  new Headers(headers as Record<string, string>).get(name);

function expectProblem(response: HttpResponseInit, status: number, detail: RegExp): ApiProblem {
  expect(response.status).toBe(status);
  expect(headerOf(response, 'content-type')).toBe('application/problem+json');
  const problem = bodyOf<ApiProblem>(response);
  expect(problem).toMatchObject({ status, type: expect.stringMatching(/^urn:flotilla:problem:/) });
  expect(problem.detail).toMatch(detail);
  return problem;
}

describe('PUT an app', () => {
  it('accepts the command, sends the hint and says where to look', async () => {
    const response = await put(document(), { 'idempotency-key': 'k1' });
    const operation = bodyOf<OperationResource>(response);
    expect(response.status).toBe(202);
    expect(operation).toMatchObject({ app: 'shop', seq: 1, command: 'apply', state: 'accepted', finishedAt: null });
    expect(operation.acceptedAt).toBe(new Date(at).toISOString());
    expect(headerOf(response, 'location')).toBe(`/api/v1/apps/shop/operations/${operation.id}`);
    expect(headerOf(response, 'retry-after')).toBe('1');
    expect(headerOf(response, 'idempotency-key')).toBe('k1');
    expect(fixture.sent).toEqual([{ app: 'shop', operationId: operation.id, attempt: 1 }]);
  });

  it('answers a replayed command with what became of it', async () => {
    await put(document(), { 'idempotency-key': 'k1' });
    await applyOperations(fixture.ports, 'shop');
    const response = await put(document(), { 'idempotency-key': 'k1' });
    expect([response.status, bodyOf<OperationResource>(response)]).toMatchObject([
      200,
      { seq: 1, state: 'applied', generation: 1 },
    ]);
    expect(fixture.sent.length).toBe(1);
  });

  it('makes up a key when none is given, and tells it', async () => {
    const responses = [await put(document()), await put(document())];
    expect(responses.map((response) => bodyOf<OperationResource>(response).seq)).toEqual([1, 2]);
    const keysGiven = responses.map((response) => headerOf(response, 'idempotency-key'));
    expect(new Set(keysGiven).size).toBe(2);
  });

  it('refuses a key that belongs to another command', async () => {
    await put(document(), { 'idempotency-key': 'k1' });
    expectProblem(
      await put(document('nginx:2'), { 'idempotency-key': 'k1' }),
      422,
      /belongs to operation [0-9a-f]{32}/,
    );
  });

  it.each([[''], ['two words'], ['x'.repeat(129)], ['ümlaut']])('refuses the key «%s»', async (key) => {
    expectProblem(await put(document(), { 'idempotency-key': key }), 400, /1 to 128 printable ASCII/);
  });

  it('tells every fault of a document at once, with path and remedy, and stores nothing', async () => {
    const services = { 'Bad Name': { image: 'a' }, web: { image: 'b', privileged: true } };
    const problem = expectProblem(await put({ name: 'shop', services }), 422, /InvalidDocument: the document has \d+/);
    expect(problem.problems?.length).toBeGreaterThanOrEqual(2);
    for (const { path, remedy } of problem.problems ?? []) expect([path, remedy]).not.toContain('');
    expect(await fixture.store.readApp('shop')).toMatchObject({ value: { app: null } });
    expect(fixture.sent).toEqual([]);
  });

  it('refuses a document for another app, naming both', async () => {
    const problem = expectProblem(await put(document('nginx', { name: 'other' })), 422, /1 fault\./);
    expect(problem.problems).toMatchObject([{ path: 'name', remedy: expect.stringContaining('name: shop') }]);
  });

  it('refuses a pool that is not configured', async () => {
    await givenPools(fixture, 'east');
    const body = document('nginx', { 'x-flotilla': { pools: ['mars'] } });
    expectProblem(await put(body), 422, /UnknownPool/);
  });

  it('refuses a path that is no app name', async () => {
    const response = await handlers.app(
      requestOf('/apps/Shop', {
        method: 'PUT',
        params: { app: 'Shop' },
        body: JSON.stringify(document()),
        headers: { 'content-type': 'application/json' },
      }),
    );
    expect(expectProblem(response, 422, /no app name|not hold an app name/).problems).toMatchObject([{ path: 'name' }]);
  });

  it.each([
    ['{"name":"shop",}', /unexpected "}" at line 1, column 16/],
    ['{\n  "name": shop}', /unexpected "s" at line 2, column 11/],
    ['{"name":"shop"', /ends too early at line 1, column 15/],
    [' ', /body is empty/],
  ])('says where %j is not JSON', async (body, detail) => {
    expectProblem(await put(body), 400, detail);
  });

  it('refuses bytes that are not UTF-8', async () => {
    expectProblem(await put(new Uint8Array([0x22, 0xff, 0x22])), 400, /not UTF-8/);
  });

  it('refuses another media type, and none', async () => {
    expectProblem(await put(document(), { 'content-type': 'application/yaml' }), 415, /not application\/yaml/);
    expectProblem(await put(document(), { 'content-type': '' }), 415, /none was given/);
    expect((await put(document(), { 'content-type': 'application/json; charset=utf-8' })).status).toBe(202);
  });

  it('refuses a body above 256 KiB, whether its length is announced or not', async () => {
    const long = JSON.stringify(document('nginx', { 'x-pad': 'x'.repeat(256 * 1024) }));
    expectProblem(await put(long), 413, /at most 262144/);
    expectProblem(await put('{}', { 'content-length': '300000' }), 413, /300000 bytes/);
  });

  it('refuses a document above 192 KiB of canonical JSON', async () => {
    expectProblem(await put(document('nginx', { 'x-pad': 'x'.repeat(200 * 1024) })), 422, /InvalidDocument/);
  });

  it('asks to come back when the store does not answer, and has accepted nothing', async () => {
    fixture.fail((key) => (key.endsWith('/fault') ? 4 : 0));
    const response = await put(document());
    expectProblem(response, 503, /read row op\|/);
    expect(headerOf(response, 'retry-after')).toBe('1');
  });
});

describe('PUT an app as a dry run', () => {
  const preview = (body: unknown) => put(body, {}, '/apps/shop?dryRun=true');

  it('shows what would change, and changes nothing', async () => {
    await put(document());
    await applyOperations(fixture.ports, 'shop');
    const two = { web: { image: 'nginx:1.28', deploy: { replicas: 2 } }, api: { image: 'api:1' } };
    const response = await preview({ name: 'shop', services: two });
    expect([response.status, bodyOf(response)]).toMatchObject([
      200,
      {
        app: 'shop',
        changes: [
          { service: 'api', change: 'added' },
          { service: 'web', change: 'revised', fields: ['template.image'] },
        ],
      },
    ]);
    expect(await fixture.store.readApp('shop')).toMatchObject({ value: { app: { nextSeq: 2 } } });
  });

  it('shows a service that would be torn down', async () => {
    await put(document());
    await applyOperations(fixture.ports, 'shop');
    const response = await preview({ name: 'shop', services: { api: { image: 'api:1' } } });
    expect(bodyOf(response)).toMatchObject({ changes: [{ change: 'added' }, { service: 'web', change: 'removed' }] });
  });

  it('refuses a bad document as the real run does', async () => {
    expectProblem(await preview({ name: 'shop' }), 422, /InvalidDocument/);
  });

  it('is refused when it is neither true nor false', async () => {
    expectProblem(await put(document(), {}, '/apps/shop?dryRun=maybe'), 400, /dryRun is «maybe»/);
  });

  it('has an id, under which it is applied once, and only while nothing else was', async () => {
    const { id } = bodyOf(await preview(document())) as { id: string };
    const apply = (key: string) => put(document(), { 'idempotency-key': key }, `/apps/shop?plan=${id}`);
    expect((await apply('one')).status).toBe(202);
    expect((await apply('one')).status).toBe(202);
    expectProblem(await apply('two'), 409, /has changed\. Make a new plan/);
    expect(await fixture.store.readApp('shop')).toMatchObject({ value: { app: { nextSeq: 2 } } });
  });

  it('is not applied under its id with another document, nor under no id at all', async () => {
    const { id } = bodyOf(await preview(document())) as { id: string };
    const other = { name: 'shop', services: { web: { image: 'nginx:9' } } };
    expectProblem(await put(other, {}, `/apps/shop?plan=${id}`), 409, /Make a new plan/);
    expectProblem(await put(document(), {}, '/apps/shop?plan=latest'), 400, /plan is «latest»/);
    expectProblem(await put(document(), {}, `/apps/shop?plan=${id}&dryRun=true`), 400, /exclude each other/);
  });
});

describe('DELETE an app', () => {
  const remove = (headers: Record<string, string> = {}) =>
    handlers.app(requestOf('/apps/shop', { method: 'DELETE', headers }));

  it('accepts the command', async () => {
    await put(document());
    const response = await remove({ 'idempotency-key': 'd1' });
    expect([response.status, bodyOf<OperationResource>(response)]).toMatchObject([202, { command: 'delete', seq: 2 }]);
  });

  it('answers 404 when there is no such app', async () => {
    expectProblem(await remove(), 404, /no app «shop»/);
  });
});

describe('reading', () => {
  const get = (handler: keyof HttpHandlers, path: string, params: Record<string, string> = { app: 'shop' }) =>
    handlers[handler](requestOf(path, { params }));
  const write = async (...rows: Row[]) => {
    const changes = rows.map((row) => ({ type: 'insert' as const, row }));
    const result = await fixture.store.commit({ txId: 'given', changes });
    if (!result.ok) throw new Error(result.error.message);
  };

  it('tells which installation answers', async () => {
    expect(bodyOf(await get('info', ''))).toEqual({ name: 'flotilla', version, installation: 'test' });
  });

  it('tells the version of the package', () => {
    expect(version).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
  });

  it('lists pools in the order of configuration, with what is used', async () => {
    await givenPools(fixture, 'west', 'east');
    const quota = { groups: 100, cores: 100 };
    const open = { labels: {}, price: null, cordoned: false, draining: false, reason: null, message: null };
    expect(bodyOf(await get('pools', '/pools'))).toEqual([
      { name: 'west', kind: 'aci', region: 'eastus', quota, used: { groups: 0, cores: 0 }, ...open },
      { name: 'east', kind: 'aci', region: 'eastus', quota, used: { groups: 0, cores: 0 }, ...open },
    ]);
  });

  it('lists apps, those that are gone left out', async () => {
    await put(document());
    await applyOperations(fixture.ports, 'shop');
    expect((bodyOf(await get('apps', '/apps')) as AppList).apps).toEqual([
      {
        name: 'shop',
        state: 'active',
        generation: 1,
        observedGeneration: 0,
        converged: false,
        frozen: false,
        stopped: false,
        services: 1,
        ready: 0,
        desired: 2,
      },
    ]);
    const read = await fixture.store.read(keys.app('shop'));
    if (!read.ok || read.value?.kind !== 'app') throw new Error('no app');
    const { etag, ...row } = read.value;
    await fixture.store.commit({ txId: 't', changes: [{ type: 'update', row: { ...row, state: 'deleted' }, etag }] });
    expect(bodyOf(await get('apps', '/apps'))).toEqual({ apps: [], next: null });
  });

  it('lists apps a page at a time, by name, and says where the next page begins', async () => {
    for (const app of ['a', 'b', 'c', 'd', 'e']) {
      const row = anAppRow({ app, state: app === 'b' ? 'deleted' : 'active', nextSeq: 2, appliedSeq: 1 });
      await fixture.store.commit({ txId: 't', changes: [{ type: 'insert', row }] });
    }
    const page = async (query: string) => {
      const { apps, next } = bodyOf(await get('apps', `/apps${query}`)) as AppList;
      return [...apps.map(({ name }) => name), next];
    };
    expect(await page('?limit=2')).toEqual(['a', 'b']);
    expect(await page('?limit=2&after=b')).toEqual(['c', 'd', 'd']);
    expect(await page('?limit=2&after=d')).toEqual(['e', null]);
    expect(await page('')).toEqual(['a', 'c', 'd', 'e', null]);
    expectProblem(await get('apps', '/apps?limit=0'), 400, /from 1 to 500/);
    expectProblem(await get('apps', '/apps?after=~due'), 400, /of an earlier answer/);
  });

  it('shows an app with services, replicas, addresses and what is pending', async () => {
    await givenPools(fixture, 'east');
    await put(document());
    await applyOperations(fixture.ports, 'shop');
    await put(document('nginx:2'));
    await write(
      aReplica({ slot: 1, incarnation: 2, endpoint: false, state: 'starting', readyAt: null }),
      aReplica({ slot: 0, incarnation: 1, state: 'gone', endpoint: false }),
      aReplica({ slot: 0, incarnation: 3, logTail: 'hello' }),
      aGuard({ service: 'old', removed: true, desired: 0 }),
    );
    const app = bodyOf<AppResource>(await get('app', '/apps/shop'));
    expect(app).toMatchObject({ name: 'shop', generation: 1, ready: 1, desired: 2, converged: false });
    expect(app.pendingOperations.length).toBe(1);
    expect(app.serviceList.map(({ name }) => name)).toEqual(['web']);
    expect(app.serviceList[0]).toMatchObject({
      image: 'nginx:1.27',
      revision: 1,
      desired: 2,
      ready: 1,
      removed: false,
    });
    expect(app.serviceList[0]?.replicas).toMatchObject([
      { slot: 0, incarnation: 3, region: 'eastus', addresses: ['http://10.0.0.4:8080'], logTail: 'hello' },
      { slot: 1, incarnation: 2, state: 'starting', addresses: [] },
    ]);
  });

  it('shows a removed service as long as replicas of it are left', async () => {
    await put(document());
    await write(
      aGuard({ service: 'old', removed: true, desired: 0 }),
      aReplica({ service: 'old', state: 'deleting', endpoint: false }),
    );
    const app = bodyOf<AppResource>(await get('app', '/apps/shop'));
    expect(app.serviceList).toMatchObject([{ name: 'old', removed: true, converged: false }]);
    expect(app.services).toBe(0);
  });

  it('shows an operation, and that of an unknown id, form or app as missing', async () => {
    const { id } = bodyOf<OperationResource>(await put(document()));
    const response = await get('operation', `/apps/shop/operations/${id}`, { app: 'shop', id });
    expect([response.status, bodyOf(response)]).toMatchObject([200, { id, state: 'accepted' }]);
    for (const params of [
      { app: 'shop', id: '0'.repeat(32) },
      { app: 'shop', id: '../x' },
      { app: 'ghost', id },
    ]) {
      expectProblem(await get('operation', '/apps/x/operations/y', params), 404, /no operation/);
    }
  });

  it('pages through events both ways', async () => {
    for (const image of ['a:1', 'a:2', 'a:3']) {
      fixture.clock.now += 1_000;
      await put(document(image));
    }
    const first = bodyOf<EventList>(await get('events', '/apps/shop/events?limit=2'));
    expect(first.events.map(({ message }) => message)).toEqual([
      'Command 3 accepted: apply.',
      'Command 2 accepted: apply.',
    ]);
    const older = encodeURIComponent(first.oldest ?? '');
    const second = bodyOf<EventList>(await get('events', `/apps/shop/events?before=${older}`));
    expect(second.events.map(({ message }) => message)).toEqual(['Command 1 accepted: apply.']);
    const newer = encodeURIComponent(first.newest ?? '');
    expect(bodyOf(await get('events', `/apps/shop/events?after=${newer}`))).toEqual({
      events: [],
      newest: null,
      oldest: null,
    });
  });

  it.each([['limit=0'], ['limit=501'], ['limit=x'], ["before=event|1'"], ['colour=red']])(
    'refuses the query %s',
    async (query) => {
      await put(document());
      expectProblem(await get('events', `/apps/shop/events?${query}`), 400, /limit|cursor|Unknown query/);
    },
  );

  it('answers 404 for the app and the events of one that is not there, or whose name cannot be', async () => {
    for (const app of ['ghost', "x' or 1 eq 1", '']) {
      expectProblem(await get('app', '/apps/x', { app }), 404, /no app/);
      expectProblem(await get('events', '/apps/x/events', { app }), 404, /no app/);
    }
  });

  it('refuses a query where none is known', async () => {
    expectProblem(await get('pools', '/pools?limit=3'), 400, /takes none/);
  });
});

describe('what is not offered', () => {
  it.each([
    ['info', 'POST', 'GET'],
    ['apps', 'DELETE', 'GET'],
    ['app', 'PATCH', 'GET, PUT, DELETE'],
    ['operation', 'PUT', 'GET'],
    ['events', 'DELETE', 'GET'],
  ] as const)('%s refuses %s and names what it allows', async (handler, method, allow) => {
    const response = await handlers[handler](requestOf('/x', { method }));
    expectProblem(response, 405, new RegExp(`^${method} is not possible`));
    expect(headerOf(response, 'allow')).toBe(allow);
  });

  it('is a problem too when the path is unknown', async () => {
    expectProblem(await handlers.unknown(requestOf('/nothing/here')), 404, /nothing at \/api\/v1\/nothing\/here/);
  });

  it('hides a fault of ours behind a 500 and logs it', async () => {
    const broken = { ...fixture.ports, pools: () => Promise.reject(new Error('inner')) };
    const response = await createHttpHandlers(broken, 'test').pools(requestOf('/pools'));
    const problem = expectProblem(response, 500, /fault of Flotilla itself/);
    expect(JSON.stringify(problem)).not.toContain('inner');
    expect(fixture.logged.join()).toContain('inner');
  });
});

describe('POST a command', () => {
  const post = (body: unknown, path = '/apps/shop/commands', key = 'c1') =>
    handlers.commands(
      requestOf(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        params: { app: path.split('/')[2] ?? '' },
      }),
    );
  const applyAll = () => applyOperations(fixture.ports, 'shop');
  const guard = async () => {
    const rows = await fixture.store.readApp('shop');
    return rows.ok ? rows.value.guards[0] : undefined;
  };

  it.each([
    [
      { command: 'scale', services: { web: 5 } },
      { desired: 5, scaledTo: 5 },
    ],
    [{ command: 'restart' }, { cycle: 1, desired: 2 }],
    [
      { command: 'stop', services: ['web'] },
      { stopped: true, desired: 0 },
    ],
  ])('%j is accepted, and takes effect behind the queue', async (body, expected) => {
    await put(document());
    await applyAll();
    const answer = await post(body);
    expect(answer.status).toBe(202);
    expect(bodyOf(answer)).toMatchObject({ command: body.command, state: 'accepted', seq: 2 });
    expect(fixture.sent.at(-1)).toMatchObject({ app: 'shop' });
    await applyAll();
    expect(await guard()).toMatchObject(expected);
  });

  it('takes effect once, however often it is sent with its key', async () => {
    await put(document());
    await applyAll();
    await post({ command: 'restart' });
    await applyAll();
    const again = await post({ command: 'restart' });
    expect([again.status, bodyOf(again)]).toMatchObject([200, { state: 'applied' }]);
    await applyAll();
    expect(await guard()).toMatchObject({ cycle: 1 });
    expectProblem(await post({ command: 'stop' }), 422, /belongs to operation/);
  });

  it.each([
    [{ command: 'reboot' }, 'command'],
    [{ command: 'scale' }, 'services'],
    [{ command: 'scale', services: {} }, 'services'],
    [{ command: 'scale', services: { web: -1 } }, 'services.web'],
    [{ command: 'scale', services: { web: 501 } }, 'services.web'],
    [{ command: 'scale', services: { Web: 1 } }, 'services.Web'],
    [{ command: 'stop', services: [] }, 'services'],
    [{ command: 'freeze', services: ['web'] }, ''],
    [{ command: 'delete' }, 'command'],
    ['restart', ''],
  ])('%j is refused with the place of the fault', async (body, path) => {
    await put(document());
    const problem = expectProblem(await post(body), 422, /^InvalidMessage/);
    expect(problem.problems?.map((one: { path: string }) => one.path)).toContain(path);
  });

  it('is not possible for an app that is not there', async () => {
    expectProblem(await post({ command: 'restart' }, '/apps/nosuch/commands'), 404, /no app/);
    expectProblem(await post({ command: 'restart' }, '/apps/No_Such/commands'), 404, /no app/);
  });
});
