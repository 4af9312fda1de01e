/** What steering a rollout changes: its record and the guard, in one transaction. The next pass of the service does what follows from it. */
import type { Problem } from '../../model/problem.ts';
import type { Reason } from '../../model/reasons.ts';
import { type RolloutRow, rolloutId } from '../../model/rollout-record.ts';
import type { GuardRow, OperationRow, RevisionRow, Stored } from '../../model/state.ts';
import { decided, ended, paused, resumed } from '../rollout/record.ts';
import { type Changed, changeServices } from './change-services.ts';
import { type CommandView, type Moment, type Write, withoutEtag } from './conclude.ts';

export type Steering = 'pause' | 'resume' | 'promote' | 'abort' | 'undo';

export interface SteeringBody {
  /** null = all services with a rollout that the command can act upon. */
  readonly services: readonly string[] | null;
  /** Of `undo`; null = the last verified one before. */
  readonly to: number | null;
}

/** What it does to one service, or why it cannot. */
type Turn =
  | { readonly ok: true; readonly changed: Changed }
  | { readonly ok: false; readonly reason: Reason; readonly problem: string; readonly remedy: string };

interface Facts {
  readonly guard: GuardRow;
  /** The one under way. */
  readonly rollout: Stored<RolloutRow> | undefined;
  readonly revisions: readonly Stored<RevisionRow>[];
  readonly to: number | null;
  readonly operation: string;
  readonly now: number;
}

export function planSteering(
  view: CommandView,
  operation: Stored<OperationRow>,
  steering: Steering,
  { services, to }: SteeringBody,
  moment: Moment,
): readonly Write[] {
  const turns = new Map(
    view.guards
      .filter(({ service, removed }) => !removed && (services === null || services.includes(service)))
      .map((guard) => {
        const rollout = view.rollouts.find((row) => row.service === guard.service && row.number === guard.rollout);
        const revisions = view.revisions.filter((row) => row.service === guard.service);
        const facts = { guard: withoutEtag<GuardRow>(guard), rollout, revisions, to };
        return [guard.service, turners[steering]({ ...facts, operation: operation.id, now: moment.now })] as const;
      }),
  );
  const change = ({ service }: GuardRow): Changed | null => {
    const turn = turns.get(service);
    return turn?.ok ? turn.changed : null;
  };
  return changeServices(
    view,
    operation,
    { services, change, verb: verbs[steering], refusal: refusalOf(turns, services) },
    moment,
  );
}

const verbs: Readonly<Record<Steering, string>> = {
  pause: 'Paused the rollout of',
  resume: 'Resumed the rollout of',
  promote: 'Promoted the rollout of',
  abort: 'Aborted the rollout of',
  undo: 'Undid the rollout of',
};

/** What was named must all be possible; of the rest at least one. */
function refusalOf(
  turns: ReadonlyMap<string, Turn>,
  services: readonly string[] | null,
): { readonly reason: Reason; readonly problems: readonly Problem[] } | null {
  const failed = [...turns].flatMap(([service, turn]) => (turn.ok ? [] : [{ service, ...turn }]));
  const isEnough = services === null ? failed.length < turns.size : failed.length === 0;
  if (isEnough) return null;
  const problems = failed.map(
    ({ service, problem, remedy }): Problem => ({ severity: 'error', path: `services.${service}`, problem, remedy }),
  );
  return { reason: failed[0]?.reason ?? 'NoRollout', problems };
}

const turners: Readonly<Record<Steering, (facts: Facts) => Turn>> = { pause, resume, promote, abort, undo };

const cannot = (reason: Reason, problem: string, remedy: string): Turn => ({ ok: false, reason, problem, remedy });

const noRollout = ({ guard }: Facts): Turn =>
  cannot(
    'NoRollout',
    `no rollout of ${guard.service} is under way.`,
    `\`flotilla rollout history ${guard.app}.${guard.service}\` shows those that were.`,
  );

/** The record changes, and the guard with it: so that a pass that has not seen it cannot be committed. */
function steered(facts: Facts, before: Stored<RolloutRow>, row: RolloutRow, happening: Changed['happening']): Turn {
  const { guard } = facts;
  const others = [{ row, etag: before.etag }];
  return { ok: true, changed: { guard, stirs: false, wakes: true, happening, others } };
}

function pause(facts: Facts): Turn {
  const { rollout, operation, now } = facts;
  if (rollout === undefined) return noRollout(facts);
  const id = rolloutId(rollout);
  if (rollout.phase === 'paused') {
    return cannot('NoRollout', `rollout ${id} is paused already.`, 'Resume it, abort it, or leave it.');
  }
  const message = 'It was paused by command.';
  const row = paused(withoutEtag<RolloutRow>(rollout), { reason: 'PausedByCommand', message }, now);
  const happening = { type: 'RolloutPaused', message: `${id}: paused by operation ${operation}.` } as const;
  return steered(facts, rollout, row, happening);
}

