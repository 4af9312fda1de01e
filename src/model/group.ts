/** A container group as Flotilla asks for it and as ARM reports it. `src/azure` translates to and from the SDK's shapes. */
import type { LivenessProbe, Mount, Port } from './app-spec.ts';

export interface GroupSpec {
  readonly name: string;
  readonly region: string;
  readonly image: string;
  readonly containerName: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cpuCores: number;
  readonly memoryGiB: number;
  readonly ports: readonly Port[];
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  readonly liveness?: LivenessProbe;
  readonly tags: Readonly<Record<string, string>>;
  /** Values that ARM takes and never gives back. They exist in memory only, from right before the PUT until it is sent. */
  readonly secureEnvironment: Readonly<Record<string, string>>;
  /** At most 20, names unique. */
  readonly volumes: readonly GroupVolume[];
  readonly mounts: readonly Mount[];
  /** Run one after the other, each to a successful end, before the container starts. */
  readonly initContainers: readonly InitContainer[];
  readonly registryCredentials: readonly RegistryCredential[];
}

/** Volumes of the group, shared by its containers; the name is 5-63 of a-z, 0-9 and inner dashes. */
export type GroupVolume =
  /** Empty at the start of the group and gone with it. */
  | { readonly kind: 'emptyDir'; readonly name: string }
  | {
      readonly kind: 'azureFile';
      readonly name: string;
      readonly share: string;
      readonly storageAccount: string;
      /** A secret value. */
      readonly storageAccountKey: string;
      readonly readOnly: boolean;
    }
  /** File name → content in base64, a secret value. Read-only for containers, and in memory of the host. */
  | { readonly kind: 'secret'; readonly name: string; readonly files: Readonly<Record<string, string>> };

/** It has neither ports nor probes nor resources of its own: it uses those of the group. */
export interface InitContainer {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly secureEnvironment: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
}

/** How ACI signs in to the registry `server`, a host name: by a password, a secret value, or by an identity that the group then carries. */
export type RegistryCredential =
  | { readonly server: string; readonly username: string; readonly password: string }
  | { readonly server: string; readonly identity: string };

export interface GroupObservation {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** ACI's own word; only Succeeded and Failed may be relied on (aci: container-state). */
  readonly provisioningState: string;
  /** Group state of the instance view: Running, Stopped, Pending, Succeeded, Failed; null before there is one. */
  readonly state: string | null;
  readonly ip: string | null;
  readonly container: ContainerObservation | null;
  /** Newest first, group and container events together. */
  readonly events: readonly GroupEvent[];
}

export interface ContainerObservation {
  /** Running, Waiting, Terminated. */
  readonly state: string;
  readonly startedAt: number | null;
  /** Of the last time it ended, also while it runs again. */
  readonly exitCode: number | null;
  readonly detail: string | null;
  readonly restartCount: number;
}

export interface GroupEvent {
  readonly name: string;
  readonly type: string;
  readonly message: string;
  readonly count: number;
  readonly lastAt: number | null;
}

/** What a listing says of a group: LIST carries no instance view. */
export interface ListedGroup {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly provisioningState: string;
  readonly ip: string | null;
}

/** A listing is of a resource group, which may hold groups of several regions, and so of several pools. */
export interface LocatedGroup extends ListedGroup {
  readonly region: string;
}

/** ARM writes regions as `eastus` and as `East US`. */
export const isSameRegion = (a: string, b: string): boolean => plain(a) === plain(b);
const plain = (region: string): string => region.toLowerCase().replaceAll(' ', '');
