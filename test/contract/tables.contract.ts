/**
 * What the Tables service does, as its documentation and its client show it, asked through the real `@azure/data-tables` client.
 * Bound to targets by `tables.test.ts`. A target may differ by name and reason; a difference that no longer shows fails ("stale skip").
 */
import type { PipelineRequestOptions, PipelineResponse } from '@azure/core-rest-pipeline';
import {
  type GetTableEntityOptions,
  odata,
  type TableClient,
  type TableEntity,
  type TableServiceClient,
  type TransactionAction,
} from '@azure/data-tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

export interface TablesTarget {
  table(name: string): TableClient;
  service(): TableServiceClient;
  /** Sends a request past the client's own checks, authorized like its requests. `path` begins with `/` and follows the account's url. */
  send(path: string, options: Omit<PipelineRequestOptions, 'url'>): Promise<PipelineResponse>;
  close(): Promise<void>;
}

/** Tests that a target answers otherwise, and why. */
export interface Difference {
  readonly reason: string;
  readonly tests: readonly string[];
}

export interface TablesContract {
  readonly name: string;
  readonly connect: () => Promise<TablesTarget>;
  readonly differences?: readonly Difference[];
}

interface Case {
  readonly name: string;
  readonly run: (target: TablesTarget) => Promise<void>;
}

const cases: Case[] = [];
const contract = (name: string, run: Case['run']): void => {
  cases.push({ name, run });
};

export function runTablesContract({ name, connect, differences = [] }: TablesContract): void {
  describe(name, () => {
    let target: TablesTarget;
    beforeAll(async () => {
      target = await connect();
    });
    afterAll(() => target?.close());

    const reasons = new Map(differences.flatMap(({ reason, tests }) => tests.map((test) => [test, reason] as const)));
    it('has only differences that name a test of the contract', () => {
      const known = cases.map((test) => test.name);
      expect([...reasons.keys()].filter((test) => !known.includes(test))).toEqual([]);
    });
    for (const test of cases) {
      const reason = reasons.get(test.name);
      if (reason === undefined) it(test.name, () => test.run(target));
      else it(`differs: ${test.name} (${reason})`, () => expectDifference(test, target));
    }
  });
}

async function expectDifference(test: Case, target: TablesTarget): Promise<void> {
  const passed = await test.run(target).then(
    () => true,
    () => false,
  );
  if (passed) throw new Error(`stale skip: '${test.name}' passes on this target; take it off the list of differences`);
}

// Names of tables are unique per run, because a target may live on.
let tables = 0;
const tableName = (): string => `t${process.pid}n${Date.now()}n${tables++}`;

async function freshTable(target: TablesTarget): Promise<TableClient> {
  const table = target.table(tableName());
  await table.createTable();
  return table;
}

interface Refusal {
  readonly status: number;
  readonly code: string;
}

interface ServiceError {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message: string;
  readonly details?: { readonly odataError?: { readonly code?: string } };
}

const refusal = (error: ServiceError): Refusal => ({
  status: error.statusCode ?? 0,
  code: error.details?.odataError?.code ?? error.code ?? '',
});

const refused = (work: Promise<unknown>): Promise<Refusal | string> =>
  work.then(
    () => 'accepted',
    (error: ServiceError) => refusal(error),
  );

const refusedRaw = async (work: Promise<PipelineResponse>): Promise<Refusal> => {
  const response = await work;
  const body = JSON.parse(response.bodyAsText || '{}') as { 'odata.error'?: { code: string } };
  return { status: response.status, code: body['odata.error']?.code ?? '' };
};

async function listed(table: TableClient, filter?: string): Promise<string[]> {
  const rows: string[] = [];
  for await (const row of table.listEntities(filter === undefined ? {} : { queryOptions: { filter } }))
    rows.push(`${row.partitionKey}/${row.rowKey}`);
  return rows;
}

const json = (method: 'POST' | 'PUT' | 'GET' | 'DELETE', body?: unknown, headers: Record<string, string> = {}) => ({
  method,
  ...(body !== undefined && { body: JSON.stringify(body) }),
  headers: { accept: 'application/json;odata=minimalmetadata', 'content-type': 'application/json', ...headers },
});

const withHeaders = (options: ReturnType<typeof json>) => options as unknown as Omit<PipelineRequestOptions, 'url'>;

// ---- tables

contract('a created table is listed, and gone after it is deleted', async (target) => {
  const table = await freshTable(target);
  const names = async (): Promise<string[]> => {
    const found: string[] = [];
    const filter = odata`TableName eq ${table.tableName}`;
    for await (const { name } of target.service().listTables({ queryOptions: { filter } })) found.push(name ?? '');
    return found;
  };
  expect(await names()).toEqual([table.tableName]);
  await table.deleteTable();
  expect(await names()).toEqual([]);
});

