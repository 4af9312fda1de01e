/** Reads what a request carries, strictly: what is not understood is refused, never ignored. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { namePattern } from '../../model/limits.ts';
import { err, ok, type Result } from '../../model/result.ts';
import { idempotencyKeyPattern } from '../messages.ts';
import { planIdPattern } from '../plan-id.ts';
import { findJsonFault } from './json-place.ts';
import type { AppQuery } from './list-apps.ts';
import { problem } from './responses.ts';

/** A document may have 192 KiB in canonical form; the rest is room for indentation. */
const bodyBytesMax = 256 * 1024;

type Parsed<T> = Result<T, HttpResponseInit>;

/** The body of a request as JSON. */
export async function readDocument(request: HttpRequest): Promise<Parsed<unknown>> {
  const mediaType = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!/^application\/(json|[\w.+-]+\+json)$/.test(mediaType)) {
    const given = mediaType === '' ? 'none was given' : `not ${mediaType}`;
    return err(problem('wrongMediaType', `Send the document as application/json: ${given}.`));
  }
  // Before the body is read: a length that is announced need not be waited for.
  const announced = Number(request.headers.get('content-length') ?? '0');
  if (announced > bodyBytesMax) return err(tooLarge(announced));
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > bodyBytesMax) return err(tooLarge(bytes.length));
  const text = decodeUtf8(bytes);
  if (text === null) return err(problem('malformedJson', 'The body is not UTF-8 text.'));
  try {
    return ok(JSON.parse(text));
  } catch {
    return err(problem('malformedJson', malformed(text)));
  }
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

const tooLarge = (sizeBytes: number): HttpResponseInit =>
  problem('tooLarge', `The body has ${sizeBytes} bytes, but may have at most ${bodyBytesMax}.`);

function malformed(text: string): string {
  if (text.trim() === '') return 'The body is empty; send the app document as JSON.';
  const { line, column, character } = findJsonFault(text);
  const what = character === null ? 'it ends too early' : `unexpected ${JSON.stringify(character)}`;
  return `The body is not JSON: ${what} at line ${line}, column ${column}.`;
}

/** The given key, or a new one: a client that sends none cannot repeat its request safely, but needs no key to begin with. */
export function readIdempotencyKey(request: HttpRequest, newKey: () => string): Parsed<string> {
  const key = request.headers.get('idempotency-key');
  if (key === null) return ok(newKey());
  if (idempotencyKeyPattern.test(key)) return ok(key);
  return err(problem('badKey', 'An Idempotency-Key has 1 to 128 printable ASCII characters without blanks.'));
}

const appsDefault = 100;
const appsMax = 500;

export function readAppQuery(query: URLSearchParams): Parsed<AppQuery> {
  const unknown = refuseUnknown(query, ['limit', 'after']);
  if (unknown) return err(unknown);
  const limit = query.get('limit') ?? String(appsDefault);
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > appsMax)
    return err(problem('badQuery', `limit is «${limit}»: give a whole number from 1 to ${appsMax}.`));
  const after = query.get('after');
  if (after !== null && !namePattern.test(after))
    return err(problem('badQuery', `after is «${after}»: give \`next\` of an earlier answer.`));
  return ok({ limit: Number(limit), after });
}

export interface EventQuery {
  readonly limit: number;
  readonly before?: string;
  readonly after?: string;
}

const eventsDefault = 50;
const eventsMax = 500;
const cursorPattern = /^event\|\d{16}\|[\w.:-]{1,100}\|\d{3}$/;

export function readEventQuery(query: URLSearchParams): Parsed<EventQuery> {
  const unknown = refuseUnknown(query, ['limit', 'before', 'after']);
  if (unknown) return err(unknown);
  const limitText = query.get('limit') ?? String(eventsDefault);
  const limit = Number(limitText);
  if (!/^\d{1,4}$/.test(limitText) || limit < 1 || limit > eventsMax) {
    return err(problem('badQuery', `limit is «${limitText}»: give a whole number from 1 to ${eventsMax}.`));
  }
  const cursors: { before?: string; after?: string } = {};
  for (const name of ['before', 'after'] as const) {
    const cursor = query.get(name);
    if (cursor === null) continue;
    if (!cursorPattern.test(cursor)) {
      return err(problem('badQuery', `${name} is not a cursor: give \`newest\` or \`oldest\` of an earlier answer.`));
    }
    cursors[name] = cursor;
  }
  return ok({ limit, ...cursors });
}

export interface LogRequest {
  readonly service: string | null;
  readonly slot: number | null;
  /** Number of a run of the service. */
  readonly run: number | null;
  readonly container: string | null;
  readonly tail: number;
  /** Epoch ms: earlier lines are left out. */
  readonly since: number | null;
  /** Of the last incarnation that is gone, as kept when it was deleted. */
  readonly previous: boolean;
}

