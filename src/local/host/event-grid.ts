/**
 * Event Grid triggers: the webhook of the extension, `/runtime/webhooks/eventgrid?functionName=NAME`. It shakes hands with a new subscription and hands
 * events to the function, one invocation each, or all at once with cardinality `many`. Both schemas arrive alike: JSON objects that the function reads.
 * Source of the answers: HttpRequestProcessor and EventGridExtensionConfigProvider of the extension (azure-sdk-for-net, read 2026-11).
 */
import type { RegisteredFunction } from './functions-core.ts';
import type { HttpRequest, HttpResponse } from './http-server.ts';
import type { Invocation, Invoker, LogSink } from './invoke.ts';
import type { HostKeys } from './keys.ts';

export interface EventGridPlan {
  readonly fn: RegisteredFunction;
  /** Cardinality `many`. */
  readonly many: boolean;
}

export const eventGridPath = '/runtime/webhooks/eventgrid';

interface Parts {
  readonly plans: readonly EventGridPlan[];
  readonly invoker: Invoker;
  readonly keys: HostKeys;
  readonly log: LogSink;
}

/** Resolves with undefined when the path is not the extension's. */
export function createEventGridWebhook(parts: Parts): (request: HttpRequest) => Promise<HttpResponse | undefined> {
  return async (request) => {
    const url = new URL(request.url, request.origin);
    if (url.pathname.toLowerCase().replace(/\/$/, '') !== eventGridPath) return undefined;
    const access = parts.keys.accessOf(request);
    const opens = access.level === 'admin' || (access.level === 'system' && access.extension === 'eventgrid');
    if (!opens) return empty(401);
    const name = url.searchParams.get('functionName') ?? '';
    const plan = parts.plans.find(({ fn }) => fn.name === name);
    if (!plan) return text(404, `cannot find function: '${name}'`);
    return request.method === 'OPTIONS' ? allowOrigin(request) : await process(parts, plan, request);
  };
}

/** Abuse protection of CloudEvents 1.0 webhooks: whoever asks may send. */
function allowOrigin({ headers }: HttpRequest): HttpResponse {
  const origin = headers['webhook-request-origin'];
  if (origin === undefined) return empty(400);
  return { status: 200, headers: { 'webhook-allowed-origin': origin, 'webhook-allowed-rate': '*' }, body: '' };
}

async function process(parts: Parts, plan: EventGridPlan, request: HttpRequest): Promise<HttpResponse> {
  if (request.method !== 'POST') return empty(404);
  const kind = request.headers['aeg-event-type']?.toLowerCase();
  if (kind === 'unsubscribe') return empty(202);
  if (kind !== 'subscriptionvalidation' && kind !== 'notification') return empty(400);
  const body = parse(request.body.toString('utf8'));
  if (!body.ok) {
    const message = `An Event Grid request for "${plan.fn.name}" is not JSON: ${body.problem}`;
    parts.log({ level: 'error', category: 'host', message, functionName: plan.fn.name });
    return empty(500);
  }
  if (kind === 'subscriptionvalidation') return validate(parts, plan, body.value);
  return await deliver(parts, plan, Array.isArray(body.value) ? body.value : [body.value]);
}

type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

function parse(text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ok: true, value } : { ok: false, problem: 'no object' };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** The data of a CloudEvent arrives as JSON text. */
function validate({ log }: Parts, { fn }: EventGridPlan, body: unknown): HttpResponse {
  const event = (Array.isArray(body) ? body[0] : body) as { readonly data?: unknown } | undefined;
  const parsed = typeof event?.data === 'string' ? parse(event.data) : undefined;
  const data = parsed?.ok ? parsed.value : event?.data;
  const code = (data as { readonly validationCode?: unknown } | undefined)?.validationCode;
  if (typeof code !== 'string') return empty(500);
  const message = `Shaking hands with Event Grid for "${fn.name}".`;
  log({ level: 'information', category: 'host', message, functionName: fn.name });
  const answer = JSON.stringify({ validationResponse: code });
  return { status: 200, headers: { 'content-type': 'application/json' }, body: answer };
}

/** All run side by side; one that fails makes Event Grid send the whole request again. */
async function deliver(
  { invoker }: Parts,
  { fn, many }: EventGridPlan,
  events: readonly unknown[],
): Promise<HttpResponse> {
  const values: readonly unknown[] = many ? [events] : events;
  const outcomes = await Promise.all(values.map((value) => invoker.invoke(fn, toEventInvocation(fn, value))));
  const failed = outcomes.find((outcome) => !outcome.ok);
  return failed && !failed.ok ? text(500, failed.error.message) : empty(202);
}

/** An event, or with cardinality `many` an array of them, as the function gets it. */
export function toEventInvocation(fn: RegisteredFunction, value: unknown): Invocation {
  const data = Array.isArray(value) ? value.map(dataOf) : dataOf(value);
  return {
    inputData: [{ name: fn.trigger.name, data: { json: JSON.stringify(value) } }],
    triggerMetadata: data === undefined ? {} : { data: { json: JSON.stringify(data) } },
  };
}

const dataOf = (event: unknown): unknown => (event as { readonly data?: unknown } | null)?.data;

const empty = (status: number): HttpResponse => ({ status, headers: {}, body: '' });
const text = (status: number, body: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
});
