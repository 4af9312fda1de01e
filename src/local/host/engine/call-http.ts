/** Sends callHttp requests over the network. Redirects are not followed; every answer with a status is an answer. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { DurableHttpRequest } from './actions.ts';
import type { HttpAnswer, SendHttp } from './types.ts';

/** The default of .NET's HttpClient. */
const defaultTimeoutMs = 100_000;

export function createHttpSender(timeoutMs: number = defaultTimeoutMs): SendHttp {
  return (request) => send(request, timeoutMs);
}

async function send(request: DurableHttpRequest, timeoutMs: number): Promise<HttpAnswer> {
  const url = new URL(request.uri);
  const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const { content } = request;
  const headers: Record<string, string> = { ...request.headers };
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  if (content !== undefined && !hasType) headers['content-type'] = 'text/plain';
  if (content !== undefined) headers['content-length'] = String(Buffer.byteLength(content));
  return await new Promise<HttpAnswer>((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const outgoing = open(url, { method: request.method, headers, signal }, (incoming) => {
      readBody(incoming).then(
        (body) =>
          resolve({ statusCode: incoming.statusCode ?? 0, headers: shownHeaders(incoming.rawHeaders), content: body }),
        reject,
      );
    });
    outgoing.on('error', (error) => reject(new Error(failureText(error, url, signal.aborted, timeoutMs))));
    outgoing.end(content);
  });
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function failureText(error: Error, url: URL, timedOut: boolean, timeoutMs: number): string {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const address = `${url.hostname}:${port}`;
  if (timedOut)
    return `The request was canceled due to the configured HttpClient.Timeout of ${timeoutMs / 1000} seconds elapsing. (${address})`;
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ECONNREFUSED') return `Connection refused (${address})`;
  if (code === 'ENOTFOUND') return `Name or service not known (${address})`;
  return `${error.message} (${address})`;
}

/** .NET writes these names its own way and keeps headers of the content apart. */
const knownNames = new Map(
  [
    'Accept-Ranges',
    'Age',
    'Cache-Control',
    'Connection',
    'Date',
    'ETag',
    'Keep-Alive',
    'Location',
    'Pragma',
    'Proxy-Authenticate',
    'Retry-After',
    'Server',
    'Set-Cookie',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Vary',
    'Via',
    'Warning',
    'WWW-Authenticate',
  ].map((name) => [name.toLowerCase(), name]),
);
const contentHeaders = /^(content-.*|allow|expires|last-modified)$/;

function shownHeaders(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (contentHeaders.test(lower)) continue;
    const shown = knownNames.get(lower) ?? name;
    const value = raw[i + 1] ?? '';
    headers[shown] = headers[shown] === undefined ? value : `${headers[shown]}, ${value}`;
  }
  return headers;
}
