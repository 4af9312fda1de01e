/** What commands need of the world. */
import type { Ids, Log, Now } from '../ports/ambient.ts';
import type { CommandBus } from '../ports/command-bus.ts';
import type { StateStore } from '../ports/state-store.ts';

export interface CommandPorts {
  readonly store: StateStore;
  readonly bus: CommandBus;
  readonly now: Now;
  readonly ids: Ids;
  readonly log: Log;
  /** Waits between tries. */
  readonly sleep: (ms: number) => Promise<void>;
}
