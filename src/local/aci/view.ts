/** Records as the service shows them: the resource with its instance view (GET, PUT) or without (lists), and asynchronous operations. */
import { initFailed } from './init-containers.ts';
import type { ContainerRecord, ContainerState, EventRecord, GroupRecord, OperationRecord } from './model.ts';

const iso = (at: number): string => new Date(at).toISOString();

/** The whole resource, as GET and PUT answer it. */
export function groupView(group: GroupRecord): unknown {
  return view(group, true);
}

/** As lists answer it: without any instance view. Source: the service's list result model, and azure-sdk-for-net#31058. */
export function listedGroupView(group: GroupRecord): unknown {
  return view(group, false);
}

function view(group: GroupRecord, withInstances: boolean): unknown {
  const { properties } = group;
  const viewed = (specs: unknown, records: readonly ContainerRecord[]) =>
    ((specs ?? []) as { readonly properties: object }[]).map((spec, index) => ({
      ...spec,
      properties: {
        ...spec.properties,
        ...(withInstances && { instanceView: containerInstanceView(records[index]) }),
      },
    }));
  return {
    id: group.id,
    name: group.name,
    type: 'Microsoft.ContainerInstance/containerGroups',
    location: group.location,
    tags: group.tags,
    ...(group.zones && { zones: group.zones }),
    ...(group.identity !== undefined && { identity: group.identity }),
    properties: {
      sku: 'Standard',
      ...properties,
      provisioningState: group.provisioningState,
      restartPolicy: group.restartPolicy,
      containers: viewed(properties['containers'], group.containers),
      ...(group.initContainers && { initContainers: viewed(properties['initContainers'], group.initContainers) }),
      ...(properties['ipAddress'] !== undefined && { ipAddress: addressView(group) }),
      ...(withInstances && { instanceView: { events: group.events.map(eventView), state: groupState(group) } }),
    },
  };
}

function addressView(group: GroupRecord): unknown {
  const address = group.properties['ipAddress'] as Record<string, unknown>;
  const label = address['dnsNameLabel'];
  const { ip: _ignored, fqdn: _computed, ...asked } = address;
  return {
    ...asked,
    ...(group.ip && { ip: group.ip }),
    ...(typeof label === 'string' && { fqdn: `${label}.${group.location}.azurecontainer.io` }),
  };
}

function containerInstanceView(container: ContainerRecord | undefined): unknown {
  if (!container) return undefined;
  return {
    restartCount: container.restartCount,
    currentState: stateView(container.current),
    ...(container.previous && { previousState: stateView(container.previous) }),
    events: container.events.map(eventView),
  };
}

function stateView(state: ContainerState): unknown {
  switch (state.state) {
    case 'Waiting':
      return { state: 'Waiting', detailStatus: state.detailStatus };
    case 'Running':
      return { state: 'Running', startTime: iso(state.startedAt), detailStatus: '' };
    case 'Terminated':
      return {
        state: 'Terminated',
        startTime: iso(state.startedAt),
        exitCode: state.exitCode,
        finishTime: iso(state.finishedAt),
        detailStatus: state.detailStatus,
      };
  }
}

function eventView(event: EventRecord): unknown {
  return {
    count: event.count,
    firstTimestamp: iso(event.firstAt),
    lastTimestamp: iso(event.lastAt),
    name: event.name,
    message: event.message,
    type: event.type,
  };
}

/** What is stopped says so. Otherwise: Succeeded only for Never and OnFailure, Failed only for Never. Source: "container state" page (read 2026-11). */
export function groupState(group: GroupRecord): 'Pending' | 'Running' | 'Stopped' | 'Succeeded' | 'Failed' {
  if (group.stopped) return group.stopped;
  if (initFailed(group)) return 'Failed';
  if (!group.containers.every((container) => container.startedOnce)) return 'Pending';
  const codes = group.containers.map((c) => (c.current.state === 'Terminated' ? c.current.exitCode : undefined));
  if (codes.some((code) => code === undefined)) return 'Running';
  return codes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
}

export function operationView(operation: OperationRecord, path: string): unknown {
  return {
    id: path,
    status: operation.status,
    startTime: iso(operation.startAt),
    properties: { events: (operation.events ?? []).map(eventView) },
    ...(operation.error && { error: operation.error }),
  };
}
