/**
 * The app as Flotilla understands it: what `src/spec` makes of a Compose document, with every default filled in.
 * Two documents that mean the same give the same value, so that revisions can be compared by their JSON.
 */
import type { PlacementSpec } from './placement.ts';

export interface AppSpec {
  readonly name: string;
  /** Names of the pools that may be used, in order of preference; empty = every pool in the order of configuration. */
  readonly pools: readonly string[];
  /** Sorted by name. */
  readonly services: readonly ServiceSpec[];
}

export interface ServiceSpec {
  readonly name: string;
  readonly replicas: number;
  /** Sorted by service. A dependency gates only the first start of a service and the first start of a new revision. */
  readonly dependsOn: readonly Dependency[];
  /** Wait between removal from the endpoints and DELETE, in ms: max(`stop_grace_period`, 10 s) (semantics, "Which knob wins"). */
  readonly drainMs: number;
  /** Where replicas may be put and would rather be; absent = anywhere, in the order of pools. */
  readonly placement?: PlacementSpec;
  /** What a revision is made of. */
  readonly template: ServiceTemplate;
}

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
}

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
    }
  | { readonly kind: 'tcp'; readonly port: number; readonly timeoutMs: number }
  | { readonly kind: 'running'; readonly afterMs: number };
