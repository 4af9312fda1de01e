/**
 * What the command queue and its dead-letter queue do. Returning completes the message; throwing gives it back, so only what may pass by itself is
 * thrown, after three minutes of patience. Everything else ends in an operation that its sender can ask for, or, without an address, in the log.
 */
import { keys } from '../model/keys.ts';
import type { Problem } from '../model/problem.ts';
import type { Reason } from '../model/reasons.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { OperationRow } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { Workflows } from '../ports/workflows.ts';
import { accept, operationIdOf, type Refusal } from './accept.ts';
import { applyOperations, rejectNext } from './apply-operations.ts';
import { type Poison, readMessage, type WholeCommand } from './messages.ts';
import { PassingFailure, type PatientPorts, patiently, withPatience } from './patience.ts';
import type { CommandPorts } from './ports.ts';
import { recordEvent, recordRejected, rejectedPartition } from './record-rejection.ts';
import { noteDue, wakeAssessor } from './wake.ts';

export interface QueueHandlers {
  /** `body` as the trigger hands it over. @throws Error when the message should come again. */
  onMessage(body: unknown, messageId: string, workflows: Pick<Workflows, 'start'>): Promise<void>;
  /** The same, but a handler that fails for no passing reason ends the operation instead of coming round for ever. */
  onDeadLetter(body: unknown, messageId: string, workflows: Pick<Workflows, 'start'>): Promise<void>;
}

export function createQueueHandlers(ports: CommandPorts): QueueHandlers {
  return {
    onMessage: (body, messageId, workflows) => handle(withPatience(ports), body, messageId, workflows),
    async onDeadLetter(body, messageId, workflows) {
      const patient = withPatience(ports);
      try {
        await handle(patient, body, messageId, workflows);
      } catch (error) {
        if (error instanceof PassingFailure) throw error;
        await giveUp(patient, body, messageId, (error as Error).message);
      }
    },
  };
}

async function handle(
  ports: PatientPorts,
  body: unknown,
  messageId: string,
  workflows: Pick<Workflows, 'start'>,
): Promise<void> {
  const message = readMessage(body);
  if (!message.ok) return await recordPoison(ports, body, messageId, message.error);
  if (message.value.kind === 'hint') return await applyAndWake(ports, message.value.hint.app, workflows);
  const { command } = message.value;
  const accepted = await acceptPatiently(ports, command);
  if (!accepted.ok) return await recordRefusal(ports, command, accepted.error);
  await applyAndWake(ports, command.app, workflows);
}

async function applyAndWake(ports: PatientPorts, app: string, workflows: Pick<Workflows, 'start'>): Promise<void> {
  const applied = await patiently(ports, () => applyAll(ports, app));
  if (!applied.ok && applied.error.kind === 'NotFound') {
    ports.log.warn('A message names an app that does not exist; it is dropped.', { app });
    return;
  }
  if (!applied.ok) throw new PassingFailure(applied.error);
  const woken = await wakeAssessor(ports, workflows, app);
  if (!woken.ok) ports.log.warn('The assessor could not be woken; the resync will.', { app, ...woken.error });
}

/** Applies what is pending and notes the app as due, whether or not there was anything. */
async function applyAll(ports: PatientPorts, app: string): Promise<Result<void, PortError>> {
  const applied = await applyOperations(ports, app);
  if (applied.ok) return applied.value.length > 0 ? ok(undefined) : await noteDue(ports, app);
  if (applied.error.kind !== 'Invalid') return applied;
  // The table refuses what this command writes, and always will.
  const rejected = await rejectNext(ports, app, failure(applied.error.message));
  if (!rejected.ok) return rejected;
  return rejected.value === null ? applied : await applyAll(ports, app);
}

const failure = (message: string): { reason: Reason; problems: Problem[] } => ({
  reason: 'CommandFailed',
  problems: [
    { severity: 'error', path: '', problem: message, remedy: 'Change the document, or report this as a bug.' },
  ],
});

/** A refusal of kind `port` does not come back: it is thrown. */
async function acceptPatiently(
  ports: PatientPorts,
  command: WholeCommand,
): Promise<Result<OperationRow, Exclude<Refusal, { kind: 'port' }>>> {
  const document = command.command === 'apply' ? command.document : null;
  const result = await patiently(ports, async () => {
    const accepted = await accept(ports, { ...command, document });
    return !accepted.ok && accepted.error.kind === 'port' ? err(accepted.error.error) : ok(accepted);
  });
  if (!result.ok) throw new PassingFailure(result.error);
  return result.value as Result<OperationRow, Exclude<Refusal, { kind: 'port' }>>;
}

async function recordRefusal(
  ports: PatientPorts,
  command: WholeCommand,
  refusal: Exclude<Refusal, { kind: 'port' }>,
): Promise<void> {
  const document = command.command === 'apply' ? command.document : null;
  const base = { ...command, document };
  switch (refusal.kind) {
    case 'invalid':
      return await recordRejected(ports, { ...base, reason: refusal.reason, problems: refusal.problems });
    case 'appNotFound':
      return await recordRejected(ports, { ...base, reason: 'AppNotFound', problems: [] });
    case 'keyReused':
      // The operation of that key belongs to the other command, so this one has only the audit log.
      return await recordEvent(ports, command.app, {
        reason: 'KeyReused',
        message: 'A command was rejected: its idempotency key was used for another one.',
        cause: refusal.operationId,
      });
  }
}

async function recordPoison(ports: PatientPorts, body: unknown, messageId: string, poison: Poison): Promise<void> {
  const problems = poison.faults.map(
    ({ path, problem }): Problem => ({
      severity: 'error',
      path,
      problem,
      remedy: 'Send {app, operationId} or {command, app, idempotencyKey, document}.',
    }),
  );
  if (poison.addressed) {
    const isDelete = (body as Readonly<Record<string, unknown>>)['command'] === 'delete';
    const command = isDelete ? 'delete' : 'apply';
    return await recordRejected(ports, {
      ...poison.addressed,
      command,
      document: body,
      reason: 'InvalidMessage',
      problems,
    });
  }
  const faults = poison.faults.map(({ path, problem }) => (path === '' ? problem : `${path}: ${problem}`)).join('; ');
  ports.log.error('A message could not be understood and is dropped.', { messageId, faults });
  await recordEvent(ports, rejectedPartition, {
    reason: 'InvalidMessage',
    message: `A message could not be understood: ${faults}`.slice(0, 1_000),
    cause: messageId,
  });
}

/** For a dead letter whose handling fails by a fault of ours: somebody must hear of it, and the commands behind it must go on. */
async function giveUp(ports: PatientPorts, body: unknown, messageId: string, why: string): Promise<void> {
  ports.log.error('A dead letter could not be handled; its command is rejected.', { messageId, why });
  const message = readMessage(body);
  if (!message.ok) return;
  const { value } = message;
  if (value.kind === 'command' && !(await isKnown(ports, value.command))) {
    const document = value.command.command === 'apply' ? value.command.document : null;
    return await recordRejected(ports, { ...value.command, document, ...failure(why) });
  }
  const app = value.kind === 'hint' ? value.hint.app : value.command.app;
  const result = await rejectNext(ports, app, failure(why));
  if (!result.ok) throw new PassingFailure(result.error);
}

async function isKnown({ store }: Pick<CommandPorts, 'store'>, command: WholeCommand): Promise<boolean> {
  const operation = await store.read<OperationRow>(keys.operation(command.app, operationIdOf(command)));
  if (!operation.ok) throw new PassingFailure(operation.error);
  return operation.value !== null;
}
