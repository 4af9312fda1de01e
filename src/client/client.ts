/**
 * Typed client of our own HTTP API. Answers and refusals are values; a connection that fails is tried again, always with the same
 * Idempotency-Key, so that a command takes effect once.
 */
import type {
  ApiInfo,
  ApiProblem,
  AppList,
  ApplyPreview,
  AppResource,
  AppSummary,
  EventList,
  ExecRequest,
  ExecResource,
  Imperative,
  LogList,
  OperationResource,
  PoolCommand,
  PoolResource,
  RevisionList,
  RolloutList,
  RolloutResource,
  RunList,
  SecretRemoval,
  SecretResource,
  WhyResource,
} from '../model/api.ts';
import { err, ok, type Result } from '../model/result.ts';

/** `unreachable`: nothing answered at the address. `foreign`: something did that is not the Flotilla API. `unauthorized`: it wants another key than it got, or a key at all. `refused`: the API said no, and why. */
export type ApiError =
  | { readonly kind: 'unreachable'; readonly message: string }
  | { readonly kind: 'foreign'; readonly message: string }
  | { readonly kind: 'unauthorized'; readonly message: string }
  | { readonly kind: 'refused'; readonly problem: ApiProblem };

export interface ApiClient {
  /** Answers sooner than the other calls when nothing is there: it is what a caller asks first. */
  info(): Promise<Result<ApiInfo, ApiError>>;
  pools(): Promise<Result<readonly PoolResource[], ApiError>>;
  /** Safe to repeat. */
  poolCommand(pool: string, command: PoolCommand): Promise<Result<PoolResource, ApiError>>;
  /** All of them, page by page. */
  apps(): Promise<Result<readonly AppSummary[], ApiError>>;
  appPage(query: { readonly limit?: number; readonly after?: string }): Promise<Result<AppList, ApiError>>;
  app(name: string): Promise<Result<AppResource, ApiError>>;
  preview(name: string, document: unknown): Promise<Result<ApplyPreview, ApiError>>;
  /** @param plan id of the preview that is to be applied, and nothing else */
  apply(
    name: string,
    document: unknown,
    idempotencyKey: string,
    plan?: string | null,
  ): Promise<Result<OperationResource, ApiError>>;
  /** @param confirm the app's name once more; a protected app wants it */
  remove(name: string, idempotencyKey: string, confirm?: string): Promise<Result<OperationResource, ApiError>>;
  secrets(app: string): Promise<Result<readonly SecretResource[], ApiError>>;
  setSecret(app: string, secret: NewSecret): Promise<Result<SecretResource, ApiError>>;
  removeSecret(app: string, name: string): Promise<Result<SecretRemoval, ApiError>>;
  command(app: string, body: Imperative, idempotencyKey: string): Promise<Result<OperationResource, ApiError>>;
  /** Why the replicas of a slot are as they are; reads ARM and probes. */
  why(app: string, service: string, slot: number): Promise<Result<readonly WhyResource[], ApiError>>;
  operation(app: string, id: string): Promise<Result<OperationResource, ApiError>>;
  /** Of each service the newest first. */
  rollouts(
    app: string,
    query: { readonly service?: string; readonly limit?: number },
  ): Promise<Result<RolloutList, ApiError>>;
  /** @param rollout as in {@link RolloutSummary}: `web.3` */
  rollout(app: string, rollout: string): Promise<Result<RolloutResource, ApiError>>;
  revisions(app: string, query: { readonly service?: string }): Promise<Result<RevisionList, ApiError>>;
  logs(app: string, query: LogsQuery): Promise<Result<LogList, ApiError>>;
  runs(app: string, query?: { readonly operation?: string }): Promise<Result<RunList, ApiError>>;
  /** Never sent twice by itself: each call opens a session and is told as an event. */
  exec(app: string, request: ExecRequest): Promise<Result<ExecResource, ApiError>>;
  events(
    app: string,
    query: { readonly limit?: number; readonly before?: string; readonly after?: string },
  ): Promise<Result<EventList, ApiError>>;
}

