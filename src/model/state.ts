/**
 * Rows of the one table (design §6). All rows of an app share a partition, so that a state change, its event and the command's result commit in
 * one transaction. `app` and `service|` rows are never deleted: after a teardown they are tombstones whose counters a re-creation continues.
 * Instants are epoch ms, `null` stands for "none".
 */
import type { AppSpec, Port, ServiceTemplate } from './app-spec.ts';
import type { CommandOutcome } from './outcome.ts';
import type { Problem } from './problem.ts';
import type { Reason } from './reasons.ts';
import type { RolloutRow } from './rollout-record.ts';
import type { RunFacts } from './run.ts';
import type { SecretFacts } from './secrets.ts';

export interface AppRow {
  readonly kind: 'app';
  readonly app: string;
  /** Chosen at first creation and kept for ever; part of every group name. */
  readonly uid: string;
  readonly state: 'active' | 'deleting' | 'deleted';
  /** By command: no container group of the app is created or deleted until it is thawed. What is observed is written as ever. */
  readonly frozen: boolean;
  /** Rises with every applied command that changes the spec. */
  readonly generation: number;
  /** The newest generation that was seen converged. */
  readonly observedGeneration: number;
  /** `seq` of the next accepted operation; first is 1. */
  readonly nextSeq: number;
  /** Highest `seq` whose operation was applied, rejected or superseded. */
  readonly appliedSeq: number;
  readonly spec: AppSpec | null;
  readonly updatedAt: number;
  readonly lastTx: string;
}

export interface GuardRow {
  readonly kind: 'service';
  readonly app: string;
  readonly service: string;
  /** Instance id of the one workflow that may act on this service. */
  readonly workflow: string | null;
  /** Rises with every claim. */
  readonly epoch: number;
  readonly claimedAt: number | null;
  /** Version of Flotilla that made the claim: a later one lets a workflow of its own take over. */
  readonly claimedBy: string | null;
  /** When the workflow means to look again; far in the past = broken. */
  readonly wakeAt: number | null;
  readonly passAt: number | null;
  /** What is wanted now: 0 while stopped or removed, else `scaledTo`, else what the spec says. */
  readonly desired: number;
  /** By command: the spec is kept and no replica is wanted. */
  readonly stopped: boolean;
  /** By command: wins over the spec until a spec states a number. */
  readonly scaledTo: number | null;
  /** Rises with every `restart`: a replica of an earlier cycle is to be replaced. */
  readonly cycle: number;
  /** The service is no longer in the spec (or its app is deleted): take everything down. */
  readonly removed: boolean;
  /** `ServiceSpec.drainMs` of the spec that last named this service; kept here because a removed service has no spec left to ask. */
  readonly drainMs: number;
  readonly nextIncarnation: number;
  /** Target revision; 0 before the first. */
  readonly revision: number;
  readonly verifiedRevision: number | null;
  /** Revision for which all desired replicas were once ready / Running: what dependants wait for. */
  readonly healthyRevision: number | null;
  readonly startedRevision: number | null;
  /** Revision for which this service's own dependencies were once met; they never gate it again. */
  readonly dependenciesMetRevision: number | null;
  /** Number of the service's newest rollout; 0 before the first. */
  readonly rollouts: number;
  /** The one under way, a paused one too; null = none. */
  readonly rollout: number | null;
  /** Why `revision` changed, until a pass has begun a rollout for it. */
  readonly change: RevisionChange | null;
  /** App generation that last changed this service, and the newest one it was seen converged at. */
  readonly generation: number;
  readonly observedGeneration: number;
  /** Why the service is not converged, for people and `ps`. */
  readonly reason: Reason | null;
  readonly message: string | null;
  readonly lastTx: string;
}

/** What a rollout is begun for. */
export interface RevisionChange {
  readonly purpose: 'deploy' | 'rollback' | 'undo';
  /** Operation that wanted it, or the rollout that failed. */
  readonly cause: string;
  readonly at: number;
  /** One sentence. */
  readonly why: string;
}

