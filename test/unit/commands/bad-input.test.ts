/** Bodies and messages that are well formed and hostile: each ends in a refusal that its sender can read, and nothing is stored. */
import { HttpRequest, type HttpResponseInit } from '@azure/functions';
import { describe, expect, it } from 'vitest';
import { operationIdOf } from '../../../src/commands/accept.ts';
import { createHttpHandlers } from '../../../src/commands/http/handlers.ts';
import { createQueueHandlers } from '../../../src/commands/queue-handlers.ts';
import type { ApiProblem } from '../../../src/model/api.ts';
import { keys } from '../../../src/model/keys.ts';
import type { OperationRow } from '../../../src/model/state.ts';
import { commandFixture, document, incoming, noReplies } from '../../support/command-fixture.ts';

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const services = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`s${n}`, { image: 'a' }]));

async function put(body: string) {
  const fixture = commandFixture();
  const request = new HttpRequest({
    method: 'PUT',
    url: 'http://127.0.0.1:7071/api/v1/apps/shop',
    params: { app: 'shop' },
    headers: { 'content-type': 'application/json', 'idempotency-key': 'k1' },
    body: { bytes: Buffer.from(body) },
  });
  const response: HttpResponseInit = await createHttpHandlers(fixture.ports, 'test').app(request);
  const rows = await fixture.store.readApp('shop');
  return { response, problem: JSON.parse(String(response.body)) as ApiProblem, rows, fixture };
}

describe('a body that is JSON and no app', () => {
  it.each([
    ['a text', '"shop"', 'not a mapping'],
    ['nothing', 'null', 'not a mapping'],
    ['a list', '[]', 'not a mapping'],
    ['deep nesting', nested(100_000), 'not a mapping'],
    [
      'deep nesting inside',
      `{"name":"shop","services":{"web":{"image":"a","environment":${nested(100_000)}}}}`,
      'levels deep',
    ],
    ['a very long list', JSON.stringify({ ...document(), 'x-list': Array(2_000).fill(1) }), 'at most 1000'],
    [
      '31 services',
      JSON.stringify({ name: 'shop', services: services(31) }),
      'has 31 services, but may have at most 30',
    ],
    ['200 KiB', JSON.stringify({ ...document(), 'x-pad': 'x'.repeat(200 * 1024) }), 'at most 192 KiB'],
    ['a prototype', '{"name":"shop","services":{"web":{"image":"a"}},"__proto__":{"x":1}}', 'not a key'],
    [
      'files that only the CLI can read',
      '{"name":"shop","services":{"web":{"image":"a","env_file":"a.env"}}}',
      'only the CLI',
    ],
    [
      'a circle',
      '{"name":"shop","services":{"a":{"image":"a","depends_on":["b"]},"b":{"image":"a","depends_on":["a"]}}}',
      'a → b → a',
    ],
  ])('%s is refused with path and remedy', async (_, body, text) => {
    const { response, problem, rows, fixture } = await put(body);
    expect(response.status).toBe(422);
    expect(problem.problems?.map((one) => one.problem).join()).toContain(text);
    for (const { remedy } of problem.problems ?? []) expect(remedy).toMatch(/[.?]$/);
    expect(rows).toMatchObject({ value: { app: null } });
    expect(fixture.sent).toEqual([]);
    expect(fixture.logged).toEqual([]);
  });

  it('all problems of a document are in one answer', async () => {
    const web = { image: 'A', ports: ['x'], restart: 'sometimes', privileged: true, depends_on: ['nobody'] };
    const { problem } = await put(JSON.stringify({ name: 'Shop', services: { Web: web } }));
    expect(problem.problems?.map(({ path }) => path)).toEqual([
      'name',
      'services.Web',
      'services.Web.depends_on[0]',
      'services.Web.image',
      'services.Web.ports[0]',
      'services.Web.privileged',
      'services.Web.restart',
    ]);
  });

  it('a byte order mark and blanks around it do no harm', async () => {
    const { response } = await put(`\uFEFF\n ${JSON.stringify(document())} \n`);
    expect(response.status).toBe(202);
  });
});

describe('a whole command on the queue that is no app', () => {
  it.each([
    ['deep nesting', { name: 'shop', services: JSON.parse(nested(100_000)) as unknown }],
    ['nothing', undefined],
    ['a text', 'shop'],
  ])('%s is recorded as rejected under its key, with the reason', async (_, body) => {
    const fixture = commandFixture();
    const handlers = createQueueHandlers(fixture.ports, noReplies);
    const command = { command: 'apply', app: 'shop', idempotencyKey: 'k1', document: body };
    await handlers.onMessage(incoming(command), fixture.workflows);
    await handlers.onMessage(incoming(command), fixture.workflows);
    const row = await fixture.store.read<OperationRow>(
      keys.operation('shop', operationIdOf({ app: 'shop', idempotencyKey: 'k1' })),
    );
    expect(row).toMatchObject({ value: { state: 'rejected', reason: 'InvalidDocument' } });
    expect(row.ok && row.value?.problems?.length).toBeGreaterThan(0);
    expect(fixture.started).toEqual([]);
  });
});
