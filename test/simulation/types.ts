/** What oracles, workloads, faults and planted bugs are written against. Types only; they import nothing of `src`. */
import type { FaultName } from './faults/registry.ts';

/** What a piece of host code is doing: the function that runs, and for whom. */
export interface Cause {
  readonly host: string;
  /** Name of the registered function: `pass`, `createGroup`, `resync`, `apiApp` … */
  readonly fn: string;
  /** Durable instance, for orchestrators and activities. */
  readonly instance: string | null;
  /** What it is about, as far as its input says: app, service, slot, incarnation. */
  readonly about: string;
}

export type Target = 'arm' | 'table' | 'bus' | 'durable' | 'probe' | 'api';

/** One call of a host to the outside, at one of its moments. */
export interface EffectEvent {
  readonly type: 'effect';
  readonly at: number;
  /** `sent` by the host · `applied` by the service · `replied` to the host, which is then alive and still listening. */
  readonly moment: 'sent' | 'applied' | 'replied';
  readonly id: number;
  readonly host: string;
  readonly target: Target;
  /** Stable name: `arm PUT shop/web/0/1`, `table BATCH shop/service|web`, `durable POST start deployment:shop.web:1`. */
  readonly key: string;
  readonly method: string;
  /** Whether it is meant to change something. */
  readonly writes: boolean;
  readonly status: number | null;
  /** The fault that strikes this call, if any. */
  readonly fault: string | null;
  readonly cause: Cause | null;
  /** ARM calls: name of the container group, and its tags as ARM had them when the call was applied. */
  readonly group?: string;
  readonly tags?: Readonly<Record<string, string>> | null;
}

/** A committed change of the table. `before` or `after` is null for an insert or a delete. */
export interface RowEvent {
  readonly type: 'row';
  readonly at: number;
  readonly partition: string;
  readonly row: string;
  readonly before: RawEntity | null;
  readonly after: RawEntity | null;
  readonly cause: Cause | null;
  /** The world itself wrote it (a restored table), not a host. */
  readonly foreign: boolean;
}

/** A container group appeared, changed or is gone. */
export interface GroupEvent {
  readonly type: 'group';
  readonly at: number;
  readonly change: 'created' | 'replaced' | 'changed' | 'gone';
  readonly group: ArmGroup;
}

export interface HostEvent {
  readonly type: 'host';
  readonly at: number;
  readonly host: string;
  readonly change: 'started' | 'crashed' | 'zombie' | 'stopped';
  readonly fault: string | null;
  /** What a host that starts runs, if it is not the repository's own. */
  readonly version?: string | null;
}

/** The world did something to us. */
export interface FaultEvent {
  readonly type: 'fault';
  readonly at: number;
  readonly fault: string;
  /** Phase of the workflow it struck; see `faults/phases.ts`. */
  readonly phase: string;
  readonly detail: string;
}

export interface CommandEvent {
  readonly type: 'command';
  readonly at: number;
  /** `sent` once per command, `acknowledged` when the API answered 2xx, `refused` when it answered 4xx, `given-up` when it never answered. */
  readonly moment: 'sent' | 'acknowledged' | 'refused' | 'given-up';
  readonly command: CommandRecord;
}

/** A function invocation of a host. */
export interface RunEvent {
  readonly type: 'run';
  readonly at: number;
  readonly moment: 'begun' | 'ended' | 'failed' | 'dropped';
  readonly cause: Cause;
  /** JSON text of an activity's input or result. */
  readonly detail: string;
}

export interface LogEvent {
  readonly type: 'log';
  readonly at: number;
  readonly host: string;
  readonly level: string;
  readonly message: string;
}

/** A durable instance has ended. */
export interface InstanceEvent {
  readonly type: 'instance';
  readonly at: number;
  readonly instance: string;
  /** `Completed`, `Failed`, `Terminated` … */
  readonly status: string;
  /** Its result as JSON text, or why it failed. */
  readonly output: string;
}

/** Every 10 virtual seconds: for rules about how long something may last. */
export interface TickEvent {
  readonly type: 'tick';
  readonly at: number;
}

