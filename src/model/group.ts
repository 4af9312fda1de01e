/** A container group as Flotilla asks for it and as ARM reports it. `src/azure` translates to and from the SDK's shapes. */
import type { LivenessProbe, Port } from './app-spec.ts';

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
}

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
