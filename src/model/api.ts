/**
 * Resources of the HTTP API `/api/v1`, shared by the functions that answer and the client that asks. Instants are ISO 8601 strings.
 *
 *   GET    /api/v1                                   ApiInfo
 *   GET    /api/v1/openapi.json                      all of this as OpenAPI 3.1
 *   GET    /api/v1/pools                             PoolResource[]
 *   POST   /api/v1/pools/{pool}/commands             body: `{"command": "cordon" | "uncordon" | "drain"}` → PoolResource
 *   GET    /api/v1/apps?limit&after                  AppList, by name
 *   GET    /api/v1/apps/{app}                        AppResource
 *   PUT    /api/v1/apps/{app}?plan                   body: the app document, header `Idempotency-Key` → 202 OperationResource; `?dryRun=true` → 200 ApplyPreview
 *   DELETE /api/v1/apps/{app}?confirm                header `Idempotency-Key` → 202 OperationResource; a protected app wants `confirm={app}`
 *   GET    /api/v1/apps/{app}/secrets                SecretResource[]: names and versions, never values
 *   PUT    /api/v1/apps/{app}/secrets/{name}?managed&dryRun   body: the value, application/octet-stream → SecretResource
 *   DELETE /api/v1/apps/{app}/secrets/{name}         → SecretRemoval; refused while a service needs it
 *   GET    /api/v1/apps/{app}/replicas/{service}/{slot}   WhyResource[]: why its replicas are as they are, newest first
 *   POST   /api/v1/apps/{app}/commands               body: {@link Imperative}, header `Idempotency-Key` → 202 OperationResource
 *   GET    /api/v1/apps/{app}/operations/{id}        OperationResource
 *   GET    /api/v1/apps/{app}/rollouts?service&limit  RolloutList, of each service the newest first
 *   GET    /api/v1/apps/{app}/rollouts/{rollout}     RolloutResource: `web.3`, with every decision
 *   GET    /api/v1/apps/{app}/revisions?service      RevisionList, newest first
 *   GET    /api/v1/apps/{app}/runs?operation         RunList, newest first
 *   GET    /api/v1/apps/{app}/logs?service&slot&run&container&tail&since&previous   LogList
 *   POST   /api/v1/apps/{app}/exec                   body: {@link ExecRequest} → ExecResource: where a terminal inside a replica can be had, once
 *   GET    /api/v1/apps/{app}/events?limit&before&after   EventList, newest first
 *
 * Every error is `application/problem+json` (RFC 9457): {@link ApiProblem}.
 */
import type { Problem } from './problem.ts';
import type { RolloutFacts, RolloutRow } from './rollout-record.ts';
import type { CommandName, EventType, LogLine, OperationState, poolCommands, ReplicaState } from './state.ts';
import type { TerminalSize } from './terminal.ts';

export interface ApiInfo {
  readonly name: 'flotilla';
  readonly version: string;
  readonly installation: string;
}

export interface ApiProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Every fault of a refused document. */
  readonly problems?: readonly Problem[];
}

/** A command that changes what is wanted now and leaves the spec as it is. Without `services` it means all services of the app. */
export type Imperative =
  | { readonly command: 'scale'; readonly services: Readonly<Record<string, number>> }
  | { readonly command: 'restart' | 'stop' | 'start'; readonly services?: readonly string[] }
  | { readonly command: 'pause' | 'resume' | 'promote' | 'abort'; readonly services?: readonly string[] }
  /** `to`: a revision of the one service that is named. */
  | { readonly command: 'undo'; readonly services?: readonly string[]; readonly to?: number }
  | { readonly command: 'freeze' | 'thaw' }
  | { readonly command: 'replaceReplica' | 'forgetReplica'; readonly replica: ReplicaRef }
  /** One command in a container group of its own. */
  | {
      readonly command: 'run';
      readonly service: string;
      /** Replaces ENTRYPOINT and CMD of the image; left out = what the service runs. */
      readonly program?: readonly string[];
      readonly environment?: Readonly<Record<string, string>>;
      readonly name?: string;
      /** From its acceptance; default 1 h, at most 24 h. */
      readonly timeoutMs?: number;
    }
  /** Ends a run: `web.7`. */
  | { readonly command: 'cancel'; readonly run: string };

export interface ReplicaRef {
  readonly service: string;
  readonly slot: number;
  readonly incarnation: number;
}

