/**
 * What the command queue and its dead-letter queue do. Returning completes the message; throwing gives it back, so only what may pass by itself is
 * thrown, after three minutes of patience. Everything else ends in an operation that its sender can ask for, or, without an address, in the log.
 */
import { protectionText } from '../decide/commands/plan-delete.ts';
import { keys } from '../model/keys.ts';
import type { Problem } from '../model/problem.ts';
import type { Reason } from '../model/reasons.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { OperationRow, ReplyRow } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { Workflows } from '../ports/workflows.ts';
import { accept, operationIdOf, type Refusal } from './accept.ts';
import { applyOperations, rejectNext } from './apply-operations.ts';
import { asCommand, type Incoming, poisonCommand, poisonProblems, replyOf } from './incoming.ts';
import { type Poison, readMessage, type WholeCommand } from './messages.ts';
import { PassingFailure, type PatientPorts, patiently, withPatience } from './patience.ts';
import type { CommandPorts } from './ports.ts';
import { recordEvent, recordRejected, rejectedPartition } from './record-rejection.ts';
import { owe, payNow } from './replies.ts';
import { noteDue, wakeAssessor } from './wake.ts';

export interface QueueHandlers {
  /** @throws Error when the message should come again. */
  onMessage(message: Incoming, workflows: Pick<Workflows, 'start'>): Promise<void>;
  /** The same, but a handler that fails for no passing reason ends the operation instead of coming round for ever. */
  onDeadLetter(message: Incoming, workflows: Pick<Workflows, 'start'>): Promise<void>;
}

export interface QueueSettings {
  /** Queues and topics to which replies may be sent. */
  readonly replyQueues: readonly string[];
}

export function createQueueHandlers(ports: CommandPorts, { replyQueues }: QueueSettings): QueueHandlers {
  const take = async (patient: PatientPorts, incoming: Incoming, workflows: Pick<Workflows, 'start'>) => {
    const message = readMessage(incoming.body);
    if (message.ok && message.value.kind === 'hint')
      return await applyAndWake(patient, message.value.hint.app, workflows);
    const reply = replyOf(patient, incoming, message, replyQueues);
    if (reply.owed) await oweIt(patient, reply.owed);
    if (!message.ok) await recordPoison(patient, incoming, message.error, reply.refused);
    else if (message.value.kind === 'command')
      await carryOut(patient, { ...message.value.command, replyRefused: reply.refused }, workflows);
    if (reply.owed) await payNow(patient, reply.owed.id);
  };
  return {
    onMessage: (incoming, workflows) => take(withPatience(ports), incoming, workflows),
    async onDeadLetter(incoming, workflows) {
      const patient = withPatience(ports);
      try {
        await take(patient, incoming, workflows);
      } catch (error) {
        if (error instanceof PassingFailure) throw error;
        await giveUp(patient, incoming, (error as Error).message);
      }
    },
  };
}

async function carryOut(
  ports: PatientPorts,
  command: Addressed<WholeCommand>,
  workflows: Pick<Workflows, 'start'>,
): Promise<void> {
  const accepted = await acceptPatiently(ports, command);
  if (!accepted.ok) return await recordRefusal(ports, command, accepted.error);
  await applyAndWake(ports, command.app, workflows);
}

type Addressed<C> = C & { readonly replyRefused: string | null };

async function oweIt(ports: PatientPorts, row: ReplyRow): Promise<void> {
  const owed = await patiently(ports, () => owe(ports, row));
  if (!owed.ok) throw new PassingFailure(owed.error);
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
  command: Addressed<WholeCommand>,
): Promise<Result<OperationRow, Exclude<Refusal, { kind: 'port' }>>> {
  const result = await patiently(ports, async () => {
    const accepted = await accept(ports, { ...asCommand(command), replyRefused: command.replyRefused });
    return !accepted.ok && accepted.error.kind === 'port' ? err(accepted.error.error) : ok(accepted);
  });
  if (!result.ok) throw new PassingFailure(result.error);
  return result.value as Result<OperationRow, Exclude<Refusal, { kind: 'port' }>>;
}

async function recordRefusal(
  ports: PatientPorts,
  command: Addressed<WholeCommand>,
  refusal: Exclude<Refusal, { kind: 'port' }>,
): Promise<void> {
  const base = { ...asCommand(command), replyRefused: command.replyRefused };
  switch (refusal.kind) {
    case 'invalid':
      return await recordRejected(ports, { ...base, reason: refusal.reason, problems: refusal.problems });
    case 'appNotFound':
      return await recordRejected(ports, { ...base, reason: 'AppNotFound', problems: [] });
    case 'protected':
      return await recordRejected(ports, {
        ...base,
        reason: 'AppProtected',
        problems: [
          {
            severity: 'error',
            path: 'confirm',
            problem: protectionText(command.app),
            remedy: `Send \`"confirm": "${command.app}"\`.`,
          },
        ],
      });
    case 'keyReused':
      // The operation of that key belongs to the other command, so this one has only the audit log.
      return await recordEvent(ports, command.app, {
        reason: 'KeyReused',
        message: 'A command was rejected: its idempotency key was used for another one.',
        cause: refusal.operationId,
      });
  }
}

async function recordPoison(
  ports: PatientPorts,
  { body, messageId }: Incoming,
  poison: Poison,
  replyRefused: string | null,
): Promise<void> {
  if (poison.addressed) {
    return await recordRejected(ports, {
      ...poisonCommand(body, poison.addressed),
      reason: 'InvalidMessage',
      problems: poisonProblems(poison),
      replyRefused,
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
async function giveUp(ports: PatientPorts, { body, messageId }: Incoming, why: string): Promise<void> {
  ports.log.error('A dead letter could not be handled; its command is rejected.', { messageId, why });
  const message = readMessage(body);
  if (!message.ok) return;
  const { value } = message;
  if (value.kind === 'command' && !(await isKnown(ports, value.command))) {
    return await recordRejected(ports, { ...asCommand(value.command), ...failure(why), replyRefused: null });
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
