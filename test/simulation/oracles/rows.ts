/** How oracles read rows and tags: their own few lines, so that they share nothing with what they judge. */
import type { RawEntity, SimEvent, View } from '../types.ts';

/** Clocks of two hosts may differ by this much in a run with skewed clocks. */
export const skewMs = 120_000;

/** From now on the dates of two hosts may differ. */
export const isSkewed = (event: SimEvent): boolean =>
  (event.type === 'host' && event.fault === 'clockSkew') || (event.type === 'fault' && event.fault === 'clockJump');

/** Replicas that count as standing for their service. */
const standing = new Set(['planned', 'creating', 'starting', 'ready', 'unready']);

export const isReplica = (row: RawEntity | null): row is RawEntity => row?.['kind'] === 'replica';

export const isStanding = (row: RawEntity | null): boolean => row !== null && standing.has(String(row['state']));

export const replicasOf = (view: View, app: string, service: string): readonly RawEntity[] =>
  view.rowsOf('replica', app).filter((row) => row['service'] === service);

export const guardOf = (view: View, app: string, service: string): RawEntity | undefined =>
  view.row(app, `service|${service}`);

/** Image of a revision as the table has it; null when it has no such revision. */
export function imageOf(view: View, app: string, service: string, revision: number): string | null {
  const row = view.rowsOf('revision', app).find((one) => one['service'] === service && one['revision'] === revision);
  const template = row ? (view.json(row, 'template') as { readonly image?: string } | null) : null;
  return template?.image ?? null;
}

export const nameOf = (row: RawEntity): string =>
  `${row.partitionKey}/${row['service']}/${row['slot']}/${row['incarnation']}`;

/** The row that a group's tags name, whatever its state. */
export function rowOfTags(view: View, tags: Readonly<Record<string, string>>): RawEntity | undefined {
  const part = (tag: string, width: number) => (tags[`flotilla-${tag}`] ?? '').padStart(width, '0');
  const key = `replica|${tags['flotilla-service']}|${part('slot', 4)}|${part('incarnation', 8)}`;
  return view.row(tags['flotilla-app'] ?? '', key);
}

/** `<kind>:<app>.<service>:<epoch>` of a workflow. */
export function workflowOf(
  instance: string | null,
): { readonly app: string; readonly service: string; readonly epoch: number } | null {
  const match = /^(?:deployment|teardown):([^.]+)\.([^:]+):(\d+)$/.exec(instance ?? '');
  return match ? { app: match[1] ?? '', service: match[2] ?? '', epoch: Number(match[3]) } : null;
}

export const isSuccess = (status: number | null): boolean => status !== null && status >= 200 && status < 300;
