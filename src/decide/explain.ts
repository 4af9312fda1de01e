/** Why a service is not converged, in one reason and one sentence: the first thing that stands in the way. */
import type { Reason } from '../model/reasons.ts';
import { type RolloutRow, rolloutId } from '../model/rollout-record.ts';
import type { ServiceSnapshot } from '../model/snapshot.ts';
import type { GuardRow, ReplicaRow } from '../model/state.ts';
import { isLive } from '../model/transitions.ts';
import type { Gate } from './dependencies.ts';
import { drainedPools } from './drain.ts';
import type { Growth } from './growth.ts';
import { isOutdated } from './restart.ts';

export interface Explanation {
  readonly reason: Reason | null;
  readonly message: string | null;
}

export interface ExplainFacts {
  readonly gate: Gate;
  readonly growth: Growth;
  readonly after: readonly ReplicaRow[];
  readonly converged: boolean;
  readonly rollout: RolloutRow | null;
}

export function explain(
  { guard, observations, frozen, cutOff, pools }: ServiceSnapshot,
  { gate, growth, after, converged, rollout }: ExplainFacts,
): Explanation {
  const present = after.filter((row) => row.state !== 'gone');
  const drained = drainedPools(pools);
  const inside = guard.removed ? [] : present.filter((row) => drained.has(row.pool));
  if (converged && inside.length === 0) return { reason: null, message: null };
  if (cutOff)
    return {
      reason: 'CutOff',
      message: 'Every region that holds replicas looks dead: nothing is done until one is seen again.',
    };
  if (frozen) return { reason: 'Frozen', message: `The app is frozen; \`flotilla thaw ${guard.app}\` lets it go on.` };
  if (guard.removed) return { reason: 'Removing', message: `${present.length} replicas are left.` };
  if (rollout?.phase === 'paused') return pausedRollout(rollout);
  if (!gate.open) return { reason: 'AwaitingDependency', message: gate.message };
  if (rollout?.reason === 'AwaitingPromotion' || rollout?.reason === 'Baking') {
    return { reason: rollout.reason, message: rollout.message };
  }
  if (present.some((row) => row.revision !== guard.revision)) return rollingOut(guard, present, growth);
  const unreachable = [...observations.values()].find((observation) => observation.kind === 'unknown');
  if (unreachable?.kind === 'unknown') return { reason: 'PoolUnavailable', message: unreachable.message };
  if (converged || (inside.length > 0 && growth.shortage === null)) return draining(inside, growth);
  if (growth.shortage !== null) return growth.shortage;
  return notReady(guard, present);
}

const pausedRollout = (rollout: RolloutRow): Explanation => ({
  reason: rollout.reason,
  message: `Rollout ${rolloutId(rollout)} is paused: ${rollout.message} See \`flotilla rollout status ${rollout.app}.${rollout.service}\`.`,
});

function draining(inside: readonly ReplicaRow[], { shortage }: Growth): Explanation {
  const places = [...new Set(inside.map(({ pool }) => pool))].sort().join(', ');
  const left = `${inside.length} ${inside.length === 1 ? 'replica has' : 'replicas have'} to leave ${places}, one at a time.`;
  return { reason: 'PoolDraining', message: shortage === null ? left : `${left} ${shortage.message}` };
}

function rollingOut(
  { revision, desired }: GuardRow,
  present: readonly ReplicaRow[],
  { shortage }: Growth,
): Explanation {
  const old = present.filter((row) => row.revision !== revision).length;
  const fresh = present.filter((row) => row.revision === revision && isLive(row.state));
  const ready = fresh.filter(({ state }) => state === 'ready').length;
  const progress = `${ready} of ${desired} replicas of revision ${revision} are ready, ${old} of older ones are left.`;
  if (shortage !== null) {
    const noRoom = shortage.reason === 'NoPoolWithRoom' || shortage.reason === 'NoFeasiblePool';
    return { reason: noRoom ? 'NoRoomForSurge' : shortage.reason, message: `${progress} ${shortage.message}` };
  }
  const troubled = fresh.find(({ reason }) => reason !== null);
  const why = troubled === undefined ? '' : ` Slot ${troubled.slot}: ${troubled.message ?? troubled.reason}`;
  return { reason: 'RollingOut', message: progress + why };
}

function notReady(guard: GuardRow, present: readonly ReplicaRow[]): Explanation {
  const { desired } = guard;
  const live = present.filter((row) => isLive(row.state));
  const ready = live.filter((row) => row.state === 'ready');
  if (live.length === desired && ready.length === desired && !ready.some((row) => isOutdated(guard, row))) {
    return { reason: 'ScalingIn', message: `${present.length - live.length} replicas are being removed.` };
  }
  const troubled = live.find((row) => row.reason !== null);
  const outdated = live.filter((row) => isOutdated(guard, row)).length;
  if (outdated > 0 && troubled === undefined) {
    return { reason: 'Restarting', message: `${outdated} replicas are still to be restarted, one at a time.` };
  }
  const why = troubled === undefined ? '' : ` Slot ${troubled.slot}: ${troubled.message ?? troubled.reason}`;
  return { reason: 'ReplicasNotReady', message: `${ready.length} of ${desired} replicas are ready.${why}` };
}