contract('a second creation of a table is refused', async (target) => {
  const table = await freshTable(target);
  const again = target.send('/Tables', withHeaders(json('POST', { TableName: table.tableName })));
  expect(await refusedRaw(again)).toEqual({ status: 409, code: 'TableAlreadyExists' });
});

contract('table names do not differ by case alone', async (target) => {
  const table = await freshTable(target);
  const again = target.send('/Tables', withHeaders(json('POST', { TableName: table.tableName.toUpperCase() })));
  expect(await refusedRaw(again)).toEqual({ status: 409, code: 'TableAlreadyExists' });
  await table.createEntity({ partitionKey: 'p', rowKey: 'r' });
  expect(await listed(target.table(table.tableName.toUpperCase()))).toEqual(['p/r']);
});

contract('a table name with other characters than letters and digits is refused', async (target) => {
  const create = (name: string) => refusedRaw(target.send('/Tables', withHeaders(json('POST', { TableName: name }))));
  expect(await create('with-dash')).toEqual({ status: 400, code: 'InvalidResourceName' });
  expect(await create('1digit')).toEqual({ status: 400, code: 'InvalidResourceName' });
});

contract('a table name shorter than 3 or longer than 63 characters is refused', async (target) => {
  const create = (name: string) => refusedRaw(target.send('/Tables', withHeaders(json('POST', { TableName: name }))));
  expect(await create('ab')).toEqual({ status: 400, code: 'OutOfRangeInput' });
  expect(await create('a'.repeat(64))).toEqual({ status: 400, code: 'OutOfRangeInput' });
});

contract('the deletion of a missing table is 404 ResourceNotFound', async (target) => {
  const response = target.send(`/Tables('${tableName()}')`, withHeaders(json('DELETE')));
  expect(await refusedRaw(response)).toEqual({ status: 404, code: 'ResourceNotFound' });
});

contract('writes to a missing table are 404 TableNotFound', async (target) => {
  const table = target.table(tableName());
  const missing = { status: 404, code: 'TableNotFound' };
  expect(await refused(table.createEntity({ partitionKey: 'p', rowKey: 'r' }))).toEqual(missing);
  expect(await refused(table.upsertEntity({ partitionKey: 'p', rowKey: 'r' }))).toEqual(missing);
  expect(await refused(table.submitTransaction([['create', { partitionKey: 'p', rowKey: 'r' }]]))).toEqual(missing);
});

contract('reads of a missing table are 404 TableNotFound', async (target) => {
  const table = target.table(tableName());
  expect(await refused(table.getEntity('p', 'r'))).toEqual({ status: 404, code: 'TableNotFound' });
  expect(await refused(listed(table))).toEqual({ status: 404, code: 'TableNotFound' });
});

contract('a table created again after its deletion is empty', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r' });
  await table.deleteTable();
  await table.createTable();
  expect(await listed(table)).toEqual([]);
});

// ---- entities

contract('every type of property comes back as it went', async (target) => {
  const table = await freshTable(target);
  const entity = {
    partitionKey: 'p',
    rowKey: 'r',
    text: 'Käse "quoted" \\ { brace } \n line \u0000 nul 🚀',
    empty: '',
    int32: -2147483648,
    real: 0.1,
    tiny: 5e-324,
    huge: 1.7976931348623157e308,
    yes: true,
    no: false,
    long: -9223372036854775808n,
    binary: new Uint8Array([0, 1, 254, 255]),
    at: new Date('2026-01-02T03:04:05.678Z'),
    guid: { type: 'Guid', value: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' },
  };
  await table.createEntity(entity);
  const { etag, timestamp, ...read } = await table.getEntity('p', 'r');
  expect(read).toMatchObject({ ...entity, binary: Buffer.from(entity.binary) });
  expect(etag).toMatch(/^W\/"datetime'.+'"$/);
  expect(Date.parse(timestamp ?? '')).not.toBeNaN();
});

contract('doubles keep their special values', async (target) => {
  const table = await freshTable(target);
  const doubles = ['NaN', 'Infinity', '-Infinity'].map((value) => ({ type: 'Double' as const, value }));
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', a: doubles[0], b: doubles[1], c: doubles[2] });
  const read = await table.getEntity('p', 'r', { disableTypeConversion: true });
  expect([read['a'], read['b'], read['c']]).toEqual(doubles);
});

contract('a double without fraction is written as a double, not as an integer', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', whole: { type: 'Double', value: 5 }, big: 5_000_000_000 });
  const response = await target.send(`/${table.tableName}(PartitionKey='p',RowKey='r')`, withHeaders(json('GET')));
  expect(response.bodyAsText).toMatch(/"whole":5\.0/);
  expect(response.bodyAsText).toMatch(/"big":5000000000\.0/);
});

