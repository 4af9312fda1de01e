/** From an HTTP request to one operation of the service: paths, query options and headers. Reads no state and no entity. */
import type { CoreRequest } from '../core.ts';
import { notImplemented, TableFailure } from './failure.ts';
import { type Filter, parseFilter } from './filter.ts';
import type { EntityKey } from './store.ts';

export interface Query {
  readonly filter?: Filter;
  /** 1 … 1000; absent: as many as a page takes. */
  readonly top?: number;
  readonly select?: readonly string[];
  /** Where the page begins: from an earlier page's continuation headers. */
  readonly nextPartitionKey?: string;
  readonly nextRowKey?: string;
  readonly nextTableName?: string;
}

export type Operation =
  | { readonly name: 'QueryTables'; readonly query: Query }
  | { readonly name: 'CreateTable'; readonly body: string; readonly echo: boolean }
  | { readonly name: 'DeleteTable'; readonly table: string }
  | { readonly name: 'QueryEntities'; readonly table: string; readonly query: Query }
  | { readonly name: 'GetEntity'; readonly table: string; readonly key: EntityKey; readonly query: Query }
  | { readonly name: 'InsertEntity'; readonly table: string; readonly body: string; readonly echo: boolean }
  | {
      readonly name: 'UpdateEntity' | 'MergeEntity';
      readonly table: string;
      readonly key: EntityKey;
      readonly body: string;
      /** Absent: upsert. */
      readonly ifMatch?: string;
    }
  | { readonly name: 'DeleteEntity'; readonly table: string; readonly key: EntityKey; readonly ifMatch: string }
  | { readonly name: 'Batch'; readonly boundary: string; readonly body: string };