export interface OperationResource {
  readonly id: string;
  readonly app: string;
  readonly seq: number;
  readonly command: CommandName;
  readonly state: OperationState;
  readonly generation: number | null;
  readonly reason: string | null;
  readonly problems: readonly Problem[];
  readonly acceptedAt: string;
  readonly finishedAt: string | null;
}

export interface ServiceChangeResource {
  readonly service: string;
  readonly change: 'added' | 'removed' | 'revised' | 'scaled' | 'unchanged';
  readonly fields: readonly string[];
}

export interface ApplyPreview {
  /** Give it as `plan` with the same document: it is applied only while the world is the one that this preview was made from. */
  readonly id: string;
  readonly app: string;
  readonly changes: readonly ServiceChangeResource[];
  /** What becomes of the replicas of each service, by the planner's own rules. */
  readonly services: readonly ServicePlanResource[];
  readonly warnings: readonly Problem[];
  /** Commands that were accepted and are not applied yet: the preview does not know what they will change. */
  readonly pending: number;
  readonly forecast: ForecastResource;
}

/** What applying it comes to if every replica starts as expected: the planner itself, walked through a world on paper. */
export interface ForecastResource {
  /** Until everything is as wanted; null = something waits for what time alone does not bring, see `waits`. */
  readonly durationMs: number | null;
  readonly services: readonly {
    readonly service: string;
    /** Fewest ready replicas at any time on the way. */
    readonly lowestReady: number;
    /** From an accepted create to ready, as reckoned with. */
    readonly startMs: number;
    /** It was measured on replicas that are there, and is not a guess. */
    readonly startMeasured: boolean;
  }[];
  /** Pools in which groups are created or deleted. */
  readonly pools: readonly {
    readonly pool: string;
    readonly create: number;
    readonly delete: number;
    /** The most that all apps together hold on the way. */
    readonly peak: { readonly groups: number; readonly cores: number };
    readonly quota: { readonly groups: number; readonly cores: number };
  }[];
  /** For an hour, in the currency of the pools file; null = a pool that is used states no price. */
  readonly costPerHour: { readonly before: number; readonly peak: number; readonly after: number } | null;
  /** Services that do not get there, and why. */
  readonly waits: readonly {
    readonly service: string;
    readonly reason: string | null;
    readonly message: string | null;
  }[];
}

export interface ServicePlanResource {
  readonly service: string;
  readonly change: ServiceChangeResource['change'];
  /** null for a service that is added. */
  readonly from: { readonly revision: number; readonly image: string | null; readonly replicas: number } | null;
  /** null for a service that is removed. */
  readonly to: { readonly revision: number; readonly image: string | null; readonly replicas: number } | null;
  readonly fields: readonly FieldChangeResource[];
  readonly keep: number;
  readonly replace: number;
  readonly remove: number;
  readonly create: number;
  /** Why replicas are replaced or removed, with their number. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
  /** What stands in the way or is worth knowing, as sentences. */
  readonly notes: readonly string[];
}

export interface FieldChangeResource {
  /** Path within the service spec: `template.image`. */
  readonly field: string;
  /** null where there is none, and of what may hold a secret: environment, command. */
  readonly from: string | null;
  readonly to: string | null;
}

export interface AppSummary {
  readonly name: string;
  readonly state: 'active' | 'deleting' | 'deleted';
  readonly generation: number;
  readonly observedGeneration: number;
  /** The newest generation was seen converged and no operation is waiting. */
  readonly converged: boolean;
  /** By command: nothing of the app is created or deleted until it is thawed. */
  readonly frozen: boolean;
  /** By command: it has services, and every one of them is stopped. */
  readonly stopped: boolean;
  readonly services: number;
  readonly ready: number;
  readonly desired: number;
}

export interface AppList {
  readonly apps: readonly AppSummary[];
  /** Give it as `after` for the next page; null = this is the last. A page may hold fewer than `limit`. */
  readonly next: string | null;
}

export interface AppResource extends AppSummary {
  readonly serviceList: readonly ServiceResource[];
  /** Operations accepted but not yet applied. */
  readonly pendingOperations: readonly string[];
}

