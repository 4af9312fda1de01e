/** What every operation of the resource provider is given, and the asynchronous operations that some of them begin. */
import { createHash } from 'node:crypto';
import type { Draw } from '../core.ts';
import { type ArmError, armError, transitioning } from './errors.ts';
import type { GroupRecord, Mishap, OperationRecord } from './model.ts';
import { API_VERSION, type Route } from './routes.ts';
import type { AciStore } from './store.ts';

export interface Call {
  readonly route: Route;
  readonly url: URL;
  /** Scheme and host the client used, for absolute links. */
  readonly origin: string;
  readonly body: string;
  readonly now: number;
  readonly draw: Draw;
  readonly mishap?: Mishap;
  /** The deletion gets nowhere. */
  readonly stuck?: boolean;
}

/** Answered for every request about a group of a region that is down. */
export function regionUnavailable(location: string): ArmError {
  return armError(503, 'ServiceUnavailable', `The service is unavailable in the location '${location}'.`);
}

/** Registers a new asynchronous operation of the group; ids are made from a stored sequence, so a run can be repeated. */
export function beginOperation(
  store: AciStore,
  kind: OperationRecord['kind'],
  group: Pick<GroupRecord, 'key' | 'location'>,
  now: number,
): string {
  const sequence = operationsBegun(store) + 1;
  store.setMeta('operationSequence', sequence);
  const hash = createHash('sha256').update(`${group.key}\n${sequence}`).digest('hex');
  const id = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-${hash.slice(12, 16)}-${hash.slice(16, 20)}-${hash.slice(20, 32)}`;
  store.putOperation({ id, kind, groupKey: group.key, location: group.location, startAt: now, status: 'InProgress' });
  return id;
}

/** How many there have been; only rises. */
export const operationsBegun = (store: AciStore): number => Number(store.meta('operationSequence') ?? 0);

export function operationPath(subscriptionId: string, location: string, kind: string, id: string): string {
  return `/subscriptions/${subscriptionId}/providers/Microsoft.ContainerInstance/locations/${location}/${kind}/${id}`;
}

/** Absolute, because the client polls exactly what it is given. */
export function operationUrl(call: Call, location: string, kind: string, id: string): string {
  return `${call.origin}${operationPath(call.route.subscriptionId, location, kind, id)}?api-version=${API_VERSION}`;
}

/** A group that is on its way to another state cannot be changed. */
export function inTransition(group: GroupRecord): ArmError | undefined {
  const settled = group.provisioningState === 'Succeeded' || group.provisioningState === 'Failed';
  return settled ? undefined : transitioning(group.name);
}
