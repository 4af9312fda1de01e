/** Marks a service for teardown. Its guard stays as a tombstone: epoch, incarnation and revision numbers go on if it ever comes back. */
import type { Problem } from '../../model/problem.ts';
import type { GuardRow, Stored } from '../../model/state.ts';
import { type Happening, type Moment, type Write, withoutEtag } from './conclude.ts';

/** What a command does to one service. */
export interface ServiceWrites {
  readonly writes: readonly Write[];
  readonly happening: Happening | null;
  /** For the operation: what does not become as the document says. */
  readonly notice?: Problem | null;
}

export function removeService(guard: Stored<GuardRow>, generation: number, { txId }: Moment): ServiceWrites {
  const message = 'The service is being torn down.';
  const row: GuardRow = {
    ...withoutEtag<GuardRow>(guard),
    desired: 0,
    stopped: false,
    scaledTo: null,
    removed: true,
    generation,
    reason: 'Removing',
    message,
    lastTx: txId,
  };
  return {
    writes: [{ row, etag: guard.etag }],
    happening: { type: 'ServiceRemoved', service: guard.service, message: `${guard.service} is torn down.` },
  };
}