/** A message arrived at a queue for replies. */
export interface ReplyEvent {
  readonly type: 'reply';
  readonly at: number;
  readonly reply: ReplyRecord;
  readonly cause: Cause | null;
}

export type SimEvent =
  | EffectEvent
  | RowEvent
  | GroupEvent
  | HostEvent
  | FaultEvent
  | CommandEvent
  | ReplyEvent
  | RunEvent
  | LogEvent
  | InstanceEvent
  | TickEvent;

/** A row as the table holds it: scalars as they are, instants as epoch ms, binary as base64, nested values as the JSON text or gzip chunks of the app. */
export interface RawEntity {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly etag: string;
  readonly [property: string]: string | number | boolean | undefined;
}

/** A container group as it really is, whatever lists and reads say. */
export interface ArmGroup {
  readonly name: string;
  readonly region: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly provisioningState: string;
  readonly ip: string | null;
  readonly cores: number;
  readonly createdAt: number;
  readonly image: string;
  /** Every container runs and answers. */
  readonly serving: boolean;
  /** Every container has opened its ports, whether or not it answers well. */
  readonly listening: boolean;
  readonly deleting: boolean;
  /** Somebody stopped it: it will not run until a person starts it. */
  readonly stopped: boolean;
  /** Plain and secure variables of its container, as the PUT had them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Files of its secret volumes, decoded, as `<volume>/<file>`. */
  readonly files: Readonly<Record<string, string>>;
  /** `<app>/<service>/<slot>/<incarnation>` by its tags, or its name. */
  readonly label: string;
}

export type CommandKind = 'apply' | 'delete' | Imperative['command'];

/** What `POST …/commands` takes. */
export type Imperative =
  | { readonly command: 'scale'; readonly services: Readonly<Record<string, number>> }
  | { readonly command: 'restart' | 'stop' | 'start'; readonly services?: readonly string[] }
  | { readonly command: 'pause' | 'resume' | 'promote' | 'abort' | 'undo'; readonly services?: readonly string[] }
  | { readonly command: 'freeze' | 'thaw' }
  | {
      readonly command: 'replaceReplica' | 'forgetReplica';
      readonly replica: { readonly service: string; readonly slot: number; readonly incarnation: number };
    }
  | {
      readonly command: 'run';
      readonly service: string;
      readonly environment: Readonly<Record<string, string>>;
      readonly timeoutMs: number;
    }
  | { readonly command: 'cancel'; readonly run: string };

export interface CommandRecord {
  readonly id: string;
  readonly app: string;
  readonly command: CommandKind;
  /** The app document for `apply`, the body of a command that has one, else null. */
  readonly document: unknown;
  readonly sentAt: number;
  acknowledgedAt: number | null;
  /** As the API answered. */
  operationId: string | null;
  status: number | null;
}

/** A whole command that another system sent over the command queue. */
export interface OrderRecord {
  readonly messageId: string;
  readonly app: string;
  readonly sentAt: number;
  readonly replyTo: string | null;
  readonly replyToSessionId: string | null;
  /** Whether replies may be sent there. */
  readonly listed: boolean;
  /** null: it cannot have an operation of its own (its key is taken, or nothing in it could be read). */
  readonly operationId: string | null;
}

