/** Runs through the API: asked for as a command, listed, and their logs wherever they are. */
import { HttpRequest } from '@azure/functions';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyOperations } from '../../../src/commands/apply-operations.ts';
import { createHttpHandlers } from '../../../src/commands/http/handlers.ts';
import type { AppResource, LogList, OperationResource, RunList } from '../../../src/model/api.ts';
import { ok } from '../../../src/model/result.ts';
import type { RunRow } from '../../../src/model/run.ts';
import type { LogRow, ReplicaRow, Row } from '../../../src/model/state.ts';
import { type CommandFixture, commandFixture, document, givenPools } from '../../support/command-fixture.ts';
import { aReplica, at } from '../../support/rows.ts';

let fixture: CommandFixture;
beforeEach(async () => {
  fixture = commandFixture();
  await givenPools(fixture, 'east');
  await ask('PUT', 'app', '', document());
  await applyOperations(fixture.ports, 'shop');
});

async function ask<T>(
  method: 'GET' | 'PUT' | 'POST',
  handler: 'app' | 'commands' | 'runs' | 'logs',
  query = '',
  body?: unknown,
) {
  const url = `http://127.0.0.1:7071/api/v1/apps/shop${handler === 'app' ? '' : `/${handler}`}${query}`;
  const request = new HttpRequest({
    method,
    url,
    params: { app: 'shop' },
    query: Object.fromEntries(new URL(url).searchParams),
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: { bytes: Buffer.from(JSON.stringify(body)) } }),
  });
  const response = await createHttpHandlers(fixture.ports, 'test')[handler](request);
  return { status: response.status, body: JSON.parse(String(response.body)) as T };
}

async function put(...rows: readonly Row[]): Promise<void> {
  for (const row of rows) await fixture.store.commit({ txId: 'given', changes: [{ type: 'upsert', row }] });
}

const command = { command: 'run', service: 'web', program: ['x'], environment: { A: 'hush' }, name: 'nightly' };
async function given(over: Partial<ReplicaRow> = {}): Promise<{ operation: string; row: RunRow }> {
  const asked = await ask<OperationResource>('POST', 'commands', '', command);
  expect(asked.status).toBe(202);
  await applyOperations(fixture.ports, 'shop');
  const rows = await fixture.store.readApp('shop');
  const { etag: _, ...found } = (rows.ok ? rows.value.replicas : []).find(
    ({ run }) => run !== null,
  ) as unknown as RunRow & {
    etag: string;
  };
  const row = { ...found, ...over } as RunRow;
  if (Object.keys(over).length > 0) await put(row);
  return { operation: asked.body.id, row };
}

describe('a run', () => {
  it('is listed as it is asked for, without its program and variables', async () => {
    const { operation } = await given();
    const { body } = await ask<RunList>('GET', 'runs');
    expect(body.runs).toEqual([
      {
        id: 'web.1',
        service: 'web',
        name: 'nightly',
        operation,
        revision: 1,
        state: 'waiting',
        exitCode: null,
        reason: null,
        message: null,
        pool: null,
        group: null,
        createdAt: new Date(at).toISOString(),
        startedAt: null,
        endedAt: null,
        deadlineAt: new Date(at + 3_600_000).toISOString(),
        cleanedUp: false,
      },
    ]);
    expect(JSON.stringify(body)).not.toContain('hush');
  });

  it('is found by its operation, also when it is over and nothing of it stands', async () => {
    const end = { at: at + 5_000, exitCode: 3, reason: null, message: null };
    const { operation, row } = await given();
    await put({ ...row, state: 'gone', run: { ...row.run, startedAt: at + 1_000, end } });
    const { body } = await ask<RunList>('GET', 'runs', `?operation=${operation}`);
    expect(body.runs).toMatchObject([{ id: 'web.1', state: 'failed', exitCode: 3, cleanedUp: true }]);
    expect((await ask<RunList>('GET', 'runs', '?operation=other')).body.runs).toEqual([]);
  });

  it.each<{ name: string; over: Partial<ReplicaRow>; startedAt?: number; exitCode?: number | null; state: string }>([
    { name: 'has no answer of ARM yet', over: { state: 'creating' }, state: 'waiting' },
    { name: 'was taken on', over: { state: 'starting' }, state: 'starting' },
    { name: 'has started', over: { state: 'starting' }, startedAt: at, state: 'running' },
    { name: 'ended with 0', over: { state: 'deleting' }, exitCode: 0, state: 'succeeded' },
    { name: 'was ended', over: { state: 'deleting' }, exitCode: null, state: 'failed' },
  ])('that $name is $state', async ({ over, startedAt = null, exitCode, state }) => {
    const { row } = await given();
    const end = exitCode === undefined ? null : { at, exitCode, reason: null, message: null };
    await put({ ...row, ...over, run: { ...row.run, startedAt, end } } as RunRow);
    expect((await ask<RunList>('GET', 'runs')).body.runs[0]?.state).toBe(state);
  });

  it('is no replica of its service', async () => {
    await given({ state: 'starting', pool: 'east', group: 'f-1' });
    const { body } = await ask<AppResource>('GET', 'app');
    expect(body.serviceList[0]).toMatchObject({ name: 'web', replicas: [] });
    expect((await ask<LogList>('GET', 'logs')).body.logs).toEqual([]);
  });

  it('has its log in ACI while its group stands', async () => {
    const { row } = await given({ state: 'starting', pool: 'east', group: 'f-1' });
    fixture.groupLogs.set('f-1', ok('2026-01-02T03:04:05Z hello\n'));
    const { body } = await ask<LogList>('GET', 'logs', '?service=web&run=1');
    expect(body.logs).toMatchObject([{ slot: row.slot, lines: [{ text: 'hello' }] }]);
  });

  it('has its log in the table afterwards, beside those of replicas that are gone', async () => {
    const { row } = await given({ state: 'gone' });
    const kept = (slot: number, text: string): LogRow => ({
      kind: 'log',
      app: 'shop',
      service: 'web',
      slot,
      incarnation: row.incarnation,
      revision: 1,
      container: 'web',
      takenAt: at,
      lines: [{ at: null, text }],
      truncated: false,
    });
    await put(kept(row.slot, 'of the run'), kept(0, 'of a replica'), aReplica({ state: 'gone', incarnation: 9 }));
    const texts = async (query: string) =>
      (await ask<LogList>('GET', 'logs', query)).body.logs.flatMap(({ lines }) => lines.map(({ text }) => text));
    expect(await texts('?service=web&run=1')).toEqual(['of the run']);
    expect(await texts('?previous=true')).toEqual(['of a replica']);
  });

  it.each(['?run=1', '?service=web&slot=0&run=1', '?service=web&run=x'])('is not looked for by %s', async (query) => {
    expect((await ask('GET', 'logs', query)).status).toBe(400);
  });

  it('is ended by command', async () => {
    const { row } = await given({ state: 'starting', pool: 'east', group: 'f-1' });
    expect((await ask('POST', 'commands', '', { command: 'cancel', run: 'web.1' })).status).toBe(202);
    await applyOperations(fixture.ports, 'shop');
    const rows = await fixture.store.readApp('shop');
    expect(rows.ok && rows.value.replicas.find(({ slot }) => slot === row.slot)?.run?.canceled).toBe(true);
  });

  it('is refused at once where the command cannot be understood', async () => {
    for (const body of [
      { ...command, program: 'x' },
      { ...command, timeoutMs: 1 },
      { ...command, environment: { '1A': 'x' } },
      { command: 'cancel', run: '1' },
    ])
      expect((await ask('POST', 'commands', '', body)).status).toBe(422);
  });
});
