/** Durable instances as the rest of the app sees them; made from the durable client of the current invocation. */
import type { Result } from '../model/result.ts';
import type { PortError } from './errors.ts';

export type InstanceStatus =
  | 'Pending'
  | 'Running'
  | 'Suspended'
  | 'Completed'
  | 'Failed'
  | 'Terminated'
  | 'Canceled'
  | 'ContinuedAsNew';

export interface Workflows {
  /** An instance that runs already is success (`existing`). A finished id would be replaced by the client: check before where that matters. */
  start(orchestrator: string, id: string, input: unknown): Promise<Result<'started' | 'existing', PortError>>;
  /** A hint to look again; one that finds no running instance is harmless. */
  hint(id: string): Promise<void>;
  /** null = absent. */
  status(
    id: string,
  ): Promise<Result<{ readonly status: InstanceStatus; readonly updatedAt: number } | null, PortError>>;
  terminate(id: string, reason: string): Promise<Result<void, PortError>>;
  /** Purges instances that finished before `beforeMs`; returns how many. */
  purge(beforeMs: number): Promise<Result<number, PortError>>;
}
