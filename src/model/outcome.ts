/** What became of a command that came over Service Bus, as its sender is told: the body of a reply. */
import type { Problem } from './problem.ts';

/** Ends of a command; nothing more happens to it. */
export type FinalState = 'applied' | 'rejected' | 'superseded';

export interface CommandOutcome {
  /** null: the message named no app that could be read. */
  readonly app: string | null;
  /** null: the command has no operation of its own, so nothing can be asked about it later. */
  readonly operationId: string | null;
  readonly state: FinalState;
  /** App generation that the command made; null unless it was applied. */
  readonly generation: number | null;
  /** Why it was not applied; null when it was. */
  readonly reason: string | null;
  /** At most the first 100. */
  readonly problems: readonly Pick<Problem, 'severity' | 'path' | 'problem' | 'remedy'>[];
  /** How many more problems there are. */
  readonly problemsOmitted: number;
}
