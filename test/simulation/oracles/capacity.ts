/**
 * S2: a planned replica never raises the standing ones of its service above what is desired, and the surge while others than of the wanted revision are
 * there, or by one while a pool is drained; one slot never stands twice at one revision. A plan is written
 * together with its guard under the guard's ETag, so it cannot have missed a lowered count.
 */
import type { Oracle, RowEvent, View } from '../types.ts';
import { guardOf, isReplica, isRun, isStanding, nameOf, paceOf, replicasOf } from './rows.ts';

interface Planned {
  readonly at: number;
  readonly app: string;
  readonly service: string;
  readonly slot: number;
}

export const capacity: Oracle = {
  name: 'capacity',
  invariant: 'S2',
  create() {
    /** Planned at the present instant: judged once the transaction is whole. */
    let planned: Planned[] = [];
    const drain = createDrainMemory();
    return {
      onEvent(view, event) {
        if (planned.some(({ at }) => event.at > at)) {
          for (const one of planned) judge(view, one, drain.mayShowAt(one.at) ? 1 : 0);
          planned = [];
        }
        if (event.type === 'row' && event.after?.['kind'] === 'pool') drain.note(event);
        if (event.type !== 'row' || event.foreign || event.before !== null || !isReplica(event.after)) return;
        if (isRun(event.after)) return;
        const { after } = event;
        planned.push({
          at: event.at,
          app: event.partition,
          service: String(after['service']),
          slot: Number(after['slot']),
        });
      },
    };
  },
};

/** A decision may be this old when it is committed. */
const decisionMs = 180_000;

/** Whether a decision of that instant may have seen a pool that is drained. */
function createDrainMemory() {
  const drained = new Set<string>();
  let endedAt = Number.NEGATIVE_INFINITY;
  return {
    note({ row, before, after, at }: RowEvent): void {
      drained.delete(row);
      if (after?.['draining'] === true) drained.add(row);
      else if (before?.['draining'] === true) endedAt = at;
    },
    mayShowAt: (at: number): boolean => drained.size > 0 || at - endedAt <= decisionMs,
  };
}

/** @param extra successors that a drain may have created before anything leaves */
function judge(view: View, { app, service, slot }: Planned, extra: number): void {
  const guard = guardOf(view, app, service);
  const desired = guard === undefined || guard['removed'] === true ? 0 : Number(guard['desired']);
  const rows = replicasOf(view, app, service);
  const standing = rows.filter(isStanding);
  const revision = guard?.['revision'];
  const isRolling = rows.some((row) => row['state'] !== 'gone' && row['revision'] !== revision);
  const ceiling = desired + Math.max(extra, isRolling ? paceOf(view, app, service, desired).surge : 0);
  if (standing.length > ceiling)
    view.fail(`${app}/${service} wants ${desired} replicas and stands at ${standing.map(nameOf).join(', ')}`);
  const twins = standing.filter((row) => Number(row['slot']) === slot);
  if (new Set(twins.map((row) => row['revision'])).size < twins.length)
    view.fail(`one slot stands twice: ${twins.map(nameOf).join(' and ')}`);
}
