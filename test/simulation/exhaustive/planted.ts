/** Bugs of one line, each of which the exhaustive check must find by the oracle it breaks. `from` occurs exactly once in the file. */
import type { Oracle } from './planner.ts';

export interface Planted {
  readonly name: string;
  /** Below `src/decide`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly oracle: Oracle;
}

export const planted: readonly Planted[] = [
  {
    name: 'one 404 is taken for proof of absence',
    file: 'verdict.ts',
    from: 'const missingAfter = 2;',
    to: 'const missingAfter = 1;',
    oracle: 'GoneOnlyWhenGone',
  },
  {
    name: 'a deletion does not wait for the PUT that may still land',
    file: 'verdict.ts',
    from: 'if (pending) return',
    to: 'if (pending && false) return',
    oracle: 'GoneOnlyWhenGone',
  },
  {
    name: 'a deletion forgets the claim of the create',
    file: 'moves.ts',
    from: 'attempt: verdict.row.attempt,',
    to: 'attempt: null,',
    oracle: 'GoneOnlyWhenGone',
  },
  {
    name: 'a create is repeated while its claim holds',
    file: 'verdict.ts',
    from: 'if (now < expiresAt) return',
    to: 'if (now < 0) return',
    oracle: 'NoPutOnGroup',
  },
  {
    name: 'silence is taken for a 404',
    file: 'verdict.ts',
    from: "if (observation === undefined || observation.kind === 'unknown') return unchanged;",
    to: 'if (observation === undefined) return unchanged;',
    oracle: 'SilenceDecidesNothing',
  },
  {
    name: 'a ready replica is deleted without a drain',
    file: 'classify.ts',
    from: "action: 'drain',\n  },\n  { because: 'it waits",
    to: "action: 'delete',\n  },\n  { because: 'it waits",
    oracle: 'DrainBeforeDelete',
  },
  {
    name: 'the drain is over as soon as it begins',
    file: 'moves.ts',
    from: 'drainUntil: now + context.drainMs',
    to: 'drainUntil: now',
    oracle: 'DrainBeforeDelete',
  },
  {
    name: 'an unready replica is deleted right after it left the endpoints',
    file: 'classify.ts',
    from: 'c.replica.readyAt === null || endpointOutFor(c)',
    to: 'c.replica.readyAt === null || true',
    oracle: 'DrainBeforeDelete',
  },
  {
    name: 'an unready replica stays in the endpoints',
    file: 'verdict.ts',
    from: "reason: said.reason ?? 'ProbeFailed',\n      endpoint: false,",
    to: "reason: said.reason ?? 'ProbeFailed',",
    oracle: 'EndpointOnlyReady',
  },
  {
    name: 'a ready replica never joins the endpoints',
    file: 'verdict.ts',
    from: 'endpoint: replica.ports.length > 0 && replica.ip !== null,',
    to: 'endpoint: false,',
    oracle: 'Converges',
  },
  {
    name: 'an old replica leaves before its successor is ready',
    file: 'rollout/turn.ts',
    from: 'serving.length + counting.length - pace.floor',
    to: 'serving.length + counting.length + 1 - pace.floor',
    oracle: 'Floor',
  },
  {
    name: 'the surge is one too many',
    file: 'rollout/turn.ts',
    from: 'pace.ceiling - standing.length',
    to: 'pace.ceiling + 1 - standing.length',
    oracle: 'Ceiling',
  },
  {
    name: 'only ready replicas count as there',
    file: 'rollout/turn.ts',
    from: 'const wanted = Math.max(0, share.fresh - fresh.length);',
    to: "const wanted = Math.max(0, share.fresh - fresh.filter(({ state }) => state === 'ready').length);",
    oracle: 'Ceiling',
  },
  {
    name: 'a slot is given twice',
    file: 'growth.ts',
    from: "present.filter((row) => row.state !== 'deleting').map((row) => row.slot)",
    to: "present.filter((row) => row.state === 'ready').map((row) => row.slot)",
    oracle: 'OneLivePerSlot',
  },
  {
    name: 'incarnations are not counted on',
    file: 'growth.ts',
    from: 'nextIncarnation: growth.nextIncarnation + 1,',
    to: 'nextIncarnation: growth.nextIncarnation,',
    oracle: 'NameOnce',
  },
  {
    name: 'a pool takes one group too many',
    file: 'placement/room.ts',
    from: '(left[at] ?? 0) >= 1 &&',
    to: '(left[at] ?? 0) >= 0 &&',
    oracle: 'Quota',
  },
  {
    name: 'a plan does not see its own reservations',
    file: 'placement/place.ts',
    from: 'world.occupy(ask.service, target.name, ask);',
    to: '',
    oracle: 'Quota',
  },
  {
    name: 'nobody waits for dependencies',
    file: 'dependencies.ts',
    from: 'if (unmet.length === 0) return open;',
    to: 'return open;',
    oracle: 'GateHolds',
  },
  {
    name: 'a service is healthy once one replica is',
    file: 'reconcile.ts',
    from: 'count >= guard.desired ?',
    to: 'count > 0 ?',
    oracle: 'HealthyIsTrue',
  },
  {
    name: 'ready replicas go first when there are too many',
    file: 'keepers.ts',
    from: "row.state === 'ready' ? 0 : 1,",
    to: "row.state === 'ready' ? 1 : 0,",
    oracle: 'UnreadyGoesFirst',
  },
  {
    name: 'one replica too few is kept',
    file: 'keepers.ts',
    from: 'while (keepers.size < desired &&',
    to: 'while (keepers.size + 1 < desired &&',
    oracle: 'NoLossOfWanted',
  },
  {
    name: 'surplus replicas stay',
    file: 'classify.ts',
    from: "if (!keeper) return drained ? 'PoolDraining' : 'Surplus';",
    to: '',
    oracle: 'Converges',
  },
  {
    name: 'a lost DELETE is not repeated',
    file: 'classify.ts',
    from: "action: 'redelete',",
    to: "action: 'none',",
    oracle: 'Converges',
  },
  {
    name: 'a create that never arrived is not repeated',
    file: 'verdict.ts',
    from: 'retry: row.missing >= missingAfter',
    to: 'retry: false',
    oracle: 'Converges',
  },
  {
    name: 'a failed replica is left as it is',
    file: 'classify.ts',
    from: "when: ({ replica }) => replica.state === 'failed', action: 'delete'",
    to: "when: ({ replica }) => replica.state === 'failed', action: 'none'",
    oracle: 'Converges',
  },
  {
    name: 'done before all are ready',
    file: 'converged.ts',
    from: "replica.state === 'ready' && ",
    to: '',
    oracle: 'DoneIsTrue',
  },
  {
    name: 'a deletion is taken back when the group turns out to stand',
    file: 'verdict.ts',
    from: 'const row = settled ? replica : { ...replica, attempt: null, missing: 0 };',
    to: "const row: ReplicaRow = { ...replica, state: 'starting', attempt: null, missing: 0 };",
    oracle: 'RankNeverFalls',
  },
  {
    name: 'it never waits',
    file: 'wake.ts',
    from: 'const exact = [',
    to: 'return now;\n  const exact = [',
    oracle: 'NoBusyWait',
  },
  {
    name: 'the reaper takes what is being deleted for an orphan',
    file: 'reap.ts',
    from: "row.state !== 'gone'",
    to: "row.state !== 'gone' && row.state !== 'deleting'",
    oracle: 'ReapOrphansOnly',
  },
  {
    name: 'the reaper leaves orphans whose row is still there',
    file: 'reap.ts',
    from: " && row.state !== 'gone'",
    to: '',
    oracle: 'ReapOrphansOnly',
  },
];
