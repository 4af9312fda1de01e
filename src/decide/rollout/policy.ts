/** The knobs of a rollout with every default filled in (semantics, "Which knob wins"). */
import { defaults } from '../../model/defaults.ts';
import { type CanaryStep, defaultRollout, type FailureAction, type RolloutSpec } from '../../model/rollout.ts';
import type { RolloutRow } from '../../model/rollout-record.ts';
import { countOf } from './pace.ts';

export interface Policy {
  /** Strategy and pace, as `paceOf` takes them. */
  readonly spec: RolloutSpec;
  readonly onFailure: FailureAction;
  /** null = whatever the share of failures. */
  readonly maxFailureRatio: number | null;
  readonly monitorMs: number;
  readonly minReadyMs: number;
  readonly bakeMs: number;
  readonly progressDeadlineMs: number;
  readonly maxDurationMs: number;
  readonly steps: readonly CanaryStep[];
  readonly isStopFirst: boolean;
}

const { rollout: standard } = defaults;

/** @param purpose of the rollout; a way back has a pace of its own, no steps, and is never rolled back */
export function policyOf(
  asked: RolloutSpec | undefined,
  purpose: RolloutRow['purpose'],
  { minReadyMs }: { readonly minReadyMs: number },
): Policy {
  const spec = asked ?? defaultRollout;
  const isBack = purpose !== 'deploy';
  const { rollback } = spec;
  const steps = isBack ? [] : stepsOf(spec);
  const paced = isBack ? { ...spec, ...rollback, strategy: backwards(spec.strategy) } : spec;
  return {
    spec: paced,
    onFailure: isBack ? 'pause' : (spec.onFailure ?? 'rollback'),
    maxFailureRatio: (isBack ? rollback?.maxFailureRatio : spec.maxFailureRatio) ?? null,
    monitorMs: Math.max(standard.shortestMonitorMs, paced.monitorMs ?? standard.monitorMs),
    minReadyMs: spec.minReadyMs ?? minReadyMs,
    bakeMs: isBack ? 0 : bakeOf(spec),
    progressDeadlineMs: spec.progressDeadlineMs ?? standard.progressDeadlineMs,
    maxDurationMs: standard.maxDurationMs,
    steps,
    // A way back never waits for room: it would leave a bad revision in place.
    isStopFirst: isBack || spec.whenNoSurge === 'stopFirst',
  };
}

/** There is nothing to try out on the way back. */
const backwards = (strategy: RolloutSpec['strategy']): RolloutSpec['strategy'] =>
  strategy === 'recreate' ? strategy : 'rolling';

/** That all of the new stand beside all of the old is the one step of a blueGreen rollout, and it bakes there. */
function stepsOf({ strategy, steps = [], gate, bakeMs = standard.canaryBakeMs }: RolloutSpec): readonly CanaryStep[] {
  if (strategy === 'canary') return steps;
  return strategy === 'blueGreen' ? [{ replicas: '100%', bakeMs, ...(gate && { gate }) }] : [];
}

function bakeOf({ strategy, bakeMs }: RolloutSpec): number {
  if (strategy === 'blueGreen') return 0;
  return bakeMs ?? (strategy === 'canary' ? standard.canaryBakeMs : 0);
}

/** Failures without a success in between that trip the circuit breaker: half of the desired replicas, within bounds. */
export function breakerOf(desired: number): number {
  const { share, min, max } = standard.breaker;
  return Math.min(max, Math.max(min, Math.ceil(share * desired)));
}

/** How many of `desired` replicas have the new revision in a step of a canary: at least one, never more than there are. */
export const replicasOf = ({ replicas }: CanaryStep, desired: number): number =>
  Math.min(desired, Math.max(1, countOf(replicas, desired, Math.ceil)));
