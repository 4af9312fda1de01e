/** Ports and options of the durable engine. Types only. */
import type { Clock } from '../../../model/clock.ts';
import type { RpcTypedData } from '../rpc.ts';
import type { DurableHttpRequest } from './actions.ts';
import type { ReplayLimits } from './flows.ts';
import type { DurableStore } from './store.ts';
import type { VersionMatchStrategy } from './versions.ts';

export type FunctionKind = 'orchestrator' | 'activity' | 'entity';

/**
 * One worker that runs functions. Names compare without regard to case.
 * A function that throws rejects with an Error whose `message` and `stack` are the function's own.
 */
export interface WorkerHost {
  readonly id: string;
  has(kind: FunctionKind, name: string): boolean;
  /** The registered names, for error texts. */
  names?(kind: FunctionKind): readonly string[];
  /** One turn. `payload` is the trigger's JSON text; resolves with the JSON text of the return value. */
  runOrchestrator(name: string, payload: string, instanceId: string): Promise<string>;
  /** `triggerMetadata` has `instanceId` and, when there is input, `data`; the host adds its own binding's name. */
  runActivity(
    name: string,
    input: RpcTypedData,
    triggerMetadata: Readonly<Record<string, RpcTypedData>>,
  ): Promise<RpcTypedData | null | undefined>;
}

/** Executes callHttp. Rejects when no answer came; the Error's message is shown to the orchestrator. */
export type SendHttp = (request: DurableHttpRequest) => Promise<HttpAnswer>;

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string;
}

/** How the cloud misbehaves, on demand. Everything defaults to "never". */
export interface EngineFaults {
  /** Timers wait for whole seconds only, so they fire up to 1 s early, as measured on the real extension. */
  readonly earlyTimers?: boolean;
  /** Every message takes this long to its instance, as through a storage queue, so that Pending and interleavings can be seen. */
  readonly queueDelayMs?: number;
  /** How long a start takes between its check of the id and its write; overlapping starts of one id are all accepted, the first counts. */
  readonly startGapMs?: number;
  /** Asked after each orchestrator turn; true = the worker died during it: the turn's actions are lost, what the instance makes of it is the real outcome. */
  readonly loseTurn?: (instanceId: string) => boolean;
  /** Asked after each activity; `failed` = its worker died (TaskFailed, not run again), `lost` = its host died (it runs again after the lease). */
  readonly loseActivity?: (instanceId: string, name: string) => 'no' | 'failed' | 'lost';
}

/** What a host's disappearance means for its work in flight. */
export type HostDeath =
  /** The machine died: orchestrations continue elsewhere at once, activities when their lease has run out. */
  | 'host'
  /** Only the worker process died: activities in flight fail, orchestrator turns in flight lose their actions. */
  | 'worker';

export interface EngineOptions {
  readonly store: DurableStore;
  readonly clock: Clock;
  /** A new lower-case GUID. */
  readonly newId: () => string;
  readonly hubName: string;
  /** Default 64. */
  readonly maxConcurrentActivities?: number;
  /** host.json `durableTask.defaultVersion`. */
  readonly defaultVersion?: string;
  /** host.json `durableTask.versionMatchStrategy`. Default CurrentOrOlder. */
  readonly versionMatchStrategy?: VersionMatchStrategy;
  /** How long an activity whose host is gone is waited for. Default 5 min, as measured on the Azure Storage backend. */
  readonly activityLeaseMs?: number;
  readonly faults?: EngineFaults;
  /** Default: callHttp is refused. */
  readonly sendHttp?: SendHttp;
  readonly limits?: ReplayLimits;
  /** Diagnostics of the engine. Default: none. */
  readonly log?: (level: 'warning' | 'error', message: string) => void;
}
