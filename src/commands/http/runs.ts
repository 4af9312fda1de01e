/** `GET …/runs`: one-off commands of an app. Those that are over are rows that nothing else reads, so that they are asked for apart. */
import type { HttpResponseInit } from '@azure/functions';
import type { RunList } from '../../model/api.ts';
import { namePattern } from '../../model/limits.ts';
import { isRun } from '../../model/run.ts';
import type { CommandPorts } from '../ports.ts';
import { refuseUnknown } from './request.ts';
import { json, noSuchApp, unavailable } from './responses.ts';
import { runOf } from './views.ts';

export async function getRuns(
  { store }: Pick<CommandPorts, 'store'>,
  app: string,
  query: URLSearchParams,
): Promise<HttpResponseInit> {
  const unknown = refuseUnknown(query, ['operation']);
  if (unknown) return unknown;
  if (!namePattern.test(app)) return noSuchApp(app);
  const operation = query.get('operation');
  // Whoever waits for a run asks again and again, and mostly finds it among what is at work.
  for (const read of operation === null ? [store.readWholeApp] : [store.readApp, store.readWholeApp]) {
    const rows = await read(app);
    if (!rows.ok) return unavailable(rows.error);
    if (rows.value.app === null) return noSuchApp(app);
    const runs = rows.value.replicas
      .filter((row) => isRun(row))
      .filter(({ run }) => operation === null || run.operation === operation)
      .toSorted((a, b) => b.createdAt - a.createdAt || b.incarnation - a.incarnation)
      .map(runOf);
    if (runs.length > 0 || read === store.readWholeApp) return json(200, { runs } satisfies RunList);
  }
  return noSuchApp(app);
}
