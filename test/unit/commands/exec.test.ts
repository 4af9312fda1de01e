/** `POST …/exec`: what ARM is asked for it, what the API answers, and who learns the password. */
import { HttpRequest } from '@azure/functions';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHttpHandlers } from '../../../src/commands/http/handlers.ts';
import type { ExecResource } from '../../../src/model/api.ts';
import { err } from '../../../src/model/result.ts';
import type { ReplicaRow } from '../../../src/model/state.ts';
import type { PortError } from '../../../src/ports/errors.ts';
import { type CommandFixture, commandFixture, givenPools } from '../../support/command-fixture.ts';
import { aGuard, anAppRow, aReplica } from '../../support/rows.ts';

let fixture: CommandFixture;
beforeEach(async () => {
  fixture = commandFixture();
  await givenPools(fixture, 'east');
});

async function given(...replicas: readonly ReplicaRow[]): Promise<void> {
  for (const row of [anAppRow(), aGuard(), aGuard({ service: 'api' }), ...replicas]) {
    const result = await fixture.store.commit({ txId: 'given', changes: [{ type: 'insert', row }] });
    expect(result).toMatchObject({ ok: true });
  }
}

async function post(
  body: unknown,
  { app = 'shop', headers = {} }: { app?: string; headers?: Record<string, string> } = {},
) {
  const request = new HttpRequest({
    method: 'POST',
    url: `http://127.0.0.1:7071/api/v1/apps/${app}/exec`,
    params: { app },
    headers: { 'content-type': 'application/json', ...headers },
    body: { bytes: Buffer.from(JSON.stringify(body)) },
  });
  const response = await createHttpHandlers(fixture.ports, 'test').exec(request);
  const answer = JSON.parse(String(response.body));
  return {
    status: response.status,
    headers: response.headers as Record<string, string>,
    session: answer as ExecResource,
    problem: answer as { detail: string; problems?: { path: string; problem: string; remedy: string }[] },
  };
}

const events = async () => {
  const page = await fixture.store.readEvents('shop', { limit: 10 });
  return page.ok ? page.value.events : [];
};
const armSays = (kind: PortError['kind'], code: string | null, retryAfterMs: number | null = null) =>
  fixture.answerExecs(err({ kind, code, message: 'open a terminal in f-0: so says ARM', retryAfterMs }));

describe('a terminal inside a replica', () => {
  it('is had at the address and with the password that ARM names', async () => {
    await given(aReplica({ slot: 1, group: 'f-1' }), aReplica({ slot: 0, group: 'f-0', state: 'unready' }));
    const { status, headers, session } = await post({
      service: 'web',
      command: '/bin/sh',
      terminalSize: { rows: 20, cols: 70 },
    });
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(session).toEqual({
      service: 'web',
      slot: 1,
      incarnation: 1,
      container: 'web',
      state: 'ready',
      webSocketUri: 'wss://aci.test/exec/1',
      password: 'pass-1',
    });
    expect(fixture.execs).toEqual([
      { group: 'f-1', container: 'web', query: { program: '/bin/sh', size: { rows: 20, cols: 70 } } },
    ]);
  });

  it('is told as an event before the password leaves: who, from where, and which program', async () => {
    await given(aReplica({ slot: 2 }));
    const headers = {
      'x-forwarded-for': '1.2.3.4, 203.0.113.7:51234',
      'x-ms-client-principal-name': 'ada@example.org',
    };
    await post({ service: 'web', command: 'sh' }, { headers });
    expect(await events()).toMatchObject([
      {
        type: 'ExecOpened',
        service: 'web',
        replica: 'web/2/1',
        cause: 'exec',
        message: 'A terminal was opened: sh in container web by ada@example.org from 203.0.113.7:51234.',
      },
    ]);
  });

  it('stays shut when the event cannot be written', async () => {
    await given(aReplica());
    const commit = async () =>
      err<PortError>({ kind: 'Unavailable', code: null, message: 'no table', retryAfterMs: null });
    const ports = { ...fixture.ports, store: { ...fixture.store, commit } };
    fixture = { ...fixture, ports };
    const { status, session } = await post({ service: 'web', command: 'sh' });
    expect(status).toBe(503);
    expect(JSON.stringify(session)).not.toContain('pass-1');
  });

  it('has its password nowhere but in the answer', async () => {
    await given(aReplica());
    expect((await post({ service: 'web', command: 'sh' })).session.password).toBe('pass-1');
    expect(JSON.stringify([await events(), fixture.logged])).not.toMatch(/pass-1|aci\.test/);
  });

  it('is not told when ARM opens none', async () => {
    await given(aReplica());
    armSays('Unavailable', null);
    expect((await post({ service: 'web', command: 'sh' })).status).toBe(503);
    expect(await events()).toEqual([]);
  });
});

