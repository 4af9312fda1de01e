/**
 * HTTP triggers: finds the function for a request, turns the request into the worker's form and the answer back.
 * An unknown path and a known path with another method are both 404 without a body, as the real host answers.
 */
import type { RegisteredFunction } from './functions-core.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from './http-server.ts';
import type { InvocationOutcome, Invoker } from './invoke.ts';
import type { HostKeys } from './keys.ts';
import { createRouter, type Route, type RouteParameters, type Router } from './routes.ts';
import type { RpcHttpCookie, RpcHttpData, RpcNullableMap } from './rpc.ts';
import type { StartProblem } from './start-error.ts';

/** Paths the host itself answers; a function may not take them. */
const reservedPaths = ['runtime', 'durabletask', 'admin'] as const;

/** The router over all HTTP functions, or every reason why there is none. */
export function routeFunctions(
  functions: readonly RegisteredFunction[],
  routePrefix: string,
):
  | { readonly ok: true; readonly router: Router<RegisteredFunction> }
  | { readonly ok: false; readonly problems: readonly StartProblem[] } {
  const problems: StartProblem[] = [];
  const routes: Route<RegisteredFunction>[] = [];
  for (const fn of functions) {
    const refused = refusedAuthLevel(fn) ?? refusedPath(fn, routePrefix);
    if (refused) problems.push(refused);
    const { methods } = fn.trigger;
    const upper = Array.isArray(methods) ? methods.map((m) => String(m).toUpperCase()) : [];
    routes.push({ template: templateOf(fn), methods: upper, target: fn });
  }
  const created = createRouter(routes, routePrefix);
  if (created.ok && problems.length === 0) return created;
  if (!created.ok) {
    const remedy =
      'change the route; supported: literals, {name}, {name?}, {*rest}, {name:int}, {name:alpha}, {name:guid}';
    for (const { route, problem } of created.problems) {
      problems.push({ path: `function "${route.target.name}"`, problem, remedy });
    }
  }
  return { ok: false, problems };
}

const authLevels = ['anonymous', 'function', 'admin'] as const;

/** As Azure reads it: `function` where nothing is said. */
const authLevelOf = (fn: RegisteredFunction) => String(fn.trigger['authLevel'] ?? 'function').toLowerCase();

function refusedAuthLevel(fn: RegisteredFunction): StartProblem | undefined {
  const level = authLevelOf(fn);
  if (authLevels.some((known) => known === level)) return undefined;
  return {
    path: `function "${fn.name}"`,
    problem: `authLevel "${level}" is not known`,
    remedy: `choose one of ${authLevels.join(', ')}`,
  };
}

/** Decides whether a request may call a function. */
export type Authorize = (request: HttpRequest, fn: RegisteredFunction) => boolean;

/** By the level of the function: any key that opens it, the master key, or nothing. */
export function authorizeByKey(keys: HostKeys): Authorize {
  return (request, fn) => {
    const level = authLevelOf(fn);
    if (level === 'anonymous') return true;
    const access = keys.accessOf(request, fn.name).level;
    return access === 'admin' || access === level;
  };
}

function refusedPath(fn: RegisteredFunction, routePrefix: string): StartProblem | undefined {
  const first = (routePrefix === '' ? templateOf(fn) : routePrefix).split('/')[0]?.toLowerCase() ?? '';
  if (!reservedPaths.some((reserved) => reserved === first)) return undefined;
  return {
    path: `function "${fn.name}"`,
    problem: `"/${first}" belongs to the host`,
    remedy: 'choose another route or routePrefix',
  };
}

/** Without a route the function's name is its path. */
function templateOf(fn: RegisteredFunction): string {
  const { route } = fn.trigger;
  return typeof route === 'string' && route !== '' ? route : fn.name;
}

/** Answers the requests of HTTP functions. One that may not call its function is answered 401 without a body. */
export function createHttpTriggers(
  router: Router<RegisteredFunction>,
  invoker: Invoker,
  authorize: Authorize,
): HttpHandler {
  return async (request) => {
    const path = request.url.split(/[?#]/, 1)[0] ?? '/';
    const match = router.match(request.method, path);
    if (!match.found) return { status: 404, headers: {}, body: '' };
    if (!authorize(request, match.target)) return { status: 401, headers: {}, body: '' };
    const http = toRpcRequest(request, match.parameters);
    const traceParent = request.headers['traceparent'];
    const outcome = await invoker.invoke(match.target, {
      inputData: [{ name: match.target.trigger.name, data: { http } }],
      ...(traceParent !== undefined && { traceContext: { traceParent } }),
    });
    return fromOutcome(outcome);
  };
}

function toRpcRequest(request: HttpRequest, parameters: RouteParameters): RpcHttpData {
  const query = new Map<string, string>();
  const search = request.url.split('?').slice(1).join('?');
  for (const [key, value] of new URLSearchParams(search)) {
    const earlier = query.get(key);
    query.set(key, earlier === undefined ? value : `${earlier},${value}`);
  }
  return {
    method: request.method,
    url: `${request.origin}${request.url}`,
    nullableHeaders: nullable(Object.entries(request.headers)),
    nullableQuery: nullable([...query]),
    nullableParams: nullable(Object.entries(parameters)),
    ...(request.body.length > 0 && { body: { bytes: request.body } }),
  };
}

function nullable(entries: readonly (readonly [string, string])[]): RpcNullableMap {
  return Object.fromEntries(entries.map(([key, value]) => [key, { value }]));
}

/** A failed function is 500 without a body, one that returned nothing 204. */
function fromOutcome(outcome: InvocationOutcome): HttpResponse {
  if (!outcome.ok) return { status: 500, headers: {}, body: '' };
  const http = outcome.returnValue?.http;
  if (!http) return { status: 204, headers: {}, body: '' };
  const headers: Record<string, string | readonly string[]> = { ...http.headers };
  const cookies = (http.cookies ?? []).map(toSetCookie);
  if (cookies.length > 0) {
    const own = headers['set-cookie'];
    headers['set-cookie'] = own === undefined ? cookies : [String(own), ...cookies];
  }
  const bytes = http.body?.bytes ?? http.body?.string ?? '';
  return { status: Number(http.statusCode ?? 200), headers, body: bytes };
}

const sameSiteWords: Readonly<Record<string, string>> = { lax: 'Lax', strict: 'Strict', explicitnone: 'None' };

/** RFC 6265 `Set-Cookie`; name and value are percent-encoded as ASP.NET Core does. */
function toSetCookie(cookie: RpcHttpCookie): string {
  const parts = [`${encodeURIComponent(cookie.name)}=${encodeURIComponent(cookie.value)}`];
  const seconds = cookie.expires?.value.seconds;
  if (seconds !== undefined) parts.push(`Expires=${new Date(seconds * 1000).toUTCString()}`);
  if (cookie.maxAge) parts.push(`Max-Age=${Math.trunc(cookie.maxAge.value)}`);
  if (cookie.domain) parts.push(`Domain=${cookie.domain.value}`);
  parts.push(`Path=${cookie.path?.value ?? '/'}`);
  if (cookie.secure?.value) parts.push('Secure');
  const sameSite = sameSiteWords[String(cookie.sameSite).toLowerCase()];
  if (sameSite) parts.push(`SameSite=${sameSite}`);
  if (cookie.httpOnly?.value) parts.push('HttpOnly');
  return parts.join('; ');
}
