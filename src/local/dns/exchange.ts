/** What every operation on private zones needs: their ids, what is on its way, preconditions, pages and long-running operations. */
import { type ArmError, armError, badRequest, empty, json } from '../aci/errors.ts';
import { isObject, type Json } from '../aci/json.ts';
import type { ProviderCall } from '../aci/provider.ts';
import type { CoreResponse } from '../core.ts';
import type { Resource, ZoneStore } from './zone-store.ts';

export type Parts = Readonly<Record<string, string>>;
export type Handler = (store: ZoneStore, call: ProviderCall, parts: Parts) => CoreResponse | ArmError;

/** How long creating or deleting a zone or a link takes, in ms; the service takes a minute or so. */
export const DNS_OPERATION_MS = 500;
const PAGE_SIZE = 100;
const RETRY_AFTER_S = 1;

export const zoneId = ({ subscriptionId, resourceGroup, zone = '' }: Parts): string =>
  `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Network/privateDnsZones/${zone.toLowerCase()}`;

export function existingZone(store: ZoneStore, parts: Parts): Resource | ArmError {
  return store.zone(zoneId(parts)) ?? notFound(parts, `Microsoft.Network/privateDnsZones/${parts['zone']}`);
}

export function notFound({ resourceGroup }: Parts, resource: string): ArmError {
  return armError(
    404,
    'ResourceNotFound',
    `The Resource '${resource}' under resource group '${resourceGroup}' was not found.`,
  );
}

export const stateOf = ({ readyAt, goneAt }: Resource, now: number): string =>
  goneAt !== undefined ? 'Deleting' : now < readyAt ? 'Creating' : 'Succeeded';

/** Ordered items from behind the token on; `$top` at most. */
export function page<T>(
  call: ProviderCall,
  items: readonly T[],
  keyOf: (item: T) => string,
  view: (item: T) => unknown,
): CoreResponse {
  const after = Buffer.from(call.url.searchParams.get('$skiptoken') ?? '', 'base64url').toString('utf8');
  const top = Number(call.url.searchParams.get('$top') ?? PAGE_SIZE);
  const rest = items.filter((item) => keyOf(item) > after);
  const shown = rest.slice(0, Number.isInteger(top) && top >= 1 ? Math.min(top, PAGE_SIZE) : PAGE_SIZE);
  const last = shown.at(-1);
  const next = new URL(call.url);
  if (last !== undefined) next.searchParams.set('$skiptoken', Buffer.from(keyOf(last)).toString('base64url'));
  return json(200, {
    value: shown.map(view),
    ...(rest.length > shown.length && { nextLink: `${call.origin}${next.pathname}${next.search}` }),
  });
}

/** If-Match and If-None-Match against what is there. Source: "ETags" in Azure DNS' zones and records page (read 2026-11). */
export function precondition({ headers }: ProviderCall, etag: string | undefined): ArmError | undefined {
  const unquoted = (value: string | undefined) => value?.replace(/^(W\/)?"(.*)"$/, '$2');
  const match = unquoted(headers['if-match']);
  const noneMatch = unquoted(headers['if-none-match']);
  const holds =
    (match === undefined || (etag !== undefined && (match === '*' || match === etag))) &&
    (noneMatch === undefined || (noneMatch === '*' ? etag === undefined : noneMatch !== etag));
  return holds
    ? undefined
    : armError(
        412,
        'PreconditionFailed',
        `The condition '${match ?? noneMatch}' in the If-Match or If-None-Match header was not satisfied. The current was '${etag ?? ''}'.`,
      );
}

/** What is on its way to another state cannot be changed. */
export function moving(resource: Resource | undefined, now: number): ArmError | undefined {
  if (!resource || stateOf(resource, now) === 'Succeeded') return undefined;
  return armError(409, 'Conflict', `Another operation on '${resource.name}' is in progress. Please retry later.`);
}

/** The body of a PUT or PATCH, if what is there may be changed now. */
export function changeOf(
  call: ProviderCall,
  before: Resource | undefined,
): { readonly body: Json } | { readonly refused: ArmError } {
  const body = parse(call.body);
  if (!body) return { refused: notJson() };
  const refused = precondition(call, before?.etag) ?? moving(before, call.now);
  return refused ? { refused } : { body };
}

export function accepted(store: ZoneStore, call: ProviderCall, parts: Parts, doneAt: number): CoreResponse {
  const { id } = store.beginOperation(doneAt);
  const { subscriptionId, resourceGroup } = parts;
  const at = `${call.origin}/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Network`;
  const version = call.url.searchParams.get('api-version');
  return empty(202, {
    'azure-asyncoperation': `${at}/privateDnsOperationStatuses/${id}?api-version=${version}`,
    location: `${at}/privateDnsOperationResults/${id}?api-version=${version}`,
    'retry-after': String(RETRY_AFTER_S),
  });
}

export function operationStatus(store: ZoneStore, { now }: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const operation = store.operation(parts['operation'] ?? '');
  if (!operation) return notFound(parts, `operation ${parts['operation']}`);
  return json(
    200,
    { status: now < operation.doneAt ? 'InProgress' : 'Succeeded' },
    { 'retry-after': String(RETRY_AFTER_S) },
  );
}

export function operationResult(store: ZoneStore, { now }: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const operation = store.operation(parts['operation'] ?? '');
  if (!operation) return notFound(parts, `operation ${parts['operation']}`);
  return empty(now < operation.doneAt ? 202 : 200, { 'retry-after': String(RETRY_AFTER_S) });
}

export function tagsOf(body: Json, before: Resource | undefined): Readonly<Record<string, string>> {
  if (!isObject(body['tags'])) return before?.tags ?? {};
  return Object.fromEntries(Object.entries(body['tags']).map(([name, value]) => [name, String(value)]));
}

export const notJson = (): ArmError =>
  badRequest('InvalidRequestContent', 'The request content was invalid and could not be deserialized.');

export function parse(body: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
