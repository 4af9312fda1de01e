/** The events' part of the control API: subscriptions, what is on its way, what was given up, faults, and events of anybody's making. */
import { isObject, type Json } from '../aci/json.ts';
import {
  addEventFault,
  type EventEffect,
  type EventFault,
  listEventFaults,
  removeEventFaults,
} from '../eventgrid/faults.ts';
import type { EventGrid } from '../eventgrid/grid.ts';
import {
  DEFAULT_MAX_ATTEMPTS,
  DEFAULT_TTL_MS,
  type PublishedEvent,
  type Schema,
  type Subscription,
} from '../eventgrid/model.ts';

/** A text is a refusal. */
type Answer = { readonly status: number; readonly body?: unknown } | string;

/** `path` behind `/control/events`; undefined = there is no such thing. */
export function controlEvents(
  grid: EventGrid,
  method: string,
  path: string,
  body: unknown,
  now: number,
): Answer | undefined {
  const [area = '', name] = path.split('/').filter((part) => part !== '');
  const { store } = grid;
  switch (`${method} ${area}${name === undefined ? '' : '/'}`) {
    case 'GET ':
      return { status: 200, body: overview(grid) };
    case 'PUT subscriptions/':
      return subscribe(grid, name ?? '', body);
    case 'DELETE subscriptions/':
      store.removeSubscription(name ?? '');
      return { status: 204 };
    case 'POST faults':
      return inject(grid, body);
    case 'DELETE faults':
      removeEventFaults(store);
      return { status: 204 };
    case 'DELETE faults/':
      removeEventFaults(store, Number(name));
      return { status: 204 };
    case 'POST publish':
      return publish(grid, body, now);
    default:
      return undefined;
  }
}

const SHOWN = 100;

function overview({ store }: EventGrid) {
  return {
    subscriptions: store.subscriptions().map(shown),
    pending: store.pending(),
    deliveries: store.deliveries(SHOWN),
    deadLetters: store.deadLetters().slice(-SHOWN),
    faults: listEventFaults(store),
  };
}

/** Without the key in its address. */
function shown({ endpoint, ...rest }: Subscription) {
  const url = new URL(endpoint);
  url.searchParams.delete('code');
  return { ...rest, endpoint: url.href };
}

const SCHEMAS: readonly Schema[] = ['EventGridSchema', 'CloudEventSchemaV1_0'];
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');
const isWithin = (value: unknown, least: number, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;

/** It shakes hands before the first event; `GET` shows what came of it. */
function subscribe({ store }: EventGrid, name: string, body: unknown): Answer {
  if (!isObject(body)) return 'the body: give an object';
  const { endpoint, schema = 'EventGridSchema', eventTypes, subjectBeginsWith } = body;
  const { maxAttempts = DEFAULT_MAX_ATTEMPTS, ttlMinutes = DEFAULT_TTL_MS / 60_000 } = body;
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return 'endpoint: give the address of a webhook';
  if (!SCHEMAS.some((known) => known === schema)) return `schema: give one of ${SCHEMAS.join(', ')}`;
  if (eventTypes !== undefined && !isTexts(eventTypes)) return 'eventTypes: give a list of texts';
  if (subjectBeginsWith !== undefined && typeof subjectBeginsWith !== 'string') return 'subjectBeginsWith: give a text';
  if (!isWithin(maxAttempts, 1, 30)) return 'maxAttempts: give a whole number from 1 to 30';
  if (!isWithin(ttlMinutes, 1, 1440)) return 'ttlMinutes: give a whole number from 1 to 1440';
  store.putSubscription({
    name,
    endpoint,
    schema: schema as Schema,
    ...(eventTypes !== undefined && { eventTypes }),
    ...(subjectBeginsWith !== undefined && { subjectBeginsWith }),
    maxAttempts,
    ttlMs: ttlMinutes * 60_000,
    state: 'creating',
  });
  return { status: 202 };
}

const DURATION_OF = { lose: undefined, duplicate: 'afterMs', delay: 'ms', reorder: 'withinMs' } as const;

function inject({ store }: EventGrid, body: unknown): Answer {
  const fault = parseEventFault(body);
  return typeof fault === 'string' ? fault : { status: 201, body: addEventFault(store, fault) };
}

/** The fault with its defaults, or what is wrong with it. */
export function parseEventFault(body: unknown): Omit<EventFault, 'id'> | string {
  if (!isObject(body)) return 'the body: give an object';
  const { name, times = 1, effect } = body;
  if (name !== undefined && typeof name !== 'string') return 'name: give a text';
  if (times !== null && !isWithin(times, 1, Number.MAX_SAFE_INTEGER))
    return 'times: give a whole number from 1 on, or null';
  const parsed = parseEffect(effect);
  return typeof parsed === 'string' ? parsed : { ...(name !== undefined && { name }), times, effect: parsed };
}

function parseEffect(effect: unknown): EventEffect | string {
  const kinds = Object.keys(DURATION_OF);
  if (!isObject(effect) || !kinds.includes(String(effect['kind'])))
    return `effect.kind: give one of ${kinds.join(', ')}`;
  const kind = effect['kind'] as EventEffect['kind'];
  const field = DURATION_OF[kind];
  if (field === undefined) return { kind } as EventEffect;
  const { [field]: duration = 5_000 } = effect;
  if (!isWithin(duration, 0, DEFAULT_TTL_MS)) return `effect.${field}: give a whole number of ms, at most 24 h`;
  return { kind, [field]: duration } as unknown as EventEffect;
}

/** Whatever it says, as if its source had published it. */
function publish(grid: EventGrid, body: unknown, now: number): Answer {
  if (!isObject(body)) return 'the body: give an object';
  const missing = ['id', 'type', 'topic', 'subject'].find((field) => typeof body[field] !== 'string');
  if (missing !== undefined) return `${missing}: give a text`;
  grid.publish(eventOf(body, now), now, [0]);
  return { status: 202 };
}

const eventOf = (body: Json, now: number): PublishedEvent => ({
  id: String(body['id']),
  type: String(body['type']),
  topic: String(body['topic']),
  subject: String(body['subject']),
  at: now,
  data: body['data'] ?? {},
  dataVersion: '1',
});
