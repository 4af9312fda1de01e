/**
 * The app as Flotilla understands it: what `src/spec` makes of a Compose document, with every default filled in.
 * Two documents that mean the same give the same value, so that revisions can be compared by their JSON.
 */
import type { PlacementSpec } from './placement.ts';
import type { RolloutSpec } from './rollout.ts';

export interface AppSpec {
  readonly name: string;
  /** Names of the pools that may be used, in order of preference; empty = every pool in the order of configuration. */
  readonly pools: readonly string[];
  /** Deleting the app asks for its name. */
  readonly protected?: true;
  /** Sorted by name. */
  readonly services: readonly ServiceSpec[];
}

export interface ServiceSpec {
  readonly name: string;
  readonly replicas: number;
  /** The document states no number, so that `replicas` is the default and gives way to one that was commanded. */
  readonly replicasByDefault?: true;
  /** Sorted by service. A dependency gates only the first start of a service and the first start of a new revision. */
  readonly dependsOn: readonly Dependency[];
  /** Wait between removal from the endpoints and DELETE, in ms: max(`stop_grace_period`, 10 s) (semantics, "Which knob wins"). */
  readonly drainMs: number;
  /** How it goes to a new revision; absent = `defaultRollout`. */
  readonly rollout?: RolloutSpec;
  /** Where replicas may be put and would rather be; absent = anywhere, in the order of pools. */
  readonly placement?: PlacementSpec;
  /** What a revision is made of. */
  readonly template: ServiceTemplate;
}

/** undefined = the app has no service of this name, or nothing is known of the app. */
export const serviceNamed = (app: AppSpec | null | undefined, name: string): ServiceSpec | undefined =>
  app?.services.find((service) => service.name === name);

export interface Dependency {
  readonly service: string;
  /** `healthy`: all desired replicas ready once at the current revision; `started`: all Running. */
  readonly condition: 'started' | 'healthy';
}

/** The part of a service whose change makes a new revision, and so new container groups. */
export interface ServiceTemplate {
  readonly image: string;
  /** Compose `entrypoint` + `command` as ACI's one `command` list; empty = the image's own. */
  readonly command: readonly string[];
  /** Sorted by name. Never holds a secret value. */
  readonly environment: Readonly<Record<string, string>>;
  /** Limits, rounded up to what ACI allows. */
  readonly cpuCores: number;
  readonly memoryGiB: number;
  /** Ports the group listens on, ascending. ACI maps none: container port = group port. At most 5. */
  readonly ports: readonly Port[];
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  /** Compose `healthcheck` as ACI's own liveness probe. */
  readonly liveness?: LivenessProbe;
  readonly readiness: Readiness;
  /** Environment whose values are secrets; sorted by name. */
  readonly secretEnvironment?: Readonly<Record<string, SecretRef>>;
  /** Sorted by name, at most 20; each is mounted by the container or by an init container. */
  readonly volumes?: readonly VolumeSpec[];
  /** Sorted by path. */
  readonly mounts?: readonly Mount[];
  /** In the order in which they run. */
  readonly initContainers?: readonly InitContainerSpec[];
  /** Those of the app's registries that the images of this template come from; sorted by server. */
  readonly registries?: readonly RegistrySpec[];
}

/**
 * Stands for a value in the store of secrets: rows, events, histories, logs and plans hold this and never the value. Equal values of one name have equal
 * versions; {@link newestVersion} is one that has not been looked up yet, and never stands in a row.
 */
export interface SecretRef {
  readonly secretRef: string;
  readonly version: string;
}

export const newestVersion = 'newest';

/** A volume of the container group, under the name that ACI knows it by. */
export type VolumeSpec =
  | { readonly kind: 'emptyDir'; readonly name: string }
  | {
      readonly kind: 'azureFile';
      readonly name: string;
      readonly share: string;
      readonly storageAccount: string;
      readonly key: SecretRef;
      readonly readOnly: boolean;
    }
  /** File name → content; files of secrets and configs that lie in one directory. */
  | { readonly kind: 'secret'; readonly name: string; readonly files: Readonly<Record<string, SecretRef>> };

export interface Mount {
  /** Name of a volume of the template. */
  readonly volume: string;
  /** Absolute, without `:`; what the image has there is hidden. */
  readonly path: string;
  readonly readOnly: boolean;
}

/** A one-shot service that runs in the group of the service that waits for it, before its container starts. */
export interface InitContainerSpec
  extends Pick<ServiceTemplate, 'image' | 'command' | 'environment' | 'secretEnvironment' | 'mounts'> {
  readonly name: string;
}

/** `server` is a host name, with a port where it is not the usual one. */
export type RegistrySpec =
  | { readonly server: string; readonly identity: string }
  | { readonly server: string; readonly username: string; readonly password: SecretRef };

export interface Port {
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

/** ACI's livenessProbe, whole seconds; `httpGet` path includes the query. */
export interface LivenessProbe {
  readonly exec?: readonly string[];
  readonly httpGet?: { readonly path: string; readonly port: number; readonly scheme: 'http' | 'https' };
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly failureThreshold: number;
  readonly timeoutSeconds: number;
}

/**
 * How a replica is found ready (semantics, "Ready"). ACI reports no readiness: either we probe over the network, or a replica counts as
 * ready once it has been Running for `afterMs` without a newer `Unhealthy` event or restart.
 */
export type Readiness =
  | {
      readonly kind: 'http';
      readonly path: string;
      readonly port: number;
      readonly scheme: 'http' | 'https';
      readonly timeoutMs: number;
      /** Statuses that pass; default 200..399 (Kubernetes' rule). */
      readonly status?: { readonly min: number; readonly max: number };
      /** Sent with the request; names in lower case. */
      readonly headers?: Readonly<Record<string, string>>;
      /** Text that the first 64 KiB of the body must hold. */
      readonly body?: string;
    }
  | { readonly kind: 'tcp'; readonly port: number; readonly timeoutMs: number }
  | { readonly kind: 'running'; readonly afterMs: number };