const tailDefault = 100;
const tailMax = 5_000;

export function readLogRequest(query: URLSearchParams): Parsed<LogRequest> {
  const unknown = refuseUnknown(query, ['service', 'slot', 'run', 'container', 'tail', 'since', 'previous']);
  if (unknown) return err(unknown);
  const place = readPlace(query);
  if (!place.ok) return place;
  const tail = query.get('tail') ?? String(tailDefault);
  if (!/^\d{1,4}$/.test(tail) || Number(tail) < 1 || Number(tail) > tailMax)
    return err(problem('badQuery', `tail is «${tail}»: give a whole number from 1 to ${tailMax}.`));
  const since = query.get('since');
  if (since !== null && !(/^\d{4}-\d\d-\d\dT/.test(since) && !Number.isNaN(Date.parse(since))))
    return err(problem('badQuery', `since is «${since}»: give an instant such as 2026-11-24T12:00:00Z.`));
  const previous = readFlag(query, 'previous');
  if (!previous.ok) return previous;
  return ok({
    ...place.value,
    container: query.get('container'),
    tail: Number(tail),
    since: since === null ? null : Date.parse(since),
    previous: previous.value,
  });
}

export interface ApplyQuery {
  readonly dryRun: boolean;
  /** Id of the preview that is to be applied and nothing else; null = whatever the document comes to. */
  readonly plan: string | null;
}

export function readApplyQuery(query: URLSearchParams): Parsed<ApplyQuery> {
  const unknown = refuseUnknown(query, ['dryRun', 'plan']);
  if (unknown) return err(unknown);
  const dryRun = readFlag(query, 'dryRun');
  if (!dryRun.ok) return dryRun;
  const plan = query.get('plan');
  if (plan !== null && !planIdPattern.test(plan))
    return err(problem('badQuery', `plan is «${plan}»: give the \`id\` of a preview.`));
  if (plan !== null && dryRun.value) return err(problem('badQuery', 'plan and dryRun exclude each other.'));
  return ok({ dryRun: dryRun.value, plan });
}

/** Whose logs. */
function readPlace(query: URLSearchParams): Parsed<Pick<LogRequest, 'service' | 'slot' | 'run'>> {
  const service = query.get('service');
  const slot = query.get('slot');
  const run = query.get('run');
  if (slot !== null && !/^\d{1,4}$/.test(slot)) return err(problem('badQuery', `slot is «${slot}»: give its number.`));
  if (slot !== null && service === null)
    return err(problem('badQuery', 'slot is given without service: slots are numbered per service.'));
  if (run !== null && !/^\d{1,9}$/.test(run)) return err(problem('badQuery', `run is «${run}»: give its number.`));
  if (run !== null && (slot !== null || service === null))
    return err(problem('badQuery', 'run goes with service, and without slot: runs are numbered per service.'));
  return ok({ service, slot: slot === null ? null : Number(slot), run: run === null ? null : Number(run) });
}

/** Parameters that are `true` or `false`, and false where they are not given; no others. */
export function readFlags<Name extends string>(
  query: URLSearchParams,
  names: readonly Name[],
): Parsed<Readonly<Record<Name, boolean>>> {
  const unknown = refuseUnknown(query, names);
  if (unknown) return err(unknown);
  const flags: Partial<Record<Name, boolean>> = {};
  for (const name of names) {
    const flag = readFlag(query, name);
    if (!flag.ok) return flag;
    flags[name] = flag.value;
  }
  return ok(flags as Record<Name, boolean>);
}

function readFlag(query: URLSearchParams, name: string): Parsed<boolean> {
  const value = query.get(name);
  if (value === null || value === 'false') return ok(false);
  return value === 'true' ? ok(true) : err(problem('badQuery', `${name} is «${value}»: give true or false.`));
}

/** `confirm`: the name of the app that is to be deleted, typed once more. */
export function readConfirmation(query: URLSearchParams): Parsed<string | null> {
  const unknown = refuseUnknown(query, ['confirm']);
  return unknown ? err(unknown) : ok(query.get('confirm'));
}

/** `null` = every parameter is known. */
export function refuseUnknown(query: URLSearchParams, known: readonly string[]): HttpResponseInit | null {
  const unknown = [...query.keys()].filter((name) => !known.includes(name));
  if (unknown.length === 0) return null;
  const remedy = known.length === 0 ? 'this resource takes none' : `it takes ${known.join(', ')}`;
  return problem('badQuery', `Unknown query parameter ${unknown.join(', ')}; ${remedy}.`);
}
