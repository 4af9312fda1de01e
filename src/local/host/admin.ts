/**
 * The admin API of the host: state, keys, functions. Everything but `ping` wants the master key. Request in, response out; no sockets.
 * Source of paths, codes and shapes: HostController, FunctionsController and KeysController of azure-functions-host, and its wiki "Key management API"
 * (read 2026-11).
 */
import { toEventInvocation } from './event-grid.ts';
import type { LoadedApp, RegisteredFunction } from './functions-core.ts';
import type { HttpRequest, HttpResponse } from './http-server.ts';
import type { Invocation, Invoker } from './invoke.ts';
import type { HostKeys, KeyScope } from './keys.ts';

export interface AdminParts {
  readonly app: LoadedApp;
  readonly keys: HostKeys;
  readonly invoker: Invoker;
  readonly isDurable: (fn: RegisteredFunction) => boolean;
  readonly routePrefix: string;
  /** Tells one start of the host from another. */
  readonly instanceId: string;
  readonly uptimeMs: () => number;
}

const hostVersion = '4.1042.100';
const masterName = '_master';

interface Call {
  readonly parts: AdminParts;
  readonly request: HttpRequest;
  /** Decoded, behind `/admin`. */
  readonly path: readonly string[];
}

/** Resolves with undefined when the path is not below `/admin`. */
export function createAdmin(parts: AdminParts): (request: HttpRequest) => HttpResponse | undefined {
  return (request) => {
    const { pathname } = new URL(request.url, request.origin);
    const [first, ...path] = pathname
      .split('/')
      .filter((part) => part !== '')
      .map(decode);
    if (first?.toLowerCase() !== 'admin') return undefined;
    const area = path.slice(0, 2).join('/').toLowerCase();
    if (area === 'host/ping') return ['GET', 'POST'].includes(request.method) ? empty(200) : empty(405);
    if (parts.keys.accessOf(request).level !== 'admin') return empty(401);
    const call: Call = { parts, request, path };
    if (path[0]?.toLowerCase() === 'functions') return functions(call);
    return path[0]?.toLowerCase() === 'host' ? host(call) : empty(404);
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function host(call: Call): HttpResponse {
  const { parts, request, path } = call;
  const [, area = '', name] = path;
  if (path.length > 3) return empty(404);
  switch (area.toLowerCase()) {
    case 'status':
      return name === undefined && request.method === 'GET' ? json(200, status(parts)) : empty(404);
    case 'keys':
    case 'functionkeys':
      return manageKeys(call, 'host', name);
    case 'systemkeys':
      return manageKeys(call, 'system', name);
    default:
      return empty(404);
  }
}

const status = ({ instanceId, uptimeMs }: AdminParts) => ({
  id: 'embedded',
  state: 'Running',
  version: hostVersion,
  versionDetails: `${hostVersion} (embedded)`,
  instanceId,
  processUptime: uptimeMs(),
});

// --- keys

function manageKeys({ parts: { keys }, request }: Call, scope: KeyScope, name: string | undefined): HttpResponse {
  if (name === undefined) {
    if (request.method !== 'GET') return empty(405);
    const listed = Object.entries(keys.list(scope)).map(([key, value]) => ({ name: key, value }));
    return json(200, { keys: listed, links: links(request) });
  }
  switch (request.method) {
    case 'GET':
      return showKey(keys, scope, name, request);
    case 'PUT':
    case 'POST':
      return writeKey(keys, scope, name, request);
    case 'DELETE':
      if (name.startsWith('_')) return text(400, 'Invalid key name.');
      return keys.remove(scope, name) ? empty(204) : empty(404);
    default:
      return empty(405);
  }
}

/** The master key counts among the system keys, though it is not listed there. */
function showKey(keys: HostKeys, scope: KeyScope, name: string, request: HttpRequest): HttpResponse {
  const isMaster = scope === 'system' && name === masterName;
  const value = isMaster ? keys.master : keys.list(scope)[name];
  return value === undefined ? empty(404) : json(200, { name, value, links: links(request) });
}

/** PUT states the value, POST has one made. */
function writeKey(keys: HostKeys, scope: KeyScope, name: string, request: HttpRequest): HttpResponse {
  const stated = request.method === 'PUT' ? bodyOf(request)?.['value'] : undefined;
  if (request.method === 'PUT' && (typeof stated !== 'string' || stated === '')) return text(400, 'Invalid key value');
  const value = typeof stated === 'string' ? stated : undefined;
  if (name.toLowerCase() === masterName && typeof scope === 'string') {
    return json(value === undefined ? 201 : 200, { name, value: keys.setMaster(value), links: links(request) });
  }
  const written = keys.set(scope, name, value);
  return json(written.created ? 201 : 200, { name, value: written.value, links: links(request) });
}

const links = ({ origin, url }: HttpRequest) => [{ rel: 'self', href: `${origin}${url.split('?', 1)[0]}` }];

// --- functions

function functions(call: Call): HttpResponse {
  const { parts, request, path } = call;
  const [, name, area, keyName] = path;
  if (name === undefined) {
    return request.method === 'GET'
      ? json(
          200,
          parts.app.functions.map((fn) => describe(call, fn)),
        )
      : empty(405);
  }
  const fn = parts.app.functions.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (!fn || path.length > 4) return empty(404);
  if (area === undefined) {
    if (request.method === 'GET') return json(200, describe(call, fn));
    return request.method === 'POST' ? run(call, fn) : empty(405);
  }
  if (area.toLowerCase() === 'keys') return manageKeys(call, { function: fn.name }, keyName);
  if (area.toLowerCase() === 'status' && keyName === undefined)
    return request.method === 'GET' ? json(200, {}) : empty(405);
  return empty(404);
}

function describe({ parts, request: { origin } }: Call, fn: RegisteredFunction) {
  const { route } = fn.trigger;
  const path = typeof route === 'string' && route !== '' ? route : fn.name;
  const prefix = parts.routePrefix === '' ? '' : `${parts.routePrefix}/`;
  return {
    name: fn.name,
    href: `${origin}/admin/functions/${fn.name}`,
    language: 'node',
    isDisabled: false,
    config: { bindings: Object.values(fn.metadata.bindings) },
    invoke_url_template: isHttp(fn) ? `${origin}/${prefix}${path}` : null,
  };
}

const isHttp = (fn: RegisteredFunction): boolean => typeOf(fn) === 'httptrigger';
const typeOf = (fn: RegisteredFunction): string => fn.trigger.type.toLowerCase();

/** Starts it and answers at once: what comes of it is in the log. */
function run({ parts, request }: Call, fn: RegisteredFunction): HttpResponse {
  if (isHttp(fn)) return text(400, `"${fn.name}" is an HTTP function: call it at its own address.`);
  if (parts.isDurable(fn)) {
    return text(400, `"${fn.name}" is run by the durable engine: start an orchestration instead.`);
  }
  const body = bodyOf(request);
  if (body === undefined) return text(400, 'Send {"input": "…"}: a text, or JSON as a text.');
  const { input = '' } = body;
  if (typeof input !== 'string') return text(400, 'input: give a text; JSON as a text.');
  const invocation = invocationOf(fn, input);
  if (typeof invocation === 'string') return text(400, invocation);
  void parts.invoker.invoke(fn, invocation);
  return empty(202);
}

/** A text says what is wrong with the input. */
function invocationOf(fn: RegisteredFunction, input: string): Invocation | string {
  switch (typeOf(fn)) {
    case 'eventgridtrigger': {
      const event = jsonOf(input);
      return typeof event === 'object' && event !== null
        ? toEventInvocation(fn, event)
        : 'input: give an event as JSON text.';
    }
    case 'timertrigger':
      return { inputData: [{ name: fn.trigger.name, data: { json: manualTimer } }] };
    default:
      return { inputData: [{ name: fn.trigger.name, data: { string: input } }] };
  }
}

/** As for a timer that has no monitor. */
const manualTimer = JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false });

function bodyOf({ body }: HttpRequest): Readonly<Record<string, unknown>> | undefined {
  const value = jsonOf(body.toString('utf8'));
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const empty = (status: number): HttpResponse => ({ status, headers: {}, body: '' });
const text = (status: number, body: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
});
const json = (status: number, value: unknown): HttpResponse => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(value),
});