export interface RevisionRow {
  readonly kind: 'revision';
  readonly app: string;
  readonly service: string;
  readonly revision: number;
  /** `revisionHash` of the template. */
  readonly hash: string;
  readonly template: ServiceTemplate;
  readonly generation: number;
  readonly createdAt: number;
  /** Operation that made it; null in rows of older versions. */
  readonly cause: string | null;
  /** Last time that a rollout to it came to a good end: all desired replicas ready through the bake. */
  readonly verifiedAt: number | null;
  /** It was left for an older one. A document that asks for the same again does not bring it back. */
  readonly rolledBackAt: number | null;
}

export type ReplicaState =
  | 'planned'
  | 'creating'
  | 'starting'
  | 'ready'
  | 'unready'
  | 'lost'
  | 'failed'
  | 'draining'
  | 'deleting'
  | 'gone';

export interface ReplicaRow {
  readonly kind: 'replica';
  readonly app: string;
  readonly service: string;
  readonly slot: number;
  readonly incarnation: number;
  readonly revision: number;
  /** `GuardRow.cycle` when it was planned. */
  readonly cycle: number;
  readonly state: ReplicaState;
  readonly stateAt: number;
  readonly reason: Reason | null;
  readonly message: string | null;
  /** Epoch of the workflow that may act on this row; re-stamped by a newer one (fencing). */
  readonly epoch: number;
  readonly pool: string;
  /** ARM name of the container group. */
  readonly group: string;
  /** The claim on the create: until it expires, a second attempt only reads back. `startedAt` is set right before the PUT. */
  readonly attempt: { readonly id: string; readonly startedAt: number | null; readonly expiresAt: number } | null;
  readonly ip: string | null;
  readonly ports: readonly Port[];
  /** In the app's endpoints: set on ready, cleared before any stop of ours. */
  readonly endpoint: boolean;
  readonly createdAt: number;
  readonly readyAt: number | null;
  /** End of the drain; null until its removal from the endpoints is known to be committed. */
  readonly drainUntil: number | null;
  /** ARM turned the DELETE away and asked to be left alone until then. */
  readonly redeleteAt: number | null;
  readonly observedAt: number | null;
  /** As last read: the group of a ready replica whose probe over the network passes is not read. */
  readonly restartCount: number;
  /** Ends of its containers that are the app's own doing, as far as they were seen; ACI restarts in place. */
  readonly crashes: number;
  /** Failures in a row of this slot, this incarnation included; drives the back-off of the next one. */
  readonly failures: number;
  /** Consecutive 404s seen by passes since the create's claim expired. */
  readonly missing: number;
  /** What decides when it gets traffic again; null = it was never lost. */
  readonly steadiness: Steadiness | null;
  /** null = a replica of its service. */
  readonly run: RunFacts | null;
  /** Last log lines of a container that failed or crashed, at most 2 KiB. */
  readonly logTail: string | null;
}

/** How a replica that was ready has come and gone. */
export interface Steadiness {
  /** Instants at which it went from ready to unready or back in the last minutes, oldest first. */
  readonly flips: readonly number[];
  /** Since when it has looked fit without a break, though it is unready. */
  readonly fitSince: number | null;
}

export type OperationState = 'accepted' | 'applied' | 'rejected' | 'superseded';

export const commandNames = [
  'apply',
  'delete',
  'scale',
  'restart',
  'stop',
  'start',
  'freeze',
  'thaw',
  'replaceReplica',
  'forgetReplica',
  'pause',
  'resume',
  'promote',
  'abort',
  'undo',
  'run',
  'cancel',
] as const;
export type CommandName = (typeof commandNames)[number];

export interface OperationRow {
  readonly kind: 'op';
  readonly app: string;
  readonly id: string;
  readonly seq: number;
  readonly command: CommandName;
  readonly state: OperationState;
  /** SHA-256 of the canonical body: the same key with another body is refused. */
  readonly bodyHash: string;
  /** The command's body (the app document for `apply`, the services for those that name some), dropped once finished. */
  readonly body: unknown;
  readonly acceptedAt: number;
  readonly sentAt: number;
  /** Times the message was sent; the message id is `<id>:<attempt>`. */
  readonly attempt: number;
  readonly finishedAt: number | null;
  /** App generation that this operation made, once applied. */
  readonly generation: number | null;
  readonly reason: Reason | null;
  readonly problems: readonly Problem[];
}

