/** Container groups between our words and those of `@azure/arm-containerinstance`. What ARM reports is read defensively: fields come and go. */
import type { Event as AciEvent, Container, ContainerGroup, ContainerProbe } from '@azure/arm-containerinstance';
import type { LivenessProbe } from '../model/app-spec.ts';
import type { ContainerObservation, GroupEvent, GroupObservation, GroupSpec, ListedGroup } from '../model/group.ts';

export function toContainerGroup(group: GroupSpec): ContainerGroup {
  const container: Container = {
    name: group.containerName,
    image: group.image,
    ...(group.command.length > 0 && { command: [...group.command] }),
    environmentVariables: Object.entries(group.environment).map(([name, value]) => ({ name, value })),
    ports: group.ports.map(({ port, protocol }) => ({ port, protocol })),
    resources: {
      requests: { cpu: group.cpuCores, memoryInGB: group.memoryGiB },
      limits: { cpu: group.cpuCores, memoryInGB: group.memoryGiB },
    },
    ...(group.liveness && { livenessProbe: toProbe(group.liveness) }),
  };
  return {
    location: group.region,
    tags: { ...group.tags },
    osType: 'Linux',
    sku: 'Standard',
    restartPolicy: group.restartPolicy,
    containers: [container],
    ...(group.ports.length > 0 && {
      ipAddress: { type: 'Public', ports: group.ports.map(({ port, protocol }) => ({ port, protocol })) },
    }),
  };
}

function toProbe({ exec, httpGet, ...numbers }: LivenessProbe): ContainerProbe {
  return {
    ...numbers,
    ...(exec && { exec: { command: [...exec] } }),
    ...(httpGet && { httpGet: { ...httpGet } }),
  };
}

export function toObservation(group: ContainerGroup): GroupObservation {
  const container = group.containers?.[0];
  return {
    ...toListed(group),
    state: group.instanceView?.state ?? null,
    container: container === undefined ? null : toContainer(container),
    events: [...(container?.instanceView?.events ?? []), ...(group.instanceView?.events ?? [])]
      .map(toEvent)
      .sort((a, b) => (b.lastAt ?? 0) - (a.lastAt ?? 0)),
  };
}

export const toListed = (group: ContainerGroup): ListedGroup => ({
  name: group.name ?? '',
  tags: group.tags ?? {},
  provisioningState: group.provisioningState ?? '',
  ip: group.ipAddress?.ip ?? null,
});

function toContainer(container: Container): ContainerObservation | null {
  const view = container.instanceView;
  const current = view?.currentState;
  if (current?.state === undefined) return null;
  // While it runs again or waits to be restarted, how it ended is in the state before.
  const ended = current.exitCode === undefined ? view?.previousState : current;
  return {
    state: current.state,
    startedAt: timeOf(current.startTime),
    exitCode: ended?.exitCode ?? null,
    detail: clipped(current.detailStatus || ended?.detailStatus || '') || null,
    restartCount: view?.restartCount ?? 0,
  };
}

/** Old answers put the name in front of the message: `Pulling: pulling image …` (aci: event names). */
function toEvent(event: AciEvent): GroupEvent {
  const message = event.message ?? '';
  const named = /^([A-Z][A-Za-z]+): (.*)$/s.exec(message);
  return {
    name: event.name || named?.[1] || '',
    type: event.type ?? '',
    message: clipped(event.name ? message : (named?.[2] ?? message)),
    count: event.count ?? 1,
    lastAt: timeOf(event.lastTimestamp),
  };
}

/** Texts of ACI end up in rows; what matters stands at their beginning. */
const textChars = 500;
const clipped = (text: string): string => (text.length > textChars ? `${text.slice(0, textChars)}…` : text);

function timeOf(time: Date | string | undefined): number | null {
  if (time === undefined) return null;
  const at = new Date(time).getTime();
  return Number.isNaN(at) ? null : at;
}
