/**
 * What a record set may be: the rules for its name, TTL and records by type. The first broken one is answered. Limits: Private DNS limits page (read
 * 2026-11). The service publishes no codes for these refusals: they are ours. Pure.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { type ArmError, badRequest } from '../aci/errors.ts';
import { isObject, type Json, objects, strings } from '../aci/json.ts';

export const RECORD_TYPES = ['A', 'AAAA', 'CNAME', 'MX', 'PTR', 'SOA', 'SRV', 'TXT'] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

/** Per record set. */
export const RECORDS_MAX = 20;
const TTL_MAX = 2_147_483_647;

/** The property that holds the records of a type. */
export const FIELD_OF: Readonly<Record<RecordType, string>> = {
  A: 'aRecords',
  AAAA: 'aaaaRecords',
  CNAME: 'cnameRecord',
  MX: 'mxRecords',
  PTR: 'ptrRecords',
  SOA: 'soaRecord',
  SRV: 'srvRecords',
  TXT: 'txtRecords',
};

/** The records of a set, one or several, as objects. */
export function recordsOf(type: RecordType, properties: Json): readonly Json[] {
  const value = properties[FIELD_OF[type]];
  return isObject(value) ? [value] : objects(value);
}

const whole = (value: unknown, max: number): boolean =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max;
const host = (value: unknown): boolean => typeof value === 'string' && isDomain(value.replace(/\.$/, ''));

/** Is one record of the type well formed? */
const WELL_FORMED: Readonly<Record<RecordType, (record: Json) => boolean>> = {
  A: (record) => isIPv4(String(record['ipv4Address'])),
  AAAA: (record) => isIPv6(String(record['ipv6Address'])),
  CNAME: (record) => host(record['cname']),
  MX: (record) => whole(record['preference'], 65_535) && host(record['exchange']),
  PTR: (record) => host(record['ptrdname']),
  SOA: (record) =>
    ['refreshTime', 'retryTime', 'expireTime', 'minimumTtl'].every(
      (name) => record[name] === undefined || whole(record[name], TTL_MAX),
    ),
  SRV: (record) =>
    ['priority', 'weight', 'port'].every((name) => whole(record[name], 65_535)) && host(record['target']),
  TXT: (record) => {
    const parts = strings(record['value']);
    return parts.length > 0 && parts.every((part) => part.length <= 255) && parts.join('').length <= 1024;
  },
};

export function recordSetRefusal(type: RecordType, name: string, properties: Json): ArmError | undefined {
  const of = `of the record set '${name}' (${type})`;
  if (!isRelativeName(name)) {
    return badRequest(
      'InvalidRecordSetName',
      `The name '${name}' is not a valid relative name of a record set. Use '@' for the zone itself.`,
    );
  }
  const { ttl } = properties;
  if (!Number.isInteger(ttl) || Number(ttl) < 1 || Number(ttl) > TTL_MAX) {
    return badRequest('InvalidTtl', `The TTL ${of} must be a whole number of seconds from 1 to ${TTL_MAX}.`);
  }
  if (type === 'CNAME' && name === '@') {
    return badRequest('InvalidCnameAtApex', 'A CNAME record set cannot be created at the zone apex.');
  }
  const foreign = Object.values(FIELD_OF).find((field) => field !== FIELD_OF[type] && properties[field] !== undefined);
  if (foreign !== undefined)
    return badRequest('InvalidRecordType', `The property '${foreign}' does not belong to the type ${of}.`);
  const records = recordsOf(type, properties);
  if (records.length > RECORDS_MAX) {
    return badRequest(
      'TooManyRecords',
      `The number of records ${of} is ${records.length}; the limit is ${RECORDS_MAX}.`,
    );
  }
  const bad = records.find((record) => !WELL_FORMED[type](record));
  return bad && badRequest('InvalidRecord', `The record ${JSON.stringify(bad)} ${of} is invalid.`);
}

/** Labels of up to 63 characters; Private DNS also takes underscores, and `*` as the first. */
export const isRelativeName = (name: string): boolean => name === '@' || isDomain(name.replace(/^\*(\.|$)/, 'any$1'));

export const isDomain = (name: string): boolean =>
  name.length <= 253 && name.split('.').every((label) => /^[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?$/i.test(label));
