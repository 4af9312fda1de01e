/** Container groups between our words and those of `@azure/arm-containerinstance`. What ARM reports is read defensively: fields come and go. */
import type {
  Event as AciEvent,
  Volume as AciVolume,
  Container,
  ContainerGroup,
  ContainerProbe,
  EnvironmentVariable,
  ImageRegistryCredential,
  InitContainerDefinition,
  VolumeMount,
} from '@azure/arm-containerinstance';
import type { LivenessProbe, Mount } from '../model/app-spec.ts';
import type {
  ContainerObservation,
  GroupEvent,
  GroupObservation,
  GroupSpec,
  GroupVolume,
  InitContainer,
  ListedGroup,
  LocatedGroup,
  RegistryCredential,
} from '../model/group.ts';

export function toContainerGroup(group: GroupSpec): ContainerGroup {
  const container: Container = {
    name: group.containerName,
    image: group.image,
    ...(group.command.length > 0 && { command: [...group.command] }),
    environmentVariables: toVariables(group),
    ...(group.mounts.length > 0 && { volumeMounts: group.mounts.map(toMount) }),
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
    ...(group.initContainers.length > 0 && { initContainers: group.initContainers.map(toInitContainer) }),
    ...(group.volumes.length > 0 && { volumes: group.volumes.map(toVolume) }),
    ...toRegistryAccess(group.registryCredentials),
    ...(group.ports.length > 0 && {
      ipAddress: { type: 'Public', ports: group.ports.map(({ port, protocol }) => ({ port, protocol })) },
    }),
  };
}

/** Plain values first; ARM reports a secure one by its name alone. */
const toVariables = ({
  environment,
  secureEnvironment,
}: Pick<GroupSpec, 'environment' | 'secureEnvironment'>): EnvironmentVariable[] => [
  ...Object.entries(environment).map(([name, value]) => ({ name, value })),
  ...Object.entries(secureEnvironment).map(([name, secureValue]) => ({ name, secureValue })),
];

const toMount = ({ volume, path, readOnly }: Mount): VolumeMount => ({ name: volume, mountPath: path, readOnly });

function toVolume(volume: GroupVolume): AciVolume {
  const { name } = volume;
  switch (volume.kind) {
    case 'emptyDir':
      return { name, emptyDir: {} };
    case 'azureFile': {
      const { share, storageAccount, storageAccountKey, readOnly } = volume;
      return { name, azureFile: { shareName: share, storageAccountName: storageAccount, storageAccountKey, readOnly } };
    }
    case 'secret':
      return { name, secret: { ...volume.files } };
  }
}

const toInitContainer = (init: InitContainer): InitContainerDefinition => ({
  name: init.name,
  image: init.image,
  ...(init.command.length > 0 && { command: [...init.command] }),
  environmentVariables: toVariables(init),
  ...(init.mounts.length > 0 && { volumeMounts: init.mounts.map(toMount) }),
});

/** A group pulls by an identity only if it carries that identity. */
function toRegistryAccess(
  credentials: readonly RegistryCredential[],
): Pick<ContainerGroup, 'imageRegistryCredentials' | 'identity'> {
  if (credentials.length === 0) return {};
  const identities = credentials.flatMap((credential) => ('identity' in credential ? [credential.identity] : []));
  return {
    imageRegistryCredentials: credentials.map((credential): ImageRegistryCredential => ({ ...credential })),
    ...(identities.length > 0 && {
      identity: {
        type: 'UserAssigned',
        userAssignedIdentities: Object.fromEntries(identities.map((identity) => [identity, {}])),
      },
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

const toListed = (group: ContainerGroup): ListedGroup => ({
  name: group.name ?? '',
  tags: group.tags ?? {},
  provisioningState: group.provisioningState ?? '',
  ip: group.ipAddress?.ip ?? null,
});

export const toLocated = (group: ContainerGroup): LocatedGroup => ({
  ...toListed(group),
  region: group.location ?? '',
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