describe('no terminal', () => {
  it.each<{ name: string; body: unknown; path: string }>([
    { name: 'with arguments', body: { service: 'web', command: 'ls -l' }, path: 'command' },
    { name: 'without a program', body: { service: 'web' }, path: 'command' },
    {
      name: 'of no size',
      body: { service: 'web', command: 'sh', terminalSize: { rows: 0, cols: 80 } },
      path: 'terminalSize.rows',
    },
    { name: 'in a slot that is no number', body: { service: 'web', command: 'sh', slot: '0' }, path: 'slot' },
    { name: 'by a word that is not known', body: { service: 'web', command: 'sh', tty: true }, path: '' },
  ])('$name: 422 with the place and a remedy, and ARM is not asked', async ({ body, path }) => {
    await given(aReplica());
    const { status, problem } = await post(body);
    expect(status).toBe(422);
    expect(problem.problems?.[0]).toMatchObject({ path });
    expect(problem.problems?.[0]?.remedy).not.toBe('');
    expect(fixture.execs).toEqual([]);
  });

  it.each<{ name: string; body: Record<string, unknown>; app?: string; status: number; detail: RegExp }>([
    { name: 'of an app that is not there', body: {}, app: 'nosuch', status: 404, detail: /no app «nosuch»/ },
    { name: 'of a service that is not there', body: { service: 'wbe' }, status: 404, detail: /services: api, web\./ },
    { name: 'in a slot that is not there', body: { slot: 4 }, status: 404, detail: /no replica in slot 4; slots: 0\./ },
    {
      name: 'where nothing runs',
      body: { service: 'api' },
      status: 409,
      detail: /api has no replicas\. `flotilla ps shop`/,
    },
  ])('$name: $status', async ({ body, app = 'shop', status, detail }) => {
    await given(aReplica());
    const answer = await post({ service: 'web', command: 'sh', ...body }, { app });
    expect(answer.status).toBe(status);
    expect(answer.problem.detail).toMatch(detail);
  });

  it.each<{ kind: PortError['kind']; code: string | null; status: number; detail: RegExp }>([
    { kind: 'NotFound', code: 'ContainerNotFound', status: 404, detail: /web\.0 has no container «web»/ },
    { kind: 'NotFound', code: 'ResourceNotFound', status: 409, detail: /container group f-0 of web\.0 is gone/ },
    { kind: 'Conflict', code: 'ContainerNotRunning', status: 409, detail: /so says ARM/ },
    { kind: 'Invalid', code: 'InvalidExecCommand', status: 422, detail: /ARM refuses the program/ },
    { kind: 'Throttled', code: 'TooManyRequests', status: 503, detail: /so says ARM/ },
  ])('where ARM answers $code: $status', async ({ kind, code, status, detail }) => {
    await given(aReplica({ group: 'f-0' }));
    armSays(kind, code, 7_000);
    const answer = await post({ service: 'web', command: 'sh' });
    expect(answer.status).toBe(status);
    expect(answer.problem.detail).toMatch(detail);
    if (kind === 'Throttled') expect(answer.headers['retry-after']).toBe('7');
  });

  it('where the pool of the replica is not configured any more', async () => {
    await given(aReplica({ pool: 'nowhere' }));
    expect((await post({ service: 'web', command: 'sh' })).status).toBe(409);
  });
});
