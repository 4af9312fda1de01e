/** What the Azure SDKs of one host use instead of the network: the whole client pipeline runs, the cores answer. */
import type { CoreRequest, CoreResponse } from '../../../src/local/core.ts';
import { clock } from '../virtual/clock.ts';
import type { Arm } from './arm.ts';
import type { Call, Caller, Calls } from './calls.ts';
import { addresses } from './core.ts';
import type { Table } from './table.ts';

/** The parts of `@azure/core-rest-pipeline` in the host's own registry: its classes are the host's. */
export interface PipelineModule {
  createHttpHeaders(values: Readonly<Record<string, string>>): unknown;
  readonly RestError: new (message: string, options: object) => Error;
}

interface PipelineRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body?: unknown;
  readonly abortSignal?: AbortSignal;
}

export interface Services {
  readonly calls: Calls;
  readonly arm: Arm;
  readonly table: Table;
}

export function createHttpClient(services: Services, caller: Caller, pipeline: PipelineModule) {
  return {
    async sendRequest(request: PipelineRequest): Promise<unknown> {
      const core = toCoreRequest(request);
      const isArm = request.url.startsWith(addresses.arm);
      const call = isArm ? armCall(services.arm, core) : tableCall(services.table, core);
      const response = await services.calls.exchange<CoreResponse>(caller, {
        ...call,
        signal: request.abortSignal,
        broken: (code) =>
          new pipeline.RestError(code === 'ECONNRESET' ? 'socket hang up' : `connect ${code}`, { code, request }),
      });
      return {
        request,
        status: response.status,
        headers: pipeline.createHttpHeaders({ ...response.headers }),
        bodyAsText: response.body,
      };
    },
  };
}

function toCoreRequest(request: PipelineRequest): CoreRequest {
  // The SDKs' URLs are absolute and written out; parsing each would cost more than answering some.
  const at = request.url.indexOf('/', 'https://'.length);
  const headers: Record<string, string> = { host: request.url.slice('https://'.length, at) };
  for (const [name, value] of request.headers) headers[name.toLowerCase()] = value;
  const { body } = request;
  const text = typeof body === 'string' ? body : body instanceof Uint8Array ? Buffer.from(body).toString('utf8') : '';
  return { method: request.method, url: request.url.slice(at), headers, body: text };
}

type CoreCall = Omit<Call<CoreResponse>, 'signal' | 'broken'>;

const refusal = (code: 429 | 500 | 503): CoreResponse => ({
  status: code,
  headers: { 'content-type': 'application/json', ...(code === 429 && { 'retry-after': '2' }) },
  body: JSON.stringify({ error: { code: refusalCodes[code], message: 'The service is busy.' } }),
});
const refusalCodes = { 429: 'TooManyRequests', 500: 'InternalServerError', 503: 'ServiceUnavailable' } as const;

function armCall(arm: Arm, request: CoreRequest): CoreCall {
  const name = /containerGroups\/([^/?]+)/.exec(request.url)?.[1];
  const lists = /containerGroups\?/.test(request.url);
  // A create is not yet known by its name when it is sent: its own tags say what it is.
  const label =
    name === undefined ? (lists ? 'list' : operationName(request.url)) : (labelIn(request.body) ?? arm.label(name));
  return {
    target: 'arm',
    key: `arm ${request.method} ${label}`,
    method: request.method,
    writes: request.method !== 'GET',
    lists,
    apply: (how) => arm.handle(request, how),
    status: refusal,
    statusOf: (response) => response.status,
    ...(name !== undefined && { facts: () => ({ group: name, tags: arm.group(name)?.tags ?? null }) }),
  };
}

const operationName = (url: string): string => (/operations?results|operations/i.test(url) ? 'operation' : 'other');

function labelIn(body: string): string | undefined {
  if (body === '') return undefined;
  const { tags } = JSON.parse(body) as { readonly tags?: Readonly<Record<string, string>> };
  const parts = ['app', 'service', 'slot', 'incarnation'].map((tag) => tags?.[`flotilla-${tag}`]);
  return parts.every((part) => part !== undefined) ? parts.join('/') : undefined;
}

function tableCall(table: Table, request: CoreRequest): CoreCall {
  return {
    target: 'table',
    key: `table ${tableKey(request)}`,
    method: request.method,
    writes: request.method !== 'GET',
    apply: () => table.core.handle(request, clock.now, () => 0),
    status: (code) => (code === 429 ? { ...refusal(429), status: 503 } : refusal(code)),
    statusOf: statusOfTable,
  };
}

/** The status of a transaction is that of its first part. */
function statusOfTable(response: CoreResponse): number {
  if (response.status !== 202) return response.status;
  return Number(/HTTP\/1\.1 (\d{3})/.exec(response.body)?.[1] ?? 202);
}

const entity = /PartitionKey='((?:[^']|'')*)',\s?RowKey='((?:[^']|'')*)'/;

function tableKey({ method, url, body }: CoreRequest): string {
  const isBatch = url.includes('$batch');
  // One row written alone is named as a batch of one: how many rows a commit has must not change its name.
  if (isBatch || method === 'PUT' || method === 'POST') {
    const target = isBatch ? /^(PUT|POST|PATCH|MERGE|DELETE) (\S+)/m.exec(body)?.[2] : url;
    const found = entity.exec(decodeURIComponent(target ?? ''));
    if (found) return `BATCH ${found[1]}/${stable(found[2] ?? '')}`;
    const row = /"RowKey":"([^"]*)"/.exec(body)?.[1] ?? '';
    const partition = /"PartitionKey":"([^"]*)"/.exec(body)?.[1] ?? '';
    return `BATCH ${partition}/${stable(row)}`;
  }
  const decoded = decodeURIComponent(url);
  const found = entity.exec(decoded);
  if (found) return `${method} ${found[1]}/${stable(found[2] ?? '')}`;
  const filter = /\$filter=([^&]*)/.exec(decoded)?.[1] ?? '';
  return `${method} query ${/PartitionKey eq '([^']*)'/.exec(filter)?.[1] ?? filter}`;
}

/** Row keys without the parts that differ from run to run when an unrelated call is added. */
const stable = (row: string): string => (row.startsWith('event|') ? 'event' : row);
