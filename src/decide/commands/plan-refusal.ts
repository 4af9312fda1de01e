/** How a command ends that has no effect: rejected with its faults, or superseded by one that was accepted later. */
import type { Problem } from '../../model/problem.ts';
import type { Reason } from '../../model/reasons.ts';
import type { OperationRow, Stored } from '../../model/state.ts';
import { type CommandView, conclude, type Moment, type Write, withoutEtag } from './conclude.ts';

/** An app whose very first command is rejected never came to be: it ends as an empty tombstone. */
export function planRejection(
  view: CommandView,
  operation: Stored<OperationRow>,
  refusal: { readonly reason: Reason; readonly problems: readonly Problem[] },
  moment: Moment,
): readonly Write[] {
  const app = withoutEtag(view.app);
  const isStillborn = app.generation === 0;
  const faults = refusal.problems.map(({ path, problem }) => (path === '' ? problem : `${path}: ${problem}`));
  return conclude(
    view,
    operation,
    {
      state: 'rejected',
      app: isStillborn ? { ...app, state: 'deleted', updatedAt: moment.now } : app,
      services: [],
      happenings: [],
      ...refusal,
      summary: faults.length === 0 ? `Rejected: ${refusal.reason}.` : `Rejected: ${faults.slice(0, 3).join(' ')}`,
    },
    moment,
  );
}

export function planSupersession(view: CommandView, operation: Stored<OperationRow>, moment: Moment): readonly Write[] {
  return conclude(
    view,
    operation,
    {
      state: 'superseded',
      app: withoutEtag(view.app),
      services: [],
      happenings: [],
      reason: 'NewerCommandApplied',
      problems: [],
      summary: `Command ${view.app.appliedSeq}, accepted after this one (${operation.seq}), was applied already.`,
    },
    moment,
  );
}
