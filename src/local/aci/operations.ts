/** The operations of the resource provider on a store: one function each, from a routed call to an answer or a refusal. */
import type { CoreResponse } from '../core.ts';
import { beginOperation, type Call, operationPath, operationUrl, regionUnavailable } from './call.ts';
import type { Outcome } from './container-course.ts';
import type { Containers } from './containers-port.ts';
import { type ArmError, armError, badRequest, empty, groupNotFound, json } from './errors.ts';
import { regionStates } from './faults.ts';
import { beginDeletion } from './lifecycle.ts';
import { renderLogs } from './logs.ts';
import { allContainers, type GroupRecord, type OperationRecord } from './model.ts';
import { capabilitiesOf, OUTBOUND_ENDPOINTS } from './offers.ts';
import { restart, start, stop } from './power.ts';
import { createPutGroup } from './put-group.ts';
import { quotasOf, usageOf } from './quota.ts';
import { normalLocation, readTags } from './request.ts';
import { groupKey, type Operation, type Route } from './routes.ts';
import type { ArmSettings } from './settings.ts';
import type { AciStore } from './store.ts';
import { attachOutput, containerNotFound, executeCommand } from './terminals.ts';
import { askWindows } from './throttle.ts';
import { groupView, listedGroupView, operationView } from './view.ts';
import type { WorldTime } from './world-time.ts';

export type Operations = Readonly<Record<Operation, (call: Call) => CoreResponse | ArmError>>;

export function createOperations(
  store: AciStore,
  containers: Containers,
  settings: ArmSettings,
  time: WorldTime,
): Operations {
  const parts: Parts = { store, settings, time };
  return {
    ContainerGroups_CreateOrUpdate: createPutGroup(store, containers, settings, time),
    ContainerGroups_Get: (call) => getGroup(parts, call),
    ContainerGroups_Update: (call) => onGroup(parts, call, (group) => updateTags(parts, call, group)),
    ContainerGroups_Start: (call) => onGroup(parts, call, (group) => start(parts, call, group)),
    ContainerGroups_Stop: (call) => onGroup(parts, call, (group) => stop(parts, call, group)),
    ContainerGroups_Restart: (call) => onGroup(parts, call, (group) => restart(parts, call, group)),
    ContainerGroups_GetOutboundNetworkDependenciesEndpoints: (call) =>
      onGroup(parts, call, () => json(200, OUTBOUND_ENDPOINTS)),
    ContainerGroups_Delete: (call) => deleteGroup(parts, call),
    ContainerGroups_List: (call) => listGroups(parts, call),
    ContainerGroups_ListByResourceGroup: (call) => listGroups(parts, call),
    Containers_ListLogs: (call) => listLogs(parts, call),
    Containers_ExecuteCommand: (call) =>
      onGroup(parts, call, (group) => executeCommand(store, settings.terminalKey, call, group)),
    Containers_Attach: (call) =>
      onGroup(parts, call, (group) => attachOutput(store, settings.terminalKey, call, group)),
    Location_ListUsage: (call) => inLocation(parts, call, (location) => listUsage(parts, call, location)),
    Location_ListCachedImages: (call) => inLocation(parts, call, () => listCachedImages(containers)),
    Location_ListCapabilities: (call) =>
      inLocation(parts, call, (location) => json(200, { value: capabilitiesOf(location) })),
    OperationStatus: (call) => operationStatus(parts, call),
    OperationResult: (call) => operationResult(parts, call),
  };
}

interface Parts {
  readonly store: AciStore;
  readonly settings: ArmSettings;
  readonly time: WorldTime;
}

function existing(parts: Parts, route: Route): GroupRecord | ArmError {
  const group = parts.store.group(groupKey(route));
  if (!group) return groupNotFound(route.resourceGroup ?? '', route.group ?? '');
  if (regionStates(parts.store)[group.location]?.arm === 'unavailable') return regionUnavailable(group.location);
  return group;
}

function onGroup(
  parts: Parts,
  call: Call,
  act: (group: GroupRecord) => CoreResponse | ArmError,
): CoreResponse | ArmError {
  const group = existing(parts, call.route);
  return 'code' in group ? group : act(group);
}

function getGroup(parts: Parts, call: Call): CoreResponse | ArmError {
  const group = existing(parts, call.route);
  return 'code' in group ? group : json(200, groupView(group));
}

function deleteGroup(parts: Parts, call: Call): CoreResponse | ArmError {
  const group = existing(parts, call.route);
  if ('code' in group) return group.status === 404 ? empty(204) : group;
  const { id, name, subscriptionId, location } = group;
  if (group.provisioningState === 'Deleting') return accepted(parts, call, group);
  const windows = askWindows(parts.store, 'delete', group, call.now);
  if (windows.refused) return { ...windows.refused, headers: windows.headers };
  parts.time.surroundings.finish(group, call.now, PREEMPTED);
  const operationId = beginOperation(parts.store, 'delete', group, call.now);
  parts.store.appendAudit({ at: call.now, action: 'delete', id, name, subscriptionId, location });
  const deleting = parts.time.change(group.key, call.now, (draft) => {
    draft.operationId = operationId;
    if (call.stuck) draft.stuck = true;
    beginDeletion(draft, call.now, parts.settings.deletionMs);
  });
  if (!deleting) return json(200, groupView(group), windows.headers);
  const response = accepted(parts, call, deleting);
  return { ...response, headers: { ...windows.headers, ...response.headers } };
}

/** What a create that is still under way ends with when the group is deleted. */
const PREEMPTED: Outcome = {
  status: 'Failed',
  error: { code: 'OperationPreempted', message: 'The operation has been preempted by a more recent operation.' },
};

