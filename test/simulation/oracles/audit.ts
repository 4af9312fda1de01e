/** S16: every effect on the world has an event with a cause, written before it; the log is append-only. */
import type { EffectEvent, Oracle, RowEvent, View } from '../types.ts';

const typesOf: Readonly<Record<string, readonly string[]>> = {
  PUT: ['GroupCreating'],
  DELETE: ['GroupDeleting', 'OrphanDeleted'],
};

export const audit: Oracle = {
  name: 'audit',
  invariant: 'S16',
  create() {
    /** What the log says, as `<app> <type> <what>`; kept here because old events may be purged. */
    const told = new Set<string>();
    return {
      onEvent(view, event) {
        if (event.type === 'row') note(view, event, told);
        else if (event.type === 'effect') judge(view, event, told);
      },
    };
  },
};

function note(view: View, { partition, row, before, after, foreign, cause }: RowEvent, told: Set<string>): void {
  if (foreign || (before?.['kind'] ?? after?.['kind']) !== 'event') return;
  const place = `${partition} ${row}`;
  if (before !== null && after !== null) view.fail(`an audit event was rewritten: ${place}`);
  if (after === null) {
    if (cause?.fn !== 'purge') view.fail(`an audit event was deleted by ${cause?.fn}: ${place}`);
    return;
  }
  if (!after['cause']) view.fail(`an audit event without a cause: ${place}`);
  told.add(`${partition} ${after['type']} ${after['replica'] ?? `orphan ${after['service']}`}`);
}

function judge(view: View, event: EffectEvent, told: ReadonlySet<string>): void {
  if (event.target !== 'arm' || !event.writes || event.moment !== 'sent') return;
  const types = typesOf[event.method];
  const [app, service, slot, incarnation] = event.key.replace(/^arm \w+ /, '').split('/');
  if (!types || incarnation === undefined) {
    view.fail(`an effect that no event could tell of: ${event.key}`);
    return;
  }
  const subjects = [`${service}/${slot}/${incarnation}`, `orphan ${service}`];
  const isTold = types.some((type) => subjects.some((subject) => told.has(`${app} ${type} ${subject}`)));
  if (!isTold) view.fail(`${event.key} has no event before it; expected ${types.join(' or ')}`);
}
