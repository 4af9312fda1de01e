/** What a location offers, as the service tells it to whoever asks before a create. */
import { CORES_MAX, MEMORY_MAX_GIB } from './request-rules.ts';

/** One row per kind of address: Linux only, no GPU (retired 2025-07), the published limits of the Standard SKU. */
export function capabilitiesOf(location: string) {
  return ['Public', 'Private'].map((ipAddressType) => ({
    resourceType: 'containerGroups',
    osType: 'Linux',
    location,
    ipAddressType,
    gpu: 'None',
    capabilities: { maxMemoryInGB: MEMORY_MAX_GIB, maxCpu: CORES_MAX, maxGpuCount: 0 },
  }));
}

/** What a group depends on outside: nothing. Source: Az.ContainerInstance help, "this will always be an empty list" (read 2026-11). */
export const OUTBOUND_ENDPOINTS: readonly string[] = [];
