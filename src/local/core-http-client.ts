/** Puts a {@link Core} behind the Azure SDKs' own `httpClient` door: the whole client pipeline runs, no socket is opened. */
import { createHttpHeaders, type HttpClient, type PipelineRequest, RestError } from '@azure/core-rest-pipeline';
import type { Core, Draw } from './core.ts';

/** `now` in epoch ms. A dropped answer becomes the SDK's own `ECONNRESET` error. */
export function coreHttpClient(core: Core, now: () => number, draw: Draw): HttpClient {
  return {
    async sendRequest(request: PipelineRequest) {
      if (request.abortSignal?.aborted) throw aborted();
      const url = new URL(request.url);
      const headers: Record<string, string> = {};
      for (const [name, value] of request.headers) headers[name.toLowerCase()] = value;
      headers['host'] ??= url.host;
      const response = core.handle(
        { method: request.method, url: url.pathname + url.search, headers, body: bodyText(request.body) },
        now(),
        draw,
      );
      if (response.dropped) throw new RestError('socket hang up', { code: 'ECONNRESET', request });
      return {
        request,
        status: response.status,
        headers: createHttpHeaders({ ...response.headers }),
        bodyAsText: response.body,
      };
    },
  };
}

/** As the SDK's own client says it. */
const aborted = (): Error => Object.assign(new Error('The operation was aborted.'), { name: 'AbortError' });

function bodyText(body: PipelineRequest['body']): string {
  if (body === undefined || body === null) return '';
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8');
  throw new TypeError('coreHttpClient takes text bodies only');
}