function accepted(parts: Parts, call: Call, group: GroupRecord): CoreResponse {
  return json(202, groupView(group), {
    location: operationUrl(call, group.location, 'operationresults', group.operationId),
    'retry-after': String(parts.settings.retryAfterSeconds),
  });
}

/** Tags are replaced as a whole; nothing restarts. Everything else of a group is changed by a PUT. */
function updateTags(parts: Parts, call: Call, group: GroupRecord): CoreResponse | ArmError {
  const tags = readTags(call.body);
  if ('code' in tags) return tags;
  const updated = parts.time.change(group.key, call.now, (draft) => {
    if (tags.tags) draft.tags = tags.tags;
  });
  const { id, name, subscriptionId, location } = group;
  parts.store.appendAudit({ at: call.now, action: 'tag', id, name, subscriptionId, location });
  return json(200, groupView(updated ?? group));
}

function listGroups(parts: Parts, call: Call): CoreResponse | ArmError {
  const { subscriptionId, resourceGroup } = call.route;
  const after = Buffer.from(call.url.searchParams.get('$skiptoken') ?? '', 'base64url').toString('utf8');
  const matching = parts.store
    .groups()
    .filter(
      (group) =>
        group.key > after &&
        group.subscriptionId.toLowerCase() === subscriptionId.toLowerCase() &&
        (resourceGroup === undefined || group.resourceGroup.toLowerCase() === resourceGroup.toLowerCase()),
    );
  const page = matching.slice(0, parts.settings.pageSize);
  const last = page.at(-1);
  const next = new URL(call.url);
  if (last) next.searchParams.set('$skiptoken', Buffer.from(last.key).toString('base64url'));
  return json(200, {
    value: page.map(listedGroupView),
    ...(matching.length > page.length && { nextLink: `${call.origin}${next.pathname}${next.search}` }),
  });
}

function listLogs(parts: Parts, call: Call): CoreResponse | ArmError {
  const group = existing(parts, call.route);
  if ('code' in group) return group;
  const wanted = call.route.container ?? '';
  const container = allContainers(group).find((one) => one.name === wanted);
  if (!container) return containerNotFound(group.name, wanted);
  if (!container.startedOnce) {
    return badRequest(
      'ContainerLogNotAvailable',
      `The log of container '${wanted}' in container group '${group.name}' is not available yet.`,
    );
  }
  const tail = call.url.searchParams.get('tail');
  if (tail !== null && !/^[1-9]\d*$/.test(tail))
    return badRequest('InvalidTail', `The tail '${tail}' must be a whole number above zero.`);
  const content = renderLogs(parts.store.logs(group.key, wanted), {
    running: container.current.state !== 'Terminated',
    timestamps: call.url.searchParams.get('timestamps') === 'true',
    ...(tail !== null && { tail: Number(tail) }),
  });
  return json(200, { content });
}

function inLocation(
  parts: Parts,
  call: Call,
  act: (location: string) => CoreResponse | ArmError,
): CoreResponse | ArmError {
  const location = normalLocation(call.route.location ?? '');
  if (parts.settings.regions.includes(location)) return act(location);
  return badRequest('LocationNotAvailableForResourceType', `The provided location '${location}' is not available.`);
}

function listCachedImages(containers: Containers): CoreResponse {
  return json(200, { value: containers.cachedImages.map((image) => ({ osType: 'Linux', image })) });
}

function listUsage(parts: Parts, call: Call, location: string): CoreResponse {
  const used = usageOf(parts.store, call.route.subscriptionId, location);
  const limits = quotasOf(parts.store, parts.settings, location);
  const row = (value: string, localizedValue: string, currentValue: number, limit: number) => ({
    id: `/subscriptions/${call.route.subscriptionId}/providers/Microsoft.ContainerInstance/locations/${location}/usages/${value}`,
    unit: 'Count',
    currentValue,
    limit,
    name: { value, localizedValue },
  });
  return json(200, {
    value: [
      row('ContainerGroups', 'Container Groups', used.containerGroups, limits.containerGroups),
      row('StandardCores', 'Standard Cores', used.standardCores, limits.standardCores),
      row('StandardSpotCores', 'Standard Spot Cores', used.standardSpotCores, limits.standardSpotCores),
    ],
  });
}

function operationStatus(parts: Parts, call: Call): CoreResponse | ArmError {
  const operation = findOperation(parts.store, call);
  if ('code' in operation) return operation;
  const path = operationPath(call.route.subscriptionId, operation.location, 'operations', operation.id);
  return json(200, operationView(operation, path), retryWhileOpen(parts, operation));
}

/** The `Location` way of waiting: 202 until the operation ends. */
function operationResult(parts: Parts, call: Call): CoreResponse | ArmError {
  const operation = findOperation(parts.store, call);
  if ('code' in operation) return operation;
  if (operation.status === 'Failed' && operation.error) {
    return armError(409, operation.error.code, operation.error.message);
  }
  if (operation.status !== 'InProgress') return empty(204);
  const url = operationUrl(call, operation.location, 'operationresults', operation.id);
  return empty(202, { location: url, ...retryWhileOpen(parts, operation) });
}

function retryWhileOpen(parts: Parts, operation: OperationRecord): Record<string, string> {
  return operation.status === 'InProgress' ? { 'retry-after': String(parts.settings.retryAfterSeconds) } : {};
}

function findOperation(store: AciStore, call: Call): OperationRecord | ArmError {
  const id = call.route.operationId ?? '';
  const ofSubscription = `/subscriptions/${call.route.subscriptionId}/`.toLowerCase();
  const operation = store.operation(id);
  if (operation?.groupKey.startsWith(ofSubscription)) return operation;
  return armError(404, 'ResourceNotFound', `The operation '${id}' was not found.`);
}
