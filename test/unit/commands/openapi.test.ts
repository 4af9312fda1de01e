/** The OpenAPI document against what really answers and what really asks: the registered routes, the handlers, the client. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HttpRequest } from '@azure/functions';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { type ApiClient, createClient } from '../../../src/client/client.ts';
import { applyOperations } from '../../../src/commands/apply-operations.ts';
import { createHttpHandlers, type HttpHandlers } from '../../../src/commands/http/handlers.ts';
import { openApiDocument } from '../../../src/commands/http/openapi.ts';
import { type CommandFixture, commandFixture, givenPools, document as shop } from '../../support/command-fixture.ts';
import { aReplica } from '../../support/rows.ts';

const root = join(import.meta.dirname, '../../..');

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}
interface OperationObject {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: object;
}
const api = openApiDocument() as unknown as Document;

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: 'http://api.example/openapi', ...api });
/** `#/components/…` is within the document, wherever the schema stands in it. */
const compile = (schema: object): ValidateFunction =>
  ajv.compile(
    JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"http://api.example/openapi#/components')),
  );

/** The path of the document that a real one is an instance of. */
function operationAt(
  method: string,
  path: string,
): { readonly template: string; readonly operation: OperationObject | undefined } {
  const matches = (template: string) => new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
  const template = Object.keys(api.paths).find(matches) ?? '';
  return { template, operation: api.paths[template]?.[method.toLowerCase()] };
}

