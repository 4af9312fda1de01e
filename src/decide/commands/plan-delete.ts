/** What deleting an app changes: every service is torn down; the app row stays as a tombstone. An app that is going or gone is left alone. */
import type { OperationRow, Stored } from '../../model/state.ts';
import { type CommandView, conclude, type Moment, type Write, withoutEtag } from './conclude.ts';
import { removeService } from './remove-service.ts';

export function planDelete(view: CommandView, operation: Stored<OperationRow>, moment: Moment): readonly Write[] {
  const app = withoutEtag(view.app);
  const generation = app.generation + 1;
  const isChanged = app.state === 'active';
  const removed = isChanged
    ? view.guards.filter((guard) => !guard.removed).map((guard) => removeService(guard, generation, moment))
    : [];
  return conclude(
    view,
    operation,
    {
      state: 'applied',
      app: isChanged ? { ...app, state: 'deleting', generation, spec: null, updatedAt: moment.now } : app,
      services: removed.flatMap(({ writes }) => writes),
      happenings: removed.flatMap(({ happening }) => happening ?? []),
      reason: null,
      problems: [],
      summary: isChanged ? `The app is being deleted as generation ${generation}.` : `The app is ${app.state} already.`,
    },
    moment,
  );
}
