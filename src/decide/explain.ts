/** Why a service is not converged, in one reason and one sentence: the first thing that stands in the way. */
import type { Reason } from '../model/reasons.ts';
import type { ServiceSnapshot } from '../model/snapshot.ts';
import type { ReplicaRow } from '../model/state.ts';
import { isLive } from '../model/transitions.ts';
import type { Gate } from './dependencies.ts';
import type { Growth } from './growth.ts';

export interface Explanation {
  readonly reason: Reason | null;
  readonly message: string | null;
}

export function explain(
  { guard, observations }: ServiceSnapshot,
  gate: Gate,
  growth: Growth,
  after: readonly ReplicaRow[],
  converged: boolean,
): Explanation {
  if (converged) return { reason: null, message: null };
  const present = after.filter((row) => row.state !== 'gone');
  if (guard.removed) return { reason: 'Removing', message: `${present.length} replicas are left.` };
  if (!gate.open) return { reason: 'AwaitingDependency', message: gate.message };
  const old = present.filter((row) => row.revision !== guard.revision).length;
  if (old > 0) return { reason: 'RollingOut', message: `${old} replicas of an older revision are left.` };
  const unreachable = [...observations.values()].find((observation) => observation.kind === 'unknown');
  if (unreachable?.kind === 'unknown') return { reason: 'PoolUnavailable', message: unreachable.message };
  if (growth.shortage !== null) return growth.shortage;
  return notReady(guard.desired, present);
}

function notReady(desired: number, present: readonly ReplicaRow[]): Explanation {
  const live = present.filter((row) => isLive(row.state));
  const ready = live.filter((row) => row.state === 'ready');
  if (live.length === desired && ready.length === desired) {
    return { reason: 'ScalingIn', message: `${present.length - live.length} replicas are being removed.` };
  }
  const troubled = live.find((row) => row.reason !== null);
  const why = troubled === undefined ? '' : ` Slot ${troubled.slot}: ${troubled.message ?? troubled.reason}`;
  return { reason: 'ReplicasNotReady', message: `${ready.length} of ${desired} replicas are ready.${why}` };
}
