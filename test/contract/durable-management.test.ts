/** The management API where the recorded cases do not reach: keys, paths, bad input, filters. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEngine, type DurableEngine } from '../../src/local/host/engine/engine.ts';
import { createManagement, type Management, type ManagementResponse } from '../../src/local/host/engine/management.ts';
import { createMemoryStore } from '../../src/local/host/engine/memory-store.ts';
import { type ManualClock, manualClock, until } from '../support/manual-clock.ts';

const web = '/runtime/webhooks/durabletask';
const rpc = '/durabletask';

let engine: DurableEngine;
let clock: ManualClock;
let management: Management;

/** An orchestrator that waits for the event `go`, and one that fails. */
const answers: Record<string, (payload: string) => string> = {
  gate: (payload) => {
    const isDone = payload.includes('"EventType":15');
    const wait = { actionType: 6, externalEventName: 'go' };
    return JSON.stringify({ isDone, actions: [[wait]], output: isDone ? 'gone' : undefined, schemaVersion: 3 });
  },
  fails: () => {
    throw new Error('false\n\n$OutOfProcData$:{"isDone":false,"actions":[[]],"error":"no","schemaVersion":3}');
  },
};

beforeEach(async () => {
  clock = manualClock(Date.UTC(2040, 0, 1));
  engine = createEngine({ store: createMemoryStore(), clock, newId: randomUUID, hubName: 'Hub' });
  engine.attach({
    id: 'w',
    has: (kind, name) => kind === 'orchestrator' && name in answers,
    runOrchestrator: async (name, payload) => answers[name]?.(payload) ?? '',
    runActivity: async () => undefined,
  });
  await engine.start();
  management = createManagement({
    engine,
    settings: { origin: 'http://localhost:7071', hubName: 'Hub', systemKey: 'K' },
  });
});

async function call(
  method: string,
  url: string,
  body = '',
  headers: Record<string, string> = {},
): Promise<ManagementResponse> {
  const json = body === '' ? {} : { 'content-type': 'application/json' };
  const response = await management({ method, url, headers: { host: 'h:1', ...json, ...headers }, body });
  if (!response) throw new Error(`${url} is not the management API's`);
  return response;
}

async function running(id: string, name = 'gate'): Promise<void> {
  expect((await call('POST', `${rpc}/orchestrators/${name}/${id}`, '{}')).status).toBe(202);
  const wanted = name === 'gate' ? 'Running' : 'Failed';
  await until(() => engine.client.status(id)?.status === wanted, `${id} is ${wanted}`);
}

