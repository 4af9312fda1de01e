/** Events of ARM writes through the real SDK client, the world process and a webhook of our own: handshake, both schemas, tries, kill -9. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerInstanceManagementClient } from '@azure/arm-containerinstance';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../../src/local/host/port-holder.ts';
import { startWorld, type World } from '../../src/local/world/world.ts';
import { armSettings, clientAt, resourceGroup, subscriptionId } from '../support/arm-over-https.ts';

interface Request {
  readonly method: string;
  readonly kind: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}
type Told = {
  readonly eventType?: string;
  readonly type?: string;
  readonly subject: string;
  readonly data: Record<string, unknown>;
};

let dataDir: string;
let world: World;
let webhook: Server;
let endpoint: string;
let requests: Request[];
/** Status of the next notifications; then 202. */
let answers: number[];
let shakes: boolean;

beforeEach(async () => {
  requests = [];
  answers = [];
  shakes = true;
  dataDir = mkdtempSync(join(tmpdir(), 'flotilla-event-grid-'));
  webhook = createServer((incoming, outgoing) => {
    let text = '';
    incoming.on('data', (chunk) => {
      text += chunk;
    });
    incoming.on('end', () => {
      const kind = incoming.headers['aeg-event-type'] as string | undefined;
      const body = text === '' ? undefined : JSON.parse(text);
      const request = { method: incoming.method ?? '', kind, headers: incoming.headers, body };
      requests.push(request);
      answer(request, outgoing);
    });
  });
  endpoint = `http://127.0.0.1:${await listenOnLoopback(webhook, 0)}/hook?code=s3cret`;
  world = await start();
});
afterEach(async () => {
  await world.close();
  webhook.closeAllConnections();
  webhook.close();
  rmSync(dataDir, { recursive: true, force: true });
});

function answer({ method, kind, body }: Request, outgoing: ServerResponse): void {
  if (method === 'OPTIONS') {
    outgoing.writeHead(200, shakes ? { 'webhook-allowed-origin': '*' } : {}).end();
  } else if (kind === 'SubscriptionValidation') {
    const [{ data }] = body as [{ data: { validationCode: string } }];
    outgoing.end(JSON.stringify({ validationResponse: shakes ? data.validationCode : 'wrong' }));
  } else {
    outgoing.writeHead(answers.shift() ?? 202).end();
  }
}

const start = () =>
  startWorld({
    dataDir,
    settings: { ...armSettings, provisioningMs: 50, deletionMs: 50, firstAddress: '127.196.7.1' },
    eventRetryScale: 0.005,
  });

