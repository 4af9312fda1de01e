/**
 * Makes accepted operations take effect: all of an app, in the order of acceptance, each in one transaction, each exactly once. Which message came
 * does not matter; one that finds nothing to do still wakes the app.
 */

import type { CommandView, Moment, Write } from '../decide/commands/conclude.ts';
import { planApply } from '../decide/commands/plan-apply.ts';
import { isConfirmed, isProtected, planDelete } from '../decide/commands/plan-delete.ts';
import { planFreeze } from '../decide/commands/plan-freeze.ts';
import { planRejection, planSupersession } from '../decide/commands/plan-refusal.ts';
import { planForget, planReplace } from '../decide/commands/plan-replica.ts';
import { planSteering } from '../decide/commands/plan-rollout.ts';
import { planCancel, planRun } from '../decide/commands/plan-run.ts';
import { planRestart, planScale, planStart, planStop } from '../decide/commands/plan-services.ts';
import { keys } from '../model/keys.ts';
import type { Problem } from '../model/problem.ts';
import type { Reason } from '../model/reasons.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { OperationRow, Stored } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { Change } from '../ports/state-store.ts';
import { checkDocument } from './check-document.ts';
import type { CancelBody, ReplicaBody, RunBody, ScaleBody } from './messages.ts';
import type { CommandPorts } from './ports.ts';
import { noteDue } from './wake.ts';

/** Rounds lost to other writers of the app row before it counts as a failure. */
const conflictsMax = 30;

/**
 * Concludes every accepted operation of the app; the value is their ids in order. `NotFound` = no such app. One that is accepted meanwhile may be left:
 * its own message comes.
 */
export async function applyOperations(ports: CommandPorts, app: string): Promise<Result<readonly string[], PortError>> {
  const concluded: string[] = [];
  for (let conflicts = 0; ; ) {
    const read = await ports.store.readApp(app);
    if (!read.ok) return read;
    if (read.value.app === null) return err(notFound(app));
    const [operation, ...rest] = pendingOf(read.value.operations);
    if (operation === undefined) return ok(concluded);
    const view: CommandView = { ...read.value, app: read.value.app };
    const result = await conclude(ports, view, operation);
    if (result.ok) {
      concluded.push(operation.id);
      if (rest.length === 0) return ok(concluded);
    } else if (result.error.kind !== 'Conflict' || ++conflicts === conflictsMax) return result;
  }
}

/** Ends the operation that is next in the order, with a reason, instead of applying it. */
export async function rejectNext(
  ports: CommandPorts,
  app: string,
  refusal: { readonly reason: Reason; readonly problems: readonly Problem[] },
): Promise<Result<string | null, PortError>> {
  const read = await ports.store.readApp(app);
  if (!read.ok) return read;
  const [operation] = pendingOf(read.value.operations);
  if (read.value.app === null || operation === undefined) return ok(null);
  const moment = momentOf(ports);
  const writes = planRejection({ ...read.value, app: read.value.app }, operation, refusal, moment);
  const result = await write(ports, app, writes, moment);
  return result.ok ? ok(operation.id) : result;
}

/** Accepted operations, oldest first. */
export const pendingOf = <O extends OperationRow>(operations: readonly O[]): readonly O[] =>
  operations.filter((operation) => operation.state === 'accepted').toSorted((a, b) => a.seq - b.seq);

async function conclude(
  ports: CommandPorts,
  view: CommandView,
  operation: Stored<OperationRow>,
): Promise<Result<void, PortError>> {
  const moment = momentOf(ports);
  const writes = await plan(ports, view, operation, moment);
  if (!writes.ok) return writes;
  const due = await noteDue(ports, view.app.app);
  return due.ok ? await write(ports, view.app.app, writes.value, moment) : due;
}

const momentOf = ({ now, ids }: CommandPorts): Moment => ({ now: now(), txId: ids.next() });

async function plan(
  ports: CommandPorts,
  view: CommandView,
  operation: Stored<OperationRow>,
  moment: Moment,
): Promise<Result<readonly Write[], PortError>> {
  if (operation.seq <= view.app.appliedSeq) return ok(planSupersession(view, operation, moment));
  if (operation.command !== 'apply') return ok(planImperative(view, operation, moment));
  const document = await checkDocument(ports, view.app.app, operation.body);
  if (document.ok) return ok(planApply(view, operation, document.value, moment));
  if (document.error.kind === 'port') return err(document.error.error);
  return ok(planRejection(view, operation, document.error, moment));
}

/** The app may have become protected since the command was accepted. */
function concludeDelete(view: CommandView, operation: Stored<OperationRow>, moment: Moment): readonly Write[] {
  const { app } = view.app;
  if (!isProtected(view.app) || isConfirmed(app, operation.body)) return planDelete(view, operation, moment);
  const problem: Problem = {
    severity: 'error',
    path: 'x-flotilla.protected',
    problem: `the app ${app} is protected, and its deletion was not confirmed.`,
    remedy: `Confirm with \`flotilla down ${app} --yes ${app}\`, or apply it without \`protected\` first.`,
  };
  return planRejection(view, operation, { reason: 'AppProtected', problems: [problem] }, moment);
}

/** Bodies were read by `messages` when the command was accepted. */
function planImperative(view: CommandView, operation: Stored<OperationRow>, moment: Moment): readonly Write[] {
  const named = (operation.body as { readonly services?: readonly string[] } | null)?.services ?? null;
  switch (operation.command) {
    case 'scale':
      return planScale(view, operation, (operation.body as ScaleBody).services, moment);
    case 'restart':
      return planRestart(view, operation, named, moment);
    case 'stop':
      return planStop(view, operation, named, moment);
    case 'start':
      return planStart(view, operation, named, moment);
    case 'replaceReplica':
      return planReplace(view, operation, (operation.body as ReplicaBody).replica, moment);
    case 'forgetReplica':
      return planForget(view, operation, (operation.body as ReplicaBody).replica, moment);
    case 'run':
      return planRun(view, operation, operation.body as RunBody, moment);
    case 'cancel':
      return planCancel(view, operation, (operation.body as CancelBody).run, moment);
    case 'freeze':
    case 'thaw':
      return planFreeze(view, operation, operation.command === 'freeze', moment);
    case 'pause':
    case 'resume':
    case 'promote':
    case 'abort':
    case 'undo': {
      const to = (operation.body as { readonly to?: number } | null)?.to ?? null;
      return planSteering(view, operation, operation.command, { services: named, to }, moment);
    }
    default:
      return concludeDelete(view, operation, moment);
  }
}

async function write(
  { store }: CommandPorts,
  app: string,
  writes: readonly Write[],
  { txId }: Moment,
): Promise<Result<void, PortError>> {
  const changes = writes.map(
    ({ row, etag }): Change => (etag === null ? { type: 'insert', row } : { type: 'update', row, etag }),
  );
  const result = await store.commit({ txId, witness: keys.app(app), changes });
  return result.ok ? ok(undefined) : result;
}

const notFound = (app: string): PortError => ({
  kind: 'NotFound',
  code: null,
  message: `there is no app ${app}`,
  retryAfterMs: null,
});
