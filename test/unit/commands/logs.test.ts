/** `GET …/logs`: what the API reads for it, and what it answers. */
import { HttpRequest } from '@azure/functions';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHttpHandlers } from '../../../src/commands/http/handlers.ts';
import type { LogList } from '../../../src/model/api.ts';
import { err, ok } from '../../../src/model/result.ts';
import type { LogRow, ReplicaRow } from '../../../src/model/state.ts';
import { type CommandFixture, commandFixture, givenPools } from '../../support/command-fixture.ts';
import { aGuard, anAppRow, aReplica, at } from '../../support/rows.ts';

let fixture: CommandFixture;
beforeEach(async () => {
  fixture = commandFixture();
  await givenPools(fixture, 'east');
});

async function given(...rows: readonly (ReplicaRow | LogRow)[]): Promise<void> {
  for (const row of [anAppRow(), aGuard(), aGuard({ service: 'api' }), ...rows]) {
    const result = await fixture.store.commit({ txId: 'given', changes: [{ type: 'insert', row }] });
    expect(result).toMatchObject({ ok: true });
  }
}

async function get(query = '', app = 'shop') {
  const url = `http://127.0.0.1:7071/api/v1/apps/${app}/logs${query}`;
  const request = new HttpRequest({
    method: 'GET',
    url,
    params: { app },
    query: Object.fromEntries(new URL(url).searchParams),
  });
  const response = await createHttpHandlers(fixture.ports, 'test').logs(request);
  const body = JSON.parse(String(response.body));
  return { status: response.status, list: body as LogList, problem: body as { detail: string } };
}

const kept = (over: Partial<LogRow> = {}): LogRow => ({
  kind: 'log',
  app: 'shop',
  service: 'web',
  slot: 0,
  incarnation: 1,
  revision: 1,
  container: 'web',
  takenAt: at,
  lines: [
    { at: '2026-01-02T03:04:05Z', text: 'one' },
    { at: '2026-01-02T03:04:06Z', text: 'two' },
  ],
  truncated: false,
  ...over,
});

