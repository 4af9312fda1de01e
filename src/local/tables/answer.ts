/** The forms of the service's answers: headers, entity and table JSON, errors. Decides nothing. */
import { hash } from 'node:crypto';
import type { CoreRequest, CoreResponse } from '../core.ts';
import { entityMembers, type Metadata } from './entity.ts';
import type { TableFailure } from './failure.ts';
import type { Page } from './query.ts';
import { accountPath, continuationToken, type Query } from './request.ts';
import type { EntityKey, StoredEntity } from './store.ts';
import { etagOf } from './timestamp.ts';

/** What answers need to know of their request. */
export interface Exchange {
  readonly nowMs: number;
  /** A uuid made from the request and the time. */
  readonly requestId: string;
  /** `https://host[/account]`. */
  readonly baseUrl: string;
  readonly metadata: Metadata;
  readonly headers: Readonly<Record<string, string>>;
}

export function exchangeOf(request: CoreRequest, nowMs: number, metadata: Metadata): Exchange {
  const clientId = request.headers['x-ms-client-request-id'];
  const requestId = uuidOf(`${nowMs} ${clientId} ${request.method} ${request.url}`);
  return {
    nowMs,
    requestId,
    metadata,
    baseUrl: `https://${request.headers['host'] ?? 'localhost'}${accountPath(request)}`,
    headers: {
      'x-ms-request-id': requestId,
      ...(clientId !== undefined && { 'x-ms-client-request-id': clientId }),
      'x-ms-version': request.headers['x-ms-version'] ?? '2019-02-02',
      date: new Date(nowMs).toUTCString(),
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    },
  };
}

function uuidOf(text: string): string {
  const hex = hash('sha256', text);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

const jsonType = (metadata: Metadata): string =>
  `application/json;odata=${metadata === 'none' ? 'nometadata' : 'minimalmetadata'};streaming=true;charset=utf-8`;

export function answer(
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string>>,
  json?: string,
): CoreResponse {
  const type = json === undefined ? {} : { 'content-type': jsonType(exchange.metadata) };
  return { status, headers: { ...exchange.headers, ...type, ...headers }, body: json ?? '' };
}

export const failed = (exchange: Exchange, failure: TableFailure, headers: Record<string, string> = {}): CoreResponse =>
  answer(exchange, failure.status, headers, failure.toJson(exchange.requestId, exchange.nowMs));

export function entityAnswer(
  exchange: Exchange,
  table: string,
  entity: StoredEntity,
  status: number,
  options: { readonly select?: readonly string[]; readonly headers?: Readonly<Record<string, string>> } = {},
): CoreResponse {
  const members = entityMembers(entity, exchange.metadata, options.select);
  const json = object(metadataMember(exchange, `${table}/@Element`), members);
  return answer(exchange, status, { etag: etagOf(entity.timestamp), ...options.headers }, json);
}

export function entitiesAnswer(
  exchange: Exchange,
  table: string,
  { items, next }: Page<StoredEntity, EntityKey>,
  { select }: Query,
): CoreResponse {
  const rows = items.map((entity) => `{${entityMembers(entity, exchange.metadata, select)}}`);
  const headers = next && {
    'x-ms-continuation-nextpartitionkey': continuationToken(next.partitionKey),
    'x-ms-continuation-nextrowkey': continuationToken(next.rowKey),
  };
  return answer(exchange, 200, headers ?? {}, object(metadataMember(exchange, table), `"value":[${rows.join(',')}]`));
}

export function tablesAnswer(exchange: Exchange, { items, next }: Page<string, string>): CoreResponse {
  const rows = items.map((name) => JSON.stringify({ TableName: name }));
  const headers = next === undefined ? {} : { 'x-ms-continuation-nexttablename': continuationToken(next) };
  return answer(exchange, 200, headers, object(metadataMember(exchange, 'Tables'), `"value":[${rows.join(',')}]`));
}

export function tableCreatedAnswer(exchange: Exchange, table: string, echo: boolean): CoreResponse {
  const url = `${exchange.baseUrl}/Tables('${encodeURIComponent(table)}')`;
  const headers = { location: url, dataserviceid: url, 'preference-applied': preference(echo) };
  if (!echo) return answer(exchange, 204, headers);
  const json = object(metadataMember(exchange, 'Tables/@Element'), `"TableName":${JSON.stringify(table)}`);
  return answer(exchange, 201, headers, json);
}

export const preference = (echo: boolean): string => (echo ? 'return-content' : 'return-no-content');

/** The address of an entity. Fully escaped: the client looks for braces and quotes in what surrounds it. */
export function entityUrl({ baseUrl }: Exchange, table: string, { partitionKey, rowKey }: EntityKey): string {
  const encode = (key: string): string => encodeURIComponent(key.replaceAll("'", "''")).replaceAll("'", '%27');
  return `${baseUrl}/${table}(PartitionKey='${encode(partitionKey)}',RowKey='${encode(rowKey)}')`;
}

const metadataMember = ({ baseUrl, metadata }: Exchange, of: string): string =>
  metadata === 'minimal' ? `"odata.metadata":${JSON.stringify(`${baseUrl}/$metadata#${of}`)}` : '';

const object = (...members: readonly string[]): string => `{${members.filter((text) => text !== '').join(',')}}`;