export interface ReplyRecord {
  readonly to: string;
  readonly messageId: string;
  readonly correlationId: string;
  readonly sessionId: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Endpoint {
  readonly ip: string;
  readonly group: string;
  readonly slot: number;
  readonly incarnation: number;
}

/** What row keys begin with, up to `|`. */
export type RowKind = 'app' | 'service' | 'revision' | 'rollout' | 'replica' | 'op' | 'event';

/** Read access to the world for oracles: the truth, not what a host believes. */
export interface View {
  readonly now: number;
  readonly installation: string;
  /** Faults strike until then; afterwards the world is calm and must converge. */
  readonly calmFrom: number;
  readonly pools: readonly { readonly pool: string; readonly region: string; readonly subscriptionId: string }[];
  groups(): readonly ArmGroup[];
  group(name: string): ArmGroup | undefined;
  /** Rows of a partition in key order; all partitions without one. */
  rows(partition?: string): readonly RawEntity[];
  /** The same of one kind only. */
  rowsOf(kind: RowKind, partition?: string): readonly RawEntity[];
  row(partition: string, row: string): RawEntity | undefined;
  /** A nested value of a row, parsed. */
  json(entity: RawEntity, property: string): unknown;
  apps(): readonly string[];
  /** What DNS would answer for a service: follows from the rows. */
  endpoints(app: string, service: string): readonly Endpoint[];
  readonly commands: readonly CommandRecord[];
  readonly orders: readonly OrderRecord[];
  /** Tokens and keys of this world. */
  readonly secrets: readonly string[];
  /** Live hosts by id. */
  hosts(): readonly string[];
  /** Durable instances that have not ended: id and status. */
  instances(): readonly { readonly id: string; readonly status: string }[];
  /** What ARM was told and facts that this seed drew. */
  readonly facts: Facts;
  /** Keeps the largest value of the run under this name, for the report. */
  measure(name: string, value: number): void;
  /** Report a violation. The run goes on; the first one names the failure. */
  fail(message: string): void;
}

/** A rule about the world. Keep what it must remember in the closure of `create`. */
export interface Oracle {
  /** Unique; the identity of a failure. */
  readonly name: string;
  /** `S6`, `L1` … of invariants.md. */
  readonly invariant: string;
  create(): {
    onEvent?(view: View, event: SimEvent): void;
    /** After the calm period. */
    onEnd?(view: View): void;
  };
}

/** What is not known about Azure, drawn per seed. */
export interface Facts {
  readonly listPageSize: number;
  readonly provisioningMs: number;
  readonly deletionMs: number;
  readonly retryAfterSeconds: number;
  readonly imageRefusedAtOnce: boolean;
  readonly quotaGroups: number;
  readonly eventSchema: 'EventGridSchema' | 'CloudEventSchemaV1_0';
}

/** The hands of a workload: what users do, in virtual time. */
export interface Drive {
  readonly now: number;
  /** A named choice in [0, options); 0 must be the plainest. */
  pick(key: string, options: number): number;
  wait(ms: number): Promise<void>;
  /** `PUT /api/v1/apps/{app}`, repeated with the same key until answered. */
  apply(app: string, document: unknown): Promise<CommandRecord>;
  delete(app: string): Promise<CommandRecord>;
  /** `POST /api/v1/apps/{app}/commands`, likewise. */
  command(app: string, body: Imperative): Promise<CommandRecord>;
  /** `PUT /api/v1/apps/{app}/secrets/{name}`, repeated until answered: the version under which the value is stored; null when that was refused. */
  store(app: string, name: string, value: string): Promise<string | null>;
  /** Any request to a live host; resolves with null when no answer came. */
  request(method: string, path: string, body?: unknown): Promise<{ status: number; body: string } | null>;
  /** Puts raw text on the command queue, as another system might. */
  message(session: string, body: string): void;
  /**
   * Sends a whole command over the command queue, as another system might; once sent, Service Bus does not lose it. `key` given a second time means the
   * same command, or another one with a key that is taken.
   */
  order(order: {
    readonly app: string;
    /** null: delete. */
    readonly document: unknown;
    readonly key?: string;
    readonly replyTo: string | null;
    readonly replyToSessionId?: string;
    /** Sent instead of the command. */
    readonly garbage?: string;
  }): string;
  /** All commands so far are applied and every app has converged; false after `withinMs`. */
  converged(withinMs: number): Promise<boolean>;
}

export interface Workload {
  readonly name: string;
  run(drive: Drive): Promise<void>;
}

/** A small patch of our own code that an oracle must catch. Applied to the hosts' copy of the source, never to the world's. */
export interface PlantedBug {
  readonly name: string;
  /** Relative to the repository. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Name of the oracle that kills it. */
  readonly killedBy: string;
  /** The only faults it is hunted with, each struck more often; none: it shows where nothing goes wrong. Default: what the seed draws. */
  readonly with?: readonly FaultName[];
  /** Name of the workload that shows it soonest. Default: what the seed draws. */
  readonly on?: string;
}

export interface Violation {
  readonly oracle: string;
  readonly invariant: string;
  readonly at: number;
  readonly message: string;
}
