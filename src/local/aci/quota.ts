/** What a subscription uses in a region against what it may use. */

import { type ArmError, quotaReached } from './errors.ts';
import { regionStates } from './faults.ts';
import type { GroupRequest } from './request.ts';
import type { ArmSettings, Quotas } from './settings.ts';
import type { AciStore } from './store.ts';

/** The settings' quotas with the region's overrides. */
export function quotasOf(store: AciStore, settings: ArmSettings, location: string): Quotas {
  return { ...settings.quotas, ...regionStates(store)[location]?.quotas };
}

/** Every existing group counts, failed, disappearing and stopped ones too; the cores of a stopped one are free. */
export function usageOf(store: AciStore, subscriptionId: string, location: string, except?: string): Quotas {
  const counted = store
    .groups()
    .filter(
      (group) =>
        group.location === location &&
        group.key !== except &&
        group.subscriptionId.toLowerCase() === subscriptionId.toLowerCase(),
    );
  const cores = (spot: boolean) =>
    counted.filter((g) => g.spot === spot && !g.stopped).reduce((total, g) => total + g.cores, 0);
  return { containerGroups: counted.length, standardCores: cores(false), standardSpotCores: cores(true) };
}

/** Would the group fit? `except` is the key of the group it replaces. */
export function quotaRefusal(
  store: AciStore,
  settings: ArmSettings,
  where: { readonly subscriptionId: string; readonly location: string; readonly except: string },
  request: Pick<GroupRequest, 'cores' | 'spot'>,
): ArmError | undefined {
  const limits = quotasOf(store, settings, where.location);
  const used = usageOf(store, where.subscriptionId, where.location, where.except);
  if (used.containerGroups + 1 > limits.containerGroups) {
    return quotaReached('ContainerGroups', where.location, limits.containerGroups, used.containerGroups, 1);
  }
  const kind = request.spot ? 'standardSpotCores' : 'standardCores';
  if (used[kind] + request.cores <= limits[kind]) return undefined;
  const title = request.spot ? 'StandardSpotCores' : 'StandardCores';
  return quotaReached(title, where.location, limits[kind], used[kind], request.cores);
}
