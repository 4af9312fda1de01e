/** Which replica a terminal is opened in. Pure. */
import { err, ok, type Result } from '../model/result.ts';
import type { ReplicaRow, ReplicaState } from '../model/state.ts';

/** States in which a container may run, the likeliest first; in all others there is none, or it is about to go. */
const inOrder: readonly ReplicaState[] = ['ready', 'unready', 'starting', 'draining', 'lost'];

/** Why there is none, as a sentence, and what to do. */
export interface NoTarget {
  readonly kind: 'noSuchSlot' | 'notRunning';
  readonly detail: string;
}

/**
 * The replica in `slot`, else of all slots: a ready one before any other, then the lowest slot, then the newest incarnation.
 * @param replicas of the service, in any order
 */
export function pickExecTarget<R extends ReplicaRow>(
  service: string,
  replicas: readonly R[],
  slot: number | null,
): Result<R, NoTarget> {
  const present = replicas.filter(({ state }) => state !== 'gone');
  const meant = present.filter((replica) => slot === null || replica.slot === slot);
  const [best] = meant.filter(({ state }) => inOrder.includes(state)).toSorted(byPreference);
  if (best) return ok(best);
  if (meant.length > 0) return err({ kind: 'notRunning', detail: `${sayStates(meant)}: no container of it runs.` });
  const slots = [...new Set(present.map((replica) => replica.slot))].toSorted((a, b) => a - b);
  if (slots.length === 0) return err({ kind: 'notRunning', detail: `${service} has no replicas.` });
  return err({ kind: 'noSuchSlot', detail: `${service} has no replica in slot ${slot}; slots: ${slots.join(', ')}.` });
}

const byPreference = (a: ReplicaRow, b: ReplicaRow): number =>
  inOrder.indexOf(a.state) - inOrder.indexOf(b.state) || a.slot - b.slot || b.incarnation - a.incarnation;

/** At most so many are named. */
const namedMax = 5;

function sayStates(replicas: readonly ReplicaRow[]): string {
  const said = replicas
    .toSorted((a, b) => a.slot - b.slot || b.incarnation - a.incarnation)
    .map(
      ({ service, slot, state, reason }) => `${service}.${slot} is ${state}${reason === null ? '' : ` (${reason})`}`,
    );
  const more = said.length - namedMax;
  return more > 0 ? `${said.slice(0, namedMax).join(', ')} and ${more} more` : said.join(', ');
}
