/** The admin API of the host, by HTTP. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFunctionsHost, type FunctionsHost } from '../../src/local/host/functions-host.ts';

const appDir = fileURLToPath(new URL('./fixtures/events-app', import.meta.url));
const settings = { BUS: 'Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=k', OUT_QUEUE: 'out' };
const shared = globalThis as typeof globalThis & { eventRuns: { readonly name: string; readonly value: unknown }[] };
let host: FunctionsHost;

beforeAll(async () => {
  host = await createFunctionsHost({ appDir, port: 0, settings, log: () => undefined });
});
afterAll(() => host.close());
beforeEach(() => {
  shared.eventRuns = [];
});

async function admin(method: string, path: string, body?: unknown, key = host.keys.master) {
  const answer = await fetch(`${host.url}/admin/${path}`, {
    method,
    headers: { 'x-functions-key': key },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text };
}

describe('/admin', () => {
  it('opens with the master key alone, except for the ping', async () => {
    const { default: hostKey = '' } = host.keys.list('host');
    for (const path of ['host/status', 'host/keys', 'functions', 'functions/single', 'functions/single/keys']) {
      expect((await admin('GET', path, undefined, hostKey)).status, path).toBe(401);
      expect((await admin('GET', path)).status, path).toBe(200);
    }
    expect(await (await fetch(`${host.url}/admin/host/ping`)).text()).toBe('');
    expect((await fetch(`${host.url}/admin/host/ping`, { method: 'POST' })).status).toBe(200);
  });

  it('tells that the host runs', async () => {
    const { body } = await admin('GET', 'host/status');
    expect(body).toMatchObject({ state: 'Running', version: expect.stringMatching(/^4\./) });
    expect(body.processUptime).toBeGreaterThanOrEqual(0);
  });

  it('lists functions, and describes one', async () => {
    const { body } = await admin('GET', 'functions');
    expect(body.map(({ name }: { name: string }) => name).sort()).toEqual([
      'batch',
      'losesItsOutput',
      'nightly',
      'returns',
      'sends',
      'single',
    ]);
    const { body: sends } = await admin('GET', 'functions/SENDS');
    expect(sends).toMatchObject({ name: 'sends', language: 'node', invoke_url_template: `${host.url}/api/sends` });
    expect(sends.config.bindings.map(({ type }: { type: string }) => type)).toContain('httpTrigger');
    expect((await admin('GET', 'functions/absent')).status).toBe(404);
  });

  it('makes, states, shows and removes keys, which open at once and no longer', async () => {
    const made = await admin('POST', 'host/keys/ci');
    expect([made.status, made.body.value.length]).toEqual([201, 43]);
    expect((await admin('PUT', 'host/keys/ci', { value: 'mine' })).status).toBe(200);
    expect((await admin('GET', 'host/keys/ci')).body).toMatchObject({ name: 'ci', value: 'mine' });
    expect((await admin('PUT', 'host/keys/ci', {})).status).toBe(400);
    expect((await admin('DELETE', 'host/keys/ci')).status).toBe(204);
    expect((await admin('GET', 'host/keys/ci')).status).toBe(404);
    expect((await admin('DELETE', 'host/systemkeys/_master')).status).toBe(400);
    expect((await admin('GET', 'host/systemkeys/_master')).body.value).toBe(host.keys.master);
    expect((await admin('GET', 'functions/single/keys')).body.keys).toEqual([
      { name: 'default', value: expect.stringMatching(/^.{43}$/) },
    ]);
  });

  it('runs a function that is not called by HTTP, and answers before it has ended', async () => {
    expect((await admin('POST', 'functions/nightly', { input: '' })).status).toBe(202);
    expect((await admin('POST', 'functions/single', { input: '{"id":"e1"}' })).status).toBe(202);
    await expect
      .poll(() => shared.eventRuns.map(({ name, value }) => [name, value]).sort())
      .toEqual([
        ['nightly', { schedule: { adjustForDST: true }, scheduleStatus: null, isPastDue: false }],
        ['single', { id: 'e1' }],
      ]);
  });

  it.each<[string, string, unknown, RegExp]>([
    ['an HTTP function', 'sends', { input: '' }, /call it at its own address/],
    ['input that is no text', 'single', { input: {} }, /give a text/],
    ['an event that is none', 'single', { input: 'words' }, /give an event/],
    ['a body that is no JSON', 'single', 'words', /Send \{"input"/],
  ])('refuses to run %s', async (_, name, body, expected) => {
    const answer = await admin('POST', `functions/${name}`, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatch(expected);
    expect(shared.eventRuns).toEqual([]);
  });

  it.each(['host', 'host/nothing', 'functions/single/nothing', 'extensions/x', 'host/keys/a/b'])(
    'answers 404 for %s',
    async (path) => {
      expect((await admin('GET', path)).status).toBe(404);
    },
  );
});
