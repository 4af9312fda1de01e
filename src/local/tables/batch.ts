/**
 * Entity group transactions: the multipart body as clients send it, the service's rules for it, and the multipart answer as clients read it.
 * All operations apply, or none.
 */
import { STATUS_CODES } from 'node:http';
import type { CoreResponse } from '../core.ts';
import { answer, type Exchange, entityUrl } from './answer.ts';
import { notImplemented, TableFailure } from './failure.ts';
import { type Operation, parseOperation } from './request.ts';
import type { TableStore } from './store.ts';
import { applyWrite, isWrite, prepareWrite, type Write, type Written } from './write.ts';

const maxOperations = 100;

/** The writes of the transaction; or the refusal, beginning with the index of the operation it is about. */
export function prepareBatch({ boundary, body }: Extract<Operation, { name: 'Batch' }>): Write[] | TableFailure {
  const parts = splitChangeset(boundary, body);
  if (parts instanceof TableFailure) return parts;
  if (parts.length > maxOperations)
    return new TableFailure(
      'InvalidInput',
      'The batch request operation exceeds the maximum 100 changes per change set.',
    ).at(maxOperations);
  const writes: Write[] = [];
  for (const [index, part] of parts.entries()) {
    const write = prepareOperation(part);
    const refusal = write instanceof TableFailure ? write : checkTogether(writes, write);
    if (refusal) return refusal.at(index);
    writes.push(write as Write);
  }
  return writes;
}

function prepareOperation(part: string): Write | TableFailure {
  const operation = parseSubRequest(part);
  if (operation instanceof TableFailure) return operation;
  return isWrite(operation) ? prepareWrite(operation) : notImplemented(`${operation.name} in a transaction`);
}

function checkTogether([first, ...others]: readonly Write[], next: Write): TableFailure | undefined {
  if (!first) return undefined;
  const { table, key } = next;
  if (table.toLowerCase() !== first.table.toLowerCase() || key.partitionKey !== first.key.partitionKey)
    return new TableFailure('CommandsInBatchActOnDifferentPartitions');
  const isTwice = [first, ...others].some((write) => write.key.rowKey === key.rowKey);
  return isTwice ? new TableFailure('InvalidDuplicateRow') : undefined;
}

/** Applies all writes inside the caller's unit; stops at the first that the state does not allow. */
export function applyBatch(store: TableStore, writes: readonly Write[], nowMs: number): Written[] | TableFailure {
  const results: Written[] = [];
  for (const [index, write] of writes.entries()) {
    const written = applyWrite(store, write, nowMs);
    if (written instanceof TableFailure) return written.at(index);
    results.push(written);
  }
  return results;
}

export function batchAnswer(exchange: Exchange, writes: readonly Write[], results: readonly Written[]): CoreResponse {
  const parts = writes.map((write, index) => {
    const etag = results[index]?.etag;
    const url = entityUrl(exchange, write.table, write.key);
    const inserted =
      write.kind === 'insert'
        ? [`Preference-Applied: return-no-content`, `Location: ${url}`, `DataServiceId: ${url}`]
        : [];
    return subResponse(204, [
      ...inserted,
      'DataServiceVersion: 1.0;',
      ...(etag === undefined ? [] : [`ETag: ${etag}`]),
    ]);
  });
  return multipart(exchange, parts);
}

export function batchFailed(exchange: Exchange, failure: TableFailure): CoreResponse {
  const headers = [
    'DataServiceVersion: 1.0;',
    'Content-Type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8',
  ];
  return multipart(exchange, [
    subResponse(failure.status, headers, failure.toJson(exchange.requestId, exchange.nowMs)),
  ]);
}

function subResponse(status: number, headers: readonly string[], body = ''): string {
  const head = ['Content-Type: application/http', 'Content-Transfer-Encoding: binary', ''];
  const fixed = ['X-Content-Type-Options: nosniff', 'Cache-Control: no-cache'];
  return [...head, `HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...fixed, ...headers, '', body].join('\r\n');
}

function multipart(exchange: Exchange, parts: readonly string[]): CoreResponse {
  const batch = `batchresponse_${exchange.requestId}`;
  const changeset = `changesetresponse_${exchange.requestId}`;
  const lines = [
    `--${batch}`,
    `Content-Type: multipart/mixed; boundary=${changeset}`,
    '',
    ...parts.flatMap((part) => [`--${changeset}`, part]),
    `--${changeset}--`,
    `--${batch}--`,
    '',
  ];
  const response = answer(exchange, 202, { 'content-type': `multipart/mixed; boundary=${batch}` });
  return { ...response, body: lines.join('\r\n') };
}

/** The operations of the one change set; a query alone is the other thing a batch may hold, and is not modelled. */
function splitChangeset(boundary: string, body: string): string[] | TableFailure {
  const [outer, ...more] = splitParts(boundary, body);
  if (outer === undefined || more.length > 0)
    return new TableFailure('InvalidInput', 'A batch must contain exactly one change set.');
  const changeset = /^content-type:\s*multipart\/mixed;\s*boundary="?([^";\s]+)/im.exec(headOf(outer))?.[1];
  if (changeset === undefined) return notImplemented('A query in a batch');
  const parts = splitParts(changeset, outer);
  return parts.length === 0 ? new TableFailure('InvalidInput', 'The change set contains no operation.') : parts;
}

/** What stands between the lines `--boundary`, up to `--boundary--`. */
function splitParts(boundary: string, text: string): string[] {
  const delimiter = `--${boundary}`;
  const parts: string[] = [];
  let start = -1;
  for (let at = text.indexOf(delimiter); at >= 0; at = text.indexOf(delimiter, at + delimiter.length)) {
    if (at > 0 && text[at - 1] !== '\n') continue;
    if (start >= 0) parts.push(text.slice(start, at));
    start = at + delimiter.length;
    if (text.startsWith('--', start)) break;
  }
  return parts;
}

const blankLine = /\r?\n\r?\n/;
const headOf = (part: string): string => part.trimStart().split(blankLine, 1)[0] ?? '';

function parseSubRequest(part: string): Operation | TableFailure {
  const inner = afterBlankLine(part.trimStart());
  const [requestLine = '', ...headerLines] = headOf(inner).split(/\r?\n/);
  const [, method, url] = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(requestLine.trim()) ?? [];
  if (method === undefined || url === undefined)
    return new TableFailure('InvalidInput', `'${requestLine.slice(0, 80)}' is not the request line of an operation.`);
  const headers = Object.fromEntries(
    headerLines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const body = afterBlankLine(inner.trimStart()).trim();
  return parseOperation({ method, url: url.replace(/^https?:\/\/[^/]*/i, ''), headers, body });
}

function afterBlankLine(text: string): string {
  const match = blankLine.exec(text);
  return match ? text.slice(match.index + match[0].length) : '';
}