contract('datetimes keep 100 nanoseconds', async (target) => {
  const table = await freshTable(target);
  const value = '2026-01-02T03:04:05.1234567Z';
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', at: { type: 'DateTime', value } });
  const read = await table.getEntity('p', 'r', { disableTypeConversion: true });
  expect(read['at']).toEqual({ type: 'DateTime', value });
});

contract('a property whose value is null is not stored', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', kept: 1, gone: null });
  expect(Object.keys(await table.getEntity('p', 'r'))).not.toContain('gone');
});

contract('a value that does not fit its type is refused', async (target) => {
  const table = await freshTable(target);
  const create = (property: unknown) =>
    refused(table.createEntity({ partitionKey: 'p', rowKey: 'r', property } as TableEntity));
  const invalid = { status: 400, code: 'InvalidInput' };
  expect(await create({ type: 'Int64', value: '9223372036854775808' })).toEqual(invalid);
  expect(await create({ type: 'Int32', value: 'x' })).toEqual(invalid);
  expect(await create({ type: 'Guid', value: 'no-guid' })).toEqual(invalid);
  expect(await create({ type: 'DateTime', value: 'yesterday' })).toEqual(invalid);
  expect(await create({ type: 'Binary', value: '***' })).toEqual(invalid);
});

contract('an entity is inserted once', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', v: 1 });
  const again = await refused(table.createEntity({ partitionKey: 'p', rowKey: 'r', v: 2 }));
  expect(again).toEqual({ status: 409, code: 'EntityAlreadyExists' });
  expect((await table.getEntity('p', 'r'))['v']).toBe(1);
});

contract('an insert that asks for it gets the entity back', async (target) => {
  const table = await freshTable(target);
  const response = await target.send(
    `/${table.tableName}`,
    withHeaders(json('POST', { PartitionKey: 'p', RowKey: 'r', v: 7 }, { prefer: 'return-content' })),
  );
  expect(response.status).toBe(201);
  expect(JSON.parse(response.bodyAsText ?? '')).toMatchObject({ PartitionKey: 'p', RowKey: 'r', v: 7 });
});

contract('an entity without keys is refused', async (target) => {
  const table = await freshTable(target);
  const insert = (body: unknown) => refusedRaw(target.send(`/${table.tableName}`, withHeaders(json('POST', body))));
  expect(await insert({ RowKey: 'r' })).toEqual({ status: 400, code: 'PropertiesNeedValue' });
  expect(await insert({ PartitionKey: 'p', RowKey: null })).toEqual({ status: 400, code: 'PropertiesNeedValue' });
});

contract('a missing entity is 404 ResourceNotFound', async (target) => {
  const table = await freshTable(target);
  const missing = { status: 404, code: 'ResourceNotFound' };
  expect(await refused(table.getEntity('p', 'r'))).toEqual(missing);
  expect(await refused(table.deleteEntity('p', 'r'))).toEqual(missing);
  expect(await refused(table.updateEntity({ partitionKey: 'p', rowKey: 'r' }, 'Merge'))).toEqual(missing);
  expect(await refused(table.updateEntity({ partitionKey: 'p', rowKey: 'r' }, 'Replace'))).toEqual(missing);
});

contract('select returns these properties only', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', a: 1, b: 2 });
  const options: GetTableEntityOptions = { queryOptions: { select: ['rowKey', 'a'] } };
  const read = await table.getEntity('p', 'r', options);
  expect(read).toMatchObject({ rowKey: 'r', a: 1 });
  expect(Object.keys(read)).not.toContain('b');
  expect(Object.keys(read)).not.toContain('partitionKey');
});

contract('a merge adds and overwrites, and leaves alone what it does not name or names as null', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', a: 1, b: 2, c: 3 });
  await table.updateEntity({ partitionKey: 'p', rowKey: 'r', b: 'two', c: null, d: 4 }, 'Merge');
  expect(await table.getEntity('p', 'r')).toMatchObject({ a: 1, b: 'two', c: 3, d: 4 });
});

contract('a replace leaves only what it names', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', a: 1, b: 2 });
  await table.updateEntity({ partitionKey: 'p', rowKey: 'r', b: 3 }, 'Replace');
  const read = await table.getEntity('p', 'r');
  expect(read['b']).toBe(3);
  expect(Object.keys(read)).not.toContain('a');
});

contract('an upsert inserts, then merges or replaces', async (target) => {
  const table = await freshTable(target);
  await table.upsertEntity({ partitionKey: 'p', rowKey: 'r', a: 1 }, 'Merge');
  await table.upsertEntity({ partitionKey: 'p', rowKey: 'r', b: 2 }, 'Merge');
  expect(await table.getEntity('p', 'r')).toMatchObject({ a: 1, b: 2 });
  await table.upsertEntity({ partitionKey: 'p', rowKey: 'r', c: 3 }, 'Replace');
  expect(Object.keys(await table.getEntity('p', 'r'))).not.toContain('a');
});

