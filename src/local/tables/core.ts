/**
 * The Tables service as a core: authenticates, parses, applies one request to the store as one unit, answers in the service's forms.
 * The differences from the service are in DIFFERENCES.md; what is not modelled is refused with 501 and its name.
 */
import type { Core, CoreResponse, Draw } from '../core.ts';
import {
  answer,
  type Exchange,
  entitiesAnswer,
  entityAnswer,
  entityUrl,
  exchangeOf,
  failed,
  preference,
  tableCreatedAnswer,
  tablesAnswer,
} from './answer.ts';
import { applyBatch, batchAnswer, batchFailed, prepareBatch } from './batch.ts';
import { checkKey, type Metadata, parseEntityBody } from './entity.ts';
import { notImplemented, TableFailure } from './failure.ts';
import { drawnPageLimit, withFault } from './faults.ts';
import { pageSize, queryEntities, queryTables } from './query.ts';
import { type Operation, parseOperation } from './request.ts';
import type { EntityKey, TableStore } from './store.ts';
import { applyWrite, prepareWrite, type Write } from './write.ts';

export interface TablesCoreOptions {
  readonly store: TableStore;
  /** Whether the Authorization header of a request (absent: `undefined`) lets it in. */
  readonly authorize: (authorization: string | undefined) => boolean;
}

const maxBodyBytes = 4 * 1024 * 1024;
/** Two words of the challenge are read by clients: they ask a token of this tenant for this resource and try once more. */
const challenge =
  'Bearer authorization_uri=https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/oauth2/authorize resource_id=https://storage.azure.com';

export function createTablesCore({ store, authorize }: TablesCoreOptions): Core {
  return {
    handle(request, now, draw) {
      const metadata = metadataOf(request.headers['accept'] ?? '');
      const exchange = exchangeOf(request, now, metadata instanceof TableFailure ? 'minimal' : metadata);
      if (!authorize(request.headers['authorization']))
        return failed(exchange, new TableFailure('InvalidAuthenticationInfo'), { 'www-authenticate': challenge });
      if (metadata instanceof TableFailure) return failed(exchange, metadata);
      if (Buffer.byteLength(request.body) > maxBodyBytes)
        return failed(exchange, new TableFailure('RequestBodyTooLarge'));
      const operation = parseOperation(request);
      return operation instanceof TableFailure
        ? failed(exchange, operation)
        : execute({ store, exchange, draw }, operation);
    },
  };
}

function metadataOf(accept: string): Metadata | TableFailure {
  if (/odata=nometadata/i.test(accept)) return 'none';
  if (/odata=fullmetadata/i.test(accept)) return notImplemented('odata=fullmetadata');
  if (/atom\+xml/i.test(accept)) return new TableFailure('AtomFormatNotSupported');
  return 'minimal';
}

/** One request on its way through the service. */
interface Handling {
  readonly store: TableStore;
  readonly exchange: Exchange;
  readonly draw: Draw;
}

type Of<Name extends Operation['name']> = Extract<Operation, { name: Name }>;

function execute(handling: Handling, operation: Operation): CoreResponse {
  const { store, exchange, draw } = handling;
  const faulty = (subject: string, apply: () => CoreResponse) => withFault(exchange, draw, subject, apply);
  switch (operation.name) {
    case 'CreateTable':
      return createTable(handling, operation);
    case 'DeleteTable':
      return faulty(`DELETE Tables/${operation.table}`, () => deleteTable(handling, operation.table));
    case 'QueryTables':
      return faulty('QUERY Tables/*', () =>
        tablesAnswer(exchange, queryTables(store, operation.query, operation.query.top ?? pageSize)),
      );
    case 'QueryEntities':
      return faulty(`QUERY ${operation.table}`, () => answerQuery(handling, operation));
    case 'GetEntity':
      return faulty(`GET ${subjectOf(operation)}`, () => getEntity(handling, operation));
    case 'Batch':
      return batch(handling, operation);
    default: {
      const write = prepareWrite(operation);
      if (write instanceof TableFailure) return failed(exchange, write);
      return faulty(`${methods[write.kind]} ${subjectOf(write)}`, () => writeEntity(handling, write));
    }
  }
}

