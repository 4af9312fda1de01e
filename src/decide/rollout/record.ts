/** The turns of a rollout's record: each gives its next value, with the decision noted beside what it was decided from. */
import type { Reason } from '../../model/reasons.ts';
import type { RolloutSpec } from '../../model/rollout.ts';
import { decisionsKept, failuresKept, type RolloutDecision, type RolloutRow } from '../../model/rollout-record.ts';
import type { GuardRow, RevisionChange } from '../../model/state.ts';

export interface Beginning {
  readonly guard: GuardRow;
  readonly from: number | null;
  readonly change: RevisionChange;
  readonly strategy: RolloutSpec['strategy'];
  readonly now: number;
}

export function begun({ guard, from, change, strategy, now }: Beginning): RolloutRow {
  const row: RolloutRow = {
    kind: 'rollout',
    app: guard.app,
    service: guard.service,
    number: (guard.rollouts ?? 0) + 1,
    purpose: change.purpose,
    from,
    to: guard.revision,
    strategy,
    cause: change.cause,
    why: change.why,
    generation: guard.generation,
    startedAt: now,
    endedAt: null,
    phase: 'progressing',
    reason: null,
    message: null,
    firstIncarnation: guard.nextIncarnation,
    counts: { desired: guard.desired, fresh: 0, ready: 0, old: 0 },
    failures: [],
    failed: 0,
    strikes: 0,
    cleared: [],
    step: 0,
    readyAt: null,
    promoted: false,
    clockAt: null,
    held: null,
    parked: false,
    successor: null,
    decisions: [],
  };
  return decided(row, 'begin', change.why, now);
}

/** The newest are kept, and the first, which says how it began. */
export function decided(row: RolloutRow, what: RolloutDecision['what'], because: string, now: number): RolloutRow {
  const { counts, failed, strikes, step } = row;
  const decision: RolloutDecision = { at: now, what, because, facts: { ...counts, failed, strikes, step } };
  const all = [...row.decisions, decision];
  const [first] = all;
  const kept = all.length <= decisionsKept || first === undefined ? all : [first, ...all.slice(1 - decisionsKept)];
  return { ...row, decisions: kept };
}

export function ended(
  row: RolloutRow,
  phase: 'succeeded' | 'failed' | 'aborted' | 'superseded',
  why: { readonly reason: Reason | null; readonly message: string },
  now: number,
): RolloutRow {
  const what = { succeeded: 'succeed', failed: 'fail', aborted: 'abort', superseded: 'supersede' } as const;
  const next: RolloutRow = { ...row, phase, ...why, endedAt: now, clockAt: null, held: null, parked: false };
  return decided({ ...next, failures: row.failures.slice(-failuresKept) }, what[phase], why.message, now);
}

/** Nothing is replaced until it is resumed. What stands is noted by the next pass that finds nothing noted. */
export function paused(
  row: RolloutRow,
  why: { readonly reason: Reason; readonly message: string },
  now: number,
): RolloutRow {
  return decided({ ...row, phase: 'paused', ...why, held: null, clockAt: null }, 'pause', why.message, now);
}

/** What failed before is forgiven: it would trip the rollout again at once. */
export function resumed(row: RolloutRow, because: string, now: number): RolloutRow {
  const next: RolloutRow = {
    ...row,
    phase: 'progressing',
    reason: null,
    message: null,
    held: null,
    clockAt: null,
    readyAt: null,
    failed: 0,
    strikes: 0,
  };
  return decided(next, 'resume', because, now);
}
