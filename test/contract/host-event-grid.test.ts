/** The webhook of Event Grid triggers, as Event Grid calls it. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFunctionsHost, type FunctionsHost } from '../../src/local/host/functions-host.ts';

const appDir = fileURLToPath(new URL('./fixtures/events-app', import.meta.url));
const settings = { BUS: 'Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=k', OUT_QUEUE: 'out' };
const shared = globalThis as typeof globalThis & {
  eventRuns: { readonly name: string; readonly value: unknown; readonly data: unknown }[];
};
let host: FunctionsHost;

beforeAll(async () => {
  host = await createFunctionsHost({ appDir, port: 0, settings, log: () => undefined });
});
afterAll(() => host.close());
beforeEach(() => {
  shared.eventRuns = [];
});

const gridEvent = (id: string, data: object = {}) => ({
  id,
  topic: '/subscriptions/s/resourceGroups/r',
  subject: '/subscriptions/s/resourceGroups/r/providers/Microsoft.ContainerInstance/containerGroups/f',
  eventType: 'Microsoft.Resources.ResourceDeleteSuccess',
  eventTime: '2026-11-24T12:00:00Z',
  dataVersion: '2',
  metadataVersion: '1',
  data,
});
const cloudEvent = (id: string, data: object = {}) => ({
  specversion: '1.0',
  id,
  source: '/subscriptions/s/resourceGroups/r',
  type: 'Microsoft.Resources.ResourceDeleteSuccess',
  subject: 'x',
  data,
});

interface Call {
  readonly fn?: string;
  readonly kind?: string | null;
  readonly method?: string;
  readonly body?: unknown;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function call({ fn = 'single', kind = 'Notification', method = 'POST', body, code, headers = {} }: Call) {
  const url = new URL('/runtime/webhooks/eventgrid', host.url);
  url.searchParams.set('functionName', fn);
  url.searchParams.set('code', code ?? host.keys.extension('eventgrid'));
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(url, {
    method,
    headers: { ...(kind !== null && { 'aeg-event-type': kind }), ...headers },
    ...(body !== undefined && { body: text }),
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

describe('the handshake', () => {
  it('of the EventGrid schema repeats the code of the validation event', async () => {
    const event = {
      ...gridEvent('1', { validationCode: 'c0de' }),
      eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
    };
    const { status, text } = await call({ kind: 'SubscriptionValidation', body: [event] });
    expect([status, JSON.parse(text)]).toEqual([200, { validationResponse: 'c0de' }]);
    expect(shared.eventRuns).toEqual([]);
  });

  it('is found in a CloudEvent whose data is JSON text', async () => {
    const event = { ...cloudEvent('1'), data: '{"validationCode":"c0de"}' };
    const { status, text } = await call({ kind: 'SubscriptionValidation', body: event });
    expect([status, JSON.parse(text)]).toEqual([200, { validationResponse: 'c0de' }]);
  });

  it('of CloudEvents allows the origin that asks', async () => {
    const headers = { 'webhook-request-origin': 'eventgrid.azure.net' };
    const answer = await call({ method: 'OPTIONS', kind: null, headers });
    expect([answer.status, answer.headers.get('webhook-allowed-origin')]).toEqual([200, 'eventgrid.azure.net']);
    expect((await call({ method: 'OPTIONS', kind: null })).status).toBe(400);
  });
});

describe('events', () => {
  it('of both schemas run the function once each, with their data as trigger metadata', async () => {
    const events = [gridEvent('1', { a: 1 }), gridEvent('2')];
    expect(await call({ body: events })).toMatchObject({ status: 202, text: '' });
    expect(await call({ body: cloudEvent('3', { b: 2 }) })).toMatchObject({ status: 202 });
    expect(shared.eventRuns).toEqual([
      { name: 'single', value: events[0], data: { a: 1 } },
      { name: 'single', value: events[1], data: {} },
      { name: 'single', value: cloudEvent('3', { b: 2 }), data: { b: 2 } },
    ]);
  });

  it('arrive together where the function asks for many', async () => {
    const events = [gridEvent('1', { a: 1 }), gridEvent('2', { a: 2 })];
    expect((await call({ fn: 'batch', body: events })).status).toBe(202);
    expect((await call({ fn: 'batch', body: cloudEvent('3') })).status).toBe(202);
    expect(shared.eventRuns.map(({ value }) => value)).toEqual([events, [cloudEvent('3')]]);
    expect(shared.eventRuns[0]?.data).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('are answered 500 when one run failed, so that all come again', async () => {
    const answer = await call({ body: [gridEvent('1'), gridEvent('2', { fail: true })] });
    expect(answer).toMatchObject({ status: 500, text: 'told to fail 2' });
    expect(shared.eventRuns).toHaveLength(2);
  });
});

describe('a call is refused', () => {
  it.each<{ name: string; with: Call; status: number; text?: string }>([
    { name: 'without the system key of the extension', with: { code: 'wrong', body: [gridEvent('1')] }, status: 401 },
    {
      name: 'for a function that is none',
      with: { fn: 'Single', body: [] },
      status: 404,
      text: "cannot find function: 'Single'",
    },
    {
      name: 'for a function with another trigger',
      with: { fn: 'nightly', body: [] },
      status: 404,
      text: "cannot find function: 'nightly'",
    },
    { name: 'that does not say what it is', with: { kind: null, body: [gridEvent('1')] }, status: 400 },
    { name: 'of an unknown kind', with: { kind: 'Wish', body: [gridEvent('1')] }, status: 400 },
    { name: 'with a body that is no JSON', with: { body: '{' }, status: 500 },
    { name: 'with a body that is no object', with: { body: '7' }, status: 500 },
    {
      name: 'to validate without a code',
      with: { kind: 'SubscriptionValidation', body: [gridEvent('1')] },
      status: 500,
    },
  ])('$name: $status', async ({ with: made, status, text = '' }) => {
    const answer = await call(made);
    expect([answer.status, answer.text]).toEqual([status, text]);
    expect(shared.eventRuns).toEqual([]);
  });

  it('but not with the master key, and an unsubscription is noted', async () => {
    expect((await call({ code: host.keys.master, body: [] })).status).toBe(202);
    expect((await call({ code: host.keys.list('host')['default'] ?? '', body: [] })).status).toBe(401);
    expect((await call({ kind: 'Unsubscribe' })).status).toBe(202);
  });
});