const methods = { insert: 'POST', replace: 'PUT', merge: 'PATCH', delete: 'DELETE' } as const;

const subjectOf = ({ table, key }: { readonly table: string; readonly key: EntityKey }): string =>
  `${table}/${key.partitionKey}/${key.rowKey}`;

/** Runs `work` as one unit of the store, of which nothing stays when it is refused. */
const unit = <T>({ store }: Handling, work: () => T | TableFailure): T | TableFailure =>
  store.attempt(work, (result) => !(result instanceof TableFailure));

function createTable(handling: Handling, { body, echo }: Of<'CreateTable'>): CoreResponse {
  const { store, exchange, draw } = handling;
  const name = tableNameOf(body);
  if (name instanceof TableFailure) return failed(exchange, name);
  return withFault(exchange, draw, `POST Tables/${name}`, () => {
    const created = unit(handling, () => store.createTable(name) || new TableFailure('TableAlreadyExists'));
    return created instanceof TableFailure ? failed(exchange, created) : tableCreatedAnswer(exchange, name, echo);
  });
}

/** Rules: learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model#table-names. */
function tableNameOf(body: string): string | TableFailure {
  const name = parseEntityBody(body);
  if (name instanceof TableFailure) return name;
  const value = name.properties.get('TableName')?.value;
  if (typeof value !== 'string') return new TableFailure('PropertiesNeedValue');
  if (value.length < 3 || value.length > 63)
    return new TableFailure(
      'OutOfRangeInput',
      'The specified resource name length is not within the permissible limits.',
    );
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(value)) return new TableFailure('InvalidResourceName');
  return value.toLowerCase() === 'tables' ? new TableFailure('InvalidInput', "'tables' is a reserved name.") : value;
}

function deleteTable(handling: Handling, table: string): CoreResponse {
  const { store, exchange } = handling;
  const deleted = unit(handling, () => store.deleteTable(table) || new TableFailure('ResourceNotFound'));
  return deleted instanceof TableFailure ? failed(exchange, deleted) : answer(exchange, 204, {});
}

function answerQuery({ store, exchange, draw }: Handling, { table, query }: Of<'QueryEntities'>): CoreResponse {
  if (!store.hasTable(table)) return failed(exchange, new TableFailure('TableNotFound'));
  const page = queryEntities(store, table, query, drawnPageLimit(draw, table, query.top));
  return entitiesAnswer(exchange, table, page, query);
}

function getEntity({ store, exchange }: Handling, { table, key, query }: Of<'GetEntity'>): CoreResponse {
  if (!store.hasTable(table)) return failed(exchange, new TableFailure('TableNotFound'));
  const refusal = checkKey(key);
  if (refusal) return failed(exchange, refusal);
  const entity = store.get(table, key);
  if (!entity) return failed(exchange, new TableFailure('ResourceNotFound'));
  return entityAnswer(exchange, table, entity, 200, query);
}

function writeEntity(handling: Handling, write: Write): CoreResponse {
  const { store, exchange } = handling;
  const written = unit(handling, () => applyWrite(store, write, exchange.nowMs));
  if (written instanceof TableFailure) return failed(exchange, written);
  const { entity, etag } = written;
  if (write.kind !== 'insert' || !entity) return answer(exchange, 204, etag === undefined ? {} : { etag });
  const url = entityUrl(exchange, write.table, write.key);
  const headers = { location: url, dataserviceid: url, 'preference-applied': preference(write.echo) };
  return write.echo
    ? entityAnswer(exchange, write.table, entity, 201, { headers })
    : answer(exchange, 204, { ...headers, ...(etag !== undefined && { etag }) });
}

function batch(handling: Handling, operation: Of<'Batch'>): CoreResponse {
  const { store, exchange, draw } = handling;
  const writes = prepareBatch(operation);
  if (writes instanceof TableFailure) return batchFailed(exchange, writes);
  const subject = writes[0] ? subjectOf(writes[0]) : '';
  return withFault(exchange, draw, `BATCH ${subject}`, () => {
    const results = unit(handling, () => applyBatch(store, writes, exchange.nowMs));
    return results instanceof TableFailure ? batchFailed(exchange, results) : batchAnswer(exchange, writes, results);
  });
}
