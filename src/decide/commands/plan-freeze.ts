/** Freezing and thawing an app. Only its row changes, at no new generation: what is wanted stays the same, whether or not it may be acted upon. */
import type { OperationRow, Stored } from '../../model/state.ts';
import { absenceOf } from './change-services.ts';
import { type CommandView, conclude, type Moment, type Write, withoutEtag } from './conclude.ts';
import { planRejection } from './plan-refusal.ts';

export function planFreeze(
  view: CommandView,
  operation: Stored<OperationRow>,
  frozen: boolean,
  moment: Moment,
): readonly Write[] {
  const absent = absenceOf(view);
  // A teardown may be halted, and must be able to go on.
  if (absent !== null && absent.reason !== 'AppBeingDeleted') return planRejection(view, operation, absent, moment);
  const app = withoutEtag(view.app);
  const isChanged = (app.frozen ?? false) !== frozen;
  const message = frozen
    ? 'The app is frozen: no container group of it is created or deleted until it is thawed.'
    : 'The app is thawed.';
  return conclude(
    view,
    operation,
    {
      state: 'applied',
      app: isChanged ? { ...app, frozen, updatedAt: moment.now } : app,
      services: [],
      happenings: isChanged ? [{ type: frozen ? 'AppFrozen' : 'AppThawed', service: null, message }] : [],
      reason: null,
      problems: [],
      summary: isChanged ? message : `The app is ${frozen ? 'frozen' : 'not frozen'} already.`,
    },
    moment,
  );
}
