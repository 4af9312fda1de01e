/**
 * The property types of the Tables service: reading them from a request, their limits and sizes, writing them into an answer.
 * Knows nothing of keys or entities. Ranges: learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model.
 */
import { TableFailure } from './failure.ts';

export type EdmType =
  | 'Edm.Binary'
  | 'Edm.Boolean'
  | 'Edm.DateTime'
  | 'Edm.Double'
  | 'Edm.Guid'
  | 'Edm.Int32'
  | 'Edm.Int64'
  | 'Edm.String';

/**
 * A typed value in a form that JSON keeps. Binary: canonical base64. DateTime: UTC, fraction of 0 to 7 digits without trailing zeros.
 * Double: a number, or `NaN`, `Infinity`, `-Infinity`. Guid: lower case. Int64: decimal string. Others: what they look like.
 */
export interface EdmValue {
  readonly type: EdmType;
  readonly value: string | number | boolean;
}

/** Property names are case-sensitive; the order is that of writing. */
export type Properties = ReadonlyMap<string, EdmValue>;

const maxStringChars = 32 * 1024;
const maxBinaryBytes = 64 * 1024;
const specialDoubles: readonly unknown[] = ['NaN', 'Infinity', '-Infinity'];

const readers: Readonly<Record<EdmType, (raw: unknown) => string | number | boolean | undefined>> = {
  'Edm.Binary': (raw) => (typeof raw === 'string' ? canonicalBase64(raw) : undefined),
  'Edm.Boolean': (raw) => {
    if (typeof raw === 'boolean') return raw;
    return raw === 'true' ? true : raw === 'false' ? false : undefined;
  },
  'Edm.DateTime': (raw) => (typeof raw === 'string' ? canonicalDateTime(raw) : undefined),
  'Edm.Double': (raw) => {
    if (specialDoubles.includes(raw)) return raw as string;
    const number = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
    if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
    return number === 0 ? 0 : number; // JSON has no -0
  },
  'Edm.Guid': (raw) =>
    typeof raw === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(raw) ? raw.toLowerCase() : undefined,
  'Edm.Int32': (raw) => {
    const number = typeof raw === 'string' && /^[+-]?\d+$/.test(raw) ? Number(raw) : raw;
    return typeof number === 'number' && isInt32(number) ? number : undefined;
  },
  'Edm.Int64': (raw) => {
    const text = typeof raw === 'number' ? String(raw) : raw;
    if (typeof text !== 'string' || !/^[+-]?\d{1,20}$/.test(text)) return undefined;
    const integer = BigInt(text.replace('+', ''));
    return BigInt.asIntN(64, integer) === integer ? String(integer) : undefined;
  },
  'Edm.String': (raw) => (typeof raw === 'string' ? raw : undefined),
};

export const isInt32 = (value: number): boolean => Number.isInteger(value) && (value | 0) === value;

/** Reads `raw` as the declared `type`; `undefined` when it is none, or not in the range of the type. */
export function readEdm(type: string, raw: unknown): EdmValue | undefined {
  if (!Object.hasOwn(readers, type)) return undefined;
  const edmType = type as EdmType;
  const value = readers[edmType](raw);
  return value === undefined ? undefined : { type: edmType, value };
}

/** The service's answer to a value that is too long, or `undefined`. */
export function checkSize({ type, value }: EdmValue): TableFailure | undefined {
  const tooLarge =
    (type === 'Edm.String' && String(value).length > maxStringChars) ||
    (type === 'Edm.Binary' && binaryBytes(String(value)) > maxBinaryBytes);
  return tooLarge ? new TableFailure('PropertyValueTooLarge') : undefined;
}

/** Bytes that the service counts for a property against the 1 MiB of its entity. */
export function propertyBytes(name: string, { type, value }: EdmValue): number {
  const head = 8 + name.length * 2;
  switch (type) {
    case 'Edm.Boolean':
      return head + 1;
    case 'Edm.Int32':
      return head + 4;
    case 'Edm.Guid':
      return head + 16;
    case 'Edm.String':
      return head + 4 + String(value).length * 2;
    case 'Edm.Binary':
      return head + 4 + binaryBytes(String(value));
    default:
      return head + 8;
  }
}

/** The value as JSON text. A finite double always has a point or an exponent: that is how readers tell it from an Int32. */
export function edmJson({ type, value }: EdmValue): string {
  if (type === 'Edm.Double' && typeof value === 'number') {
    const text = String(value);
    return /[.e]/.test(text) ? text : `${text}.0`;
  }
  return JSON.stringify(value);
}

/** Whether minimal metadata must name the type because JSON does not show it. */
export function needsTypeName({ type, value }: EdmValue): boolean {
  if (type === 'Edm.Double') return typeof value === 'string';
  return type !== 'Edm.String' && type !== 'Edm.Int32' && type !== 'Edm.Boolean';
}

function binaryBytes(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}

function canonicalBase64(text: string): string | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64').toString('base64');
}

/** `undefined` outside 1601-01-01 … 9999-12-31; a zone other than Z is converted. */
function canonicalDateTime(text: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (!match) return undefined;
  const [, seconds = '', fraction = '', zone = 'Z'] = match;
  const epochMs = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(epochMs)) return undefined;
  const utc = new Date(epochMs).toISOString();
  if (utc < '1601' || utc.length > 24) return undefined;
  if (zone === 'Z' && utc.slice(0, 19) !== seconds) return undefined; // a day that its month does not have
  const digits = fraction.replace(/0+$/, '');
  return `${utc.slice(0, 19)}${digits === '' ? '' : `.${digits}`}Z`;
}
