/**
 * What the ARM stand-in remembers of a container group: the request as accepted, where its life is, and which instants come next.
 * Records are plain JSON: the stores write them as text. Only `lifecycle.ts` moves them through time.
 */
import type { RegistryCredentials } from '../../docker/images.ts';
import type { MountSpec, SecretFiles, VolumeSpec } from '../../docker/volumes.ts';

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

/** `provisioningState` words, a subset of the service's enum (aci REST spec, ContainerGroupProvisioningState). */
export type ProvisioningState = 'Pending' | 'Creating' | 'Updating' | 'Succeeded' | 'Failed' | 'Deleting';

export interface EventRecord {
  readonly name: string;
  readonly message: string;
  readonly type: 'Normal' | 'Warning';
  count: number;
  readonly firstAt: number;
  lastAt: number;
}

export type ContainerState =
  | { readonly state: 'Waiting'; readonly detailStatus: string }
  | { readonly state: 'Running'; readonly startedAt: number }
  | {
      readonly state: 'Terminated';
      readonly startedAt: number;
      readonly finishedAt: number;
      readonly exitCode: number;
      readonly detailStatus: string;
    };

/** How the process inside behaves right now; ACI shows none of it, probes and sockets do. */
export type Condition = 'down' | 'starting' | 'serving' | 'hung' | 'sick';

/** What an image does with its environment, as a container catalogue says. */
export interface Behaviour {
  readonly pull: 'ok' | 'notFound' | 'inaccessible';
  /** Time the pull takes beyond the usual, in ms. */
  readonly pullMs: number;
  readonly protocol: 'http' | 'tcp' | 'none';
  /** TCP ports the process listens on. */
  readonly ports: readonly number[];
  /** From Started to the first accepted connection, in ms. */
  readonly startDelayMs: number;
  /** From Started to the end of the process, in ms; absent = runs for ever. */
  readonly exitAfterMs?: number;
  readonly exitCode: number;
  /** From Started to the moment it accepts but answers no more, in ms. */
  readonly hangAfterMs?: number;
  /** From Started to the moment it answers 503, in ms. */
  readonly sickAfterMs?: number;
  readonly httpStatus: number;
  readonly responseDelayMs: number;
  /** What a TCP server says first. */
  readonly banner: string;
  /** Lines it prints when it starts. */
  readonly log: readonly string[];
  /** Files that exist for `cat` and `test -f`. */
  readonly files: readonly string[];
  /** What it uses while it runs. */
  readonly usage: Usage;
}

export interface Usage {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly receivedBytesPerS: number;
  readonly transmittedBytesPerS: number;
}

/** From `at` on a container uses this much; null = it does not run. */
export interface UsageStep {
  readonly at: number;
  readonly usage: Usage | null;
}

/** Steps kept per container: what is older than the last ones is forgotten. An hour of measurements every 30 s, and some. */
const USAGE_STEPS_MAX = 150;

/** Of a modelled container that is what is foreseen, of a real one what was measured. */
export function noteUsage(container: ContainerRecord, at: number, usage: Usage | null): void {
  container.usage = [...(container.usage ?? []), { at, usage }].slice(-USAGE_STEPS_MAX);
}

/** What a container engine needs to run a container; nothing about how it behaves is foreseen, all of it is observed. */
export interface ProcessSpec {
  /** Replaces the image's entry point and arguments; empty = the image's own. */
  readonly command: readonly string[];
  /** Plain values; secure ones are in the `secrets` of the group. */
  readonly environment: Readonly<Record<string, string>>;
  /** The most it may use: the limit, or else the request. */
  readonly cpuCores: number;
  readonly memoryGiB: number;
  readonly mounts: readonly MountSpec[];
}

/** What ARM takes and never gives back, and every start of a real container needs again. */
export interface GroupSecrets {
  /** Container → secure variable → value. */
  readonly variables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly files: SecretFiles;
  readonly registries: readonly RegistryCredentials[];
}

/** A container that really runs somewhere, and not by a model. */
export interface RealContainer {
  readonly process: ProcessSpec;
}

export interface ProbeRecord {
  readonly test:
    | { readonly exec: readonly string[] }
    | { readonly http: { readonly port: number; readonly path: string } };
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly failureThreshold: number;
  readonly successThreshold: number;
  failures: number;
  successes: number;
  /** The last answer was good and stays so until something in the group changes: no instant is scheduled. Never of a real container. */
  asleep: boolean;
  /** When the answer that is being waited for was asked of a real container. */
  asked?: number;
}

export type ContainerStep =
  | 'pull'
  | 'pulled'
  | 'start'
  | 'ready'
  | 'hang'
  | 'sicken'
  | 'exit'
  | 'liveness'
  | 'readiness';

export type GroupStep = 'schedule' | 'begin' | 'fail' | 'timeout' | 'stopped' | 'vanish';

export interface Due<Step> {
  readonly at: number;
  readonly step: Step;
}

