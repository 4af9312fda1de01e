/** Record sets of a private zone: written at once, one by one, under ETags. */
import { type ArmError, armError, badRequest, empty, json } from '../aci/errors.ts';
import { isObject, type Json } from '../aci/json.ts';
import type { ProviderCall } from '../aci/provider.ts';
import type { CoreResponse } from '../core.ts';
import { existingZone, moving, notJson, type Parts, page, parse, precondition } from './exchange.ts';
import { FIELD_OF, type RecordType, recordSetRefusal, recordsOf } from './record-rules.ts';
import type { RecordSet, Resource, ZoneStore } from './zone-store.ts';

/** Of one zone. Source: Private DNS limits page (read 2026-11). */
export const RECORD_SETS_MAX = 25_000;

function recordView({ id, name, type, etag, properties }: RecordSet, zone: Resource): unknown {
  const { ttl, metadata } = properties;
  return {
    id,
    name,
    type: `Microsoft.Network/privateDnsZones/${type}`,
    etag,
    properties: {
      ...(metadata !== undefined && { metadata }),
      ttl,
      fqdn: `${name === '@' ? '' : `${name}.`}${zone.name}.`,
      isAutoRegistered: false,
      [FIELD_OF[type]]: properties[FIELD_OF[type]],
    },
  };
}

function usableZone(store: ZoneStore, call: ProviderCall, parts: Parts): Resource | ArmError {
  const zone = existingZone(store, parts);
  if ('code' in zone) return zone;
  return moving(zone, call.now) ?? zone;
}

const typeOf = (parts: Parts): RecordType => (parts['type'] ?? '').toUpperCase() as RecordType;

function findRecord(store: ZoneStore, call: ProviderCall, parts: Parts) {
  const zone = usableZone(store, call, parts);
  if ('code' in zone) return { refused: zone };
  return { zone, set: store.record(zone.id, typeOf(parts), parts['record'] ?? '') };
}

function noRecord(parts: Parts): ArmError {
  const { record, resourceGroup, subscriptionId } = parts;
  return armError(
    404,
    'NotFound',
    `The resource record '${record}' does not exist in resource group '${resourceGroup}' of subscription '${subscriptionId}'.`,
  );
}

export function getRecord(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const { refused, zone, set } = findRecord(store, call, parts);
  if (refused) return refused;
  return set ? json(200, recordView(set, zone), { etag: set.etag }) : noRecord(parts);
}

export function putRecord(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const body = parse(call.body);
  const properties = isObject(body?.['properties']) ? body['properties'] : undefined;
  if (!properties) return notJson();
  return write(store, call, parts, () => properties);
}

/** Only what is given changes. */
export function patchRecord(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const body = parse(call.body);
  const changed = isObject(body?.['properties']) ? body['properties'] : {};
  const { refused, set } = findRecord(store, call, parts);
  if (refused) return refused;
  if (!set) return noRecord(parts);
  return write(store, call, parts, () => ({ ...set.properties, ...changed }));
}

function write(store: ZoneStore, call: ProviderCall, parts: Parts, propertiesOf: () => Json): CoreResponse | ArmError {
  const { refused, zone, set } = findRecord(store, call, parts);
  if (refused) return refused;
  const type = typeOf(parts);
  const name = (parts['record'] ?? '').toLowerCase();
  const given = propertiesOf();
  const properties =
    type === 'SOA' && set
      ? { ...given, soaRecord: { ...recordsOf('SOA', set.properties)[0], ...recordsOf('SOA', given)[0] } }
      : given;
  const wrong =
    recordSetRefusal(type, name, properties) ??
    precondition(call, set?.etag) ??
    neighbourRefusal(store, zone, type, name, set);
  if (wrong) return wrong;
  const written: RecordSet = { id: `${zone.id}/${type}/${name}`, name, type, etag: store.freshId('etag'), properties };
  store.putRecord(zone.id, written);
  return json(set ? 200 : 201, recordView(written, zone), { etag: written.etag });
}

function neighbourRefusal(
  store: ZoneStore,
  zone: Resource,
  type: RecordType,
  name: string,
  set: RecordSet | undefined,
): ArmError | undefined {
  if (set) return undefined;
  if (type === 'SOA')
    return badRequest('InvalidSoaRecord', 'The SOA record set is made with its zone and cannot be created.');
  const others = store.recordsNamed(zone.id, name);
  if (others.length > 0 && (type === 'CNAME' || others.some((one) => one.type === 'CNAME'))) {
    return badRequest(
      'RecordConflict',
      `The record could not be created because a record with the same name '${name}' exists: a CNAME stands alone.`,
    );
  }
  if (store.records(zone.id).length < RECORD_SETS_MAX) return undefined;
  return badRequest('TooManyRecordSets', `The zone has ${RECORD_SETS_MAX} record sets, which is the limit.`);
}

export function deleteRecord(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const { refused, zone, set } = findRecord(store, call, parts);
  if (refused) return refused;
  if (!set) return precondition(call, undefined) ?? empty(204);
  if (set.type === 'SOA') return badRequest('InvalidSoaRecord', 'The SOA record set lives as long as its zone.');
  const wrong = precondition(call, set.etag);
  if (wrong) return wrong;
  store.removeRecord(zone.id, set);
  return empty(200);
}

export function listRecords(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const zone = existingZone(store, parts);
  if ('code' in zone) return zone;
  const suffix = (call.url.searchParams.get('$recordsetnamesuffix') ?? '').toLowerCase();
  const type = typeOf(parts) as RecordType | 'ALL';
  const sets = store
    .records(zone.id)
    .filter((set) => (type === 'ALL' || set.type === type) && set.name.endsWith(suffix));
  return page(
    call,
    sets,
    ({ name, type: kind }) => `${name}|${kind}`,
    (set) => recordView(set, zone),
  );
}

export function soaOf(store: ZoneStore, zone: Resource): RecordSet {
  const soaRecord = {
    host: 'azureprivatedns.net',
    email: 'azureprivatedns-host.microsoft.com',
    serialNumber: 1,
    refreshTime: 3600,
    retryTime: 300,
    expireTime: 2_419_200,
    minimumTtl: 10,
  };
  return {
    id: `${zone.id}/SOA/@`,
    name: '@',
    type: 'SOA',
    etag: store.freshId('etag'),
    properties: { ttl: 3600, soaRecord },
  };
}
