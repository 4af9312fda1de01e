/** Serves a {@link Core} over HTTP or, with `tls`, HTTPS on one address. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Core, CoreRequest, CoreResponse, Draw } from './core.ts';

export interface ServeOptions {
  readonly core: Core;
  readonly draw: Draw;
  readonly now: () => number;
  /** 0 = any free port. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly address?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Largest request body in bytes; a larger one is answered 413. Default 8 MiB. */
  readonly bodyLimitBytes?: number;
  /** Takes over connections that ask for another protocol; default: they are closed. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Runs the core's handler, for example inside a transaction; the answer leaves only after it resolved. Default: calls it at once. */
  readonly commit?: (work: () => CoreResponse) => Promise<CoreResponse>;
}

export interface Served {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export async function serveCore(options: ServeOptions): Promise<Served> {
  const listener: RequestListener = (incoming, outgoing) => {
    respond(options, incoming, outgoing).catch((error: unknown) => {
      console.error(error);
      if (!outgoing.headersSent) outgoing.writeHead(500, { 'content-type': 'text/plain' });
      outgoing.end(String(error));
    });
  };
  const server = options.tls ? createHttpsServer(options.tls, listener) : createHttpServer(listener);
  if (options.upgrade) server.on('upgrade', options.upgrade);
  const address = options.address ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, address, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls ? 'https' : 'http'}://${address}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(options: ServeOptions, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const body = await readBody(incoming, options.bodyLimitBytes ?? 8 * 1024 * 1024);
  if (body === undefined) {
    outgoing.writeHead(413, { connection: 'close' }).end();
    return;
  }
  const request: CoreRequest = {
    method: incoming.method ?? 'GET',
    url: incoming.url ?? '/',
    headers: flatHeaders(incoming),
    body,
  };
  const work = () => options.core.handle(request, options.now(), options.draw);
  const response = options.commit ? await options.commit(work) : work();
  if (response.delayMs) await new Promise((resolve) => setTimeout(resolve, response.delayMs));
  if (response.dropped) {
    incoming.socket.destroy();
    return;
  }
  outgoing.writeHead(response.status, { ...response.headers });
  outgoing.end(response.body);
}

async function readBody(incoming: IncomingMessage, limitBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function flatHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
