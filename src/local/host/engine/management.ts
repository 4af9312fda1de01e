/**
 * The HTTP management API of the Durable extension, in its web form (`/runtime/webhooks/durabletask/…`, with `code`) and its local form
 * (`/durabletask/…`). Request in, response out; no sockets. Status codes and texts as recorded from extension 3.14.1.
 */
import { instanceLinks, rpcPath, type WebhookSettings, webhookPath } from './binding.ts';
import type { CommandResult, StartResult } from './client.ts';
import type { DurableEngine } from './engine.ts';
import { type RuntimeStatus, statusNumbers } from './history.ts';
import { mergedHistory, statusBody } from './status.ts';
import { endedStatuses, type InstanceFilter, type InstanceRecord } from './store.ts';

export interface ManagementRequest {
  /** Upper case. */
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** Names in lower case; `host` gives the origin of links. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface ManagementResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ManagementOptions {
  readonly engine: DurableEngine;
  readonly settings: WebhookSettings;
}

/** Resolves with undefined when the path is not the extension's. */
export type Management = (request: ManagementRequest) => Promise<ManagementResponse | undefined>;

/** The extension's default page. */
const defaultPageSize = 100;

interface Call {
  readonly options: ManagementOptions;
  readonly request: ManagementRequest;
  readonly query: URLSearchParams;
  /** Links and locations start with it. */
  readonly origin: string;
  /** Decoded, without the prefix and without empty ends. */
  readonly path: readonly string[];
}

export function createManagement(options: ManagementOptions): Management {
  return async (request) => {
    const url = new URL(request.url, `http://${request.headers['host'] ?? 'localhost'}`);
    const prefix = [webhookPath, rpcPath].find((p) => url.pathname === p || url.pathname.startsWith(`${p}/`));
    if (!prefix) return undefined;
    if (prefix === webhookPath && url.searchParams.get('code') !== options.settings.systemKey) return empty(401);
    const rest = url.pathname.slice(prefix.length).replace(/^\/+|\/+$/g, '');
    let path: string[];
    try {
      path = rest === '' ? [] : rest.split('/').map(decodeURIComponent);
    } catch {
      return message(400, `The path '${url.pathname}' is not valid percent-encoding.`);
    }
    // A slash in an id cannot be told from a separator, encoded or not.
    if (path.some((segment) => segment.includes('/'))) return empty(404);
    const call: Call = { options, request, query: url.searchParams, origin: url.origin, path };
    try {
      return await route(call);
    } catch (error) {
      const { message: text, stack } = error instanceof Error ? error : new Error(String(error));
      return problem(500, 'Something went wrong while processing your request', 'System.Exception', text, stack);
    }
  };
}

function route(call: Call): Promise<ManagementResponse> | ManagementResponse {
  const [area, id, operation, extra, ...more] = call.path;
  if (area === 'entities') return entitiesRefused();
  if (more.length > 0) return empty(404);
  if (area === 'orchestrators' && id !== undefined && extra === undefined) {
    return call.request.method === 'POST' ? start(call, id, operation) : empty(404);
  }
  if (area !== 'instances') return empty(404);
  return operation === undefined ? routeInstances(call, id) : routeOperation(call, id ?? '', operation, extra);
}

function routeInstances(call: Call, id: string | undefined): Promise<ManagementResponse> | ManagementResponse {
  switch (call.request.method) {
    case 'GET':
      return id === undefined ? list(call) : getStatus(call, id);
    case 'DELETE':
      return id === undefined ? purgeMany(call) : purgeOne(call, id);
    default:
      return empty(404);
  }
}

function routeOperation(
  call: Call,
  id: string,
  operation: string,
  extra: string | undefined,
): Promise<ManagementResponse> | ManagementResponse {
  if (call.request.method !== 'POST') return empty(404);
  const name = operation.toLowerCase();
  if (extra !== undefined) return name === 'raiseevent' ? raiseEvent(call, id, extra) : empty(404);
  return command(call, id, name);
}

// --- start, restart, wait

async function start(call: Call, name: string, instanceId: string | undefined): Promise<ManagementResponse> {
  const { body } = call.request;
  let input: string | null = null;
  if (body !== '') {
    const parsed = compactJson(body);
    if (!parsed.ok) return invalidJson(parsed.message);
    input = parsed.text;
  }
  const version = call.query.get('version') ?? undefined;
  const result = await call.options.engine.client.startNew({ name, instanceId, input, version });
  if (!result.ok) return startRefused(result);
  return await afterStart(call, result.instanceId);
}

function startRefused(result: Extract<StartResult, { ok: false }>): ManagementResponse {
  if (result.reason === 'IllegalId') return message(400, result.message);
  return message(409, `An Orchestration instance with the status ${result.status} already exists.`);
}

async function afterStart(call: Call, instanceId: string): Promise<ManagementResponse> {
  const timeout = positiveNumber(call.query.get('timeout'));
  const interval = positiveNumber(call.query.get('pollingInterval'));
  if (timeout === undefined || interval === undefined) return checkStatus(call, instanceId);
  const { client } = call.options.engine;
  const ended = await client.waitForEnd(instanceId, timeout * 1000);
  const record = ended ? client.status(instanceId) : undefined;
  if (!record) return checkStatus(call, instanceId);
  const body = statusBody(record, true);
  return json(200, record.status === 'Completed' ? body.output : body);
}

function checkStatus(call: Call, instanceId: string): ManagementResponse {
  const { rewindPostUri: _unlisted, ...links } = instanceLinks(call.options.settings, call.origin, instanceId);
  return json(202, links, { location: links.statusQueryGetUri, 'retry-after': '10' });
}

async function restart(call: Call, instanceId: string): Promise<ManagementResponse> {
  const withNewId = flag(call.query, 'restartWithNewInstanceId') ?? true;
  const result = await call.options.engine.client.restart(instanceId, withNewId);
  if (result.ok) return await afterStart(call, result.instanceId);
  if (result.reason === 'Conflict') {
    const text = `An Orchestration instance with the status ${result.status} already exists.`;
    const type = 'DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException';
    return problem(409, 'A non-terminal instance with this instance ID already exists.', type, text);
  }
  if (result.reason === 'IllegalId') return message(400, result.message);
  const text = `No instance with ID '${instanceId}' was found. (Parameter 'instanceId')`;
  return problem(400, 'InstanceId does not match a valid orchestration instance.', 'System.ArgumentException', text);
}

// --- status and queries

function getStatus(call: Call, instanceId: string): ManagementResponse {
  if (instanceId.startsWith('@')) return entitiesRefused();
  const { client } = call.options.engine;
  const record = client.status(instanceId);
  if (!record) return empty(404);
  const showInput = flag(call.query, 'showInput') ?? true;
  let events: readonly Record<string, unknown>[] | undefined;
  if (flag(call.query, 'showHistory') && record.status !== 'Pending') {
    const merged = mergedHistory(client.history(instanceId), flag(call.query, 'showHistoryOutput') ?? false, showInput);
    if (!merged.ok) {
      const text = `An item with the same key has already been added. Key: ${merged.duplicate}`;
      return problem(400, 'One or more of the arguments submitted is incorrect', 'System.ArgumentException', text);
    }
    events = merged.events;
  }
  const body = statusBody(record, showInput, events);
  if (!endedStatuses.has(record.status)) {
    return json(202, body, { location: `${call.origin}${call.request.url}`, 'retry-after': '5' });
  }
  const asError = record.status === 'Failed' && flag(call.query, 'returnInternalServerErrorOnFailure');
  return json(asError ? 500 : 200, body);
}

function list(call: Call): ManagementResponse {
  const limit = positiveNumber(call.query.get('top')) ?? defaultPageSize;
  const token = call.request.headers['x-ms-continuation-token']?.trim();
  const from = token ? Buffer.from(token, 'base64').toString('utf8') : undefined;
  const filter = { ...instanceFilter(call.query), limit: limit + 1, ...(from && { fromInstanceId: from }) };
  const found = call.options.engine.client.query(filter);
  const showInput = flag(call.query, 'showInput') ?? true;
  const next = found[limit]?.instanceId;
  // The trailing blank is the extension's.
  const continuation = next === undefined ? '' : `${Buffer.from(next, 'utf8').toString('base64')} `;
  const page = found.slice(0, limit).map((record) => statusBody(record, showInput));
  return json(200, page, { 'x-ms-continuation-token': continuation });
}

/** Statuses and instants that cannot be read are ignored, as in the extension. */
function instanceFilter(query: URLSearchParams): Omit<InstanceFilter, 'limit'> {
  const prefix = query.get('instanceIdPrefix');
  const from = instant(query.get('createdTimeFrom'));
  const to = instant(query.get('createdTimeTo'));
  const statuses = query
    .getAll('runtimeStatus')
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
    .filter((value): value is RuntimeStatus => value in statusNumbers);
  return {
    ...(prefix !== null && { instanceIdPrefix: prefix }),
    ...(from !== undefined && { createdFromMs: from }),
    ...(to !== undefined && { createdToMs: to }),
    statuses,
  };
}

// --- purge

async function purgeOne(call: Call, instanceId: string): Promise<ManagementResponse> {
  const result = await call.options.engine.client.purge(instanceId);
  if (result.ok) return json(200, { instancesDeleted: 1 });
  if (result.reason === 'missing') return empty(404);
  const text = `Only orchestrations in a terminal state can be purged, but the orchestration with instance ID ${instanceId} has status ${result.status}`;
  return json(412, text);
}

async function purgeMany(call: Call): Promise<ManagementResponse> {
  const filter = instanceFilter(call.query);
  if (filter.createdFromMs === undefined) return json(400, "Please provide value for 'createdTimeFrom' parameter.");
  const { client } = call.options.engine;
  let instancesDeleted = 0;
  let fromInstanceId: string | undefined;
  for (;;) {
    const page = client.query({ ...filter, limit: defaultPageSize + 1, ...(fromInstanceId && { fromInstanceId }) });
    const ended = page.slice(0, defaultPageSize).filter((record: InstanceRecord) => endedStatuses.has(record.status));
    const results = await Promise.all(ended.map((record) => client.purge(record.instanceId)));
    instancesDeleted += results.filter((result) => result.ok).length;
    fromInstanceId = page[defaultPageSize]?.instanceId;
    if (fromInstanceId === undefined) break;
  }
  return instancesDeleted === 0 ? empty(404) : json(200, { instancesDeleted });
}

// --- events and commands

async function raiseEvent(call: Call, instanceId: string, name: string): Promise<ManagementResponse> {
  const { client } = call.options.engine;
  const record = client.status(instanceId);
  if (!record) return empty(404);
  if (endedStatuses.has(record.status)) return empty(410);
  const mediaType = call.request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json') return message(400, 'Only application/json request content is supported');
  const parsed = compactJson(call.request.body);
  if (!parsed.ok) return invalidJson(parsed.message);
  return answer(await client.raiseEvent(instanceId, name, parsed.text), instanceId, 'raise an event for');
}

async function command(call: Call, instanceId: string, operation: string): Promise<ManagementResponse> {
  const { client } = call.options.engine;
  const reason = call.query.get('reason');
  switch (operation) {
    case 'terminate':
      return answer(await client.terminate(instanceId, reason), instanceId, 'terminate');
    case 'suspend':
      return answer(await client.suspend(instanceId, reason), instanceId, 'suspend');
    case 'resume':
      return answer(await client.resume(instanceId, reason), instanceId, 'resume');
    case 'rewind': {
      const result = await client.rewind(instanceId, reason);
      if (result.ok) return empty(202);
      // The dollar sign is the extension's.
      if (result.reason === 'missing') return json(404, `No orchestration with instance ID "$${instanceId}" found.`);
      const text = `This orchestration has status ${result.status}, but only orchestrations in the "Failed" state can be rewound.`;
      return json(412, text);
    }
    case 'restart':
      return await restart(call, instanceId);
    default:
      return empty(404);
  }
}

function answer(result: CommandResult, instanceId: string, verb: string): ManagementResponse {
  if (result.ok) return empty(202);
  if (result.reason === 'missing') return empty(404);
  if (result.reason === 'ended') return empty(410);
  const text = `Cannot ${verb} the orchestration instance ${instanceId} because instance is in the ${result.status} state.`;
  return problem(500, 'Something went wrong while processing your request', 'System.InvalidOperationException', text);
}

function entitiesRefused(): ManagementResponse {
  return message(501, 'Entities are not offered by the embedded durable engine.');
}

// --- bodies

function json(status: number, body: unknown, headers: Record<string, string> = {}): ManagementResponse {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  return { status, headers: { ...type, ...headers }, body: JSON.stringify(body) };
}

function empty(status: number): ManagementResponse {
  return { status, headers: { 'content-length': '0' }, body: '' };
}

function message(status: number, text: string): ManagementResponse {
  return json(status, { Message: text });
}

function problem(status: number, text: string, type: string, exception: string, stack = ''): ManagementResponse {
  return json(status, { Message: text, ExceptionMessage: exception, ExceptionType: type, StackTrace: stack });
}

function invalidJson(exception: string): ManagementResponse {
  return problem(400, 'Invalid JSON content', 'Newtonsoft.Json.JsonReaderException', exception);
}

function compactJson(
  body: string,
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string } {
  if (body.trim() === '')
    return { ok: false, message: "Error reading JToken from JsonReader. Path '', line 0, position 0." };
  try {
    return { ok: true, text: JSON.stringify(JSON.parse(body)) };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

/** Undefined = absent or neither `true` nor `false`. */
function flag(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name)?.toLowerCase();
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

function positiveNumber(text: string | null): number | undefined {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function instant(text: string | null): number | undefined {
  const at = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
