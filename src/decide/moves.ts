/** Carries out a classification on paper: the row's next value, its events and the step to walk. */
import type { PlannedEvent, ReplicaChange, Step } from '../model/plan.ts';
import { replicaKey } from '../model/snapshot.ts';
import type { ReplicaRow } from '../model/state.ts';
import type { Action, Case, Classification } from './classify.ts';
import { event } from './verdict.ts';

export interface Move {
  readonly change: ReplicaChange | null;
  readonly step: Step | null;
  /** Uses up one attempt id. */
  readonly usesAttempt: boolean;
}

/** A replica, what is to be done about it, and how. */
export interface Decision {
  readonly case: Case;
  readonly action: Action;
  readonly move: Move;
}

export interface MoveContext {
  readonly epoch: number;
  readonly drainMs: number;
  readonly claimLeaseMs: number;
  readonly attemptId: string | undefined;
  readonly now: number;
}

/** The rows as the changes leave them. */
export function applied<R extends ReplicaRow>(rows: readonly R[], changes: readonly ReplicaChange[]): readonly R[] {
  const changed = new Map(changes.map(({ row }) => [replicaKey(row), row as R]));
  return rows.map((row) => changed.get(replicaKey(row)) ?? row);
}

const nothing: Move = { change: null, step: null, usesAttempt: false };

export function moveOf({ replica, verdict }: Case, { action, reason }: Classification, context: MoveContext): Move {
  const { now } = context;
  switch (action) {
    case 'none':
      return nothing;
    case 'observe':
      return changed(verdict.row, verdict.events);
    case 'confirmGone':
      return changed(gone(replica, now), [event('ReplicaGone', replica, 'The container group is confirmed gone.')]);
    case 'release': {
      const row = { ...gone(replica, now), reason };
      return changed(row, [event('ReplicaGone', row, 'It never had a container group.')]);
    }
    case 'redelete':
      return {
        ...changed({ ...verdict.row, observedAt: now, redeleteAt: null }, verdict.events),
        step: deletion(replica, context),
      };
    case 'delete':
      return remove(
        { ...replica, attempt: verdict.row.attempt, ...(reason === null ? {} : { reason, message: null }) },
        context,
      );
    case 'beginDrain':
      return changed({ ...replica, drainUntil: now + context.drainMs }, []);
    case 'drain':
      return drain({ ...replica, reason }, context);
    case 'create':
    case 'retry':
      return create(verdict.row, action === 'retry', context);
  }
}

function gone(replica: ReplicaRow, now: number): ReplicaRow {
  return {
    ...replica,
    state: 'gone',
    stateAt: now,
    endpoint: false,
    attempt: null,
    drainUntil: null,
    redeleteAt: null,
  };
}

function remove(replica: ReplicaRow, context: MoveContext): Move {
  const row: ReplicaRow = { ...replica, state: 'deleting', stateAt: context.now, endpoint: false, drainUntil: null };
  const events = [event('GroupDeleting', row, `The container group ${row.group} is being deleted.`)];
  return { change: { insert: false, row, events }, step: deletion(row, context), usesAttempt: false };
}

/**
 * The wait begins with the next pass, which finds this one committed: a commit may take long, and until then DNS still gives the address away. An
 * unready one left the endpoints before.
 */
function drain(replica: ReplicaRow, { now, drainMs }: MoveContext): Move {
  const row: ReplicaRow = {
    ...replica,
    state: 'draining',
    stateAt: now,
    message: null,
    endpoint: false,
    drainUntil: replica.state === 'unready' ? replica.stateAt + drainMs : null,
  };
  const draining = event('ReplicaDraining', row, `It drains for ${drainMs / 1000} s before its group is deleted.`);
  const left = event('EndpointRemoved', row, `${replica.ip} leaves the endpoints.`);
  return changed(row, replica.endpoint ? [left, draining] : [draining]);
}

function create(replica: ReplicaRow, renew: boolean, context: MoveContext): Move {
  const { now, attemptId, claimLeaseMs } = context;
  if (replica.attempt !== null && replica.state === 'creating' && !renew) {
    return { change: null, step: creation(replica, replica.attempt.id, context), usesAttempt: false };
  }
  if (attemptId === undefined) return nothing;
  const row: ReplicaRow = {
    ...replica,
    ...(replica.state === 'creating' ? {} : { state: 'creating', stateAt: now }),
    reason: null,
    message: null,
    missing: 0,
    attempt: { id: attemptId, startedAt: null, expiresAt: now + claimLeaseMs },
  };
  return { change: { insert: false, row, events: [] }, step: creation(row, attemptId, context), usesAttempt: true };
}

export const creation = (row: ReplicaRow, attempt: string, { epoch }: Pick<MoveContext, 'epoch'>): Step => ({
  kind: 'createGroup',
  app: row.app,
  service: row.service,
  slot: row.slot,
  incarnation: row.incarnation,
  epoch,
  attempt,
});

const deletion = (row: ReplicaRow, { epoch }: MoveContext): Step => ({
  kind: 'deleteGroup',
  app: row.app,
  service: row.service,
  slot: row.slot,
  incarnation: row.incarnation,
  epoch,
});

const changed = (row: ReplicaRow, events: readonly PlannedEvent[]): Move => ({
  change: { insert: false, row, events },
  step: null,
  usesAttempt: false,
});
