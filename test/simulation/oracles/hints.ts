/**
 * S6, S7 for events: an event is a hint. One that names nothing of ours leads to no call at ARM and to no write, whoever made it up; one that does leads to a
 * write only after ARM has answered in the same run, and then the replica's own row is among what is written. A run of an event never fails.
 */
import type { Cause, EffectEvent, Oracle, RowEvent, RunEvent, View } from '../types.ts';
import { isReplica } from './rows.ts';

const isOfEvent = (cause: Cause | null): cause is Cause => cause?.fn === 'groupEvents';

export const hints: Oracle = {
  name: 'hints',
  invariant: 'S6',
  create() {
    /** Runs in which ARM has answered. */
    const informed = new WeakSet<Cause>();
    return {
      onEvent(view, event) {
        if (!('cause' in event) || !isOfEvent(event.cause)) return;
        const { cause } = event;
        if (event.type === 'run') judgeRun(view, event);
        if (event.type === 'effect' && event.target === 'arm') {
          judgeCall(view, event, cause);
          if (event.moment === 'replied') informed.add(cause);
        }
        if (event.type === 'row') judgeWrite(view, event, cause, informed.has(cause));
      },
    };
  },
};

function judgeRun(view: View, { moment, cause, detail }: RunEvent): void {
  if (moment === 'failed') view.fail(`the function failed for the event about ${cause.about}: ${detail}`);
}

function judgeCall(view: View, { moment, key, writes }: EffectEvent, { about }: Cause): void {
  if (writes) view.fail(`${key} was sent because of an event alone`);
  if (moment === 'sent' && !isKnown(view, about))
    view.fail(`${key} was sent for an event about ${about}, which is nobody's`);
}

function judgeWrite(
  view: View,
  { partition, row, before, after }: RowEvent,
  { about }: Cause,
  isInformed: boolean,
): void {
  if (!isKnown(view, about))
    view.fail(`${partition} ${row} was written for an event about ${about}, which is nobody's`);
  if (!isInformed) view.fail(`${partition} ${row} was written for an event about ${about} before ARM was asked`);
  const isJudged = isReplica(before) && isReplica(after);
  if (isJudged && !about.endsWith(`/${after['group']}`))
    view.fail(`an event about ${about} changed the row of ${after['group']}`);
}

/** Some row has a group of this name in its pool's place. */
function isKnown(view: View, about: string): boolean {
  const parts =
    /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.ContainerInstance\/containerGroups\/([^/]+)$/i.exec(
      about,
    );
  if (!parts) return false;
  const [, subscription = '', , name = ''] = parts;
  const isHere = view.pools.some(({ subscriptionId }) => subscriptionId.toLowerCase() === subscription.toLowerCase());
  return isHere && view.rowsOf('replica').some((row) => row['group'] === name.toLowerCase());
}