/** Audit: every effect and every decision that matters, in the past tense, with its cause. Append-only. */
export interface EventRow {
  readonly kind: 'event';
  readonly app: string;
  readonly at: number;
  /** Transaction that wrote it and place within; with `at` the row's key. */
  readonly txId: string;
  readonly n: number;
  readonly type: EventType;
  readonly service: string | null;
  /** `<service>/<slot>/<incarnation>`. */
  readonly replica: string | null;
  readonly reason: Reason | null;
  readonly message: string;
  /** What made it happen: an operation id, a workflow id, or a rule's name. */
  readonly cause: string;
}

export type EventType =
  | 'OperationAccepted'
  | 'OperationApplied'
  | 'OperationRejected'
  | 'OperationSuperseded'
  /** The command is carried out, but its sender is not told. */
  | 'ReplyRefused'
  | 'ReplyDropped'
  | 'ServiceAdded'
  | 'ServiceRevised'
  | 'ServiceScaled'
  | 'ServiceRestarted'
  | 'ServiceStopped'
  | 'ServiceStarted'
  | 'ServiceRemoved'
  /** By command: it is to be replaced, or its row lets go of its group. */
  | 'ReplicaCondemned'
  | 'ReplicaForgotten'
  | 'AppFrozen'
  | 'AppThawed'
  | 'WorkflowStarted'
  | 'WorkflowEnded'
  | 'WorkflowReplaced'
  | 'RolloutStarted'
  | 'RolloutAdvanced'
  | 'RolloutPaused'
  | 'RolloutResumed'
  | 'RolloutSucceeded'
  | 'RolloutFailed'
  | 'RolloutAborted'
  | 'RolloutSuperseded'
  | 'ServiceWaiting'
  | 'ServiceConverged'
  | 'AppConverged'
  | 'AppDeleted'
  | 'ReplicaPlanned'
  | 'GroupCreating'
  | 'CreateRefused'
  | 'GroupCreated'
  /** A rise of its restart count that was seen, however many restarts it stands for. */
  | 'ContainerRestarted'
  /** Something keeps its group from starting; told once, with the first that was seen. */
  | 'ReplicaDelayed'
  | 'ReplicaReady'
  | 'ReplicaUnready'
  | 'ReplicaFailed'
  | 'ReplicaDraining'
  | 'GroupDeleting'
  /** ARM accepts the deletion and the group stands all the same; it goes on being asked. */
  | 'DeletionStuck'
  | 'ReplicaGone'
  | 'EndpointAdded'
  | 'EndpointRemoved'
  /** A terminal inside a container was handed to a client of the API. */
  | 'ExecOpened'
  | 'ReplicaLost'
  | 'ReplicaRegained'
  | 'PoolSuspected'
  | 'PoolDown'
  | 'PoolRecovering'
  | 'PoolHealthy'
  /** All regions look dead at once: it is more likely we who are. */
  | 'CutOff'
  /** Nothing of a service answers or refuses: nobody knows better addresses than the last ones. */
  | 'EndpointsKept'
  | 'RunPlanned'
  | 'RunCanceled'
  /** Its program ended, or it was ended; its container group goes next. */
  | 'RunEnded'
  | 'OrphanFound'
  | 'OrphanDeleted';

/** Partition `~logs:<app>`: the last lines of the last incarnation of a slot whose container group was deleted. */
export interface LogRow {
  readonly kind: 'log';
  readonly app: string;
  readonly service: string;
  readonly slot: number;
  readonly incarnation: number;
  readonly revision: number;
  readonly container: string;
  readonly takenAt: number;
  /** Oldest first; compressed in the table. */
  readonly lines: readonly LogLine[];
  /** Older lines were left out. */
  readonly truncated: boolean;
}

export interface LogLine {
  /** As the service wrote it (RFC 3339, up to nanoseconds), null where a line has none. */
  readonly at: string | null;
  readonly text: string;
}

/** Partition `~due`, one row per app with pending work; its ETag is the wake-up. */
export interface DueRow {
  readonly kind: 'due';
  readonly app: string;
  readonly dueAt: number;
  /** When the work that is still pending was first noted. */
  readonly since: number;
}

/** Where the container groups of a pool are; ARM does not tell upper from lower case in any of it. */
export interface Place {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly region: string;
}

/** What may be done to a pool by command. */
export const poolCommands = ['cordon', 'uncordon', 'drain'] as const;