describe('logs of an app', () => {
  it('are read from every replica that may have a container group, and parsed', async () => {
    await given(
      aReplica({ slot: 1, group: 'f-1' }),
      aReplica({ slot: 0, group: 'f-0' }),
      aReplica({ service: 'api', slot: 0, group: 'f-api', state: 'draining' }),
      aReplica({ slot: 2, state: 'gone', group: 'f-gone', failures: 1 }),
      aReplica({ slot: 3, state: 'planned', group: 'f-planned' }),
    );
    fixture.groupLogs.set('f-0', ok('2026-01-02T03:04:05.123456789Z hello\n2026-01-02T03:04:06Z \nno instant\r\n'));
    const { status, list } = await get();
    expect(status).toBe(200);
    expect(list.logs.map(({ service, slot }) => `${service}.${slot}`)).toEqual(['api.0', 'web.0', 'web.1']);
    expect(list.logs[1]?.lines).toEqual([
      { at: '2026-01-02T03:04:05.123456789Z', text: 'hello' },
      { at: '2026-01-02T03:04:06Z', text: '' },
      { at: null, text: 'no instant' },
    ]);
    expect(fixture.logReads).toContainEqual({ group: 'f-0', container: 'web', tail: 100 });
  });

  it('are read from twenty replicas at most, and the answer says how many were left out', async () => {
    await given(...Array.from({ length: 23 }, (_, slot) => aReplica({ slot, group: `f-${slot}` })));
    const { list } = await get('?service=web');
    expect(list).toMatchObject({ omitted: 3 });
    expect(fixture.logReads.length).toBe(20);
  });

  it('are bounded in size, the newest lines first, and say that there are older ones', async () => {
    await given(aReplica({ group: 'f-0' }));
    const long = 'x'.repeat(1_000_000);
    fixture.groupLogs.set('f-0', ok(Array.from({ length: 6 }, (_, n) => `${n}${long}\n`).join('')));
    const [log] = (await get()).list.logs;
    expect(log?.lines.map(({ text }) => text[0])).toEqual(['2', '3', '4', '5']);
    expect(log?.truncated).toBe(true);
  });

  it.each([
    ['?since=2026-01-02T03:04:06Z', ['two', 'three']],
    ['?since=2026-01-02T03:04:07Z', ['three']],
  ])('of %s begin there', async (query, texts) => {
    await given(aReplica({ group: 'f-0' }));
    fixture.groupLogs.set(
      'f-0',
      ok('2026-01-02T03:04:05Z one\n2026-01-02T03:04:06Z two\n2026-01-02T03:04:07Z three\n'),
    );
    expect((await get(query)).list.logs[0]?.lines.map(({ text }) => text)).toEqual(texts);
  });

  const failure = (kind: 'NotFound' | 'Throttled', code: string, retryAfterMs: number | null = null) =>
    err({ kind, code, message: `read the logs of f-0: ${code}`, retryAfterMs });
  it.each([
    { answer: failure('NotFound', 'ContainerLogNotAvailable'), problem: 'It has not started yet.' },
    { answer: failure('NotFound', 'ContainerNotFound'), problem: 'It has no container side; there is web.' },
    { answer: failure('NotFound', 'ResourceNotFound'), problem: 'Its container group is gone.' },
    {
      answer: failure('Throttled', 'TooManyRequests', 7_000),
      problem: 'read the logs of f-0: TooManyRequests',
      retryAfterMs: 7_000,
    },
  ])(
    'that cannot be read for $problem are none, and the others are shown',
    async ({ answer, problem, retryAfterMs = null }) => {
      await given(aReplica({ group: 'f-0' }), aReplica({ slot: 1, group: 'f-1' }));
      fixture.groupLogs.set('f-0', answer);
      fixture.groupLogs.set('f-1', ok('fine\n'));
      const { status, list } = await get('?container=side');
      expect(status).toBe(200);
      expect(list.logs).toMatchObject([
        { lines: [], problem, retryAfterMs },
        { lines: [{ text: 'fine' }], problem: null },
      ]);
    },
  );

  it.each([
    ['?service=wob', 404, /has no service «wob»/],
    ['?service=web&slot=7', 404, /no replica in slot 7/],
    ['?slot=7', 400, /slot is given without service/],
    ['?tail=0', 400, /from 1 to 5000/],
    ['?tail=lots', 400, /from 1 to 5000/],
    ['?since=yesterday', 400, /give an instant such as/],
    ['?previous=maybe', 400, /give true or false/],
    ['?follow=true', 400, /Unknown query parameter follow/],
  ])('are refused for %s', async (query, status, detail) => {
    await given(aReplica({ group: 'f-0' }));
    const answer = await get(query);
    expect(answer.status).toBe(status);
    expect(answer.problem.detail).toMatch(detail);
    expect(fixture.logReads).toEqual([]);
  });

  it('are not there for an app that never was', async () => {
    expect((await get('', 'nosuch')).status).toBe(404);
    expect((await get('?previous=true', 'nosuch')).status).toBe(404);
  });
});

describe('logs of replicas that are gone', () => {
  it('are what was kept, and cost no read of ARM', async () => {
    await given(kept(), kept({ slot: 1, incarnation: 4 }), kept({ service: 'api', container: 'api' }));
    const { list } = await get('?previous=true&service=web');
    expect(list.logs).toMatchObject([
      { slot: 0, incarnation: 1, state: 'gone', lines: [{ text: 'one' }, { text: 'two' }] },
      { slot: 1, incarnation: 4 },
    ]);
    expect((await get('?previous=true')).list.logs.length).toBe(3);
    expect(fixture.logReads).toEqual([]);
  });

  it('of one slot, and the last lines only', async () => {
    await given(kept());
    expect((await get('?previous=true&service=web&slot=0&tail=1')).list.logs).toMatchObject([
      { lines: [{ text: 'two' }], truncated: true },
    ]);
    expect((await get('?previous=true&service=web&slot=1')).list.logs).toEqual([]);
  });
});