contract('what was read can be written back as it is', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', a: 1 });
  const read = await table.getEntity('p', 'r');
  await table.updateEntity({ ...read, a: 2 } as unknown as TableEntity, 'Replace', { etag: read.etag });
  expect((await table.getEntity('p', 'r'))['a']).toBe(2);
});

contract('a write with a stale ETag is refused and changes nothing', async (target) => {
  const table = await freshTable(target);
  const { etag = '' } = await table.createEntity({ partitionKey: 'p', rowKey: 'r', v: 1 });
  await table.updateEntity({ partitionKey: 'p', rowKey: 'r', v: 2 }, 'Replace', { etag });
  const stale = { status: 412, code: 'UpdateConditionNotSatisfied' };
  const entity = { partitionKey: 'p', rowKey: 'r', v: 3 };
  expect(await refused(table.updateEntity(entity, 'Replace', { etag }))).toEqual(stale);
  expect(await refused(table.updateEntity(entity, 'Merge', { etag }))).toEqual(stale);
  expect(await refused(table.deleteEntity('p', 'r', { etag }))).toEqual(stale);
  expect((await table.getEntity('p', 'r'))['v']).toBe(2);
});

contract('every write gives a new ETag, which is that of the entity read', async (target) => {
  const table = await freshTable(target);
  const etags = new Set<string | undefined>();
  etags.add((await table.createEntity({ partitionKey: 'p', rowKey: 'r', v: 0 })).etag);
  for (let v = 1; v < 30; v++)
    etags.add((await table.upsertEntity({ partitionKey: 'p', rowKey: 'r', v }, 'Replace')).etag);
  expect(etags.size).toBe(30);
  expect([...etags].at(-1)).toBe((await table.getEntity('p', 'r')).etag);
});

contract('a deleted entity is gone, and can be inserted again', async (target) => {
  const table = await freshTable(target);
  const { etag = '' } = await table.createEntity({ partitionKey: 'p', rowKey: 'r' });
  await table.deleteEntity('p', 'r', { etag });
  expect(await listed(table)).toEqual([]);
  expect((await table.createEntity({ partitionKey: 'p', rowKey: 'r' })).etag).not.toBe(etag);
});

contract('a delete without If-Match is refused', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r' });
  const response = target.send(`/${table.tableName}(PartitionKey='p',RowKey='r')`, withHeaders(json('DELETE')));
  expect(await refusedRaw(response)).toEqual({ status: 400, code: 'MissingRequiredHeader' });
});

contract('an ETag that is none is refused', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r' });
  const write = table.updateEntity({ partitionKey: 'p', rowKey: 'r' }, 'Replace', { etag: 'garbage' });
  expect(await refused(write)).toEqual({ status: 400, code: 'InvalidInput' });
});

contract('one counter written by eight writers with ETags loses nothing', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', count: 0 });
  const increment = async (): Promise<void> => {
    for (;;) {
      const read = await table.getEntity<{ count: number }>('p', 'r');
      const next = { partitionKey: 'p', rowKey: 'r', count: read.count + 1 };
      const answer = await refused(table.updateEntity(next, 'Replace', { etag: read.etag }));
      if (answer === 'accepted') return;
      expect(answer).toMatchObject({ status: 412 });
    }
  };
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 5; i++) await increment();
    }),
  );
  expect((await table.getEntity('p', 'r'))['count']).toBe(40);
});

// ---- keys and limits

contract('keys may hold quotes, spaces, percent signs, bars, commas and other alphabets', async (target) => {
  const table = await freshTable(target);
  for (const key of [
    "O'Neil''s",
    'a b',
    '100%',
    '%41',
    'service|web',
    'a,b;c=d&e+f',
    '(x)',
    'Zürich 北京',
    '{"x":1}',
    'a:b@c$d!',
  ]) {
    await table.createEntity({ partitionKey: key, rowKey: key, v: 1 });
    expect(await table.getEntity(key, key)).toMatchObject({ partitionKey: key, rowKey: key, v: 1 });
    expect(await listed(table, odata`PartitionKey eq ${key} and RowKey eq ${key}`)).toEqual([`${key}/${key}`]);
    await table.submitTransaction([['update', { partitionKey: key, rowKey: key, v: 2 }, 'Replace']]);
    expect((await table.getEntity(key, key))['v']).toBe(2);
    await table.deleteEntity(key, key);
  }
});

contract('keys may be empty', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: '', rowKey: '', v: 1 });
  expect(await table.getEntity('', '')).toMatchObject({ v: 1 });
});

contract('keys are case-sensitive', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r' });
  await table.createEntity({ partitionKey: 'P', rowKey: 'R' });
  expect(await listed(table)).toEqual(['P/R', 'p/r']);
});

