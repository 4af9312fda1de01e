/** Summaries of apps, a page at a time: one read per app, a few at once, because counts of replicas stand only in the rows of each app. */
import type { AppList } from '../../model/api.ts';
import { ok, type Result } from '../../model/result.ts';
import type { AppRow } from '../../model/state.ts';
import type { PortError } from '../../ports/errors.ts';
import type { AppRows, StateStore } from '../../ports/state-store.ts';
import { summaryOf } from './views.ts';

const readsAtOnce = 8;

export interface AppQuery {
  readonly limit: number;
  /** Name of the last app of the page before. */
  readonly after: string | null;
}

/** Tombstones are left out, unless a command is about to bring them back: a page may be short though there are more. */
export async function listApps(store: StateStore, { limit, after }: AppQuery): Promise<Result<AppList, PortError>> {
  const page = await store.readApps(after, limit);
  if (!page.ok) return page;
  const names = page.value.filter(isShown).map(({ app }) => app);
  const found: AppRows[] = [];
  for (let n = 0; n < names.length; n += readsAtOnce) {
    const rows = await Promise.all(names.slice(n, n + readsAtOnce).map((app) => store.readApp(app)));
    for (const result of rows) {
      if (!result.ok) return result;
      found.push(result.value);
    }
  }
  const next = page.value.length < limit ? null : (page.value.at(-1)?.app ?? null);
  return ok({ apps: found.flatMap((rows) => (rows.app ? [summaryOf({ ...rows, app: rows.app })] : [])), next });
}

const isShown = (app: AppRow): boolean => app.state !== 'deleted' || app.nextSeq - 1 > app.appliedSeq;
