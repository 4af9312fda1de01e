/** Summaries of all apps: one read per app, a few at a time, because counts of replicas stand only in the rows of each app. */
import type { AppSummary } from '../../model/api.ts';
import { ok, type Result } from '../../model/result.ts';
import type { AppRow } from '../../model/state.ts';
import type { PortError } from '../../ports/errors.ts';
import type { StateStore } from '../../ports/state-store.ts';
import { summaryOf } from './views.ts';

const readsAtOnce = 8;

/** Tombstones are left out, unless a command is about to bring them back. */
export async function listApps(store: StateStore): Promise<Result<readonly AppSummary[], PortError>> {
  const names = await namesOf(store);
  if (!names.ok) return names;
  const summaries: AppSummary[] = [];
  for (let n = 0; n < names.value.length; n += readsAtOnce) {
    const rows = await Promise.all(names.value.slice(n, n + readsAtOnce).map((app) => store.readApp(app)));
    for (const result of rows) {
      if (!result.ok) return result;
      const { app } = result.value;
      if (app) summaries.push(summaryOf({ ...result.value, app }));
    }
  }
  return ok(summaries);
}

async function namesOf(store: StateStore): Promise<Result<readonly string[], PortError>> {
  const names: string[] = [];
  let from: string | null = null;
  do {
    const page: Awaited<ReturnType<StateStore['scanApps']>> = await store.scanApps(from);
    if (!page.ok) return page;
    names.push(...page.value.apps.filter(isShown).map(({ app }) => app));
    from = page.value.next;
  } while (from !== null);
  return ok(names.sort());
}

const isShown = (app: AppRow): boolean => app.state !== 'deleted' || app.nextSeq - 1 > app.appliedSeq;