contract('keys with a slash, backslash, hash, question mark or control character are refused', async (target) => {
  const table = await freshTable(target);
  for (const key of ['a/b', 'a\\b', 'a#b', 'a?b', 'a\tb', 'a\u007fb']) {
    const refusals = [
      await refused(table.createEntity({ partitionKey: key, rowKey: 'r' })),
      await refused(table.createEntity({ partitionKey: 'p', rowKey: key })),
    ];
    expect(refusals, JSON.stringify(key)).toEqual(Array(2).fill({ status: 400, code: 'OutOfRangeInput' }));
  }
});

contract('a key has at most 1 KiB', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p'.repeat(512), rowKey: 'r'.repeat(512) });
  const tooLong = refused(table.createEntity({ partitionKey: 'p', rowKey: 'r'.repeat(513) }));
  expect(await tooLong).toEqual({ status: 400, code: 'KeyValueTooLarge' });
});

contract('a string has at most 32 Ki characters', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', text: 'x'.repeat(32 * 1024) });
  await table.createEntity({ partitionKey: 'p', rowKey: 'two bytes each', text: 'ü'.repeat(20_000) });
  const tooLong = refused(table.createEntity({ partitionKey: 'p', rowKey: 's', text: 'x'.repeat(32 * 1024 + 1) }));
  expect(await tooLong).toEqual({ status: 400, code: 'PropertyValueTooLarge' });
});

contract('a binary has at most 64 KiB', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', bytes: new Uint8Array(64 * 1024).fill(7) });
  const tooLong = refused(table.createEntity({ partitionKey: 'p', rowKey: 's', bytes: new Uint8Array(64 * 1024 + 1) }));
  expect(await tooLong).toEqual({ status: 400, code: 'PropertyValueTooLarge' });
});

contract('an entity has at most 252 properties, also after a merge', async (target) => {
  const table = await freshTable(target);
  const many = (count: number, prefix = 'p') =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, i]));
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', ...many(252) });
  const tooMany = { status: 400, code: 'TooManyProperties' };
  expect(await refused(table.createEntity({ partitionKey: 'p', rowKey: 's', ...many(253) }))).toEqual(tooMany);
  expect(await refused(table.updateEntity({ partitionKey: 'p', rowKey: 'r', one: 1 }, 'Merge'))).toEqual(tooMany);
});

contract('an entity has at most 1 MiB', async (target) => {
  const table = await freshTable(target);
  const blocks = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`b${i}`, new Uint8Array(60 * 1024)]));
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', ...blocks(12) });
  const tooLarge = refused(table.createEntity({ partitionKey: 'p', rowKey: 's', ...blocks(18) }));
  expect(await tooLarge).toEqual({ status: 400, code: 'EntityTooLarge' });
});

contract('the size of an entity counts bytes of binaries, not their base64', async (target) => {
  const table = await freshTable(target);
  const blocks = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`b${i}`, new Uint8Array(60 * 1024)]));
  await table.createEntity({ partitionKey: 'p', rowKey: 'r', ...blocks });
  expect(await listed(table)).toEqual(['p/r']);
});

contract('property names are identifiers of at most 255 characters', async (target) => {
  const table = await freshTable(target);
  const create = (name: string) => refused(table.createEntity({ partitionKey: 'p', rowKey: 'r', [name]: 1 }));
  expect(await create('with-dash')).toEqual({ status: 400, code: 'PropertyNameInvalid' });
  expect(await create('n'.repeat(256))).toEqual({ status: 400, code: 'PropertyNameTooLong' });
  expect(await create('_größe1')).toBe('accepted');
});

contract('a body that is no JSON object is refused', async (target) => {
  const table = await freshTable(target);
  const insert = (body: unknown) => refusedRaw(target.send(`/${table.tableName}`, withHeaders(json('POST', body))));
  expect(await insert([1])).toEqual({ status: 400, code: 'InvalidInput' });
  expect(await insert({ PartitionKey: 'p', RowKey: 'r', nested: { a: 1 } })).toEqual({
    status: 400,
    code: 'InvalidInput',
  });
});

contract('a request body over 4 MiB is refused', async (target) => {
  const table = await freshTable(target);
  const text = 'x'.repeat(30 * 1024);
  const actions = Array.from({ length: 5 }, (_, i): TransactionAction => {
    const texts = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`t${n}`, text]));
    return ['create', { partitionKey: 'p', rowKey: String(i), ...texts }];
  });
  expect(await refused(table.submitTransaction(actions))).toEqual({ status: 413, code: 'RequestBodyTooLarge' });
  expect(await listed(table)).toEqual([]);
});

// ---- transactions

