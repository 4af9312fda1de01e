/** Sandboxes and runs as containers of the engine: how they are created, and how they are read back. */
import type Docker from 'dockerode';
import { withTag } from './images.ts';
import { labels, type Owner, ownerLabels, type Role } from './labels.ts';
import { SANDBOX_IMAGE } from './sandbox-image.ts';
import { heldMounts, type MountSpec, mountOf, type SecretFiles, type VolumeSpec, volumeName } from './volumes.ts';

/** What the containers of a group share: a network namespace with one address. */
export interface SandboxSpec {
  readonly uid: string;
  readonly group: string;
  /** Absent = any that the engine likes. */
  readonly address?: string;
  /** It holds them for the group's containers. */
  readonly volumes: readonly VolumeSpec[];
  readonly files: SecretFiles;
  /** Absent = the engine's own way. */
  readonly dns?: DnsSpec;
  /** Whatever tells it apart from one that must be made anew; read back with it. */
  readonly digest: string;
}

export interface DnsSpec {
  /** Asked in this order. */
  readonly servers: readonly string[];
  readonly searchDomains: readonly string[];
  /** As in resolv.conf: `ndots:2`. */
  readonly options: readonly string[];
}

/** One start of one container of a group. */
export interface RunSpec {
  readonly uid: string;
  readonly group: string;
  readonly container: string;
  /** Ordinal, from 1. */
  readonly run: number;
  readonly image: string;
  /** Replaces the image's entry point and arguments; empty = the image's own. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cpuCores: number;
  readonly memoryGiB: number;
  /** Of volumes that the sandbox holds. */
  readonly mounts: readonly MountSpec[];
  readonly volumes: readonly VolumeSpec[];
}

export interface SandboxSeen {
  readonly id: string;
  readonly running: boolean;
  /** Absent = it is in no network. */
  readonly address?: string;
  readonly digest: string;
}

export interface RunSeen {
  readonly id: string;
  readonly container: string;
  readonly run: number;
  readonly state: 'created' | 'running' | 'paused' | 'ended';
  /** Epoch ms. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
}

export interface GroupSeen {
  readonly sandboxes: readonly SandboxSeen[];
  readonly runs: readonly RunSeen[];
  /** Names of volumes that go with the group. */
  readonly volumes: readonly string[];
}

/** The log is read as it is written, so little needs to be kept of it. */
const LOG_KEPT = '8m';
/** The engine refuses less. */
const MEMORY_MIN_BYTES = 6 * 1024 ** 2;

export function sandboxOptions(owner: Owner, network: string, spec: SandboxSpec): Docker.ContainerCreateOptions {
  return {
    name: `flotilla-${owner.id}-${spec.uid.slice(0, 8)}-${spec.group}`,
    Image: SANDBOX_IMAGE,
    Hostname: spec.group,
    Labels: { ...labelsOf(owner, 'sandbox', spec), [labels.digest]: spec.digest },
    HostConfig: {
      NetworkMode: network,
      Mounts: heldMounts(owner, spec.uid, spec.volumes),
      ...(spec.dns && {
        Dns: [...spec.dns.servers],
        DnsSearch: [...spec.dns.searchDomains],
        DnsOptions: [...spec.dns.options],
      }),
    },
    NetworkingConfig: { EndpointsConfig: { [network]: endpointOf(spec.address) } },
  };
}

export const endpointOf = (address: string | undefined): Docker.EndpointSettings =>
  (address === undefined ? {} : { IPAMConfig: { IPv4Address: address } }) as Docker.EndpointSettings;

export function runOptions(
  owner: Owner,
  sandboxId: string,
  processors: number,
  spec: RunSpec,
): Docker.ContainerCreateOptions {
  const memory = Math.max(MEMORY_MIN_BYTES, Math.round(spec.memoryGiB * 1024 ** 3));
  return {
    name: `flotilla-${owner.id}-${spec.uid.slice(0, 8)}-${spec.group}-${spec.container}-${spec.run}`,
    Image: withTag(spec.image),
    ...(spec.command.length > 0 && { Entrypoint: [...spec.command], Cmd: [] }),
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: {
      ...labelsOf(owner, 'run', spec),
      [labels.container]: spec.container,
      [labels.run]: String(spec.run),
    },
    Healthcheck: { Test: ['NONE'] }, // probes are the group's business, not the image's
    HostConfig: {
      NetworkMode: `container:${sandboxId}`,
      NanoCpus: Math.round(Math.min(spec.cpuCores, processors) * 1e9),
      Memory: memory,
      MemorySwap: memory,
      RestartPolicy: { Name: 'no' },
      Mounts: mountsOf(owner, spec),
      LogConfig: { Type: 'json-file', Config: { 'max-size': LOG_KEPT, 'max-file': '2' } },
    },
  };
}

function mountsOf(owner: Owner, { uid, mounts, volumes }: RunSpec): Docker.MountSettings[] {
  return mounts.flatMap(({ volume, path, readOnly }) => {
    const held = volumes.find(({ name }) => name === volume);
    if (!held) return [];
    const never = held.kind === 'secret' || (held.kind === 'share' && held.readOnly);
    return [mountOf(volumeName(owner, uid, held), path, readOnly || never)];
  });
}

function labelsOf(
  owner: Owner,
  role: Role,
  { uid, group }: Pick<SandboxSpec, 'uid' | 'group'>,
): Record<string, string> {
  return { ...ownerLabels(owner), [labels.role]: role, [labels.uid]: uid, [labels.group]: group };
}

export function sandboxSeen(found: Docker.ContainerInspectInfo, network: string): SandboxSeen {
  const endpoint = found.NetworkSettings.Networks[network] as
    | (Docker.EndpointSettings & { IPAddress?: string })
    | undefined;
  const address = endpoint?.IPAddress;
  return {
    id: found.Id,
    running: found.State.Running,
    ...(address !== undefined && address !== '' && { address }),
    digest: found.Config.Labels[labels.digest] ?? '',
  };
}

export function runSeen(found: Docker.ContainerInspectInfo): RunSeen {
  const { State } = found;
  const state = stateOf(State.Status);
  const startedAt = instant(State.StartedAt) ?? Date.parse(found.Created);
  return {
    id: found.Id,
    container: found.Config.Labels[labels.container] ?? '',
    run: Number(found.Config.Labels[labels.run] ?? 0),
    state,
    startedAt,
    finishedAt: instant(State.FinishedAt) ?? startedAt,
    exitCode: State.ExitCode,
    outOfMemory: State.OOMKilled && State.ExitCode === 137,
  };
}

function stateOf(status: string): RunSeen['state'] {
  if (status === 'created' || status === 'running' || status === 'paused') return status;
  return 'ended';
}

/** The engine writes year 1 for "never". */
function instant(text: string): number | undefined {
  const at = Date.parse(text);
  return Number.isNaN(at) || at <= 0 ? undefined : at;
}
