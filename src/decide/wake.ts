/** When the workflow looks again: at once while writing goes on, exactly where only time is missing, else sooner for a young state than for an old one. */
import { type PlannerSettings, replicaKey } from '../model/snapshot.ts';
import type { ReplicaRow, ReplicaState } from '../model/state.ts';
import type { Growth } from './growth.ts';
import type { Decision } from './moves.ts';

interface WakeFacts {
  readonly cut: boolean;
  readonly decisions: readonly Decision[];
  /** Rows as the plan leaves them. */
  readonly after: readonly ReplicaRow[];
  readonly growth: Growth;
  /** When time alone changes something in the rollout; null = nothing. */
  readonly rolloutAt: number | null;
  /** Frozen, paused or baking: only a command, or time, changes anything. */
  readonly isCalm: boolean;
  readonly settings: PlannerSettings;
  readonly now: number;
}

/** Something follows from these at once: a failed replica is deleted, a gone one makes room, a drain begins. */
const eventful: ReadonlySet<ReplicaState> = new Set<ReplicaState>(['failed', 'gone']);
const isEventful = (row: ReplicaRow): boolean =>
  eventful.has(row.state) || (row.state === 'draining' && row.drainUntil === null);
const polled: ReadonlySet<ReplicaState> = new Set<ReplicaState>(['creating', 'starting', 'unready', 'deleting']);

export function wakeOf({ cut, decisions, after, growth, rolloutAt, isCalm, settings, now }: WakeFacts): number {
  const written = decisions.flatMap(({ move }) => (move.change === null ? [] : [move.change.row]));
  // Steps alone are no progress: where they fail for all, looking again at once would only make it worse.
  if ((cut && written.length > 0) || written.some(isEventful)) return now;
  const exact = [
    ...decisions.map(({ case: { verdict } }) => verdict.lookAt),
    ...after.map((row) => (row.state === 'draining' ? row.drainUntil : null)),
    ...after.map((row) => (row.state === 'deleting' ? row.redeleteAt : null)),
    ...after.map((row) => (row.state === 'creating' ? (row.attempt?.expiresAt ?? null) : null)),
    growth.backoffUntil,
    rolloutAt,
  ];
  const waiting = new Set(
    decisions
      .filter(({ case: { verdict } }) => verdict.waitsForTime)
      .map(({ case: { replica } }) => replicaKey(replica)),
  );
  const polls = after
    .filter((row) => polled.has(row.state) && !waiting.has(replicaKey(row)))
    .map((row) => now + pollMs(now - row.stateAt, settings));
  const instants = [...exact, ...polls].filter((at) => at !== null).filter((at) => at > now);
  const longest = isCalm ? calmWakeMs : settings.transitionWakeMs;
  return Math.min(now + longest, ...instants);
}

/** Design §7: the wait of what is paused or bakes. */
const calmWakeMs = 5 * 60_000;

/** About 1, 1, 1, 1.5, 2, 3, 5 … s: half the age of the state, so that a state is seen at most 50 % late. */
const pollMs = (ageMs: number, settings: PlannerSettings): number =>
  Math.min(settings.transitionWakeMs, Math.max(1_000, Math.round(ageMs / 2)));
