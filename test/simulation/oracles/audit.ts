/**
 * S16: every effect on the world has an event with a cause, written before it; the log is append-only, and agrees with ARM: what it calls refused has not
 * happened.
 */
import type { EffectEvent, Oracle, RowEvent, View } from '../types.ts';

/** What a function says before it acts. The reaper names the service, a workflow the replica. */
const typeOf: Readonly<Record<string, string>> = {
  createGroup: 'GroupCreating',
  deleteGroup: 'GroupDeleting',
  resync: 'OrphanDeleted',
};
/** The reaper writes its event right before each DELETE. */
const orphanEventMs = 120_000;

export const audit: Oracle = {
  name: 'audit',
  invariant: 'S16',
  create() {
    /** What the log says, as `<app> <type> <what>`; kept here because old events may be purged. */
    const told = new Map<string, number>();
    let isRestored = false;
    return {
      onEvent(view, event) {
        isRestored ||= event.type === 'row' && event.foreign;
        if (event.type === 'row' && !isRestored) judgeRefusal(view, event);
        if (event.type === 'row') note(view, event, told);
        else if (event.type === 'effect') judge(view, event, told);
      },
    };
  },
};

function note(
  view: View,
  { at, partition, row, before, after, foreign, cause }: RowEvent,
  told: Map<string, number>,
): void {
  if (foreign || (before?.['kind'] ?? after?.['kind']) !== 'event') return;
  const place = `${partition} ${row}`;
  if (before !== null && after !== null) view.fail(`an audit event was rewritten: ${place}`);
  if (after === null) {
    if (cause?.fn !== 'purge') view.fail(`an audit event was deleted by ${cause?.fn}: ${place}`);
    return;
  }
  if (!after['cause']) view.fail(`an audit event without a cause: ${place}`);
  told.set(`${partition} ${after['type']} ${after['replica'] ?? after['service']}`, at);
}

/** A restored table may have forgotten that the group was made, and a create that ARM refuses for now looks for it first. */
function judgeRefusal(view: View, { before, after }: RowEvent): void {
  if (before !== null || after?.['kind'] !== 'event' || after['type'] !== 'CreateRefused') return;
  const label = `${after.partitionKey}/${after['replica']}`;
  const group = view
    .groups()
    .find((one) => one.label === label && one.tags['flotilla-installation'] === view.installation);
  if (group && !group.deleting) view.fail(`the log says that ARM refused to create ${label}, whose group stands`);
}

function judge(view: View, event: EffectEvent, told: ReadonlyMap<string, number>): void {
  if (event.target !== 'arm' || !event.writes || event.moment !== 'sent') return;
  const type = typeOf[event.cause?.fn ?? ''];
  const [app, service, slot, incarnation] = event.key.replace(/^arm \w+ /, '').split('/');
  if (!type || incarnation === undefined) {
    view.fail(`an effect that no event could tell of: ${event.key} by ${event.cause?.fn}`);
    return;
  }
  const isOrphan = type === 'OrphanDeleted';
  const toldAt = told.get(`${app} ${type} ${isOrphan ? service : `${service}/${slot}/${incarnation}`}`);
  if (toldAt === undefined || (isOrphan && event.at - toldAt > orphanEventMs))
    view.fail(`${event.key} has no event ${type} before it`);
}
