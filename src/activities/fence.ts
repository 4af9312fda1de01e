/** Takes the live rows of a service away from the workflows of older epochs. */
import { keyOf } from '../model/keys.ts';
import { limits } from '../model/limits.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { GuardRow, ReplicaRow, Row, Stored } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { Change } from '../ports/state-store.ts';
import type { ActivityPorts } from './ports.ts';
import { bare, withTag } from './rows.ts';

export interface Fenced {
  readonly guard: Stored<GuardRow>;
  readonly replicas: readonly Stored<ReplicaRow>[];
}

/**
 * Re-stamps the live rows of older epochs, the guard in each transaction: from then on no step of an older workflow can write them. The value is what
 * was found as it stands then. Nothing else can have changed: whoever writes with the guard or one of these rows meets its new ETag.
 */
export async function fence(ports: ActivityPorts, found: Fenced): Promise<Result<Fenced, PortError>> {
  let current: Fenced = { guard: found.guard, replicas: found.replicas };
  for (;;) {
    const { guard, replicas } = current;
    const stale = replicas.filter((row) => row.state !== 'gone' && row.epoch < guard.epoch);
    if (stale.length === 0) return ok(current);
    const written = await stamp(ports, guard, stale.slice(0, limits.replicaChangesPerTransaction));
    if (!written.ok) return written;
    const stamped = new Map(written.value.replicas.map((row) => [keyOf(row).row, row]));
    current = {
      guard: written.value.guard,
      replicas: replicas.map((row) => stamped.get(keyOf(row).row) ?? row),
    };
  }
}

/** `Conflict` also when the commit was only found by its witness: that tells no ETag but the guard's. */
async function stamp(
  { store, ids, now }: ActivityPorts,
  guard: Stored<GuardRow>,
  part: readonly Stored<ReplicaRow>[],
): Promise<Result<Fenced, PortError>> {
  const txId = ids.next();
  const next: GuardRow = { ...bare(guard), passAt: now(), wakeAt: now(), lastTx: txId };
  const rows = part.map((row): ReplicaRow => ({ ...bare(row), epoch: guard.epoch }));
  const written = await store.commit({
    txId,
    witness: keyOf(next),
    changes: [
      { type: 'update', row: next, etag: guard.etag },
      ...rows.map((row, index): Change => ({ type: 'update', row, etag: part[index]?.etag ?? '' })),
    ],
  });
  if (!written.ok) return written;
  const tagged = <R extends Row>(row: R) => withTag(row, written.value.etags);
  const stamped = { guard: tagged(next), replicas: rows.map(tagged) };
  const isTold = [stamped.guard, ...stamped.replicas].every(({ etag }) => etag !== '');
  return isTold
    ? ok(stamped)
    : err({ kind: 'Conflict', code: null, message: 'the commit did not tell all tags', retryAfterMs: null });
}
