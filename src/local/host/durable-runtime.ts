/** Opens the durable engine over its store for one function app and answers its management API. */
import type { Clock } from '../../model/clock.ts';
import type { EngineFaults, WorkerHost } from './engine/types.ts';
import type { HostJson } from './host-json.ts';
import type { HttpRequest, HttpResponse } from './http-server.ts';

/** What tests and crash drills change. */
export interface DurableTuning {
  /** How long an activity whose host died is waited for. Default 5 min, as in the cloud. */
  readonly activityLeaseMs?: number;
  readonly faults?: EngineFaults;
}

export interface DurableRuntimeOptions {
  readonly tuning: DurableTuning;
  readonly config: HostJson['extensions']['durableTask'];
  /** SQLite file, or `:memory:`. */
  readonly storePath: string;
  readonly worker: WorkerHost;
  readonly clock: Clock;
  readonly port: number;
  readonly log: (level: 'warning' | 'error', message: string) => void;
}

export interface DurableRuntime {
  /** JSON text of the durable client binding. */
  readonly clientBinding: string;
  /** `undefined` for a path that is not the management API's. */
  handle(request: HttpRequest): Promise<HttpResponse | undefined>;
  close(): Promise<void>;
}

export async function startDurable(_options: DurableRuntimeOptions): Promise<DurableRuntime> {
  throw new Error('not yet');
}
