/** `GET …/replicas/{service}/{slot}`: what is looked at for it, and what it answers. */
import { HttpRequest } from '@azure/functions';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHttpHandlers } from '../../../src/commands/http/handlers.ts';
import type { WhyResource } from '../../../src/model/api.ts';
import type { EventRow, ReplicaRow } from '../../../src/model/state.ts';
import { type CommandFixture, commandFixture, givenPools } from '../../support/command-fixture.ts';
import { aGuard, anAppRow, anEvent, aReplica, aRevision, at } from '../../support/rows.ts';
import { seen } from '../../support/snapshots.ts';

let fixture: CommandFixture;
beforeEach(async () => {
  fixture = commandFixture();
  await givenPools(fixture, 'east');
});

async function given(...rows: readonly (ReplicaRow | EventRow)[]): Promise<void> {
  for (const row of [anAppRow(), aGuard({ workflow: 'deployment:shop.web:1', wakeAt: at + 9 }), aRevision(), ...rows]) {
    expect(await fixture.store.commit({ txId: 'given', changes: [{ type: 'insert', row }] })).toMatchObject({
      ok: true,
    });
  }
}

async function get(service = 'web', slot = '0', app = 'shop') {
  const url = `http://127.0.0.1:7071/api/v1/apps/${app}/replicas/${service}/${slot}`;
  const request = new HttpRequest({ method: 'GET', url, params: { app, service, slot } });
  const response = await createHttpHandlers(fixture.ports, 'test').replica(request);
  const body = JSON.parse(String(response.body));
  return { status: response.status, told: body as WhyResource[], problem: body as { detail: string } };
}

describe('why a replica is as it is', () => {
  it('is answered from a look at its group, the rules, the row and its events, newest first', async () => {
    const replica = aReplica({ state: 'ready', stateAt: at - 5_000, attempt: null });
    await given(replica, anEvent({ replica: 'web/0/1', type: 'ReplicaReady', at: at - 5_000, message: 'Ready.' }));
    const event = { name: 'Pulled', type: 'Normal', message: 'Pulled it.', count: 2, lastAt: at - 9_000 };
    fixture.looks.set(replica.group, seen(replica, { events: [event], tags: {} }, 'failed'));
    const { status, told } = await get();
    expect(status).toBe(200);
    expect(told).toMatchObject([{ app: 'shop', service: 'web', slot: 0, incarnation: 1, state: 'ready' }]);
    expect(told[0]?.workflow).toEqual({ id: 'deployment:shop.web:1', wakeAt: new Date(at + 9).toISOString() });
    expect(told[0]?.sees).toBe('a group of its name stands that is not ours');
    expect(told[0]?.evidence.map(({ source }) => source)).toEqual(['read', 'probe', 'row', 'event', 'group']);
    expect(told[0]?.evidence[0]?.text).toContain('container Running, restarted 0 times');
    expect(told[0]?.evidence[1]?.text).toBe('The readiness probe failed.');
    expect(told[0]?.evidence[4]?.text).toBe('Pulled: Pulled it. (2 times)');
  });

  it('tells of every incarnation in the slot that is there, the newest first', async () => {
    await given(
      aReplica({ incarnation: 1, state: 'draining', drainUntil: at }),
      aReplica({ incarnation: 2, group: 'f-2' }),
    );
    expect((await get()).told.map(({ incarnation }) => incarnation)).toEqual([2, 1]);
  });

  it('of one that is gone nothing is read', async () => {
    await given(aReplica({ state: 'gone', failures: 1 }));
    const { told } = await get();
    expect(told).toMatchObject([{ state: 'gone', because: 'it is gone', next: [] }]);
    expect(told[0]?.evidence.some(({ source }) => source === 'read')).toBe(false);
  });

  it.each([
    ['another app', ['web', '0', 'blog'], 'There is no app «blog».'],
    ['another service', ['api', '0', 'shop'], 'shop has no service «api».'],
    ['another slot', ['web', '7', 'shop'], 'shop.web has no replica in slot «7».'],
    ['a slot that is no number', ['web', 'x', 'shop'], 'shop.web has no replica in slot «x».'],
  ] as const)('is refused for %s', async (_, which, detail) => {
    await given(aReplica());
    const { status, problem } = await get(...which);
    expect([status, problem.detail]).toEqual([404, detail]);
  });
});
