import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFunctionsHost, type FunctionsHost } from '../../src/local/host/functions-host.ts';
import { startHttpServer } from '../../src/local/host/http-server.ts';
import type { LogLine } from '../../src/local/host/invoke.ts';

const appDir = fileURLToPath(new URL('./fixtures/http-app', import.meta.url));
let host: FunctionsHost;
const lines: LogLine[] = [];

beforeAll(async () => {
  host = await createFunctionsHost({ appDir, port: 0, log: (line) => lines.push(line) });
});
afterAll(() => host.close());

const get = (path: string, init?: RequestInit) => fetch(`${host.url}${path}`, init);

/** `fetch` does not let a caller set Host. */
function rawGet(
  path: string,
  hostHeader: string,
): Promise<{ status: number | undefined; type: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { port: host.port, host: '127.0.0.1', path, headers: { host: hostHeader } },
      (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode, type: response.headers['content-type'], body }),
        );
      },
    );
    request.on('error', reject);
    request.end();
  });
}

describe('an HTTP function', () => {
  it('receives method, URL, parameters, comma-joined query, headers and body', async () => {
    const response = await get('/api/echo/a%20b/c/d?x=1&x=2&y=&z=%C3%A4', {
      method: 'POST',
      body: 'hello',
      headers: { 'X-Test': 'v' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({
      method: 'POST',
      url: `${host.url}/api/echo/a%20b/c/d?x=1&x=2&y=&z=%C3%A4`,
      kind: 'a b',
      rest: 'c/d',
      query: { x: '1,2', y: '', z: 'ä' },
      header: 'v',
      body: 'hello',
    });
  });

  it('is not confused by names that objects inherit', async () => {
    const response = await get('/api/echo/constructor?__proto__=1&toString=2');
    expect(await response.json()).toMatchObject({ kind: 'constructor', query: { toString: '2' } });
  });

  it('receives and answers bytes unchanged, with its own status and headers', async () => {
    const bytes = new Uint8Array([0, 255, 128, 10, 13]);
    const response = await get('/api/bytes', { method: 'POST', body: bytes });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-mine')).toBe('yes');
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes.toReversed());
  });

  it('sets cookies', async () => {
    const response = await get('/api/cookies');
    expect(response.headers.getSetCookie()).toEqual([
      'a=one%20two; Max-Age=60; Path=/x; Secure; SameSite=None; HttpOnly',
      'b=2; Expires=Tue, 01 Jan 2030 00:00:00 GMT; Path=/; SameSite=Lax',
    ]);
  });

  it('that returns nothing answers 204', async () => {
    const response = await get('/api/nothing');
    expect([response.status, await response.text()]).toEqual([204, '']);
  });

  it('that returns text has the type text/plain', async () => {
    const response = await get('/api/text');
    expect([response.headers.get('content-type'), await response.text()]).toEqual([
      'text/plain;charset=UTF-8',
      'plain',
    ]);
  });

  it.each(['fails', 'wrong-return'])('that %s answers 500 without a body and logs why', async (path) => {
    const before = lines.length;
    const response = await get(`/api/${path}`);
    expect([response.status, await response.text()]).toEqual([500, '']);
    expect(
      lines
        .slice(before)
        .map((line) => line.message)
        .join(),
    ).toMatch(/kaput|must be an object/);
  });

  it('is found by the most literal route, and by its name when it has none', async () => {
    expect(await (await get('/api/items/new')).text()).toBe('literal');
    expect(await (await get('/api/items/7')).text()).toBe('item 7');
    expect(await (await get('/api/NAMED/')).text()).toBe('by its name');
  });

  it.each([
    ['an unknown path', 'GET', '/api/unknown'],
    ['a path that misses its constraint', 'GET', '/api/items/x'],
    ['a known path with another method', 'DELETE', '/api/items/7'],
    ['a path outside the prefix', 'GET', '/items/7'],
    ['the management API of an app without durable functions', 'GET', '/runtime/webhooks/durabletask/instances/x'],
  ])('is not found for %s: 404 without a body', async (_what, method, path) => {
    const response = await get(path, { method });
    expect([response.status, await response.text()]).toEqual([404, '']);
  });

  it('does not answer HEAD where only GET is registered', async () => {
    expect((await get('/api/items/7', { method: 'HEAD' })).status).toBe(404);
  });
});

describe('the HTTP door', () => {
  it.each(['evil.example', '127.0.0.1', 'localhost:1', '127.0.0.2:7071', 'localhost.evil.example'])(
    'refuses the Host header "%s"',
    async (name) => {
      const answer = await rawGet('/api/text', name);
      expect(answer.status).toBe(421);
      expect(answer.type).toBe('application/problem+json');
      expect(JSON.parse(answer.body)).toMatchObject({
        status: 421,
        detail: expect.stringContaining(`localhost:${host.port}`),
      });
    },
  );

  it.each(['localhost', '127.0.0.1', '[::1]', 'LOCALHOST'])(
    'accepts the Host header %s with its port',
    async (name) => {
      expect((await rawGet('/api/text', `${name}:${host.port}`)).status).toBe(200);
    },
  );

  it('refuses requests that a web page of another origin sends, and accepts its own', async () => {
    for (const origin of ['http://evil.example', 'null', `http://localhost:${host.port}`]) {
      const response = await get('/api/text', { method: 'POST', headers: { origin } });
      expect([response.status, response.headers.get('content-type')]).toEqual([403, 'application/problem+json']);
    }
    expect((await get('/api/text', { method: 'POST', headers: { origin: host.url } })).status).toBe(200);
  });

  it('refuses a request target with a host in it', async () => {
    const answer = await rawGet('http://evil.example/api/text', `localhost:${host.port}`);
    expect(answer.status).toBe(400);
  });

  it('does not listen on other addresses', async () => {
    const refused = await new Promise<string | undefined>((resolve) => {
      const socket = connect({ host: '127.0.0.5', port: host.port }, () => resolve(undefined));
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    expect(refused).toBe('ECONNREFUSED');
  });

  it('names the process that holds a port', async () => {
    const error = await createFunctionsHost({ appDir, port: host.port }).then(
      () => undefined,
      (reason: Error) => reason.message,
    );
    expect(error).toContain(`port ${host.port} on 127.0.0.1: is taken`);
    if (process.platform === 'linux') expect(error).toContain(`by process ${process.pid} (`);
  });

  it('answers 413 to a body over the limit, declared or streamed', async () => {
    const server = await startHttpServer({
      port: 0,
      bodyLimitBytes: 10,
      handler: async ({ body }) => ({ status: 200, headers: {}, body }),
      onError: () => undefined,
    });
    const streamed = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(6));
        controller.enqueue(new Uint8Array(6));
        controller.close();
      },
    });
    const status = async (body: string | ReadableStream) =>
      (await fetch(server.url, { method: 'POST', body, duplex: 'half' } as RequestInit)).status;
    expect(await status('0123456789')).toBe(200);
    expect(await status('0123456789A')).toBe(413);
    expect(await status(streamed)).toBe(413);
    await server.close();
  });

  it('lets a request under way end when the host closes', async () => {
    const second = await createFunctionsHost({ appDir, port: 0, log: () => undefined });
    const answer = fetch(`${second.url}/api/slow`).then((response) => response.text());
    // The request must have arrived before the door closes; a second one on the same server proves it.
    await fetch(`${second.url}/api/text`).then((response) => response.text());
    await second.close();
    expect(await answer).toBe('late');
  });
});
