/** Whether a rollout has failed: ordered rules, the first to trip wins. */
import type { Reason } from '../../model/reasons.ts';
import type { RolloutRow } from '../../model/rollout-record.ts';
import { formatDuration } from '../../model/units.ts';
import { breakerOf, type Policy } from './policy.ts';

export interface Trip {
  readonly reason: Reason;
  readonly message: string;
  /** It stops whatever is to become of a failed rollout. */
  readonly isPause?: true;
}

interface TripFacts {
  readonly now: number;
  readonly readyAfterMs: number;
}

export function tripOf(rollout: RolloutRow, policy: Policy, { now, readyAfterMs }: TripFacts): Trip | null {
  if (now - rollout.startedAt >= policy.maxDurationMs) {
    const message = `It has been under way for ${formatDuration(policy.maxDurationMs)}.`;
    return { reason: 'RolloutTooLong', message, isPause: true };
  }
  if (policy.onFailure === 'continue') return null;
  return ratioTrip(rollout, policy) ?? breakerTrip(rollout) ?? deadlineTrip(rollout, policy, now, readyAfterMs);
}

function ratioTrip({ to, failed, counts, failures }: RolloutRow, { maxFailureRatio }: Policy): Trip | null {
  const slots = Math.max(1, counts.desired);
  if (maxFailureRatio === null || failed / slots <= maxFailureRatio) return null;
  const share = `${failed} of ${slots} replicas of revision ${to} failed, more than a share of ${maxFailureRatio}.`;
  return { reason: 'TooManyFailures', message: share + lastOf(failures) };
}

function breakerTrip({ to, strikes, counts, failures }: RolloutRow): Trip | null {
  const threshold = breakerOf(counts.desired);
  if (strikes < threshold) return null;
  const message = `${strikes} failures of revision ${to}, and no new replica stayed ready meanwhile (${threshold} are the limit).`;
  return { reason: 'BreakerTripped', message: message + lastOf(failures) };
}

/** @param readyAfterMs what every replica takes to count as ready, however well it is */
function deadlineTrip(
  { to, clockAt }: RolloutRow,
  { progressDeadlineMs }: Policy,
  now: number,
  readyAfterMs: number,
): Trip | null {
  if (clockAt === null || now - clockAt < progressDeadlineMs + readyAfterMs) return null;
  const message = `No replica of revision ${to} became ready within ${formatDuration(progressDeadlineMs)}.`;
  return { reason: 'ProgressDeadlineExceeded', message };
}

function lastOf(failures: RolloutRow['failures']): string {
  const last = failures.at(-1);
  if (last === undefined) return '';
  const why = last.message ?? last.reason;
  return why === null ? '' : ` The last, in slot ${last.slot}: ${why}${/[.!?]$/.test(why) ? '' : '.'}`;
}
