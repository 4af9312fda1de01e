/** What commands need of the world. */
import type { Result } from '../model/result.ts';
import type { PoolRow } from '../model/state.ts';
import type { Ids, Log, Now } from '../ports/ambient.ts';
import type { CommandBus } from '../ports/command-bus.ts';
import type { PortError } from '../ports/errors.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { StateStore } from '../ports/state-store.ts';

export interface CommandPorts {
  readonly store: StateStore;
  readonly secrets: Secrets;
  readonly bus: CommandBus;
  /** Rows of `~pools`, brought up to date with the configuration first; retired ones included. */
  readonly pools: () => Promise<Result<readonly PoolRow[], PortError>>;
  readonly now: Now;
  readonly ids: Ids;
  readonly log: Log;
  /** Waits between tries. */
  readonly sleep: (ms: number) => Promise<void>;
}