async function arm(): Promise<ContainerInstanceManagementClient> {
  const answer = await fetch(`${world.identityUrl}?api-version=2019-08-01&resource=https://management.azure.com`, {
    headers: { 'x-identity-header': world.identityHeader },
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return clientAt(world.armUrl, token, { tlsOptions: { ca: readFileSync(world.caPath, 'utf8') } });
}

async function control(method: string, path: string, body?: unknown) {
  const at = `${world.controlUrl}/control/events${path}`;
  const answer = await fetch(at, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

async function subscribe(over: object = {}): Promise<void> {
  expect((await control('PUT', '/subscriptions/one', { endpoint, ...over })).status).toBe(202);
  await expect.poll(async () => (await control('GET', '')).body.subscriptions[0].state).not.toBe('creating');
}

const told = (): readonly Told[] =>
  requests.flatMap(({ kind, body }) =>
    kind === 'Notification' ? ((Array.isArray(body) ? body : [body]) as Told[]) : [],
  );
const types = () =>
  told().map(({ eventType, type }) => (eventType ?? type ?? '').replace('Microsoft.Resources.Resource', ''));
const until = (expected: readonly string[]) => expect.poll(types, { timeout: 10_000 }).toEqual(expected);

const group = (cpu = 1) => ({
  location: 'eastus',
  osType: 'Linux',
  restartPolicy: 'Always',
  containers: [{ name: 'main', image: 'nginx', resources: { requests: { cpu, memoryInGB: 1 } } }],
});

describe('a write at ARM', () => {
  it('is told when it has ended, as what it was', async () => {
    await subscribe();
    const { containerGroups, containers } = await arm();
    await containerGroups.beginCreateOrUpdateAndWait(resourceGroup, 'g1', group());
    await until(['WriteSuccess']);
    await expect(containerGroups.beginCreateOrUpdate(resourceGroup, 'g2', group(900))).rejects.toThrow();
    await until(['WriteSuccess', 'WriteFailure']);
    await containerGroups.get(resourceGroup, 'g1');
    await containers.executeCommand(resourceGroup, 'g1', 'main', { command: 'true' });
    await containerGroups.stop(resourceGroup, 'g1');
    await containerGroups.beginDeleteAndWait(resourceGroup, 'g1');
    await until(['WriteSuccess', 'WriteFailure', 'ActionSuccess', 'ActionSuccess', 'DeleteSuccess']);
    const [write] = told();
    const topic = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
    const subject = `${topic}/providers/Microsoft.ContainerInstance/containerGroups/g1`;
    expect(write).toMatchObject({
      topic,
      subject,
      dataVersion: '2',
      metadataVersion: '1',
      data: {
        operationName: 'Microsoft.ContainerInstance/containerGroups/write',
        resourceProvider: 'Microsoft.ContainerInstance',
        resourceUri: subject,
        status: 'Succeeded',
        subscriptionId,
      },
    });
    expect(told().map(({ data }) => data['operationName'])[3]).toBe(
      'Microsoft.ContainerInstance/containerGroups/stop/action',
    );
    expect(new Set(told().map((event) => (event as unknown as { id: string }).id)).size).toBe(5);
  });

  it('fails as a write when provisioning does', async () => {
    await subscribe();
    const fault = { act: 'create', effect: { kind: 'mishap', mishap: { code: 'Broken', afterMs: 10 } } };
    await fetch(`${world.controlUrl}/control/faults`, { method: 'POST', body: JSON.stringify(fault) });
    const { containerGroups } = await arm();
    await expect(containerGroups.beginCreateOrUpdateAndWait(resourceGroup, 'g1', group())).rejects.toThrow();
    await until(['WriteFailure']);
  });
});

describe('a subscription', () => {
  it('shakes hands before the first event, and its key is never shown', async () => {
    await subscribe();
    const [first] = requests;
    expect(first).toMatchObject({ method: 'POST', kind: 'SubscriptionValidation' });
    expect(JSON.stringify((await control('GET', '')).body)).not.toContain('s3cret');
  });

  it('of CloudEvents asks by OPTIONS, and gets one event as an object', async () => {
    await subscribe({ schema: 'CloudEventSchemaV1_0' });
    expect(requests[0]).toMatchObject({
      method: 'OPTIONS',
      headers: { 'webhook-request-origin': 'eventgrid.azure.net' },
    });
    await (await arm()).containerGroups.beginCreateOrUpdateAndWait(resourceGroup, 'g1', group());
    await until(['WriteSuccess']);
    expect(requests.at(-1)?.headers['content-type']).toMatch(/^application\/cloudevents\+json/);
    expect(requests.at(-1)?.body).toMatchObject({ specversion: '1.0', source: expect.stringContaining(resourceGroup) });
  });

  it.each(['EventGridSchema', 'CloudEventSchemaV1_0'])(
    'of %s whose endpoint does not shake hands gets nothing',
    async (schema) => {
      shakes = false;
      await subscribe({ schema });
      expect((await control('GET', '')).body.subscriptions[0]).toMatchObject({
        state: 'failed',
        problem: expect.stringContaining('shake hands'),
      });
      await (await arm()).containerGroups.beginCreateOrUpdateAndWait(resourceGroup, 'g1', group());
      expect(types()).toEqual([]);
    },
  );

  it('gets what it filters for', async () => {
    await subscribe({ eventTypes: ['Microsoft.Resources.ResourceDeleteSuccess'] });
    const { containerGroups } = await arm();
    await containerGroups.beginCreateOrUpdateAndWait(resourceGroup, 'g1', group());
    await containerGroups.beginDeleteAndWait(resourceGroup, 'g1');
    await until(['DeleteSuccess']);
  });

  it.each([
    [{ endpoint: 'no address' }, /^endpoint: /],
    [{ schema: 'Mine' }, /^schema: give one of/],
    [{ maxAttempts: 31 }, /^maxAttempts: /],
    [{ ttlMinutes: 0 }, /^ttlMinutes: /],
    [{ eventTypes: 'all' }, /^eventTypes: /],
  ])('is refused with %j', async (over, expected) => {
    const { status, body } = await control('PUT', '/subscriptions/one', { endpoint, ...over });
    expect([status, body.error]).toEqual([400, expect.stringMatching(expected)]);
  });
});

describe('delivery', () => {
  const publish = (id: string) =>
    control('POST', '/publish', { id, type: 'Example', topic: '/t', subject: `/t/${id}` });
  const ids = () => told().map(({ subject }) => subject.slice(3));

  it('is tried again until it is taken, and counts its tries', async () => {
    await subscribe();
    answers.push(500, 503);
    await publish('a');
    await expect.poll(ids, { timeout: 10_000 }).toEqual(['a', 'a', 'a']);
    expect(requests.slice(-3).map(({ headers }) => headers['aeg-delivery-count'])).toEqual(['0', '1', '2']);
    await expect.poll(async () => (await control('GET', '')).body.pending).toBe(0);
  });

  it('is given up where trying again is of no use, and shown among the dead letters', async () => {
    await subscribe();
    answers.push(400);
    await publish('a');
    await expect
      .poll(async () => (await control('GET', '')).body.deadLetters)
      .toMatchObject([{ reason: 'NotRetriable', event: { id: 'a' }, attempts: 1 }]);
  });

  it('loses, repeats, delays and reorders on demand', async () => {
    await subscribe();
    const fault = (effect: object, times: number | null = 1) =>
      control('POST', '/faults', { name: 'g*', times, effect });
    const { containerGroups } = await arm();
    const create = (name: string) => containerGroups.beginCreateOrUpdateAndWait(resourceGroup, name, group());
    await fault({ kind: 'lose' });
    await create('g1');
    await fault({ kind: 'reorder', withinMs: 1_500 });
    await create('g2');
    await fault({ kind: 'duplicate', afterMs: 10 });
    await create('g3');
    const names = () => told().map(({ subject }) => subject.split('/').at(-1));
    await expect.poll(names, { timeout: 10_000 }).toEqual(['g3', 'g3', 'g2']);
    expect((await fault({ kind: 'explode' })).body.error).toMatch(/^effect.kind: give one of lose, duplicate/);
    expect((await fault({ kind: 'delay', ms: -1 })).body.error).toMatch(/^effect.ms: /);
  });

  it('goes on after the world was gone, with what was on its way', async () => {
    await subscribe();
    answers.push(...Array(50).fill(500));
    await publish('a');
    await expect.poll(() => ids().length).toBeGreaterThan(0);
    await world.close();
    answers = [];
    const before = ids().length;
    world = await start();
    await expect.poll(() => ids().length, { timeout: 15_000 }).toBeGreaterThan(before);
    await expect.poll(async () => (await control('GET', '')).body.pending).toBe(0);
    expect(requests.filter(({ kind }) => kind === 'SubscriptionValidation')).toHaveLength(1);
  });
});