contract('a transaction applies every kind of operation', async (target) => {
  const table = await freshTable(target);
  for (const rowKey of ['merged', 'replaced', 'deleted']) await table.createEntity({ partitionKey: 'p', rowKey, a: 1 });
  const { status, subResponses } = await table.submitTransaction([
    ['create', { partitionKey: 'p', rowKey: 'created', b: 2 }],
    ['update', { partitionKey: 'p', rowKey: 'merged', b: 2 }, 'Merge'],
    ['update', { partitionKey: 'p', rowKey: 'replaced', b: 2 }, 'Replace'],
    ['upsert', { partitionKey: 'p', rowKey: 'upserted', b: 2 }, 'Replace'],
    ['delete', { partitionKey: 'p', rowKey: 'deleted' }],
  ]);
  expect(status).toBe(202);
  expect(subResponses.map((response) => response.status)).toEqual(Array(5).fill(204));
  expect(await listed(table)).toEqual(['p/created', 'p/merged', 'p/replaced', 'p/upserted']);
  expect(await table.getEntity('p', 'merged')).toMatchObject({ a: 1, b: 2 });
  expect(Object.keys(await table.getEntity('p', 'replaced'))).not.toContain('a');
});

contract('a transaction tells the new ETag of each entity it wrote', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'b' });
  const { subResponses } = await table.submitTransaction(
    [
      ['create', { partitionKey: 'p', rowKey: 'a' }],
      ['update', { partitionKey: 'p', rowKey: 'b', v: 1 }, 'Replace'],
      ['delete', { partitionKey: 'p', rowKey: 'b' }],
    ].slice(0, 2) as TransactionAction[],
  );
  const read = [await table.getEntity('p', 'a'), await table.getEntity('p', 'b')];
  expect(subResponses.map((response) => response.etag)).toEqual(read.map((entity) => entity.etag));
});

contract('a transaction that fails names the operation and leaves nothing', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: 'taken', v: 1 });
  const failing = table.submitTransaction([
    ['create', { partitionKey: 'p', rowKey: 'first' }],
    ['upsert', { partitionKey: 'p', rowKey: 'second' }, 'Replace'],
    ['create', { partitionKey: 'p', rowKey: 'taken', v: 2 }],
    ['create', { partitionKey: 'p', rowKey: 'third' }],
  ]);
  const error = await failing.then(
    () => undefined,
    (thrown: ServiceError) => thrown,
  );
  expect(error).toMatchObject({ statusCode: 409, code: 'EntityAlreadyExists' });
  expect(error?.message).toMatch(/^2:/);
  expect(await listed(table)).toEqual(['p/taken']);
  expect((await table.getEntity('p', 'taken'))['v']).toBe(1);
});

contract('a stale ETag inside a transaction undoes what came before it', async (target) => {
  const table = await freshTable(target);
  const { etag: stale = '' } = await table.createEntity({ partitionKey: 'p', rowKey: 'guard', v: 1 });
  await table.createEntity({ partitionKey: 'p', rowKey: 'old', v: 1 });
  const { etag = '' } = await table.updateEntity({ partitionKey: 'p', rowKey: 'guard', v: 2 }, 'Replace');
  const fenced = (condition: string) =>
    table.submitTransaction([
      ['delete', { partitionKey: 'p', rowKey: 'old' }],
      ['create', { partitionKey: 'p', rowKey: 'new' }],
      ['update', { partitionKey: 'p', rowKey: 'guard', v: 3 }, 'Replace', { etag: condition }],
    ]);
  const error = await fenced(stale).then(
    () => undefined,
    (thrown: ServiceError) => thrown,
  );
  expect(error).toMatchObject({ statusCode: 412, code: 'UpdateConditionNotSatisfied' });
  expect(error?.message).toMatch(/^2:/);
  expect(await listed(table)).toEqual(['p/guard', 'p/old']);
  await fenced(etag);
  expect(await listed(table)).toEqual(['p/guard', 'p/new']);
});

contract('a missing entity inside a transaction undoes what came before it', async (target) => {
  const table = await freshTable(target);
  const failing = table.submitTransaction([
    ['create', { partitionKey: 'p', rowKey: 'a' }],
    ['update', { partitionKey: 'p', rowKey: 'none' }, 'Merge'],
  ]);
  expect(await refused(failing)).toEqual({ status: 404, code: 'ResourceNotFound' });
  expect(await listed(table)).toEqual([]);
});

contract('a transaction of 100 operations is taken', async (target) => {
  const table = await freshTable(target);
  await table.submitTransaction(creations(100));
  expect(await listed(table)).toHaveLength(100);
});

contract('a transaction of 101 operations is refused', async (target) => {
  const table = await freshTable(target);
  expect(await refused(table.submitTransaction(creations(101)))).toEqual({ status: 400, code: 'InvalidInput' });
  expect(await listed(table)).toEqual([]);
});

