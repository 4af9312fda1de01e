/** Pools through the API: what is shown of them, and what a command changes. */
import { HttpRequest, type HttpResponseInit } from '@azure/functions';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHttpHandlers } from '../../../src/commands/http/handlers.ts';
import type { PoolResource } from '../../../src/model/api.ts';
import { keys } from '../../../src/model/keys.ts';
import type { PoolRow } from '../../../src/model/state.ts';
import { type CommandFixture, commandFixture } from '../../support/command-fixture.ts';
import { aPool } from '../../support/rows.ts';

let fixture: CommandFixture;
beforeEach(async () => {
  fixture = commandFixture();
  const reservations = [{ owner: 'shop/web/0/1', cores: 1.5, at: 0 }];
  const rows = [aPool({ pool: 'eastus', reservations, labels: { tier: 'a' } }), aPool({ pool: 'old', retired: true })];
  await fixture.store.commit({ txId: 'pools', changes: rows.map((row) => ({ type: 'insert', row })) });
});

const command = (pool: string, body: unknown): Promise<HttpResponseInit> =>
  createHttpHandlers(fixture.ports, 'test').poolCommands(
    new HttpRequest({
      method: 'POST',
      url: `http://127.0.0.1:7071/api/v1/pools/${pool}/commands`,
      headers: { 'content-type': 'application/json' },
      params: { pool },
      body: { bytes: Buffer.from(JSON.stringify(body)) },
    }),
  );
const bodyOf = (response: HttpResponseInit) => JSON.parse(String(response.body)) as PoolResource & { detail?: string };
const row = async (): Promise<PoolRow | null> => {
  const read = await fixture.store.read<PoolRow>(keys.pool('eastus'));
  return read.ok ? read.value : null;
};

describe('a command to a pool', () => {
  it.each<[readonly string[], Pick<PoolRow, 'cordoned' | 'draining'>]>([
    [['cordon'], { cordoned: true, draining: false }],
    [['drain'], { cordoned: true, draining: true }],
    [['drain', 'drain'], { cordoned: true, draining: true }],
    [['drain', 'cordon'], { cordoned: true, draining: false }],
    [['drain', 'uncordon'], { cordoned: false, draining: false }],
    [['uncordon'], { cordoned: false, draining: false }],
  ])('%j is kept in its row, beside what it holds', async (words, expected) => {
    const answers: HttpResponseInit[] = [];
    for (const word of words) answers.push(await command('eastus', { command: word }));
    expect(answers.map(({ status }) => status)).toEqual(words.map(() => 200));
    expect(bodyOf(answers.at(-1)!)).toMatchObject({ name: 'eastus', ...expected, used: { groups: 1, cores: 1.5 } });
    expect(await row()).toMatchObject({
      ...expected,
      reservations: [{ owner: 'shop/web/0/1' }],
      labels: { tier: 'a' },
    });
  });

  it('is given again when an app took budget at the same moment', async () => {
    let raced = 0;
    const { commit } = fixture.store;
    const store = {
      ...fixture.store,
      commit: async (transaction: Parameters<typeof commit>[0]) => {
        const current = await row();
        if (current !== null && raced++ === 0) {
          const { etag, ...bare } = current as PoolRow & { etag: string };
          await commit({ txId: 'race', changes: [{ type: 'update', row: { ...bare, reservations: [] }, etag }] });
        }
        return await commit(transaction);
      },
    };
    fixture = { ...fixture, ports: { ...fixture.ports, store } };
    expect((await command('eastus', { command: 'drain' })).status).toBe(200);
    expect(await row()).toMatchObject({ draining: true, reservations: [] });
  });

  it.each<[string, string, unknown, number, RegExp]>([
    ['a pool that is not there', 'mars', { command: 'drain' }, 404, /no pool «mars»; configured: eastus\./],
    ['a pool that is no longer configured', 'old', { command: 'drain' }, 404, /no pool «old»/],
    ['another word', 'eastus', { command: 'empty' }, 422, /cordon, uncordon, drain/],
    ['more than the word', 'eastus', { command: 'drain', force: true }, 422, /\{"command": "drain"\}/],
  ])('is refused for %s', async (_, pool, body, status, detail) => {
    const response = await command(pool, body);
    expect(response.status).toBe(status);
    expect(bodyOf(response).detail).toMatch(detail);
    expect(await row()).toMatchObject({ cordoned: false, draining: false });
  });
});
