/** Goes through all apps of the table within the time that a timer function has. */
import { ok, type Result } from '../model/result.ts';
import type { PortError } from '../ports/errors.ts';
import { mapWhile, placeAt, rotated } from './bounded.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';

const width = 16;

/** Begins at another app each time, so that a run that is cut short does not leave out the same ones again. The value is how many were not reached. */
export async function visitApps(
  { store, now }: Pick<ActivityPorts, 'store' | 'now'>,
  { tickBudgetMs }: Pick<ActivitySettings, 'tickBudgetMs'>,
  visit: (app: string) => Promise<void>,
): Promise<Result<number, PortError>> {
  const startedAt = now();
  const apps: string[] = [];
  let from: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof store.scanApps>> = await store.scanApps(from);
    if (!page.ok) return page;
    apps.push(...page.value.apps.map(({ app }) => app));
    from = page.value.next;
  } while (from !== null);
  let begun = 0;
  const mayBegin = () => now() < startedAt + tickBudgetMs;
  await mapWhile(rotated(apps, placeAt(startedAt, apps.length)), width, mayBegin, async (app) => {
    begun += 1;
    await visit(app);
  });
  return ok(apps.length - begun);
}
