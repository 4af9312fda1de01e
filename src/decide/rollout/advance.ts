/** A rollout that has not failed goes on: from one step of a canary to the next, into its bake, to its good end. */
import type { PlannedEvent } from '../../model/plan.ts';
import type { CanaryStep } from '../../model/rollout.ts';
import type { RolloutRow } from '../../model/rollout-record.ts';
import type { GuardRow, ReplicaRow } from '../../model/state.ts';
import { isOfRollout } from './faults.ts';
import { type Policy, replicasOf } from './policy.ts';
import { decided, ended } from './record.ts';

interface AdvanceFacts {
  readonly guard: Pick<GuardRow, 'desired' | 'verifiedRevision'>;
  readonly replicas: readonly ReplicaRow[];
  readonly now: number;
}

export interface Advance {
  readonly row: RolloutRow;
  readonly event: Extract<PlannedEvent['type'], 'RolloutAdvanced' | 'RolloutSucceeded'> | null;
  readonly lookAt: number | null;
}

export function advanceOf(rollout: RolloutRow, policy: Policy, facts: AdvanceFacts): Advance {
  const step = stepOf(rollout, policy, facts.guard);
  return step === undefined ? finish(rollout, policy, facts) : tryStep(rollout, step, policy, facts);
}

/** undefined = no step is left, or there is nothing good beside which something could be tried out. */
export const stepOf = (
  { from, step }: RolloutRow,
  { steps }: Policy,
  { verifiedRevision }: Pick<GuardRow, 'verifiedRevision'>,
): CanaryStep | undefined => (from === null || from !== verifiedRevision ? undefined : steps[step]);

const unmoved = (row: RolloutRow, lookAt: number | null = null): Advance => ({ row, event: null, lookAt });

function tryStep(
  rollout: RolloutRow,
  step: CanaryStep,
  policy: Policy,
  { guard, replicas, now }: AdvanceFacts,
): Advance {
  const wanted = replicasOf(step, guard.desired);
  const ready = replicas.filter(({ state, revision }) => state === 'ready' && revision === rollout.to);
  if (ready.length < wanted) return unmoved({ ...rollout, readyAt: null, reason: null, message: null });
  const readyAt = rollout.readyAt ?? now;
  const waiting = waitOf({ ...rollout, readyAt }, ready, step.bakeMs, now);
  const name = `Step ${rollout.step + 1} of ${policy.steps.length}, ${wanted} of ${guard.desired} replicas`;
  if (!rollout.promoted && waiting !== null) {
    return unmoved({ ...rollout, readyAt, reason: 'Baking', message: `${name}: ${waiting.message}` }, waiting.until);
  }
  if (!rollout.promoted && step.gate === 'manual') {
    const message = `${name}: it goes on when it is promoted.`;
    return unmoved({ ...rollout, readyAt, reason: 'AwaitingPromotion', message });
  }
  const because = `${name}, is behind${rollout.promoted ? ': it was promoted' : ''}.`;
  const next = { ...rollout, step: rollout.step + 1, readyAt: null, promoted: false, reason: null, message: because };
  return { row: decided(next, 'advance', because, now), event: 'RolloutAdvanced', lookAt: now };
}

function finish(rollout: RolloutRow, policy: Policy, { guard, replicas, now }: AdvanceFacts): Advance {
  const present = replicas.filter(({ state }) => state !== 'gone');
  const isReplaced =
    present.length === guard.desired &&
    present.every(({ state, revision }) => state === 'ready' && revision === rollout.to);
  if (!isReplaced) {
    const isBack = rollout.phase === 'baking';
    return unmoved(isBack ? { ...rollout, phase: 'progressing', readyAt: null, reason: null, message: null } : rollout);
  }
  const readyAt = rollout.phase === 'baking' ? (rollout.readyAt ?? now) : now;
  const waiting = waitOf({ ...rollout, readyAt }, present, policy.bakeMs, now);
  if (waiting !== null && !rollout.promoted) {
    const message = `All ${guard.desired} replicas are replaced: ${waiting.message}`;
    const baking: RolloutRow = { ...rollout, phase: 'baking', readyAt, reason: 'Baking', message };
    return unmoved(rollout.phase === 'baking' ? baking : decided(baking, 'bake', message, now), waiting.until);
  }
  const message = `Revision ${rollout.to} is verified: ${guard.desired} replicas stayed ready.`;
  return { row: ended(rollout, 'succeeded', { reason: null, message }, now), event: 'RolloutSucceeded', lookAt: null };
}

interface Waiting {
  readonly message: string;
  readonly until: number | null;
}

/** Each new replica is watched for itself, and all of them together for as long as the bake takes. */
function waitOf(rollout: RolloutRow, ready: readonly ReplicaRow[], bakeMs: number, now: number): Waiting | null {
  const until = (rollout.readyAt ?? now) + bakeMs;
  const unproven = ready.filter((row) => isOfRollout(rollout, row) && !rollout.cleared.includes(row.incarnation));
  if (unproven.length > 0) {
    return { message: `${unproven.length} of them are still watched one by one.`, until: until > now ? until : null };
  }
  return now < until ? { message: 'they are watched together.', until } : null;
}