describe('the OpenAPI document', () => {
  it('is valid by the published schema of OpenAPI 3.1', async () => {
    const validator = new Validator();
    const result = await validator.validate(JSON.parse(JSON.stringify(api)));
    expect(result).toMatchObject({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('is the one in docs/openapi.json', () => {
    expect(JSON.parse(readFileSync(join(root, 'docs/openapi.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(api)));
  });

  it('names every operation once', () => {
    const ids = Object.values(api.paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

const golden = readFileSync(join(root, 'test/functions/registrations.txt'), 'utf8');
const routes = [...golden.matchAll(/^api(\w+): httpTrigger\(.* route="v1(\/[^"]*)?"\)/gm)].map(
  ([, name = '', path = '/']) => ({
    name: `${name[0]?.toLowerCase()}${name.slice(1)}` as keyof HttpHandlers,
    path,
  }),
);

describe('the registered routes', () => {
  it.each(routes.filter(({ name }) => name !== 'unknown'))(
    'of which $path is in the document with all its methods',
    async ({ name, path }) => {
      const handlers = createHttpHandlers(commandFixture().ports, 'test');
      const request = new HttpRequest({ method: 'PATCH', url: `http://h/api/v1${path}` });
      const { headers } = await handlers[name](request);
      const allowed = String((headers as Record<string, string>)['allow'])
        .toLowerCase()
        .split(', ');
      expect(Object.keys(api.paths[path] ?? {}).toSorted()).toEqual(allowed.toSorted());
    },
  );

  it('are all that the document has', () => {
    expect(Object.keys(api.paths).toSorted()).toEqual(
      routes
        .filter(({ name }) => name !== 'unknown')
        .map(({ path }) => path)
        .toSorted(),
    );
  });
});

describe('the client', () => {
  const calls: { readonly [K in keyof ApiClient]: (client: ApiClient) => Promise<unknown> } = {
    info: (client) => client.info(),
    pools: (client) => client.pools(),
    poolCommand: (client) => client.poolCommand('eastus', 'drain'),
    apps: (client) => client.apps(),
    appPage: (client) => client.appPage({ limit: 5, after: 'shop' }),
    app: (client) => client.app('shop'),
    preview: (client) => client.preview('shop', shop()),
    apply: (client) => client.apply('shop', shop(), 'k'),
    remove: (client) => client.remove('shop', 'k', 'shop'),
    command: (client) => client.command('shop', { command: 'scale', services: { web: 3 } }, 'k'),
    secrets: (client) => client.secrets('shop'),
    setSecret: (client) =>
      client.setSecret('shop', { name: 's', value: new Uint8Array(1), managed: true, dryRun: true }),
    removeSecret: (client) => client.removeSecret('shop', 's'),
    why: (client) => client.why('shop', 'web', 0),
    operation: (client) => client.operation('shop', '0'.repeat(32)),
    logs: (client) =>
      client.logs('shop', {
        service: 'web',
        slot: 0,
        container: 'c',
        tail: 5,
        since: '2026-11-24T12:00:00Z',
        previous: true,
      }),
    runs: (client) => client.runs('shop', { operation: 'a'.repeat(32) }),
    exec: (client) =>
      client.exec('shop', {
        service: 'web',
        slot: 0,
        container: 'web',
        command: 'sh',
        terminalSize: { rows: 24, cols: 80 },
      }),
    rollouts: (client) => client.rollouts('shop', { service: 'web', limit: 5 }),
    rollout: (client) => client.rollout('shop', 'web.3'),
    revisions: (client) => client.revisions('shop', { service: 'web' }),
    events: (client) => client.events('shop', { limit: 5, before: 'x', after: 'y' }),
  };

  it.each(Object.entries(calls))('asks by %s for what the document describes', async (_, call) => {
    const asked: { readonly method: string; readonly url: URL; readonly init: RequestInit }[] = [];
    const client = createClient({
      baseUrl: 'http://h',
      sleep: async () => {},
      tries: 1,
      fetch: async (input, init = {}) => {
        asked.push({ method: init.method ?? 'GET', url: new URL(String(input)), init });
        return new Response(JSON.stringify({ name: 'flotilla', apps: [], next: null }), { status: 200 });
      },
    });
    await call(client);
    expect(asked.length).toBe(1);
    for (const { method, url, init } of asked) {
      const { operation } = operationAt(method, url.pathname.replace('/api/v1', '') || '/');
      expect(operation, `${method} ${url.pathname}`).toBeDefined();
      for (const [name, value] of url.searchParams) {
        const parameter = operation?.parameters?.find((one) => one.in === 'query' && one.name === name);
        expect(parameter, name).toBeDefined();
        const read = /^(\d+|true|false)$/.test(value) ? JSON.parse(value) : value;
        expect(compile(parameter?.schema ?? {})(read), `${name}=${value}`).toBe(true);
      }
      const schema = operation?.requestBody?.content?.['application/json']?.schema;
      if (schema) expect(compile(schema)(JSON.parse(String(init.body)))).toBe(true);
      expect(init.body !== undefined).toBe(operation?.requestBody !== undefined);
    }
  });
});

describe('what the handlers answer', () => {
  async function prepared(): Promise<{
    fixture: CommandFixture;
    ask: (method: string, path: string, body?: unknown) => Promise<void>;
  }> {
    const fixture = commandFixture();
    await givenPools(fixture, 'east');
    const handlers = createHttpHandlers(fixture.ports, 'test');
    const ask = async (method: string, path: string, body?: unknown) => {
      const url = new URL(`http://h/api/v1${path}`);
      const place = url.pathname.replace('/api/v1', '') || '/';
      const { template, operation } = operationAt(method, place);
      const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
      const values = new RegExp(`^${template.replace(/\{\w+\}/g, '([^/]+)')}$`).exec(place) ?? [];
      const request = new HttpRequest({
        method: method as 'GET',
        url: url.href,
        query: Object.fromEntries(url.searchParams),
        params: Object.fromEntries(names.map((name, n) => [name, values[n + 1] ?? ''])),
        headers: { 'content-type': 'application/json', 'idempotency-key': `${method}${path}` },
        ...(body !== undefined && { body: { bytes: Buffer.from(JSON.stringify(body)) } }),
      });
      const handler = routes.find((route) => route.path === template)?.name ?? 'unknown';
      const { status, body: text, headers } = await handlers[handler](request);
      const mediaType = (headers as Record<string, string>)['content-type'] ?? '';
      const schema = operation?.responses[String(status)]?.content?.[mediaType]?.schema;
      expect(schema, `${method} ${path} answered ${status} as ${mediaType}`).toBeDefined();
      const validate = compile(schema ?? {});
      expect(validate(JSON.parse(String(text))), JSON.stringify(validate.errors)).toBe(true);
    };
    return { fixture, ask };
  }

  it('is what the document describes, good or bad', async () => {
    const { fixture, ask } = await prepared();
    await ask('PUT', '/apps/shop?dryRun=true', shop());
    await ask('PUT', '/apps/shop', shop());
    await applyOperations(fixture.ports, 'shop');
    await ask('PUT', '/apps/shop', shop());
    const replica = aReplica({ group: 'f-0', logTail: 'x', reason: 'ProbeFailed' });
    await fixture.store.commit({ txId: 't', changes: [{ type: 'insert', row: replica }] });
    await ask('POST', '/apps/shop/commands', { command: 'scale', services: { web: 3 } });
    await ask('POST', '/apps/shop/commands', { command: 'scale', services: { web: -3 } });
    for (const path of ['/', '/openapi.json', '/pools', '/apps', '/apps?limit=x', '/apps/shop', '/apps/nosuch']) {
      await ask('GET', path);
    }
    const { id } = fixture.sent.map(({ operationId }) => ({ id: operationId }))[0] ?? { id: '' };
    for (const path of [`/operations/${id}`, '/operations/x', '/logs', '/logs?tail=0', '/events', '/secrets']) {
      await ask('GET', `/apps/shop${path}`);
    }
    await ask('DELETE', '/apps/shop');
    await ask('PUT', '/apps/shop', { name: 'shop', services: { web: {} } });
  });
});