export interface ServiceResource {
  readonly name: string;
  readonly image: string | null;
  readonly revision: number;
  readonly desired: number;
  readonly ready: number;
  readonly converged: boolean;
  readonly removed: boolean;
  /** By command: no replicas are wanted until it is started. */
  readonly stopped: boolean;
  /** By command: the number that holds until a document is applied that states one; else null. */
  readonly scaledTo: number | null;
  readonly reason: string | null;
  readonly message: string | null;
  readonly workflow: string | null;
  /** The rollout under way; null = none. */
  readonly rollout: RolloutSummary | null;
  readonly replicas: readonly ReplicaResource[];
}

export interface RolloutSummary {
  /** `web.3`: the third rollout of web. */
  readonly id: string;
  readonly service: string;
  readonly purpose: 'deploy' | 'rollback' | 'undo';
  /** null = there was nothing before. */
  readonly from: number | null;
  readonly to: number;
  readonly strategy: string;
  readonly phase: RolloutRow['phase'];
  /** Why it is paused, waits, or came to a bad end. */
  readonly reason: string | null;
  readonly message: string | null;
  /** Operation that wanted it, or the rollout that failed. */
  readonly cause: string;
  readonly why: string;
  readonly generation: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly desired: number;
  /** Replicas of the new revision that are ready, and of older ones that are left. */
  readonly ready: number;
  readonly old: number;
  readonly failed: number;
  readonly strikes: number;
  /** Rollout that leads back from this one. */
  readonly successor: string | null;
}

/** A rollout with all that was decided, and from what. */
export interface RolloutResource extends RolloutSummary {
  readonly failures: readonly {
    readonly at: string;
    /** `<service>/<slot>/<incarnation>`. */
    readonly replica: string;
    readonly reason: string | null;
    readonly message: string | null;
    readonly restarts: number;
  }[];
  readonly decisions: readonly {
    readonly at: string;
    readonly what: string;
    readonly because: string;
    readonly facts: RolloutFacts;
  }[];
}

export interface RolloutList {
  readonly rollouts: readonly RolloutSummary[];
}

export interface RevisionResource {
  readonly service: string;
  readonly revision: number;
  readonly image: string;
  readonly createdAt: string;
  /** Operation that made it. */
  readonly cause: string | null;
  /** What the service is to have now. */
  readonly isCurrent: boolean;
  readonly verifiedAt: string | null;
  readonly rolledBackAt: string | null;
  /** What it is made of. A value that may be secret is told as `value 2`: the second that there was, so that equal ones look equal. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface RevisionList {
  readonly revisions: readonly RevisionResource[];
}

export interface ReplicaResource {
  readonly slot: number;
  readonly incarnation: number;
  readonly revision: number;
  readonly state: ReplicaState;
  readonly since: string;
  readonly reason: string | null;
  readonly message: string | null;
  readonly pool: string;
  readonly region: string | null;
  readonly group: string;
  /**
   * `http://ip:port` (or `https://`) where a probe or a well-known port says that HTTP is spoken, else `tcp://ip:port`; one per TCP port of a
   * replica that is in the endpoints, none for others.
   */
  readonly addresses: readonly string[];
  readonly restartCount: number;
  readonly logTail: string | null;
}

/** What is known of a replica, by which rule it is what it is, and what comes next. */
export interface WhyResource {
  readonly app: string;
  readonly service: string;
  readonly slot: number;
  readonly incarnation: number;
  readonly state: ReplicaState;
  readonly since: string;
  readonly reason: string | null;
  readonly message: string | null;
  readonly pool: string;
  readonly group: string;
  /** Newest first. */
  readonly evidence: readonly EvidenceResource[];
  /** The rule about its container group that holds now. */
  readonly sees: string;
  /** Why the planner does what it does. */
  readonly because: string;
  readonly next: readonly NextResource[];
  /** The workflow that acts on its service, and when that looks again; null = none is at work. */
  readonly workflow: { readonly id: string; readonly wakeAt: string | null } | null;
}

export interface EvidenceResource {
  readonly at: string;
  /** `read`: by ARM, just now. `probe`: over the network, just now. `group`: an event that ACI keeps. `row`: what the table says. `event`: of the audit. */
  readonly source: 'read' | 'probe' | 'group' | 'row' | 'event';
  readonly text: string;
}

export interface NextResource {
  readonly what: string;
  /** null = as soon as the service is looked at, or not by time. */
  readonly at: string | null;
}

export interface RunList {
  /** Newest first; those that are over are kept for 7 days. */
  readonly runs: readonly RunResource[];
}