export interface NewSecret {
  /** As the store knows it. */
  readonly name: string;
  readonly value: Uint8Array;
  /** It comes from a Compose file, and goes once nothing refers to it. */
  readonly managed?: boolean;
  /** Only asks which version it would be. */
  readonly dryRun?: boolean;
}

/** As `GET …/logs` takes it; what is left out has the API's default. */
export interface LogsQuery {
  readonly service?: string;
  readonly slot?: number;
  /** Number of a run of the service, instead of a slot. */
  readonly run?: number;
  readonly container?: string;
  readonly tail?: number;
  /** ISO instant. */
  readonly since?: string;
  readonly previous?: boolean;
}

export interface ClientOptions {
  /** Without `/api/v1`, for example `http://127.0.0.1:7071`. */
  readonly baseUrl: string;
  /** A function key of the app; without one, only an API that wants none answers. */
  readonly key?: string;
  readonly fetch: typeof fetch;
  /** Waits between tries of a request that did not get through. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Per try; default 30 s. */
  readonly timeoutMs?: number;
  /** Default 4: within about 3 s. */
  readonly tries?: number;
}

interface Call {
  readonly method: string;
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as they are. */
  readonly bytes?: Uint8Array;
  readonly idempotencyKey?: string;
  readonly tries?: number;
  readonly timeoutMs?: number;
}

const firstDelayMs = 200;
/** A local platform that is starting, or a function app that wakes up, is given this much. */
const firstContact = { tries: 2, timeoutMs: 10_000 } as const;

export function createClient(options: ClientOptions): ApiClient {
  const call = <T>(request: Call): Promise<Result<T, ApiError>> => send<T>(options, request);
  const get = <T>(path: string) => call<T>({ method: 'GET', path });
  const appPath = (name: string) => `/apps/${encodeURIComponent(name)}`;
  return {
    info: async () => {
      const answer = await call<ApiInfo>({ method: 'GET', path: '', ...firstContact });
      return answer.ok && answer.value?.name !== 'flotilla' ? err(foreign(options.baseUrl)) : answer;
    },
    pools: () => get('/pools'),
    poolCommand: (pool, command) =>
      call({ method: 'POST', path: `/pools/${encodeURIComponent(pool)}/commands`, body: { command } }),
    apps: () => allApps((after) => get<AppList>(`/apps${queryOf({ limit: appsPerPage, after })}`)),
    appPage: (query) => get(`/apps${queryOf(query)}`),
    app: (name) => get(appPath(name)),
    preview: (name, document) => call({ method: 'PUT', path: `${appPath(name)}?dryRun=true`, body: document }),
    apply: (name, document, idempotencyKey, plan) =>
      call({ method: 'PUT', path: `${appPath(name)}${queryOf({ plan })}`, body: document, idempotencyKey }),
    remove: (name, idempotencyKey, confirm) =>
      call({ method: 'DELETE', path: `${appPath(name)}${queryOf({ confirm })}`, idempotencyKey }),
    secrets: (app) => get(`${appPath(app)}/secrets`),
    setSecret: (app, { name, value, ...flags }) =>
      call({
        method: 'PUT',
        path: `${appPath(app)}/secrets/${encodeURIComponent(name)}${queryOf(flags)}`,
        bytes: value,
      }),
    removeSecret: (app, name) =>
      call({ method: 'DELETE', path: `${appPath(app)}/secrets/${encodeURIComponent(name)}` }),
    command: (app, body, idempotencyKey) =>
      call({ method: 'POST', path: `${appPath(app)}/commands`, body, idempotencyKey }),
    why: (app, service, slot) => get(`${appPath(app)}/replicas/${encodeURIComponent(service)}/${slot}`),
    operation: (app, id) => get(`${appPath(app)}/operations/${encodeURIComponent(id)}`),
    rollouts: (app, query) => get(`${appPath(app)}/rollouts${queryOf(query)}`),
    rollout: (app, rollout) => get(`${appPath(app)}/rollouts/${encodeURIComponent(rollout)}`),
    revisions: (app, query) => get(`${appPath(app)}/revisions${queryOf(query)}`),
    logs: (app, query) => get(`${appPath(app)}/logs${queryOf(query)}`),
    runs: (app, query = {}) => get(`${appPath(app)}/runs${queryOf(query)}`),
    exec: (app, body) => call({ method: 'POST', path: `${appPath(app)}/exec`, body, tries: 1 }),
    events: (app, query) => get(`${appPath(app)}/events${queryOf(query)}`),
  };
}