describe('the management API', () => {
  it('leaves other paths to others', async () => {
    expect(await management({ method: 'GET', url: '/api/x', headers: {}, body: '' })).toBeUndefined();
    expect(await management({ method: 'GET', url: '/durabletaskx/instances', headers: {}, body: '' })).toBeUndefined();
  });

  it('asks for the system key in its web form and not in its local form', async () => {
    expect((await call('GET', `${web}/instances`)).status).toBe(401);
    expect((await call('GET', `${web}/instances?code=wrong`)).status).toBe(401);
    expect((await call('GET', `${web}/instances?code=K`)).status).toBe(200);
    expect((await call('GET', `${rpc}/instances/`)).status).toBe(200);
  });

  it.each([
    ['GET', '/orchestrators/gate/i', 404],
    ['PUT', '/instances/i', 404],
    ['POST', '/instances', 404],
    ['POST', '/instances/i/dance', 404],
    ['GET', '/instances/i/terminate', 404],
    ['POST', '/instances/i/raiseEvent/a/b', 404],
    ['POST', '/orchestrators/gate/a%2Fb', 404],
    ['GET', '/nothing', 404],
    ['GET', '/instances/%E0%A4%A', 400],
    ['POST', '/entities/counter/k?op=add', 501],
    ['GET', '/entities', 501],
    ['GET', '/instances/@counter@k', 501],
  ])('answers %s %s with %i', async (method, path, status) => {
    expect((await call(method, `${rpc}${path}`)).status).toBe(status);
  });

  it('refuses a body that is not JSON with the parser’s words, and an illegal id with the rule', async () => {
    const bad = await call('POST', `${rpc}/orchestrators/gate`, '{bad');
    expect([bad.status, JSON.parse(bad.body)]).toMatchObject([400, { Message: 'Invalid JSON content' }]);
    const id = await call('POST', `${rpc}/orchestrators/gate/a%23b`, '{}');
    expect([id.status, id.body]).toEqual([400, expect.stringContaining('contains \\"#\\"')]);
  });

  it('decodes ids and event names and answers with links that encode them', async () => {
    await call('POST', `${rpc}/orchestrators/gate/a%20b:%C3%BC`, '{}');
    await until(() => engine.client.status('a b:ü')?.status === 'Running', 'it runs');
    const status = await call('GET', `${rpc}/instances/a%20b:%C3%BC`);
    expect(JSON.parse(status.body)).toMatchObject({ instanceId: 'a b:ü', runtimeStatus: 'Running' });
    const start = await call('POST', `${rpc}/orchestrators/gate/x%20y`, '{}');
    expect(start.headers['location']).toBe(
      'http://h:1/runtime/webhooks/durabletask/instances/x%20y?taskHub=Hub&connection=Storage&code=K',
    );
  });

  it('waits for the end of what it starts, or answers with links when time is up', async () => {
    const url = `${rpc}/orchestrators/gate/w?timeout=5&pollingInterval=1`;
    const slow = call('POST', url, '{}');
    await until(() => clock.nextAt() !== undefined, 'it waits');
    clock.advance(5_000);
    expect((await slow).status).toBe(202);
    const fast = call('POST', url.replace('/w?', '/v?'), '{}');
    await until(() => engine.client.status('v')?.status === 'Running', 'it runs');
    await call('POST', `${rpc}/instances/v/raiseEvent/go`, '1');
    expect([(await fast).status, (await fast).body]).toEqual([200, '"gone"']);
  });

  it('purges by filter only what has finished', async () => {
    await running('open');
    await running('broken1', 'fails');
    await running('broken2', 'fails');
    const from = 'createdTimeFrom=2039-01-01T00:00:00Z';
    expect((await call('DELETE', `${rpc}/instances?${from}&runtimeStatus=Completed`)).status).toBe(404);
    const purged = await call('DELETE', `${rpc}/instances?${from}&runtimeStatus=Failed,Running`);
    expect([purged.status, purged.body]).toEqual([200, '{"instancesDeleted":2}']);
    expect(engine.client.status('open')?.status).toBe('Running');
  });

  it('does not restart or resume what runs, nor rewind what has not failed', async () => {
    await running('i');
    expect((await call('POST', `${rpc}/instances/i/restart?restartWithNewInstanceId=false`)).status).toBe(409);
    const resume = await call('POST', `${rpc}/instances/i/resume?reason=x`);
    expect([resume.status, JSON.parse(resume.body)]).toMatchObject([
      500,
      { ExceptionMessage: 'Cannot resume the orchestration instance i because instance is in the Running state.' },
    ]);
    expect((await call('POST', `${rpc}/instances/i/rewind?reason=x`)).status).toBe(412);
  });

  it('pages through all instances in the order of their ids', async () => {
    for (const id of ['c', 'a', 'b']) await running(id);
    const seen: string[] = [];
    let token: string | undefined = '';
    for (let page = 0; page < 5 && token !== undefined; page++) {
      const headers: Record<string, string> = token ? { 'x-ms-continuation-token': token } : {};
      const response = await call('GET', `${rpc}/instances?top=2`, '', headers);
      seen.push(...(JSON.parse(response.body) as { instanceId: string }[]).map((i) => i.instanceId));
      token = response.headers['x-ms-continuation-token']?.trim() || undefined;
    }
    expect(seen).toEqual(['a', 'b', 'c']);
  });
});