/** One command in a container group of its own. Its program and environment are not shown: they may hold secrets. */
export interface RunResource {
  /** `web.7` */
  readonly id: string;
  readonly service: string;
  readonly name: string | null;
  /** Id of the operation that asked for it. */
  readonly operation: string;
  readonly revision: number;
  /** `waiting` for a place or for ARM · `starting` = ARM has taken it on · `running` · `succeeded` with exit code 0 · `failed` = anything else. */
  readonly state: 'waiting' | 'starting' | 'running' | 'succeeded' | 'failed';
  /** Of the program; null = it has not ended by itself. */
  readonly exitCode: number | null;
  /** Why it waits, or why it is over although its program did not end. */
  readonly reason: string | null;
  readonly message: string | null;
  readonly pool: string | null;
  readonly group: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** It is ended then. */
  readonly deadlineAt: string;
  /** Nothing of it stands any more, and its last log lines are kept. */
  readonly cleanedUp: boolean;
}

export interface LogList {
  /** By service, slot and incarnation. */
  readonly logs: readonly ReplicaLog[];
  /** At least so many replicas are beyond what one answer holds; name a service or a slot to see them. */
  readonly omitted: number;
}

/** The last lines of one replica, as far as ACI still has them. */
export interface ReplicaLog {
  readonly service: string;
  readonly slot: number;
  readonly incarnation: number;
  readonly container: string;
  readonly state: ReplicaState;
  /** Oldest first. */
  readonly lines: readonly LogLine[];
  /** There are older lines. */
  readonly truncated: boolean;
  /** Why there are no lines, else null. */
  readonly problem: string | null;
  /** ARM asked to be left alone for so long. */
  readonly retryAfterMs: number | null;
}

/** One program in a terminal inside a container that runs. */
export interface ExecRequest {
  readonly service: string;
  /** Left out: the lowest slot whose replica is ready, or else runs. */
  readonly slot?: number;
  /** Left out: the container of the service. */
  readonly container?: string;
  /** Path or name of one program; ACI passes it no arguments. */
  readonly command: string;
  readonly terminalSize?: TerminalSize;
}

export interface ExecResource {
  readonly service: string;
  readonly slot: number;
  readonly incarnation: number;
  readonly container: string;
  readonly state: ReplicaState;
  /** Of ACI, not of Flotilla: connect there, and send `password` as the first frame; what is typed and shown follows in frames both ways. */
  readonly webSocketUri: string;
  /** A secret: whoever has it gets the terminal. Good for one connection. */
  readonly password: string;
}

/** One stored version of a secret or config. Its value cannot be had from the API. */
export interface SecretResource {
  readonly kind: 'secret' | 'config';
  readonly name: string;
  readonly version: string;
  /** What a document gets that names no version. */
  readonly newest: boolean;
  readonly sizeBytes: number;
  /** Uploaded from a Compose file, and removed once nothing needs it. */
  readonly managed: boolean;
  readonly setAt: string;
  /** Services that need it: of the spec, of revisions that may come back, or of replicas that still run. */
  readonly usedBy: readonly string[];
}

export interface SecretRemoval {
  /** How many versions. */
  readonly removed: number;
}

export type PoolCommand = (typeof poolCommands)[number];

export interface PoolResource {
  readonly name: string;
  readonly kind: 'aci';
  readonly region: string;
  readonly quota: { readonly groups: number; readonly cores: number };
  readonly used: { readonly groups: number; readonly cores: number };
  readonly labels: Readonly<Record<string, string>>;
  /** For one hour, in the currency of the pools file; null = not stated. */
  readonly price: { readonly coreHour: number; readonly gibHour: number } | null;
  /** Takes no new container groups, by command. */
  readonly cordoned: boolean;
  /** Its replicas are replaced elsewhere, by command. */
  readonly draining: boolean;
  /** Why it takes no new container groups though it is not cordoned, else null. */
  readonly reason: string | null;
  readonly message: string | null;
}

export interface EventResource {
  readonly at: string;
  readonly type: EventType;
  readonly service: string | null;
  readonly replica: string | null;
  readonly reason: string | null;
  readonly message: string;
  readonly cause: string;
}

export interface EventList {
  readonly events: readonly EventResource[];
  /** Give it as `after` to ask for what came since; null when there is no event. */
  readonly newest: string | null;
  /** Give it as `before` for the page that is older. */
  readonly oldest: string | null;
}
