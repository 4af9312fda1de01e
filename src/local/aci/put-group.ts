/** PUT of a container group: everything that can refuse it, in the order of the service as far as it is known, then its acceptance. */
import type { CoreResponse } from '../core.ts';
import { beginOperation, type Call, inTransition, operationUrl, regionUnavailable } from './call.ts';
import { capacityRefusal, zoneMishap, zoneRefusal } from './capacity.ts';
import { BACKOFF_FIRST_MS, stopForUpdate } from './container-course.ts';
import type { Containers } from './containers-port.ts';
import { type ArmError, armError, badRequest, inaccessibleImage, json } from './errors.ts';
import { regionStates } from './faults.ts';
import { PROVISIONING_TIMEOUT_MS } from './lifecycle.ts';
import { allContainers, type ContainerRecord, type GroupRecord, isReal, modelOf } from './model.ts';
import { quotaRefusal } from './quota.ts';
import { type ContainerRequest, type GroupRequest, normalLocation, readGroupRequest } from './request.ts';
import { groupKey } from './routes.ts';
import type { ArmSettings } from './settings.ts';
import type { AciStore } from './store.ts';
import { askWindows } from './throttle.ts';
import { groupState, groupView } from './view.ts';
import type { WorldTime } from './world-time.ts';

export function createPutGroup(
  store: AciStore,
  containers: Containers,
  settings: ArmSettings,
  time: WorldTime,
): (call: Call) => CoreResponse | ArmError {
  return (call) => {
    const { route, now } = call;
    const name = route.group ?? '';
    const request = readGroupRequest(name, call.body);
    if ('refused' in request) return request.refused;
    const location = normalLocation(request.location);
    const key = groupKey(route);
    const before = store.group(key);
    const where = { subscriptionId: route.subscriptionId, location, except: key };
    const refused =
      placeRefusal(store, settings, location) ??
      (before && updateRefusal(before, request, location)) ??
      quotaRefusal(store, settings, where, request) ??
      zoneRefusal(settings, location, request.zones) ??
      capacityRefusal(store, location, request, key);
    if (refused) return refused;
    const windows = askWindows(store, 'create', where, now);
    if (windows.refused) return { ...windows.refused, headers: windows.headers };
    const recordsOf = (requests: readonly ContainerRequest[]) =>
      requests.map((one) => newContainer(one, request, containers));
    const records = recordsOf(request.containers);
    const initRecords = recordsOf(request.initContainers);
    const image = imageRefusal(name, [...initRecords, ...records], call);
    if (image) return image;
    const accepted = { key, location, request, records, initRecords, before, containers };
    const group = accept(store, settings, time, call, accepted);
    return json(before ? 200 : 201, groupView(group), {
      ...windows.headers,
      'azure-asyncoperation': operationUrl(call, location, 'operations', group.operationId),
      'retry-after': String(settings.retryAfterSeconds),
    });
  };
}

function placeRefusal(store: AciStore, settings: ArmSettings, location: string): ArmError | undefined {
  if (!settings.regions.includes(location)) {
    return badRequest(
      'LocationNotAvailableForResourceType',
      `The provided location '${location}' is not available for resource type 'Microsoft.ContainerInstance/containerGroups'. ` +
        `List of available regions for the resource type is '${settings.regions.join(',')}'.`,
    );
  }
  return regionStates(store)[location]?.arm === 'unavailable' ? regionUnavailable(location) : undefined;
}

/** What cannot be changed in place. Source: "update containers" page; ended groups have to be deployed anew (same page). */
function updateRefusal(before: GroupRecord, request: GroupRequest, location: string): ArmError | undefined {
  if (before.location !== location) {
    return armError(
      409,
      'InvalidResourceLocation',
      `The resource '${before.name}' already exists in location '${before.location}' in resource group '${before.resourceGroup}'. ` +
        `A resource with the same name cannot be created in location '${location}'. Please select a new resource name.`,
    );
  }
  const moving = inTransition(before);
  if (moving) return moving;
  const state = groupState(before);
  const ended = state === 'Succeeded' || state === 'Failed';
  const same = (field: string) =>
    JSON.stringify(before.properties[field] ?? null) === JSON.stringify(request.properties[field] ?? null);
  const changed =
    !same('osType') ||
    !same('subnetIds') ||
    before.restartPolicy !== request.restartPolicy ||
    before.cores !== request.cores ||
    before.memoryGiB !== request.memoryGiB ||
    JSON.stringify(before.zones ?? []) !== JSON.stringify(request.zones ?? []);
  if (!ended && !changed) return undefined;
  return badRequest(
    'InvalidContainerGroupUpdate',
    `The updates on container group '${before.name}' are invalid. If you are going to update the os type, restart policy, network profile, ` +
      'CPU, memory or GPU resources for a container group, you must delete it first and then create a new one.',
  );
}

/**
 * Whether an image that cannot be read is refused at once or fails while it is pulled is not published: both were seen. The world draws;
 * an image that says it is inaccessible is always refused at once.
 */
