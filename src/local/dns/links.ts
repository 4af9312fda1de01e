/** Virtual network links of a private zone: long-running operations, too; one per network. */
import { type ArmError, armError, badRequest, empty, json } from '../aci/errors.ts';
import { isObject } from '../aci/json.ts';
import type { ProviderCall } from '../aci/provider.ts';
import type { CoreResponse } from '../core.ts';
import {
  accepted,
  changeOf,
  DNS_OPERATION_MS,
  existingZone,
  moving,
  notFound,
  type Parts,
  page,
  precondition,
  stateOf,
  tagsOf,
  zoneId,
} from './exchange.ts';
import { linkedNetwork, type Resource, type ZoneStore } from './zone-store.ts';

/** Of one zone. Source: Private DNS limits page (read 2026-11). */
export const LINKS_MAX = 1_000;

const linkId = (parts: Parts): string => `${zoneId(parts)}/virtualNetworkLinks/${parts['link']}`;

function linkView(link: Resource, now: number): unknown {
  const { id, name, etag, tags, properties } = link;
  const state = stateOf(link, now);
  return {
    id,
    name,
    type: 'Microsoft.Network/privateDnsZones/virtualNetworkLinks',
    location: 'global',
    etag,
    tags,
    properties: {
      virtualNetwork: properties['virtualNetwork'],
      registrationEnabled: properties['registrationEnabled'] ?? false,
      virtualNetworkLinkState: state === 'Succeeded' ? 'Completed' : 'InProgress',
      provisioningState: state,
    },
  };
}

export function getLink(store: ZoneStore, { now }: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const link = existingLink(store, parts);
  return 'code' in link ? link : json(200, linkView(link, now));
}

function existingLink(store: ZoneStore, parts: Parts): Resource | ArmError {
  const zone = existingZone(store, parts);
  if ('code' in zone) return zone;
  return (
    store.link(linkId(parts)) ??
    notFound(parts, `Microsoft.Network/privateDnsZones/${parts['zone']}/virtualNetworkLinks/${parts['link']}`)
  );
}

export function putLink(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const zone = existingZone(store, parts);
  if ('code' in zone) return zone;
  const before = store.link(linkId(parts));
  const change = changeOf(call, before);
  if ('refused' in change) return change.refused;
  const { body } = change;
  const properties = isObject(body['properties']) ? body['properties'] : undefined;
  const network = isObject(properties?.['virtualNetwork']) ? properties['virtualNetwork']['id'] : undefined;
  if (!properties || typeof network !== 'string') {
    return badRequest('InvalidRequestContent', 'The virtualNetwork.id of the link is required.');
  }
  const refused = moving(zone, call.now);
  if (refused) return refused;
  const same = store
    .links(zone.id)
    .find((one) => linkedNetwork(one) === network.toLowerCase() && one.id !== before?.id);
  if (same) {
    return armError(
      409,
      'Conflict',
      `A virtual network cannot be linked to a zone twice: '${network}' is linked by '${same.name}'.`,
    );
  }
  if (!before && store.links(zone.id).length >= LINKS_MAX) {
    return badRequest(
      'TooManyVirtualNetworkLinks',
      `The zone has ${LINKS_MAX} virtual network links, which is the limit.`,
    );
  }
  const readyAt = call.now + DNS_OPERATION_MS;
  const name = parts['link'] ?? '';
  store.putLink({
    id: linkId(parts),
    name,
    etag: store.freshId('etag'),
    tags: tagsOf(body, before),
    properties,
    readyAt: before ? before.readyAt : readyAt,
  });
  return accepted(store, call, parts, readyAt);
}

export function patchLink(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const link = existingLink(store, parts);
  if ('code' in link) return link;
  const change = changeOf(call, link);
  if ('refused' in change) return change.refused;
  const { body } = change;
  const changed = isObject(body['properties']) ? body['properties'] : {};
  store.putLink({
    ...link,
    etag: store.freshId('etag'),
    tags: tagsOf(body, link),
    properties: { ...link.properties, ...changed },
  });
  return accepted(store, call, parts, call.now + DNS_OPERATION_MS);
}

export function deleteLink(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const link = store.link(linkId(parts));
  if (!link) return empty(204);
  const refused = precondition(call, link.etag);
  if (refused) return refused;
  const goneAt = link.goneAt ?? call.now + DNS_OPERATION_MS;
  store.putLink({ ...link, goneAt });
  return accepted(store, call, parts, goneAt);
}

export function listLinks(store: ZoneStore, call: ProviderCall, parts: Parts): CoreResponse | ArmError {
  const zone = existingZone(store, parts);
  if ('code' in zone) return zone;
  return page(
    call,
    store.links(zone.id),
    ({ id }) => id.toLowerCase(),
    (link) => linkView(link, call.now),
  );
}