export interface ContainerRecord {
  readonly name: string;
  readonly image: string;
  readonly behaviour: Behaviour | RealContainer;
  /** `FLOTILLA_*` variables, echoed by responders. */
  readonly labels: Readonly<Record<string, string>>;
  readonly liveness?: ProbeRecord;
  readonly readiness?: ProbeRecord;
  current: ContainerState;
  previous?: ContainerState;
  restartCount: number;
  condition: Condition;
  /** The readiness probe lets traffic in; true without one. */
  ready: boolean;
  startedOnce: boolean;
  /** Ordinal of the latest start of a real container, over updates, too; 0 = none yet. Observations name it, so that late ones are known. */
  run: number;
  /** Run `run` of a real container was asked for and has not been seen. */
  launching: boolean;
  backoffMs: number;
  pullBackoffMs: number;
  due: Due<ContainerStep>[];
  events: EventRecord[];
  /** Oldest first. */
  usage?: readonly UsageStep[];
  /** Ports that the machine refused to open, with the cause. */
  unbound: { readonly port: number; readonly cause: string }[];
}

/** A failure of creation arranged beforehand. */
export interface Mishap {
  readonly code: string;
  readonly message: string;
  /** Fails after this time; absent = never ends by itself (the service gives up after 30 min). */
  readonly afterMs?: number;
  /** The group runs all the same, this long after it was reported as failed. */
  readonly runsAfterMs?: number;
}

export interface GroupRecord {
  /** The resource id in lower case: ids are compared without case. */
  readonly key: string;
  readonly id: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
  readonly location: string;
  tags: Readonly<Record<string, string>>;
  readonly zones?: readonly string[];
  readonly identity?: unknown;
  /** `properties` of the request, without secure values. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly restartPolicy: RestartPolicy;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly spot: boolean;
  /** Ports of `ipAddress`; absent = the group has no address. */
  readonly exposed?: readonly number[];
  mishap?: Mishap;
  readonly provisioningMs: number;
  /** Tells a group from an earlier one of the same id: the operation that created it. */
  readonly uid: string;
  provisioningState: ProvisioningState;
  operationId: string;
  ip?: string;
  /** The address it gave up when it was stopped: the next one is another. */
  formerIp?: string;
  /** It holds no cores and no address until it is started; the word is the state it shows. */
  stopped?: 'Stopped' | 'Succeeded' | 'Failed';
  /** A deletion that does not get anywhere. */
  stuck?: boolean;
  containers: ContainerRecord[];
  /** In the order in which they run; absent = none. */
  initContainers?: ContainerRecord[];
  /** Kept for real containers only. Absent = none. */
  readonly volumes?: readonly VolumeSpec[];
  /** `GroupSecrets`, sealed for this `uid`. Absent = there are none, or nobody will need them. */
  readonly secrets?: string;
  /** How often it was moved to another host, where its volumes begin anew. Absent = never. */
  moves?: number;
  events: EventRecord[];
  due: Due<GroupStep>[];
}

export interface OperationRecord {
  readonly id: string;
  readonly kind: 'create' | 'delete' | 'start' | 'restart';
  readonly groupKey: string;
  readonly location: string;
  readonly startAt: number;
  readonly status: 'InProgress' | 'Succeeded' | 'Failed';
  readonly error?: { readonly code: string; readonly message: string };
  readonly events?: readonly EventRecord[];
}

/** One accepted change of a group, kept for ever: what was created must have been deleted by somebody. */
export interface AuditEntry {
  readonly at: number;
  readonly action: 'create' | 'update' | 'delete' | 'gone' | 'start' | 'stop' | 'restart' | 'tag';
  readonly id: string;
  readonly name: string;
  readonly subscriptionId: string;
  readonly location: string;
}

/** The model that a container follows; undefined = it is real. */
export function modelOf(container: Pick<ContainerRecord, 'behaviour'>): Behaviour | undefined {
  return 'process' in container.behaviour ? undefined : container.behaviour;
}

/** Its containers run somewhere; of a group all do, or none. */
export const isReal = (group: Pick<GroupRecord, 'containers'>): boolean =>
  group.containers.some((one) => modelOf(one) === undefined);

/** Those that prepare and those that serve. */
export const allContainers = ({ initContainers = [], containers }: GroupRecord): readonly ContainerRecord[] => [
  ...initContainers,
  ...containers,
];

/** The earliest instant at which the group changes by itself; undefined = never. */
export function nextInstant(group: GroupRecord): number | undefined {
  let at = Number.POSITIVE_INFINITY;
  for (const due of group.due) at = Math.min(at, due.at);
  for (const container of allContainers(group)) for (const due of container.due) at = Math.min(at, due.at);
  return at === Number.POSITIVE_INFINITY ? undefined : at;
}

/** Appends an event, or counts it up when the same one was seen before, as the service does. */
export function recordEvent(
  events: EventRecord[],
  at: number,
  name: string,
  message: string,
  type: 'Normal' | 'Warning' = 'Normal',
): void {
  const seen = events.find((event) => event.name === name && event.message === message);
  if (seen) {
    seen.count += 1;
    seen.lastAt = at;
  } else {
    events.push({ name, message, type, count: 1, firstAt: at, lastAt: at });
    if (events.length > EVENTS_MAX) events.shift();
  }
}

/** A bound of ours, so that a record stays small; the service's own is not published. */
const EVENTS_MAX = 50;