contract('an entity appears once in a transaction', async (target) => {
  const table = await freshTable(target);
  const twice = table.submitTransaction([
    ['upsert', { partitionKey: 'p', rowKey: 'a' }],
    ['upsert', { partitionKey: 'p', rowKey: 'b' }],
    ['delete', { partitionKey: 'p', rowKey: 'a' }],
  ]);
  expect(await refused(twice)).toEqual({ status: 400, code: 'InvalidDuplicateRow' });
  expect(await listed(table)).toEqual([]);
});

contract('a transaction stays in one partition', async (target) => {
  const table = await freshTable(target);
  const part = (partitionKey: string) =>
    [
      '--changeset_x',
      'Content-Type: application/http',
      'Content-Transfer-Encoding: binary',
      '',
      `POST https://account/${table.tableName} HTTP/1.1`,
      'Content-Type: application/json',
      'Accept: application/json;odata=minimalmetadata',
      'Prefer: return-no-content',
      '',
      JSON.stringify({ PartitionKey: partitionKey, RowKey: 'r' }),
    ].join('\r\n');
  const body = [
    '--batch_x',
    'Content-Type: multipart/mixed; boundary=changeset_x',
    '',
    part('p'),
    part('q'),
    '--changeset_x--',
    '--batch_x--',
    '',
  ].join('\r\n');
  const headers = { accept: 'application/json', 'content-type': 'multipart/mixed; boundary=batch_x' };
  const options = { method: 'POST', body, headers } as unknown as Omit<PipelineRequestOptions, 'url'>;
  const response = await target.send('/$batch', options);
  expect(response.bodyAsText).toContain('CommandsInBatchActOnDifferentPartitions');
  expect(await listed(table)).toEqual([]);
});

const creations = (count: number): TransactionAction[] =>
  Array.from({ length: count }, (_, i) => ['create', { partitionKey: 'p', rowKey: String(i).padStart(4, '0'), i }]);

// ---- queries

async function sample(target: TablesTarget): Promise<TableClient> {
  const table = await freshTable(target);
  for (const partitionKey of ['b', 'a', 'B'])
    for (const rowKey of ['2', '10', '1'])
      await table.createEntity({
        partitionKey,
        rowKey,
        n: Number(rowKey),
        half: Number(rowKey) + 0.5,
        long: { type: 'Int64', value: `900719925474099${rowKey.length === 1 ? rowKey : 9}` },
        odd: rowKey === '1',
        at: new Date(Date.UTC(2026, 0, Number(rowKey))),
        id: { type: 'Guid', value: `00000000-0000-0000-0000-00000000000${rowKey.length}` },
        ...(partitionKey === 'a' && { only: 'a' }),
      });
  return table;
}

contract('entities come in the order of their keys', async (target) => {
  const table = await sample(target);
  const rows = ['B/1', 'B/10', 'B/2', 'a/1', 'a/10', 'a/2', 'b/1', 'b/10', 'b/2'];
  expect(await listed(table)).toEqual(rows);
});

const filters: readonly (readonly [filter: string, rows: readonly string[]])[] = [
  ["PartitionKey eq 'a'", ['a/1', 'a/10', 'a/2']],
  ["PartitionKey eq 'a' and RowKey eq '10'", ['a/10']],
  ["PartitionKey eq 'a' and RowKey ge '10'", ['a/10', 'a/2']],
  ["PartitionKey eq 'a' and RowKey gt '10'", ['a/2']],
  ["PartitionKey eq 'a' and RowKey lt '10'", ['a/1']],
  ["PartitionKey eq 'a' and RowKey le '10'", ['a/1', 'a/10']],
  ["PartitionKey eq 'a' and RowKey ge '1' and RowKey lt '2'", ['a/1', 'a/10']],
  ["PartitionKey eq 'a' and RowKey ne '10'", ['a/1', 'a/2']],
  ["PartitionKey gt 'B' and PartitionKey lt 'b'", ['a/1', 'a/10', 'a/2']],
  ["RowKey eq '2'", ['B/2', 'a/2', 'b/2']],
  ["(PartitionKey eq 'a' and RowKey eq '1') or (PartitionKey eq 'b' and RowKey eq '2')", ['a/1', 'b/2']],
  ["PartitionKey eq 'a' or PartitionKey eq 'b' and RowKey eq '1'", ['a/1', 'a/10', 'a/2', 'b/1']],
  ["PartitionKey eq 'a' and not (RowKey eq '1' or RowKey eq '2')", ['a/10']],
  ["'a' eq PartitionKey and '1' lt RowKey", ['a/10', 'a/2']],
  ["PartitionKey eq 'a' and PartitionKey eq 'b'", []],
  ["PartitionKey eq 'a' and n gt 1", ['a/10', 'a/2']],
  ["PartitionKey eq 'a' and half le 2.5", ['a/1', 'a/2']],
  ["PartitionKey eq 'a' and long eq 9007199254740992L", ['a/2']],
  ["PartitionKey eq 'a' and odd eq true", ['a/1']],
  ["PartitionKey eq 'a' and odd", ['a/1']],
  ["PartitionKey eq 'a' and at ge datetime'2026-01-02T00:00:00Z'", ['a/10', 'a/2']],
  ["PartitionKey eq 'a' and id eq guid'00000000-0000-0000-0000-000000000002'", ['a/10']],
  ["RowKey eq '1' and only eq 'a'", ['a/1']],
  ["RowKey eq '1' and missing eq 'x'", []],
];
for (const [filter, rows] of filters)
  contract(`the filter ${filter} finds ${rows.length}`, async (target) => {
    expect(await listed(await sample(target), filter)).toEqual(rows);
  });

