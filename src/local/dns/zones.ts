/** Private zones: created, tagged and deleted as long-running operations. Source: privatedns REST reference and examples (read 2026-11). */
import { type ArmError, armError, badRequest, empty, json } from '../aci/errors.ts';
import type { ProviderCall } from '../aci/provider.ts';
import type { CoreResponse } from '../core.ts';
import {
  accepted,
  changeOf,
  DNS_OPERATION_MS,
  existingZone,
  type Parts,
  page,
  precondition,
  stateOf,
  tagsOf,
  zoneId,
} from './exchange.ts';
import { LINKS_MAX } from './links.ts';
import { isDomain } from './record-rules.ts';
import { RECORD_SETS_MAX, soaOf } from './records.ts';
import type { Resource, ZoneStore } from './zone-store.ts';

/** Source: Private DNS limits page (read 2026-11). */
const REGISTRATION_LINKS_MAX = 100;

function zoneView(store: ZoneStore, zone: Resource, now: number): unknown {
  const links = store.links(zone.id);
  const registering = links.filter(({ properties }) => properties['registrationEnabled'] === true);
  return {
    id: zone.id,
    name: zone.name,
    type: 'Microsoft.Network/privateDnsZones',
    location: 'global',
    etag: zone.etag,
    tags: zone.tags,
    properties: {
      maxNumberOfRecordSets: RECORD_SETS_MAX,
      maxNumberOfVirtualNetworkLinks: LINKS_MAX,
      maxNumberOfVirtualNetworkLinksWithRegistration: REGISTRATION_LINKS_MAX,
      numberOfRecordSets: store.records(zone.id).length,
      numberOfVirtualNetworkLinks: links.length,
      numberOfVirtualNetworkLinksWithRegistration: registering.length,
      provisioningState: stateOf(zone, now),
    },
  };
}

export function getZone(store: ZoneStore, { now }: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const zone = existingZone(store, parts);
  return 'code' in zone ? zone : json(200, zoneView(store, zone, now));
}

export function putZone(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const id = zoneId(parts);
  const before = store.zone(id);
  const change = changeOf(call, before);
  if ('refused' in change) return change.refused;
  const { body } = change;
  const name = (parts['zone'] ?? '').toLowerCase();
  if (!isDomain(name) || name.split('.').length < 2) {
    return badRequest(
      'InvalidZoneName',
      `The zone name '${name}' is invalid. It must have 2 to 34 labels of up to 63 characters.`,
    );
  }
  if (String(body['location']).toLowerCase() !== 'global') {
    return badRequest(
      'LocationNotAvailableForResourceType',
      `The provided location '${String(body['location'])}' is not available for resource type 'Microsoft.Network/privateDnsZones'. List of available regions for the resource type is 'global'.`,
    );
  }
  const readyAt = call.now + DNS_OPERATION_MS;
  const zone = {
    id,
    name,
    etag: store.freshId('etag'),
    tags: tagsOf(body, before),
    properties: {},
    readyAt: before ? before.readyAt : readyAt,
  };
  store.putZone(zone);
  if (!before) store.putRecord(id, soaOf(store, zone));
  return accepted(store, call, parts, readyAt);
}

export function patchZone(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const zone = existingZone(store, parts);
  if ('code' in zone) return zone;
  const change = changeOf(call, zone);
  if ('refused' in change) return change.refused;
  store.putZone({ ...zone, etag: store.freshId('etag'), tags: tagsOf(change.body, zone) });
  return accepted(store, call, parts, call.now + DNS_OPERATION_MS);
}

export function deleteZone(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const zone = store.zone(zoneId(parts));
  if (!zone) return empty(204);
  const refused = precondition(call, zone.etag);
  if (refused) return refused;
  if (store.links(zone.id).length > 0) {
    return armError(409, 'CannotDeleteResource', 'Can not delete resource before nested resources are deleted.');
  }
  const goneAt = zone.goneAt ?? call.now + DNS_OPERATION_MS;
  store.putZone({ ...zone, goneAt });
  return accepted(store, call, parts, goneAt);
}

export function listZones(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse {
  const { subscriptionId, resourceGroup } = parts;
  const within =
    `/subscriptions/${subscriptionId}/${resourceGroup === undefined ? '' : `resourceGroups/${resourceGroup}/`}`.toLowerCase();
  const zones = store.zones().filter(({ id }) => id.toLowerCase().startsWith(within));
  return page(
    call,
    zones,
    ({ id }) => id.toLowerCase(),
    (zone) => zoneView(store, zone, call.now),
  );
}
