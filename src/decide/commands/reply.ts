/** What the sender of a command is told, and when. Only an end is an outcome: one that is told never changes. */
import type { CommandOutcome, FinalState } from '../../model/outcome.ts';
import type { OperationRow, ReplyRow } from '../../model/state.ts';
import { backoffMs } from '../backoff.ts';

export type ReplyDecision =
  | { readonly kind: 'send'; readonly outcome: CommandOutcome }
  /** The command is not at its end, or not accepted yet. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'drop' };

export interface ReplySettings {
  readonly firstMs: number;
  readonly capMs: number;
  readonly giveUpMs: number;
}

/** A message has room for 256 KiB; a hundred faults are more than anybody mends at once. */
const problemsMax = 100;

/** @param operation The one that the reply names; null = there is none (yet). */
export function decideReply(
  reply: ReplyRow,
  operation: OperationRow | null,
  now: number,
  { giveUpMs }: Pick<ReplySettings, 'giveUpMs'>,
): ReplyDecision {
  if (now - reply.since > giveUpMs) return { kind: 'drop' };
  if (reply.outcome !== null) return { kind: 'send', outcome: reply.outcome };
  if (operation === null) return { kind: 'wait' };
  // The key belongs to another command: what became of that one is no answer to this one.
  if (operation.bodyHash !== reply.bodyHash) return { kind: 'send', outcome: keyReused(reply, operation) };
  const { state } = operation;
  return state === 'accepted' ? { kind: 'wait' } : { kind: 'send', outcome: outcomeOf(operation, state) };
}

/** The row after it could not be sent: when to look again. */
export const postponed = (reply: ReplyRow, now: number, { firstMs, capMs }: ReplySettings): ReplyRow => {
  const attempts = reply.attempts + 1;
  return { ...reply, attempts, nextAt: now + backoffMs(attempts, { firstMs, capMs }) };
};

function outcomeOf({ app, id, generation, reason, problems }: OperationRow, state: FinalState): CommandOutcome {
  return withProblems({ app, operationId: id, state, generation, reason }, problems);
}

export const rejection = (
  of: Pick<CommandOutcome, 'app' | 'operationId' | 'reason'>,
  problems: CommandOutcome['problems'],
): CommandOutcome => withProblems({ ...of, state: 'rejected', generation: null }, problems);

function withProblems(
  outcome: Omit<CommandOutcome, 'problems' | 'problemsOmitted'>,
  problems: CommandOutcome['problems'],
): CommandOutcome {
  const told = problems
    .slice(0, problemsMax)
    .map(({ severity, path, problem, remedy }) => ({ severity, path, problem, remedy }));
  return { ...outcome, problems: told, problemsOmitted: problems.length - told.length };
}

const keyReused = ({ app }: ReplyRow, { id }: OperationRow): CommandOutcome =>
  rejection({ app, operationId: null, reason: 'KeyReused' }, [
    {
      severity: 'error',
      path: 'idempotencyKey',
      problem: `operation ${id} of this app was another command with the same key.`,
      remedy: 'Give every command a key of its own.',
    },
  ]);
