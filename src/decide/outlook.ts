/**
 * What the plans of a service will come to once its guard is as a command leaves it: which replicas stay, which are replaced and which go, and why. By the
 * rules of the planner itself, for people who want to know before.
 */
import { type AppSpec, serviceNamed } from '../model/app-spec.ts';
import type { Reason } from '../model/reasons.ts';
import { defaultRollout } from '../model/rollout.ts';
import type { GuardRow, PoolRow, ReplicaRow } from '../model/state.ts';
import { isLive } from '../model/transitions.ts';
import { unwantedBecause } from './classify.ts';
import { gateOf } from './dependencies.ts';
import { keepersOf } from './keepers.ts';
import { isOutdated } from './restart.ts';
import { paceOf } from './rollout/pace.ts';

export interface Outlook {
  readonly keep: number;
  /** By a new incarnation. */
  readonly replace: number;
  readonly remove: number;
  /** Beyond those that replace others. */
  readonly create: number;
  /** Why replicas are replaced or removed, with their number. */
  readonly reasons: readonly { readonly reason: Reason; readonly count: number }[];
  /** What stands in the way or is worth knowing, as sentences. */
  readonly notes: readonly string[];
}

export interface OutlookFacts {
  /** As the command leaves it. */
  readonly guard: GuardRow;
  readonly app: AppSpec | null;
  readonly frozen: boolean;
  readonly replicas: readonly ReplicaRow[];
  /** Guards of all services, as the command leaves them. */
  readonly guards: readonly GuardRow[];
  readonly pools: readonly PoolRow[];
}

export function outlookOf({ guard, app, frozen, replicas, guards, pools }: OutlookFacts): Outlook {
  const live = replicas.filter(({ state }) => isLive(state));
  const spread = serviceNamed(app, guard.service)?.placement?.spread[0]?.topology ?? null;
  const keepers = keepersOf(guard.desired, guard.revision, live, pools, spread);
  const verdicts = live.map((replica) => {
    const keeper = keepers.has(replica);
    const leaving = replica.revision !== guard.revision;
    const facts = { guard, keeper, leaving, restarting: isOutdated(guard, replica), drained: false };
    return { keeper, reason: unwantedBecause(facts) };
  });
  const gone = verdicts.filter(({ reason }) => reason !== null);
  const replace = gone.filter(({ keeper }) => keeper).length;
  const old = gone.filter(({ reason }) => reason === 'OldRevision').length;
  return {
    keep: live.length - gone.length,
    replace,
    remove: gone.length - replace,
    create: Math.max(0, guard.desired - keepers.size),
    reasons: countsOf(gone.flatMap(({ reason }) => reason ?? [])),
    notes: [...rolling(old, guard, app), ...waits(guard, app, guards), ...(frozen ? [frozenNote(guard)] : [])],
  };
}

function countsOf(reasons: readonly Reason[]): Outlook['reasons'] {
  const counts = new Map<Reason, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => ({ reason, count }));
}

/** How the old replicas are replaced, and what serves meanwhile. */
function rolling(old: number, { desired, service }: GuardRow, app: AppSpec | null): readonly string[] {
  if (old === 0) return [];
  const spec = serviceNamed(app, service)?.rollout ?? defaultRollout;
  const { strategy, ceiling, floor, overlaps } = paceOf(spec, desired);
  const all = old === 1 ? 'the only replica' : `all ${old} replicas`;
  if (strategy === 'recreate') {
    return [`${all} of the old revision must be gone before the first new one is created: nothing serves meanwhile.`];
  }
  const ready = floor === 0 ? 'none may be ready meanwhile' : `at least ${floor} ready all the time`;
  return overlaps
    ? [`rolled, at most ${ceiling} at once and ${ready}.`]
    : [`rolled in place, ${ready}: an old replica is gone before its successor is created.`];
}

/** Of the services as they will be: one that is new, too, is waited for. */
function waits(guard: GuardRow, app: AppSpec | null, guards: readonly GuardRow[]): readonly string[] {
  if (guard.desired === 0) return [];
  const gate = gateOf(guard, app, new Map(guards.map((row) => [row.service, row])));
  return gate.message === null ? [] : [gate.message];
}

const frozenNote = ({ app }: GuardRow): string => `The app is frozen: nothing happens until \`flotilla thaw ${app}\`.`;
