/** What deleting an app changes: every service is torn down; the app row stays as a tombstone. An app that is going or gone is left alone. */
import type { AppRow, OperationRow, Stored } from '../../model/state.ts';
import { ownValue } from '../../spec/json.ts';
import { type CommandView, conclude, type Moment, type Write, withoutEtag } from './conclude.ts';
import { removeService } from './remove-service.ts';

/** `x-flotilla.protected` of what stands or is on its way out: deleting it wants the app's name once more. */
export const isProtected = ({ spec }: Pick<AppRow, 'spec'>): boolean => spec?.protected === true;

/** @param body of a delete command: `{confirm}`, or null */
export const isConfirmed = (app: string, body: unknown): boolean => ownValue(body, 'confirm') === app;

export const protectionText = (app: string): string =>
  `AppProtected: ${app} has \`x-flotilla.protected: true\`. Confirm with \`flotilla down ${app} --yes ${app}\` (\`confirm=${app}\` in the API, \`"confirm": "${app}"\` in a message), or apply it without that line first.`;

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
