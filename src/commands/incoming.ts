/** A message of the command queue as it came: the command in it, well-formed or not, and who wants to be told of its outcome. */
import { createHash } from 'node:crypto';
import { rejection } from '../decide/commands/reply.ts';
import { defaults } from '../model/defaults.ts';
import type { Problem } from '../model/problem.ts';
import type { Result } from '../model/result.ts';
import { commandNames, type ReplyRow } from '../model/state.ts';
import { bodyHashOf, type Command, confirmation, operationIdOf } from './accept.ts';
import { bodyOf, type Message, type Poison, type WholeCommand } from './messages.ts';
import type { CommandPorts } from './ports.ts';

export interface Incoming {
  /** As the trigger hands it over: an object, or text that was not JSON. */
  readonly body: unknown;
  readonly messageId: string;
  readonly replyTo: string | null;
  readonly replyToSessionId: string | null;
}

type ReadMessage = Result<Message, Poison>;

/** What the reply will be about. */
type Subject = Pick<ReplyRow, 'app' | 'operationId' | 'bodyHash' | 'outcome'>;

/** What is owed to the sender of a message, or the queue that it may not be told at. */
export function replyOf(
  { now, log }: Pick<CommandPorts, 'now' | 'log'>,
  incoming: Incoming,
  message: ReadMessage,
  listed: readonly string[],
): { readonly owed: ReplyRow | null; readonly refused: string | null } {
  const { replyTo, messageId } = incoming;
  if (!replyTo) return { owed: null, refused: null };
  if (!isListed(listed, replyTo)) {
    log.warn('The outcome of a command may not be sent to where its sender wants it.', { messageId, replyTo });
    return { owed: null, refused: replyTo };
  }
  return { owed: replyRow({ ...incoming, replyTo }, subjectOf(incoming, message), now()), refused: null };
}

function subjectOf(incoming: Incoming, message: ReadMessage): Subject {
  if (message.ok && message.value.kind === 'command') return subjectOfCommand(asCommand(message.value.command));
  const poison = message.ok ? null : message.error;
  if (poison?.addressed) return subjectOfCommand(poisonCommand(incoming.body, poison.addressed));
  const outcome = rejection({ app: null, operationId: null, reason: 'InvalidMessage' }, poisonProblems(poison));
  return { app: null, operationId: null, bodyHash: null, outcome };
}

const subjectOfCommand = (command: Command): Subject => ({
  app: command.app,
  operationId: operationIdOf(command),
  bodyHash: bodyHashOf(command),
  outcome: null,
});

export const asCommand = (command: WholeCommand): Command => ({
  app: command.app,
  command: command.command,
  idempotencyKey: command.idempotencyKey,
  document: command.command === 'delete' ? confirmation(command.confirm) : bodyOf(command),
});

/** A malformed command that says whose it is, as it is recorded. */
export const poisonCommand = (body: unknown, addressed: NonNullable<Poison['addressed']>): Command => {
  const written = (body as Readonly<Record<string, unknown>>)['command'];
  return { ...addressed, command: commandNames.find((name) => name === written) ?? 'apply', document: body };
};

export const poisonProblems = (poison: Poison | null): Problem[] =>
  (poison?.faults ?? []).map(({ path, problem }) => ({
    severity: 'error',
    path,
    problem,
    remedy: 'Send {app, operationId}, or {command, app, idempotencyKey} with what the command takes.',
  }));

/** Names of queues are the same in upper and lower case. */
const isListed = (queues: readonly string[], replyTo: string): boolean =>
  queues.some((queue) => queue.toLowerCase() === replyTo.toLowerCase());

function replyRow(incoming: Incoming & { readonly replyTo: string }, subject: Subject, now: number): ReplyRow {
  const { messageId, replyTo, replyToSessionId } = incoming;
  const id = sha256([subject.app, subject.operationId, messageId, replyTo.toLowerCase(), replyToSessionId].join('\n'));
  return {
    kind: 'reply',
    id: id.slice(0, 32),
    ...subject,
    to: replyTo,
    // A queue with sessions takes nothing without one, and who named none can still find its own.
    sessionId: replyToSessionId ?? messageId,
    correlationId: messageId,
    since: now,
    nextAt: now + defaults.resendAfterMs,
    attempts: 0,
  };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