function imageRefusal(group: string, records: readonly ContainerRecord[], call: Call): ArmError | undefined {
  const bad = records.find((record) => (modelOf(record)?.pull ?? 'ok') !== 'ok');
  if (!bad) return undefined;
  const atOnce =
    modelOf(bad)?.pull === 'inaccessible' || call.draw(`arm create ${group}/image-refused-at-once`, 2) === 1;
  if (!atOnce) return undefined;
  const { code, message } = inaccessibleImage(bad.image, group);
  return badRequest(code, message);
}

interface Accepted {
  readonly key: string;
  readonly location: string;
  readonly request: GroupRequest;
  readonly records: ContainerRecord[];
  readonly initRecords: ContainerRecord[];
  readonly before: GroupRecord | undefined;
  readonly containers: Containers;
}

/** Writes the new record over the old one: everything restarts, also when nothing changed. */
function accept(store: AciStore, settings: ArmSettings, time: WorldTime, call: Call, accepted: Accepted): GroupRecord {
  const { route, now } = call;
  const { key, location, request, before } = accepted;
  const { osType: _osType, containers: _containers, location: _location, ...rest } = request;
  const {
    initContainers: _initContainers,
    volumes: _volumes,
    secrets: _secrets,
    registryHosts: _hosts,
    ...plain
  } = rest;
  const mishap = call.mishap ?? zoneMishap(store, location, request, key);
  const name = route.group ?? '';
  const id = `/subscriptions/${route.subscriptionId}/resourceGroups/${route.resourceGroup}/providers/Microsoft.ContainerInstance/containerGroups/${name}`;
  const ended = before && structuredClone(before);
  if (ended) stopForUpdate(ended, now, time.surroundings);
  const operationId = beginOperation(store, 'create', { key, location }, now);
  const uid = before?.uid ?? operationId;
  const group: GroupRecord = {
    ...plain,
    key,
    id,
    name,
    location,
    subscriptionId: route.subscriptionId,
    resourceGroup: route.resourceGroup ?? '',
    ...(mishap && { mishap }),
    provisioningMs: settings.provisioningMs,
    provisioningState: before ? 'Updating' : 'Pending',
    uid,
    operationId,
    ...(before?.ip !== undefined && request.exposed && { ip: before.ip }),
    containers: accepted.records.map((record) => carryOver(record, ended)),
    ...(accepted.initRecords.length > 0 && {
      initContainers: accepted.initRecords.map((record) => carryOver(record, ended)),
    }),
    ...(isReal({ containers: accepted.records }) && keptForStarts(request, accepted.containers, uid)),
    ...(before?.moves !== undefined && { moves: before.moves }),
    events: before?.events ?? [],
    due: [
      { at: now + Math.round(settings.provisioningMs * 0.1), step: 'schedule' },
      { at: now + PROVISIONING_TIMEOUT_MS, step: 'timeout' },
    ],
  };
  store.putGroup(group);
  const { subscriptionId } = group;
  store.appendAudit({ at: now, action: before ? 'update' : 'create', id, name, subscriptionId, location });
  return group;
}

/** What real containers are given at every start; the secrets among it sealed. */
function keptForStarts(
  { volumes, secrets }: GroupRequest,
  { vault }: Containers,
  uid: string,
): Pick<GroupRecord, 'volumes' | 'secrets'> {
  const versionOf = (name: string) => vault?.fingerprint(JSON.stringify(secrets.files[name]), uid) ?? '';
  const isEmpty = [secrets.variables, secrets.files, secrets.registries].every(
    (part) => Object.keys(part).length === 0,
  );
  return {
    volumes: volumes.map((one) => (one.kind === 'secret' ? { ...one, version: versionOf(one.name) } : one)),
    ...(vault && !isEmpty && { secrets: vault.seal(JSON.stringify(secrets), uid) }),
  };
}

/** The successor of a container of the same name shows how that one ended. */
function carryOver(record: ContainerRecord, ended: GroupRecord | undefined): ContainerRecord {
  const previous = ended && allContainers(ended).find((one) => one.name === record.name);
  if (!previous) return record;
  const state = previous.current.state === 'Terminated' ? previous.current : previous.previous;
  return {
    ...record,
    ...(state && { previous: state }),
    run: previous.run,
    events: previous.events,
    ...(previous.usage && { usage: previous.usage }),
  };
}

function newContainer(
  request: ContainerRequest,
  { registryHosts: registries, secrets }: GroupRequest,
  containers: Containers,
): ContainerRecord {
  const { name, image, limits, liveness, readiness, ...process } = request;
  const { environment, mounts } = process;
  const secretFiles = mounts.flatMap(({ volume, path }) =>
    Object.keys(secrets.files[volume] ?? {}).map((file) => `${path}/${file}`),
  );
  const labels = Object.fromEntries(Object.entries(environment).filter(([key]) => key.startsWith('FLOTILLA_')));
  return {
    name,
    image,
    behaviour: containers.behaviour({ image, ...process, secretFiles, registries }, limits),
    labels,
    ...(liveness && { liveness }),
    ...(readiness && { readiness }),
    current: { state: 'Waiting', detailStatus: 'Waiting to be scheduled' },
    restartCount: 0,
    condition: 'down',
    ready: false,
    startedOnce: false,
    run: 0,
    launching: false,
    backoffMs: BACKOFF_FIRST_MS,
    pullBackoffMs: BACKOFF_FIRST_MS,
    due: [],
    events: [],
    unbound: [],
  };
}
