/** Who stays, who leaves and what may be created now, by the rollout under way. */
import { serviceNamed } from '../../model/app-spec.ts';
import type { ServiceSnapshot } from '../../model/snapshot.ts';
import type { GuardRow, ReplicaRow } from '../../model/state.ts';
import { type Gate, targetOf } from '../dependencies.ts';
import { drainedPools, drainTurn } from '../drain.ts';
import { keepersOf } from '../keepers.ts';
import { restartingOf } from '../restart.ts';
import { stepOf } from './advance.ts';
import type { Course } from './course.ts';
import { type Pace, paceOf } from './pace.ts';
import { type Policy, replicasOf } from './policy.ts';
import { isRollingOut, leavingOf, type Share } from './turn.ts';

export interface Stand {
  /** Revision that replicas should have now (`targetOf`); null = none may start yet. */
  readonly target: number | null;
  readonly pace: Pace;
  /** How the desired replicas are shared between the target and the revision before it. */
  readonly share: Share;
  /** Fill the desired count, or wait for their turn to leave. */
  readonly keepers: ReadonlySet<ReplicaRow>;
  readonly leaving: ReadonlySet<ReplicaRow>;
  /** A restart waits until the rollout is over: both at once could take more than either may. */
  readonly restarting: ReadonlySet<ReplicaRow>;
  /** Pools that are being drained. That waits for a rollout and for a restart. */
  readonly drained: ReadonlySet<string>;
  /** Replicas above the desired number, for a time, so that a drain takes none away before its successor is ready. */
  readonly surge: number;
  readonly lookAt: number | null;
}

/** @param replicas by slot and incarnation */
export function standOf(
  { app, pools }: Pick<ServiceSnapshot, 'app' | 'pools'>,
  { guard, policy, rollout }: Pick<Course, 'guard' | 'policy' | 'rollout'>,
  gate: Gate,
  replicas: readonly ReplicaRow[],
  now: number,
): Stand {
  const { desired } = guard;
  const spread = serviceNamed(app, guard.service)?.placement?.spread[0]?.topology ?? null;
  const pace = paceFor(policy, rollout, desired);
  const target = targetOf(guard, gate);
  const share = target === guard.revision ? shareOf(rollout, policy, guard) : wholly(desired);
  const drained = drainedPools(pools);
  const keep = (count: number, rows: readonly ReplicaRow[]) =>
    keepersOf(count, target ?? guard.revision, rows, pools, spread);
  if (guard.removed || target === null || (share.fresh === desired && !isRollingOut({ target, replicas }))) {
    const common = { target, pace, share, leaving: new Set<ReplicaRow>(), drained, lookAt: null };
    const keepers = keep(desired, replicas);
    const restarting = restartingOf(guard, target, keepers);
    if (restarting.size > 0 || guard.removed) return { ...common, keepers, restarting, surge: 0 };
    const { surge, leaving } = drainTurn(desired, replicas, drained);
    if (surge + leaving.size === 0) return { ...common, keepers, restarting, surge };
    const staying = replicas.filter((row) => !leaving.has(row));
    return { ...common, keepers: keep(desired + surge, staying), restarting, surge };
  }
  const fresh = keep(
    share.fresh,
    replicas.filter(({ revision }) => revision === target),
  );
  const old = replicas.filter(({ revision }) => revision !== target);
  const facts = { desired, target, pace, share, pools, minReadyMs: policy.minReadyMs, now };
  const { replicas: leaving, lookAt } = leavingOf({ ...facts, replicas: [...fresh, ...old] });
  const keepers = new Set([...fresh, ...old]);
  return { target, pace, share, keepers, leaving, restarting: new Set(), drained, surge: 0, lookAt };
}

/** Where a way back finds no room beside the bad replicas, one of them goes first (semantics, "Surge, availability, disruption"). */
function paceFor({ spec, isStopFirst }: Policy, rollout: Course['rollout'], desired: number): Pace {
  const pace = paceOf(spec, desired);
  const isStuck = rollout?.parked && isStopFirst;
  return isStuck ? { ...pace, floor: Math.min(pace.floor, Math.max(0, desired - 1)) } : pace;
}

const wholly = (desired: number): Share => ({ fresh: desired, old: 0, base: null, isHeld: false });

function shareOf(rollout: Course['rollout'], policy: Policy, guard: GuardRow): Share {
  const { desired, verifiedRevision } = guard;
  if (rollout === null) return wholly(desired);
  const { held, from } = rollout;
  // What was never verified may be what is being mended: its losses are not made up for.
  const base = from === verifiedRevision ? from : null;
  if (rollout.phase === 'paused' && held !== null) {
    // Scaled meanwhile: in proportion.
    const fresh = held.of === desired ? held.replicas : Math.round((held.replicas * desired) / Math.max(1, held.of));
    return { fresh: Math.min(desired, fresh), old: Math.max(0, desired - fresh), base, isHeld: true };
  }
  const step = stepOf(rollout, policy, guard);
  if (step === undefined) return wholly(desired);
  const fresh = replicasOf(step, desired);
  return { fresh, old: policy.spec.strategy === 'blueGreen' ? desired : desired - fresh, base, isHeld: false };
}