contract('a filter on a property that an entity lacks does not find it, also by ne', async (target) => {
  expect(await listed(await sample(target), "RowKey eq '1' and only ne 'x'")).toEqual(['a/1']);
});

contract('a filter with bad syntax is refused', async (target) => {
  const table = await freshTable(target);
  for (const filter of [
    "PartitionKey eq 'a' and",
    "(PartitionKey eq 'a'",
    "PartitionKey equals 'a'",
    'PartitionKey eq "a"',
  ])
    expect(await refused(listed(table, filter)), filter).toEqual({ status: 400, code: 'InvalidInput' });
});

contract('a filter has at most 15 comparisons', async (target) => {
  const table = await freshTable(target);
  await table.createEntity({ partitionKey: 'p', rowKey: '14' });
  const anyOf = (count: number) => Array.from({ length: count }, (_, i) => `RowKey eq '${i}'`).join(' or ');
  expect(await listed(table, anyOf(15))).toEqual(['p/14']);
  expect(await refused(listed(table, anyOf(16)))).toEqual({ status: 400, code: 'InvalidInput' });
});

contract('a function in a filter is 501', async (target) => {
  const table = await freshTable(target);
  expect(await refused(listed(table, "startswith(RowKey, 'a')"))).toEqual({ status: 501, code: 'NotImplemented' });
});

contract('a list longer than 1000 comes in pages', async (target) => {
  const table = await freshTable(target);
  for (let from = 0; from < 1100; from += 100)
    await table.submitTransaction(
      creations(100).map(
        ([kind, entity], i) => [kind, { ...entity, rowKey: String(from + i).padStart(5, '0') }] as TransactionAction,
      ),
    );
  const sizes: number[] = [];
  const keys: string[] = [];
  for await (const page of table.listEntities().byPage()) {
    sizes.push(page.length);
    keys.push(...page.map((entity) => entity.rowKey ?? ''));
  }
  expect(Math.max(...sizes)).toBe(1000);
  expect(keys).toEqual(Array.from({ length: 1100 }, (_, i) => String(i).padStart(5, '0')));
});

contract('pages of a filtered query continue with a token, over partitions', async (target) => {
  const table = await sample(target);
  const query = table.listEntities({ queryOptions: { filter: "RowKey ne '10'" } });
  const first = await query.byPage({ maxPageSize: 4 }).next();
  const rows = (page: readonly { partitionKey?: string; rowKey?: string }[]) =>
    page.map((row) => `${row.partitionKey}/${row.rowKey}`);
  expect(rows(first.value)).toEqual(['B/1', 'B/2', 'a/1', 'a/2']);
  const rest = await query.byPage({ maxPageSize: 4, continuationToken: first.value.continuationToken }).next();
  expect(rows(rest.value)).toEqual(['b/1', 'b/2']);
  expect(rest.value.continuationToken).toBeUndefined();
});

contract('pages continue behind keys outside ASCII', async (target) => {
  const table = await freshTable(target);
  for (const rowKey of ['ä>?é', 'é', 'ÿ', '北'])
    await table.upsertEntity({ partitionKey: 'Zürich', rowKey: rowKey.replace('?', '') });
  const rows: string[] = [];
  for await (const page of table.listEntities().byPage({ maxPageSize: 1 }))
    rows.push(...page.map((row) => row.rowKey ?? ''));
  expect(rows).toEqual(['ä>é', 'é', 'ÿ', '北']);
});

contract('a query with select returns these properties only', async (target) => {
  const table = await sample(target);
  const queryOptions = { filter: "PartitionKey eq 'a'", select: ['rowKey', 'n'] };
  const found: unknown[] = [];
  for await (const row of table.listEntities({ queryOptions }))
    found.push({ rowKey: row.rowKey, n: row['n'], half: row['half'] });
  expect(found).toEqual([1, 10, 2].map((n) => ({ rowKey: String(n), n, half: undefined })));
});

contract('a page of more than 1000 is refused', async (target) => {
  const table = await freshTable(target);
  const page = table.listEntities().byPage({ maxPageSize: 1001 }).next();
  expect(await refused(page)).toEqual({ status: 400, code: 'InvalidInput' });
});
