/**
 * One entity: reading it from a request body under the service's limits, and its JSON in answers.
 * Limits: learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model.
 */
import {
  checkSize,
  type EdmValue,
  edmJson,
  isInt32,
  needsTypeName,
  type Properties,
  propertyBytes,
  readEdm,
} from './edm.ts';
import { TableFailure } from './failure.ts';
import type { EntityKey, StoredEntity } from './store.ts';
import { etagOf } from './timestamp.ts';

const maxEntityBytes = 1024 * 1024;
const maxProperties = 252;
const maxPropertyNameChars = 255;
const maxKeyChars = 512;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what keys must not have
const forbiddenInKeys = /[/\\#?\u0000-\u001f\u007f-\u009f]/;
const identifier = /^[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Nd}\p{Mn}\p{Mc}\p{Pc}\p{Cf}]*$/u;
const systemProperties = new Set(['PartitionKey', 'RowKey', 'Timestamp']);
const typeSuffix = '@odata.type';

/** What a body says: keys may be absent where the URL names them. Properties with a null value are left out, as the service does. */
export interface EntityBody {
  readonly partitionKey?: string;
  readonly rowKey?: string;
  readonly properties: Properties;
}

/** A JSON number that was written with a point or an exponent, so a double whatever its value. */
class Real {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export function parseEntityBody(text: string): EntityBody | TableFailure {
  const raw = parseObject(text);
  if (!raw) return new TableFailure('InvalidInput', 'The request body is not a JSON object that describes an entity.');
  const properties = new Map<string, EdmValue>();
  for (const [name, value] of raw) {
    if (name.includes('odata.') || name === 'Timestamp' || value === null) continue;
    const property = readProperty(name, value, raw.get(`${name}${typeSuffix}`));
    if (property instanceof TableFailure) return property;
    properties.set(name, property);
  }
  const keys: { partitionKey?: string; rowKey?: string } = {};
  for (const [name, field] of [
    ['PartitionKey', 'partitionKey'],
    ['RowKey', 'rowKey'],
  ] as const) {
    const value = properties.get(name);
    if (!value) continue;
    if (value.type !== 'Edm.String') return new TableFailure('InvalidInput', `${name} must be a string.`);
    keys[field] = String(value.value);
    properties.delete(name);
  }
  return { ...keys, properties };
}

/** A number written with a point or an exponent, or a text that looks like one: without any, the costly look at every number's source is spared. */
const mayHoldReal = /[:,[\s]-?\d+[.eE]/;

function parseObject(text: string): Map<string, unknown> | undefined {
  const reviver = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' && !/^-?\d+$/.test(context?.source ?? '') ? new Real(value) : value;
  try {
    const parsed: unknown = mayHoldReal.test(text) ? JSON.parse(text, reviver) : JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed) || parsed instanceof Real)
      return undefined;
    return new Map(Object.entries(parsed));
  } catch {
    return undefined;
  }
}

function readProperty(name: string, raw: unknown, declared: unknown): EdmValue | TableFailure {
  if (name.length > maxPropertyNameChars) return new TableFailure('PropertyNameTooLong');
  if (!identifier.test(name)) return new TableFailure('PropertyNameInvalid');
  const plain = raw instanceof Real ? raw.value : raw;
  const type = typeof declared === 'string' ? declared : inferredType(raw);
  const value = type === undefined ? undefined : readEdm(type, plain);
  if (!value)
    return new TableFailure('InvalidInput', `The value of property '${name}' is not a valid ${type ?? 'Edm value'}.`);
  return (systemProperties.has(name) ? undefined : checkSize(value)) ?? value;
}

function inferredType(raw: unknown): string | undefined {
  if (raw instanceof Real) return 'Edm.Double';
  if (typeof raw === 'number') return isInt32(raw) ? 'Edm.Int32' : 'Edm.Double';
  if (typeof raw === 'boolean') return 'Edm.Boolean';
  return typeof raw === 'string' ? 'Edm.String' : undefined;
}

/** Whether the service takes these keys. */
export function checkKey(key: EntityKey): TableFailure | undefined {
  for (const [name, value] of [
    ['PartitionKey', key.partitionKey],
    ['RowKey', key.rowKey],
  ] as const) {
    if (value.length > maxKeyChars) return new TableFailure('KeyValueTooLarge');
    if (forbiddenInKeys.test(value) || !value.isWellFormed())
      return new TableFailure('OutOfRangeInput', `The '${name}' parameter of value '${value}' is out of range.`);
  }
  return undefined;
}

/** Limits of the entity as a whole; a merge is measured by its result. */
export function checkEntity(key: EntityKey, properties: Properties): TableFailure | undefined {
  if (properties.size > maxProperties) return new TableFailure('TooManyProperties');
  let bytes = 4 + (key.partitionKey.length + key.rowKey.length) * 2;
  for (const [name, value] of properties) bytes += propertyBytes(name, value);
  return bytes > maxEntityBytes ? new TableFailure('EntityTooLarge') : undefined;
}

/** PartitionKey, RowKey and Timestamp as properties like any other. */
export function lookup(entity: StoredEntity): (property: string) => EdmValue | undefined {
  return (property) => systemValue(entity, property) ?? entity.properties.get(property);
}

function systemValue(entity: StoredEntity, property: string): EdmValue | undefined {
  if (property === 'PartitionKey') return { type: 'Edm.String', value: entity.partitionKey };
  if (property === 'RowKey') return { type: 'Edm.String', value: entity.rowKey };
  return property === 'Timestamp' ? { type: 'Edm.DateTime', value: entity.timestamp } : undefined;
}

/** How answers look: with types and ETags, or bare. */
export type Metadata = 'minimal' | 'none';

/** Stored entities never change, and a listing shows each of them many times. */
const wholeMembers = new WeakMap<StoredEntity, Partial<Record<Metadata, string>>>();

/**
 * The entity's members as JSON text without braces. `select`: only these properties, in that order, with null for those it lacks.
 */
export function entityMembers(entity: StoredEntity, metadata: Metadata, select?: readonly string[]): string {
  if (select) return writeMembers(entity, metadata, select);
  const known = wholeMembers.get(entity);
  const text = known?.[metadata];
  if (text !== undefined) return text;
  const written = writeMembers(entity, metadata, [...systemProperties, ...entity.properties.keys()]);
  wholeMembers.set(entity, { ...known, [metadata]: written });
  return written;
}

function writeMembers(entity: StoredEntity, metadata: Metadata, names: readonly string[]): string {
  const read = lookup(entity);
  const members = metadata === 'minimal' ? [`"odata.etag":${JSON.stringify(etagOf(entity.timestamp))}`] : [];
  for (const name of names) {
    const value = read(name);
    const quoted = JSON.stringify(name);
    if (value && metadata === 'minimal' && needsTypeName(value) && name !== 'Timestamp')
      members.push(`${JSON.stringify(name + typeSuffix)}:"${value.type}"`);
    members.push(`${quoted}:${value ? edmJson(value) : 'null'}`);
  }
  return members.join(',');
}
