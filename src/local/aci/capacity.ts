/**
 * What a region and its zones have room for. Without a setting room is endless below the quota. A region that is full refuses at once; a zone that
 * is full accepts and fails later, as field reports say of pinned groups (Azure-Landing-Zones#2404 and #2489, read 2026-11). Pure.
 */
import { type ArmError, badRequest, noCapacity } from './errors.ts';
import { type RegionState, regionStates } from './faults.ts';
import type { GroupRecord, Mishap } from './model.ts';
import type { ArmSettings } from './settings.ts';
import type { AciStore } from './store.ts';

/** What a group takes up. */
export type Footprint = Pick<GroupRecord, 'cores' | 'memoryGiB' | 'zones'>;

/** How long a full zone takes to say so, in ms; the service's own time is not published. */
const ZONE_FULL_AFTER_MS = 1_000;

/** `except` is the key of the group that asks: what it has does not stand in its way. */
export function capacityRefusal(
  store: AciStore,
  location: string,
  wanted: Footprint,
  except: string,
): ArmError | undefined {
  const region = regionStates(store)[location];
  const full = region?.arm === 'noCapacity' || exceeds(region?.cores, used(store, location, except), wanted);
  return full ? noCapacity(location, wanted.cores, wanted.memoryGiB) : undefined;
}

/** What becomes of a create that the region has room for, and its zone has not. */
export function zoneMishap(store: AciStore, location: string, wanted: Footprint, except: string): Mishap | undefined {
  const zone = wanted.zones?.[0];
  const state = zone === undefined ? undefined : regionStates(store)[location]?.zones?.[zone];
  if (zone === undefined || !state) return undefined;
  if (!state.down && !exceeds(state.cores, used(store, location, except, zone), wanted)) return undefined;
  const { message } = noCapacity(location, wanted.cores, wanted.memoryGiB);
  return { code: 'InsufficientCapacity.', message, afterMs: ZONE_FULL_AFTER_MS };
}

/** A group is pinned to one zone or none. Source: bicep-registry-modules#4994 (read 2026-11); the code of an unknown zone is ours. */
export function zoneRefusal(
  settings: ArmSettings,
  location: string,
  zones: readonly string[] = [],
): ArmError | undefined {
  const offered = settings.zones[location] ?? [];
  if (zones.length > 1) {
    return badRequest(
      'ResourceTypeNotSupportMultiZones',
      `The resource type 'containerGroups' does not support multiple availability zones. The provided zones are '${zones.join(',')}'. Please provide a single availability zone.`,
    );
  }
  if (zones.every((zone) => offered.includes(zone))) return undefined;
  return badRequest(
    'AvailabilityZoneNotSupported',
    `The zone(s) '${zones.join(',')}' for resource type 'Microsoft.ContainerInstance/containerGroups' is not supported. ` +
      `The supported zones for location '${location}' are '${offered.join(',')}'.`,
  );
}

/** No address answers there: of the whole region, or of a zone for what is pinned to it. */
export function isCutOff(
  group: Pick<GroupRecord, 'location' | 'zones'>,
  regions: Readonly<Record<string, RegionState>>,
): boolean {
  const region = regions[group.location];
  const zone = group.zones?.[0];
  return region?.containersDown === true || (zone !== undefined && region?.zones?.[zone]?.down === true);
}

const exceeds = (limit: number | undefined, usedCores: number, wanted: Footprint): boolean =>
  limit !== undefined && usedCores + wanted.cores > limit;

function used(store: AciStore, location: string, except: string, zone?: string): number {
  return store
    .groups()
    .filter((group) => group.location === location && group.key !== except && !group.stopped)
    .filter((group) => zone === undefined || group.zones?.[0] === zone)
    .reduce((total, group) => total + group.cores, 0);
}
