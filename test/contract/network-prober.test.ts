import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { networkProber } from '../../src/activities/network-prober.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});
const listening = async (server: Server): Promise<number> => {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
};
const http = (listener: RequestListener) => listening(createServer(listener) as unknown as Server);
const probe = (port: number, timeoutMs = 1_000) =>
  networkProber.probe({ kind: 'http', ip: '127.0.0.1', port, path: '/healthz?full=1', scheme: 'http', timeoutMs });

describe('the network prober', () => {
  it.each([
    [200, true],
    [204, true],
    [302, true],
    [399, true],
    [400, false],
    [404, false],
    [503, false],
  ])('HTTP %i passes: %s', async (status, passed) => {
    const paths: (string | undefined)[] = [];
    const port = await http((request, response) => {
      paths.push(request.url);
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    expect(await probe(port)).toEqual({ passed, reached: true, detail: `HTTP ${status}` });
    expect(paths).toEqual(['/healthz?full=1']);
  });

  it('fails when nothing answers in time, nothing listens, or the answer is no HTTP', async () => {
    const silent = await listening(createTcpServer());
    expect(await probe(silent, 50)).toEqual({ passed: false, reached: true, detail: 'no answer within 50 ms' });
    const server = createTcpServer();
    const closed = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await probe(closed)).toEqual({ passed: false, reached: true, detail: 'ECONNREFUSED' });
    const rude = await listening(createTcpServer((socket) => socket.end('hello')));
    expect(await probe(rude)).toMatchObject({ passed: false });
  });

  it.each(['http', 'tcp'] as const)(
    'says of %s that nobody was reached where no connection can be made',
    async (kind) => {
      // No TCP connection can be made to the broadcast address.
      const target = { ip: '255.255.255.255', port: 80, timeoutMs: 60 };
      const outcome = await networkProber.probe(
        kind === 'tcp' ? { kind, ...target } : { kind, ...target, path: '/', scheme: 'http' },
      );
      expect(outcome).toMatchObject({ passed: false, reached: false });
    },
  );

  it('believes the status of an answer whose body never ends', async () => {
    const endless = await http((_, response) => {
      response.writeHead(200).write('x'.repeat(16 * 1024));
    });
    expect(await probe(endless)).toMatchObject({ passed: true });
    const slow = await http((_, response) => {
      response.writeHead(200).write('x');
    });
    expect(await probe(slow, 50)).toMatchObject({ passed: true });
  });

  it.each<[string, object, string, boolean]>([
    ['a status in the range', { status: { min: 404, max: 404 } }, 'HTTP 404', true],
    ['a status outside of it', { status: { min: 200, max: 299 } }, 'HTTP 404', false],
    ['a text that is there', { status: { min: 404, max: 404 }, body: 'schön' }, 'HTTP 404 with the text', true],
    ['a text that is not', { status: { min: 404, max: 404 }, body: 'up' }, 'HTTP 404 without the text', false],
    ['a text behind a bad status', { body: 'schön' }, 'HTTP 404', false],
  ])('judges %s', async (_, asked, detail, passed) => {
    const port = await http((_request, response) => void response.writeHead(404).end('alles schön hier'));
    const target = { kind: 'http', ip: '127.0.0.1', port, path: '/', scheme: 'http', timeoutMs: 1_000 } as const;
    expect(await networkProber.probe({ ...target, ...asked })).toEqual({ passed, reached: true, detail });
  });

  it('sends the headers that are asked for', async () => {
    const hosts: (string | undefined)[] = [];
    const port = await http((request, response) => {
      hosts.push(request.headers.host);
      response.end();
    });
    const target = { kind: 'http', ip: '127.0.0.1', port, path: '/', scheme: 'http', timeoutMs: 1_000 } as const;
    await networkProber.probe({ ...target, headers: { host: 'shop.example.com' } });
    expect(hosts).toEqual(['shop.example.com']);
  });

  it('gives up on a body that streams for ever without the text, on headers that never end, and on garbage', async () => {
    const endless = await http((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(16 * 1024)));
      };
      response.on('drain', more);
      more();
    });
    const target = { kind: 'http', ip: '127.0.0.1', path: '/', scheme: 'http', timeoutMs: 5_000 } as const;
    const searched = await networkProber.probe({ ...target, port: endless, body: 'never' });
    expect(searched).toEqual({ passed: false, reached: true, detail: 'HTTP 200 without the text' });
    const heads = await listening(
      createTcpServer((socket) => {
        socket.on('error', () => {});
        socket.write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`);
      }),
    );
    expect(await networkProber.probe({ ...target, port: heads })).toMatchObject({ passed: false, reached: true });
    const garbage = await listening(createTcpServer((socket) => socket.end(Buffer.alloc(1_000, 0xff))));
    expect(await networkProber.probe({ ...target, port: garbage })).toMatchObject({ passed: false, reached: true });
  });

  it('TCP passes on connect and fails without', async () => {
    const server = createTcpServer();
    const port = await listening(server);
    const target = { kind: 'tcp', ip: '127.0.0.1', port, timeoutMs: 1_000 } as const;
    expect(await networkProber.probe(target)).toEqual({ passed: true, reached: true, detail: 'connected' });
    await new Promise((resolve) => server.close(resolve));
    expect(await networkProber.probe(target)).toEqual({ passed: false, reached: true, detail: 'ECONNREFUSED' });
  });
});
