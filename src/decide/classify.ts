/**
 * What to do about one replica: ordered rules, the first that applies decides, the last is total. Each says why. Removal from the endpoints always
 * comes before the drain, the drain before DELETE, and `gone` only after ARM has said so conclusively.
 */
import type { Reason } from '../model/reasons.ts';
import type { GuardRow, ReplicaRow } from '../model/state.ts';
import type { Verdict } from './verdict.ts';

export type Action =
  | 'confirmGone'
  | 'release'
  | 'observe'
  | 'delete'
  | 'redelete'
  | 'drain'
  | 'beginDrain'
  | 'create'
  | 'retry'
  | 'none';

export interface Case {
  readonly replica: ReplicaRow;
  readonly verdict: Verdict;
  readonly guard: GuardRow;
  /** Among the replicas that fill the desired count. */
  readonly keeper: boolean;
  /** Of another revision than is wanted, and its turn in the rollout has come. */
  readonly leaving: boolean;
  /** It is this replica's turn to be replaced by a restart. */
  readonly restarting: boolean;
  /** Its pool is being drained. */
  readonly drained: boolean;
  readonly frozen: boolean;
  readonly now: number;
}

export interface Classification {
  readonly action: Action;
  /** Why a wanted state ends; null keeps the reason of the row. */
  readonly reason: Reason | null;
  readonly because: string;
}

interface Rule {
  readonly because: string;
  readonly when: (c: Case) => boolean;
  readonly action: Action;
}

/** ACI wants at least this long between two operations on a group (aci: lifecycle). */
const redeleteAfterMs = 10_000;

/** Why a replica that lives is not wanted, else null. */
export function unwantedBecause({
  guard,
  keeper,
  leaving,
  restarting,
  drained,
}: Pick<Case, 'guard' | 'keeper' | 'leaving' | 'restarting' | 'drained'>): Reason | null {
  if (guard.removed) return 'ServiceRemoved';
  if (!keeper) return drained ? 'PoolDraining' : 'Surplus';
  if (leaving) return 'OldRevision';
  return restarting ? 'Restarting' : null;
}

const isUnwanted = (c: Case): boolean => unwantedBecause(c) !== null;
const started = (c: Case): boolean => c.replica.attempt !== null && c.replica.attempt.startedAt !== null;
const claimed = (c: Case): boolean => c.replica.attempt !== null && c.now < c.replica.attempt.expiresAt;
/** Each repeated DELETE is noted as an observation, so that a group that will not go is not asked at every look. */
const nextDeletionAt = ({ stateAt, observedAt, redeleteAt }: ReplicaRow): number =>
  Math.max(Math.max(stateAt, observedAt ?? 0) + redeleteAfterMs, redeleteAt ?? 0);
const endpointOutFor = (c: Case): boolean => c.now >= c.replica.stateAt + c.guard.drainMs;

export const rules: readonly Rule[] = [
  { because: 'it is gone', when: ({ replica }) => replica.state === 'gone', action: 'none' },
  {
    because: 'its group does not exist and no create of it can still land',
    when: ({ replica, verdict }) => replica.state === 'deleting' && verdict.absent,
    action: 'confirmGone',
  },
  {
    because: 'its app is frozen, and what was observed of it changed',
    when: ({ frozen, replica, verdict }) => frozen && verdict.row !== replica,
    action: 'observe',
  },
  { because: 'its app is frozen', when: ({ frozen }) => frozen, action: 'none' },
  {
    because: 'its group still stands, so the DELETE was lost or refused',
    when: ({ replica, verdict, now }) =>
      replica.state === 'deleting' && verdict.standing && now >= nextDeletionAt(replica),
    action: 'redelete',
  },
  {
    because: 'its removal from the endpoints is committed, and only from then on does nobody new learn its address',
    when: ({ replica }) => replica.state === 'draining' && replica.drainUntil === null,
    action: 'beginDrain',
  },
  {
    because: 'its drain is over',
    when: ({ replica, now }) => replica.state === 'draining' && now >= (replica.drainUntil ?? 0),
    action: 'delete',
  },
  { because: 'it drains', when: ({ replica }) => replica.state === 'draining', action: 'none' },
  {
    because: 'its restart policy keeps it down: running it again would break what the user asked for',
    when: (c) => c.replica.state === 'failed' && c.replica.reason === 'ContainerExited' && !isUnwanted(c),
    action: 'none',
  },
  { because: 'it failed', when: ({ replica }) => replica.state === 'failed', action: 'delete' },
  {
    because: 'it is not wanted and holds no group',
    when: (c) => c.replica.state === 'planned' && isUnwanted(c),
    action: 'release',
  },
  {
    because: 'it is not wanted and never was in the endpoints',
    when: (c) => (c.replica.state === 'creating' || c.replica.state === 'starting') && isUnwanted(c),
    action: 'delete',
  },
  {
    because: 'it is not wanted and has been out of the endpoints for as long as a drain takes',
    when: (c) => c.replica.state === 'unready' && isUnwanted(c) && (c.replica.readyAt === null || endpointOutFor(c)),
    action: 'delete',
  },
  {
    because: 'it is not wanted and may still get traffic',
    when: (c) => ['ready', 'unready', 'lost'].includes(c.replica.state) && isUnwanted(c),
    action: 'drain',
  },
  { because: 'it waits for its create', when: ({ replica }) => replica.state === 'planned', action: 'create' },
  {
    because: 'ARM refused the create for now and the wait is over',
    when: (c) => c.replica.state === 'creating' && !started(c) && !claimed(c),
    action: 'retry',
  },
  {
    because: 'ARM refused the create for now',
    when: (c) => c.replica.state === 'creating' && !started(c) && c.replica.reason !== null,
    action: 'none',
  },
  {
    because: 'its create was claimed but never started',
    when: (c) => c.replica.state === 'creating' && !started(c),
    action: 'create',
  },
  {
    because: 'the claim on its create expired and ARM does not know its group',
    when: ({ replica, verdict }) => replica.state === 'creating' && verdict.retry,
    action: 'retry',
  },
  {
    because: 'what was observed of it changed',
    when: ({ replica, verdict }) => verdict.row !== replica,
    action: 'observe',
  },
  { because: 'it is as it should be', when: () => true, action: 'none' },
];

export function classify(c: Case): Classification {
  const rule = rules.find((candidate) => candidate.when(c));
  if (rule === undefined) return { action: 'none', reason: null, because: 'no rule applies' };
  const ends = rule.action === 'delete' || rule.action === 'drain' || rule.action === 'release';
  const own = c.replica.state === 'failed' || c.replica.state === 'draining';
  return { action: rule.action, reason: ends && !own ? unwantedBecause(c) : null, because: rule.because };
}