/** Partition `~pools`. */
export interface PoolRow extends Place {
  readonly kind: 'pool';
  readonly pool: string;
  /** Place in the configuration; lower is preferred. */
  readonly order: number;
  readonly type: 'aci';
  readonly quota: { readonly groups: number; readonly cores: number };
  /** Facts about the pool that constraints and spreads may name, as configured. */
  readonly labels: Readonly<Record<string, string>>;
  /** For one hour of a core and of a GiB, in the currency of the configuration; null = not stated. */
  readonly price: { readonly coreHour: number; readonly gibHour: number } | null;
  /** By command: no new placements. */
  readonly cordoned: boolean;
  /** By command, and then cordoned too: its replicas are replaced elsewhere, one at a time. */
  readonly draining: boolean;
  /** Not in the configuration any more: kept while it holds groups. */
  readonly retired: boolean;
  /** Budget taken, one entry per incarnation from before its create until its group is confirmed gone. */
  readonly reservations: readonly Reservation[];
  /** When creates were planned in the last hour, oldest first: what ACI takes in a while is limited (`budget/windows`). */
  readonly creates: readonly number[];
  /** Orphan groups seen by the last complete listing, with when first seen. */
  readonly orphans: readonly { readonly group: string; readonly firstSeenAt: number }[];
  readonly listedAt: number | null;
  /** Container groups of this installation in that listing. */
  readonly listedGroups: number | null;
  /** What our own evidence says against its region; null = nothing. */
  readonly health: PoolHealth | null;
  /** Place that the configuration names while the pool still holds groups in its own: it takes no new ones until it is empty and moves. */
  readonly pending: Place | null;
}

/** One region has one health, which all its pools carry. */
export interface PoolHealth {
  /** `suspect`: no new placements · `down`: its replicas are lost · `recovering`: back, and not trusted for long yet. */
  readonly state: 'healthy' | 'suspect' | 'down' | 'recovering';
  readonly since: number;
  /** Sweeps in a row that spoke against it. */
  readonly doubts: number;
  /** Since when it has looked dead without a break, and since when well. */
  readonly deadSince: number | null;
  readonly wellSince: number | null;
  /** The evidence, in words. */
  readonly message: string;
}

export interface Reservation {
  /** `<app>/<service>/<slot>/<incarnation>`. */
  readonly owner: string;
  readonly cores: number;
  readonly at: number;
}

/**
 * Partition `~replies`: an outcome that is owed to the sender of a command. Written before the command is accepted and removed once the reply is sent,
 * so that no crash between the two loses it.
 */
export interface ReplyRow {
  readonly kind: 'reply';
  /** Derived from the command and its message: the same message delivered again owes the same reply. */
  readonly id: string;
  readonly app: string | null;
  readonly operationId: string | null;
  /** Of the command: an operation with another one is not its own. */
  readonly bodyHash: string | null;
  /** Queue or topic, as the sender wrote it. */
  readonly to: string;
  readonly sessionId: string;
  /** Id of the command's message. */
  readonly correlationId: string;
  /** Known at once for a message that was not understood; null: read from the operation. */
  readonly outcome: CommandOutcome | null;
  readonly since: number;
  /** The resync sends it from then on. */
  readonly nextAt: number;
  /** Times it could not be sent yet. */
  readonly attempts: number;
}

/** One version of a secret or config of an app. Only `sealed` knows the value, and only with the key of the installation. */
export interface SecretRow extends SecretFacts {
  readonly kind: 'secret';
  readonly app: string;
  /** `null` in a listing, which leaves it out. */
  readonly sealed: SealedValue | null;
}

/** AES-256-GCM over the value, bound to its app, name and version; bytes in base64. */
export interface SealedValue {
  readonly format: 1;
  /** Which key of the installation sealed it: the first 16 hex digits of its fingerprint. */
  readonly key: string;
  readonly nonce: string;
  readonly tag: string;
  readonly data: string;
}

export type Row =
  | AppRow
  | GuardRow
  | RevisionRow
  | RolloutRow
  | ReplicaRow
  | OperationRow
  | EventRow
  | LogRow
  | DueRow
  | PoolRow
  | ReplyRow
  | SecretRow;

/** A row as read, with the tag that guards its next write. */
export type Stored<R extends Row = Row> = R & { readonly etag: string };
