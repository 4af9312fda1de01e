/** What an operator may do about one replica by hand. Both are noted in the rows and carried out by the service's own workflow, like any other change. */
import type { Problem } from '../../model/problem.ts';
import { isRun } from '../../model/run.ts';
import type { GuardRow, OperationRow, ReplicaRow, ReplicaState, Stored } from '../../model/state.ts';
import { isLegal, isLive } from '../../model/transitions.ts';
import { type Changed, changeServices } from './change-services.ts';
import { type CommandView, type Moment, type Write, withoutEtag } from './conclude.ts';
import { planRejection } from './plan-refusal.ts';

export interface ReplicaRef {
  readonly service: string;
  readonly slot: number;
  readonly incarnation: number;
}

/** It counts as one of before the last restart, and its turn comes by the rules of a restart. */
export function planReplace(
  view: CommandView,
  operation: Stored<OperationRow>,
  ref: ReplicaRef,
  moment: Moment,
): readonly Write[] {
  const replica = find(view, ref);
  if (replica === null || !isLive(replica.state)) return refuse(view, operation, ref, replica, moment);
  const change = (guard: GuardRow): Changed => ({
    guard,
    stirs: true,
    others: [{ row: { ...withoutEtag<ReplicaRow>(replica), cycle: guard.cycle - 1 }, etag: replica.etag }],
    happening: { type: 'ReplicaCondemned', message: `${nameOf(ref)} is to be replaced in its own slot, by command.` },
  });
  return changeServices(view, operation, { services: [ref.service], change, verb: 'Replaced a replica of' }, moment);
}

/** The row lets go of its group: should that still stand, it is an orphan, and the reaper's. */
export function planForget(
  view: CommandView,
  operation: Stored<OperationRow>,
  ref: ReplicaRef,
  moment: Moment,
): readonly Write[] {
  const replica = find(view, ref);
  if (replica === null || !isLegal('command', replica.state, 'gone')) {
    return refuse(view, operation, ref, replica, moment);
  }
  const row: ReplicaRow = {
    ...withoutEtag<ReplicaRow>(replica),
    state: 'gone',
    stateAt: moment.now,
    reason: 'Forgotten',
    message: null,
    endpoint: false,
    attempt: null,
    drainUntil: null,
    redeleteAt: null,
  };
  const change = (guard: GuardRow): Changed => ({
    guard,
    stirs: true,
    others: [{ row, etag: replica.etag }],
    happening: {
      type: 'ReplicaForgotten',
      message: `${nameOf(ref)} is forgotten by command; its container group ${replica.group} is deleted as an orphan if it still stands.`,
    },
  });
  return changeServices(view, operation, { services: [ref.service], change, verb: 'Forgot a replica of' }, moment);
}

const find = ({ replicas }: CommandView, ref: ReplicaRef): Stored<ReplicaRow> | null =>
  replicas.find(
    (row) => !isRun(row) && row.service === ref.service && row.slot === ref.slot && row.incarnation === ref.incarnation,
  ) ?? null;

const nameOf = ({ service, slot, incarnation }: ReplicaRef): string => `${service}/${slot}/${incarnation}`;

function refuse(
  view: CommandView,
  operation: Stored<OperationRow>,
  ref: ReplicaRef,
  replica: ReplicaRow | null,
  moment: Moment,
): readonly Write[] {
  const { app } = view.app;
  const path = `replicas.${nameOf(ref)}`;
  const problems: readonly Problem[] = [
    replica === null || replica.state === 'gone'
      ? {
          severity: 'error',
          path,
          problem: 'there is no such replica (any more).',
          remedy: `\`flotilla ps ${app}\` lists those that there are.`,
        }
      : { severity: 'error', path, ...wrongState(app, ref, replica.state) },
  ];
  return planRejection(view, operation, { reason: 'ReplicaNotFit', problems }, moment);
}

const wrongState = (app: string, ref: ReplicaRef, state: ReplicaState): Pick<Problem, 'problem' | 'remedy'> =>
  isLive(state)
    ? {
        problem: `it is ${state}: only a replica that is lost, failed or being deleted can be forgotten.`,
        remedy: `Replace it with \`flotilla replica replace ${app}.${ref.service}.${ref.slot}\`.`,
      }
    : { problem: `it is ${state}, and on its way out already.`, remedy: 'Wait until it is gone.' };
