/**
 * The host's HTTP door: loopback only, whole requests up to the cloud's limit. Foreign `Host` headers are refused (a web page that rebinds its
 * DNS name to 127.0.0.1 cannot reach the API), foreign `Origin` headers too (nor can one that sends requests across origins). What a request means is the handler's business.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { listenOnLoopback } from './port-holder.ts';

export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  /** `http://<host header>`. */
  readonly origin: string;
  /** Path and query as sent, beginning with `/`. */
  readonly url: string;
  /** Names in lower case; repeated headers joined as HTTP allows. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array;
}

export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>;

export interface HttpServerOptions {
  /** 0 = any free port. */
  readonly port: number;
  readonly handler: HttpHandler;
  /** Default 104,857,600: `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT` of Azure Functions. */
  readonly bodyLimitBytes?: number;
  readonly onError: (error: unknown) => void;
}

export interface HttpServer {
  readonly port: number;
  readonly url: string;
  /** Takes no new connection, gives requests under way `graceMs` (default 2,000), then cuts them. */
  close(graceMs?: number): Promise<void>;
}

const defaultBodyLimitBytes = 104_857_600;

/** @throws HostStartError when the port is taken, naming the holder where the system tells. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  let port = 0;
  let closing = false;
  const server = createServer((incoming, outgoing) => {
    // A kept-alive connection would hold up the close after its last answer.
    outgoing.once('close', () => closing && setImmediate(() => server.closeIdleConnections()));
    respond(options, port, incoming, outgoing).catch((error: unknown) => {
      // The peer went away while sending: nobody is left to answer.
      if (incoming.destroyed && !incoming.complete) return;
      options.onError(error);
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(500).end();
    });
  });
  port = await listenOnLoopback(server, options.port);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: (graceMs = 2_000) =>
      new Promise((resolve) => {
        closing = true;
        const cut = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

async function respond(options: HttpServerOptions, port: number, incoming: IncomingMessage, outgoing: ServerResponse) {
  const host = incoming.headers.host ?? '';
  const url = incoming.url ?? '/';
  if (!isOwnHost(host, port)) return send(outgoing, foreignHost(host, port), true);
  const { origin } = incoming.headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    const detail = `A page of "${origin}" may not call this server. Use a client outside the browser, or a page served from here.`;
    return send(outgoing, problem(403, 'Foreign origin', detail), true);
  }
  if (!url.startsWith('/')) {
    return send(
      outgoing,
      problem(400, 'Bad request target', 'Send the path of the URL only, as in origin form.'),
      true,
    );
  }
  const limitBytes = options.bodyLimitBytes ?? defaultBodyLimitBytes;
  const body = await readBody(incoming, limitBytes);
  if (!body) {
    const detail = `The request body is over the limit of ${limitBytes} bytes. Send less, or in parts.`;
    return send(outgoing, problem(413, 'Request body too large', detail), true);
  }
  const headers = flatHeaders(incoming);
  const request = { method: incoming.method ?? 'GET', origin: `http://${host}`, url, headers, body };
  send(outgoing, await options.handler(request), false);
}

/** An RFC 9457 answer. */
export function problem(status: number, title: string, detail: string): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify({ type: 'about:blank', title, status, detail }),
  };
}

function isOwnHost(host: string, port: number): boolean {
  const match = /^(localhost|127\.0\.0\.1|\[::1\])(?::(\d+))?$/i.exec(host);
  return match !== null && Number(match[2] ?? 80) === port;
}

function foreignHost(host: string, port: number): HttpResponse {
  const detail = `This server answers for localhost:${port} and 127.0.0.1:${port} only, not for "${host}". Use one of these addresses.`;
  return problem(421, 'Misdirected request', detail);
}

function send(outgoing: ServerResponse, response: HttpResponse, close: boolean): void {
  const body = typeof response.body === 'string' ? Buffer.from(response.body) : response.body;
  for (const [name, value] of Object.entries(response.headers)) {
    if (!hopByHop.has(name.toLowerCase())) outgoing.setHeader(name, value);
  }
  if (close) outgoing.setHeader('connection', 'close');
  if (response.status !== 204 && response.status !== 304) outgoing.setHeader('content-length', body.length);
  outgoing.writeHead(response.status);
  outgoing.end(body);
}

/** The server's own affair, whatever a function sets. */
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'upgrade', 'trailer']);

/** `undefined` when the body is over the limit; the rest is then not read. */
async function readBody(incoming: IncomingMessage, limitBytes: number): Promise<Buffer | undefined> {
  if (Number(incoming.headers['content-length'] ?? 0) > limitBytes) return undefined;
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limitBytes) {
        chunks.push(chunk);
      } else {
        incoming.pause();
        resolve(undefined);
      }
    });
    incoming.on('end', () => resolve(Buffer.concat(chunks)));
    incoming.on('error', reject);
  });
}

function flatHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  headers['x-forwarded-for'] = forwardedFor(headers['x-forwarded-for'], incoming.socket);
  return headers;
}

/** As Azure's front end does: it puts whom it sees behind whatever the client says. */
const forwardedFor = (said: string | undefined, { remoteAddress, remotePort }: Socket): string =>
  `${said === undefined ? '' : `${said}, `}${remoteAddress}:${remotePort}`;