/** The API's largest page. */
const appsPerPage = 500;

async function allApps(
  pageAfter: (after: string | undefined) => Promise<Result<AppList, ApiError>>,
): Promise<Result<readonly AppSummary[], ApiError>> {
  const apps: AppSummary[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await pageAfter(after);
    if (!page.ok) return page;
    apps.push(...page.value.apps);
    if (page.value.next === null) return ok(apps);
    after = page.value.next;
  }
}

function queryOf(query: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters}`;
}

async function send<T>(options: ClientOptions, request: Call): Promise<Result<T, ApiError>> {
  const tries = request.tries ?? options.tries ?? 4;
  let last: ApiError = { kind: 'unreachable', message: 'not tried' };
  for (let attempt = 0; attempt < tries; attempt++) {
    if (attempt > 0) await options.sleep(firstDelayMs * 2 ** attempt);
    const answer = await once<T>(options, request);
    if (answer.ok || !isWorthRepeating(answer.error)) return answer;
    last = answer.error;
  }
  return err(last);
}

/** A lost connection or a gateway's 502-504 says nothing about the request; everything else is an answer. */
function isWorthRepeating(error: ApiError): boolean {
  return error.kind === 'unreachable' || (error.kind === 'refused' && [502, 503, 504].includes(error.problem.status));
}

async function once<T>(options: ClientOptions, request: Call): Promise<Result<T, ApiError>> {
  const url = `${options.baseUrl.replace(/\/+$/, '')}/api/v1${request.path}`;
  try {
    const response = await options.fetch(url, {
      method: request.method,
      headers: {
        accept: 'application/json',
        ...(options.key !== undefined && { 'x-functions-key': options.key }),
        ...(request.body !== undefined && { 'content-type': 'application/json' }),
        ...(request.bytes !== undefined && { 'content-type': 'application/octet-stream' }),
        ...(request.idempotencyKey && { 'idempotency-key': request.idempotencyKey }),
      },
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      ...(request.bytes !== undefined && { body: Buffer.from(request.bytes) }),
      signal: AbortSignal.timeout(request.timeoutMs ?? options.timeoutMs ?? 30_000),
    });
    return interpret<T>(url, response.status, await response.text());
  } catch (error) {
    return err({ kind: 'unreachable', message: `${url}: ${causeOf(error)}` });
  }
}

function interpret<T>(url: string, status: number, text: string): Result<T, ApiError> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (status >= 200 && status < 300 && body !== undefined) return ok(body as T);
  if (status === 401) return err({ kind: 'unauthorized', message: `${url} answered 401` });
  if (isProblem(body)) return err({ kind: 'refused', problem: body });
  if ([502, 503, 504].includes(status)) return err({ kind: 'unreachable', message: `${url} answered ${status}` });
  return err(foreign(url));
}

const foreign = (url: string): ApiError => ({
  kind: 'foreign',
  message: `what answers at ${url} is not the Flotilla API`,
});

function isProblem(body: unknown): body is ApiProblem {
  return typeof body === 'object' && body !== null && 'title' in body && 'status' in body && 'detail' in body;
}

/** `fetch failed` hides what happened in a chain of causes. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  return error.cause instanceof Error ? error.cause.message || causeOf(error.cause) : error.message;
}