const quoted = "'((?:[^']|'')*)'";
const entityPath = new RegExp(`^([^()']+)\\(PartitionKey=${quoted},RowKey=${quoted}\\)$`, 's');
const tablePath = new RegExp(`^Tables\\(${quoted}\\)$`, 's');
const collectionPath = /^([^()']+)(?:\(\))?$/s;
const knownOptions = new Set([
  '$filter',
  '$top',
  '$select',
  '$format',
  'NextPartitionKey',
  'NextRowKey',
  'NextTableName',
  'timeout',
]);
const notModelled: Readonly<Record<string, string>> = {
  'GET acl': 'GetTableAcl',
  'PUT acl': 'SetTableAcl',
  'GET properties': 'GetTableServiceProperties',
  'PUT properties': 'SetTableServiceProperties',
  'GET stats': 'GetTableServiceStats',
};

/** The path without query and without the leading account segment, if there is one; decoded. */
interface Target {
  readonly resource: string;
  readonly options: URLSearchParams;
}

/** Of the account path: `/account` or empty, as the request has it. */
export function accountPath(request: CoreRequest): string {
  const segments = pathSegments(request.url);
  return segments.length > 1 ? `/${segments[0]}` : '';
}

export function parseOperation(request: CoreRequest): Operation | TableFailure {
  const target = parseTarget(request.url);
  if (target instanceof TableFailure) return target;
  const method = (request.headers['x-http-method'] ?? request.method).toUpperCase();
  const comp = target.options.get('comp');
  if (comp !== null) return notImplemented(notModelled[`${method} ${comp}`] ?? `${method} comp=${comp}`);
  for (const name of target.options.keys()) {
    if (!knownOptions.has(name)) return notImplemented(`The query option '${name}'`);
  }
  if (target.resource === '$batch') return batch(method, request);
  const entity = entityPath.exec(target.resource);
  if (entity) {
    const [, table = '', partitionKey = '', rowKey = ''] = entity;
    const key = { partitionKey: unquote(partitionKey), rowKey: unquote(rowKey) };
    return entityOperation(method, table, key, request, target.options);
  }
  const table = tablePath.exec(target.resource);
  if (table) {
    const name = unquote(table[1] ?? '');
    return method === 'DELETE' ? { name: 'DeleteTable', table: name } : notAllowed(method, target.resource);
  }
  const collection = collectionPath.exec(target.resource)?.[1];
  return collection === undefined
    ? new TableFailure('InvalidInput', `Bad Request - Error in query syntax: '${target.resource}'.`)
    : collectionOperation(method, collection, request, target.options);
}

function collectionOperation(
  method: string,
  collection: string,
  { body, headers }: CoreRequest,
  options: URLSearchParams,
): Operation | TableFailure {
  const echo = headers['prefer'] !== 'return-no-content';
  const isTables = collection === 'Tables';
  if (method === 'POST')
    return isTables ? { name: 'CreateTable', body, echo } : { name: 'InsertEntity', table: collection, body, echo };
  if (method !== 'GET') return notAllowed(method, collection);
  const query = parseQuery(options);
  if (query instanceof TableFailure) return query;
  return isTables ? { name: 'QueryTables', query } : { name: 'QueryEntities', table: collection, query };
}

function entityOperation(
  method: string,
  table: string,
  key: EntityKey,
  { body, headers }: CoreRequest,
  options: URLSearchParams,
): Operation | TableFailure {
  if (headers['if-none-match'] !== undefined) return notImplemented(`If-None-Match on ${method} of an entity`);
  const ifMatch = headers['if-match'];
  const badEtag = ifMatch === undefined ? undefined : checkEtag(ifMatch);
  if (badEtag) return badEtag;
  switch (method) {
    case 'GET': {
      const query = parseQuery(options);
      if (query instanceof TableFailure) return query;
      return query.filter ? notImplemented('$filter on a single entity') : { name: 'GetEntity', table, key, query };
    }
    case 'PUT':
      return { name: 'UpdateEntity', table, key, body, ...(ifMatch !== undefined && { ifMatch }) };
    case 'PATCH':
    case 'MERGE':
      return { name: 'MergeEntity', table, key, body, ...(ifMatch !== undefined && { ifMatch }) };
    case 'DELETE':
      return ifMatch === undefined
        ? new TableFailure('MissingRequiredHeader', 'The header If-Match is mandatory for Delete Entity.')
        : { name: 'DeleteEntity', table, key, ifMatch };
    default:
      return notAllowed(method, `${table}(…)`);
  }
}

function batch(method: string, { headers, body }: CoreRequest): Operation | TableFailure {
  const boundary = /boundary="?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1];
  if (method !== 'POST') return notAllowed(method, '$batch');
  if (boundary === undefined)
    return new TableFailure('InvalidInput', 'The Content-Type of $batch must be multipart/mixed with a boundary.');
  return { name: 'Batch', boundary, body };
}

function parseQuery(options: URLSearchParams): Query | TableFailure {
  const filterText = options.get('$filter') ?? '';
  const filter = filterText === '' ? undefined : parseFilter(filterText);
  if (filter instanceof TableFailure) return filter;
  const topText = options.get('$top');
  const top = topText === null ? undefined : Number(topText);
  if (top !== undefined && !(Number.isInteger(top) && top >= 1 && top <= 1000))
    return new TableFailure('InvalidInput', `$top must be a whole number from 1 to 1000, not '${topText}'.`);
  const names = (options.get('$select') ?? '').split(',').map((name) => name.trim());
  const select = [...new Set(names.filter((name) => name !== '' && name !== '*'))];
  const next = continuation(options);
  if (next instanceof TableFailure) return next;
  return {
    ...(filter && { filter }),
    ...(top !== undefined && { top }),
    ...(select.length > 0 && { select }),
    ...next,
  };
}

function continuation(options: URLSearchParams): Partial<Query> | TableFailure {
  const found: { nextPartitionKey?: string; nextRowKey?: string; nextTableName?: string } = {};
  for (const field of ['nextPartitionKey', 'nextRowKey', 'nextTableName'] as const) {
    const token = options.get(field.charAt(0).toUpperCase() + field.slice(1));
    if (token === null) continue;
    const value = readContinuation(token);
    if (value === undefined) return new TableFailure('InvalidInput');
    found[field] = value;
  }
  return found;
}

/** A continuation value for a header: ASCII, whatever the key contains, in the service's form `1!<length>!<base64>`. */
export function continuationToken(value: string): string {
  const encoded = Buffer.from(value, 'utf8')
    .toString('base64')
    .replace(/[/+=]/g, (c) => (c === '/' ? '_' : c === '+' ? '*' : '-'));
  return `1!${encoded.length}!${encoded}`;
}

function readContinuation(token: string): string | undefined {
  const [, length, encoded = ''] = /^1!(\d+)!([A-Za-z0-9_*-]*)$/.exec(token) ?? [];
  if (length === undefined || Number(length) !== encoded.length) return undefined;
  const base64 = encoded.replace(/[_*-]/g, (c) => (c === '_' ? '/' : c === '*' ? '+' : '='));
  return Buffer.from(base64, 'base64').toString('utf8');
}

function parseTarget(url: string): Target | TableFailure {
  const segments = pathSegments(url);
  if (segments.length > 2) return new TableFailure('InvalidUri');
  const query = url.indexOf('?');
  try {
    return {
      resource: decodeURIComponent(segments.at(-1) ?? ''),
      options: new URLSearchParams(query < 0 ? '' : url.slice(query + 1)),
    };
  } catch {
    return new TableFailure('InvalidUri');
  }
}

const pathSegments = (url: string): string[] =>
  (url.split('?', 1)[0] ?? '').split('/').filter((segment) => segment !== '');

const unquote = (text: string): string => text.replaceAll("''", "'");

const checkEtag = (etag: string): TableFailure | undefined =>
  etag === '*' || /^W\/"[^"]*"$/.test(etag)
    ? undefined
    : new TableFailure(
        'InvalidInput',
        `The etag value '${etag}' specified in one of the request headers is not valid. Please make sure only one etag value is specified and is valid.`,
      );

const notAllowed = (method: string, resource: string): TableFailure =>
  new TableFailure('MethodNotAllowed', `The method ${method} is not allowed on '${resource}'.`);