function resume(facts: Facts): Turn {
  const { rollout, operation, now } = facts;
  if (rollout === undefined) return noRollout(facts);
  const id = rolloutId(rollout);
  if (rollout.phase !== 'paused') return cannot('NoRollout', `rollout ${id} is not paused.`, 'There is nothing to do.');
  const because = `Resumed by operation ${operation}; what failed before is forgiven.`;
  const row = resumed(withoutEtag<RolloutRow>(rollout), because, now);
  return steered(facts, rollout, row, { type: 'RolloutResumed', message: `${id}: ${because}` });
}

function promote(facts: Facts): Turn {
  const { rollout, operation, now } = facts;
  if (rollout === undefined) return noRollout(facts);
  const id = rolloutId(rollout);
  if (rollout.phase === 'paused') {
    return cannot('NoRollout', `rollout ${id} is paused.`, 'Resume it first.');
  }
  if (rollout.reason !== 'Baking' && rollout.reason !== 'AwaitingPromotion') {
    return cannot(
      'NoRollout',
      `rollout ${id} neither bakes nor waits at a gate: there is nothing to promote.`,
      'Wait until the replicas of its step are ready.',
    );
  }
  const because = `Promoted by operation ${operation}.`;
  const row = decided({ ...withoutEtag<RolloutRow>(rollout), promoted: true }, 'promote', because, now);
  return steered(facts, rollout, row, { type: 'RolloutAdvanced', message: `${id}: ${because}` });
}

function abort(facts: Facts): Turn {
  const { guard, rollout } = facts;
  if (rollout === undefined) return noRollout(facts);
  const id = rolloutId(rollout);
  if (rollout.purpose !== 'deploy') {
    return cannot(
      'NoRollout',
      `${id} is itself a way back.`,
      'Pause it, or name another revision with `rollout undo --to`.',
    );
  }
  const { verifiedRevision } = guard;
  if (verifiedRevision === null || verifiedRevision === guard.revision) return noWayBack(facts);
  return leaveFor(facts, verifiedRevision);
}

const noWayBack = ({ guard }: Facts): Turn =>
  cannot(
    'NoVerifiedRevision',
    `no revision of ${guard.service} was verified before this one: there is nothing to go back to.`,
    'Pause the rollout, mend the file and apply it, or name a revision with `rollout undo --to`.',
  );

function undo(facts: Facts): Turn {
  const { guard, revisions, to } = facts;
  if (to !== null && !revisions.some(({ revision }) => revision === to)) {
    const known = revisions.map(({ revision }) => revision).join(', ');
    return cannot('NoSuchRevision', `${guard.service} has no revision ${to}.`, `Name one of: ${known}.`);
  }
  const target = to ?? lastVerified(guard, revisions);
  if (target === null) return noWayBack(facts);
  if (target === guard.revision) {
    return cannot('NoRollout', `${guard.service} is at revision ${target} already.`, 'There is nothing to do.');
  }
  return leaveFor(facts, target);
}

/** The verified revision that was verified last, other than the present one. */
function lastVerified(guard: GuardRow, revisions: readonly RevisionRow[]): number | null {
  if (guard.verifiedRevision !== null && guard.verifiedRevision !== guard.revision) return guard.verifiedRevision;
  const [last] = revisions
    .filter(({ revision, verifiedAt }) => revision !== guard.revision && (verifiedAt ?? null) !== null)
    .toSorted((a, b) => (b.verifiedAt ?? 0) - (a.verifiedAt ?? 0));
  return last?.revision ?? null;
}

/** Another revision is wanted from now on, and a document that asks for the one that is left does not bring it back. */
function leaveFor({ guard, rollout, revisions, operation, now }: Facts, target: number): Turn {
  const why = `${guard.service} goes back to revision ${target} by operation ${operation}.`;
  const left = revisions.find(({ revision }) => revision === guard.revision);
  const next = revisions.find(({ revision }) => revision === target);
  const isProven = (next?.verifiedAt ?? null) !== null;
  const over = rollout && {
    ...ended(withoutEtag<RolloutRow>(rollout), 'aborted', { reason: null, message: why }, now),
    successor: rollout.number + 1,
  };
  const others: Write[] = [
    ...(rollout && over ? [{ row: over, etag: rollout.etag }] : []),
    ...(left ? [{ row: { ...withoutEtag<RevisionRow>(left), rolledBackAt: now }, etag: left.etag }] : []),
    ...(next ? [{ row: { ...withoutEtag<RevisionRow>(next), rolledBackAt: null }, etag: next.etag }] : []),
  ];
  const row: GuardRow = {
    ...guard,
    revision: target,
    rollout: null,
    // What was never verified is tried out once more, and may be rolled back.
    change: { purpose: isProven ? 'undo' : 'deploy', cause: operation, at: now, why },
    // A way back waits for nobody.
    dependenciesMetRevision: isProven ? target : guard.dependenciesMetRevision,
  };
  const type = rollout ? 'RolloutAborted' : 'ServiceRevised';
  return { ok: true, changed: { guard: row, stirs: true, happening: { type, message: why }, others } };
}
