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

/** A one-off command: it has a replica's row, and is none of those that are wanted. */
export const isRun = (row: RawEntity): boolean => row['run'] !== undefined;

export const isStanding = (row: RawEntity | null): boolean => row !== null && standing.has(String(row['state']));

/** Without runs. */
export const replicasOf = (view: View, app: string, service: string): readonly RawEntity[] =>
  view.rowsOf('replica', app).filter((row) => row['service'] === service && !isRun(row));

export const guardOf = (view: View, app: string, service: string): RawEntity | undefined =>
  view.row(app, `service|${service}`);

/** State of a pool's health; undefined = nothing was ever held against it. */
export const healthOf = (view: View, pool: RawEntity): string | undefined =>
  (view.json(pool, 'health') as { readonly state: string } | null)?.state;

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

/** How many replicas above and below the desired number a rollout of the service may have, by the spec that stands. Told again, not imported. */
export function paceOf(
  view: View,
  app: string,
  service: string,
  desired: number,
): { surge: number; unavailable: number } {
  const head = view.row(app, 'app');
  const spec = (head ? view.json(head, 'spec') : null) as { readonly services?: readonly SpecRow[] } | null;
  const {
    strategy = 'rolling',
    maxSurge = '25%',
    maxUnavailable = 0,
  } = spec?.services?.find(({ name }) => name === service)?.rollout ?? {};
  if (strategy === 'recreate') return { surge: 0, unavailable: desired };
  const surge = amountOf(maxSurge, desired, Math.ceil);
  const unavailable = amountOf(maxUnavailable, desired, Math.floor);
  // A way back that found no room may take one replica first.
  const record = rolloutOf(view, app, service);
  const isStuck = record !== undefined && record['purpose'] !== 'deploy';
  return { surge, unavailable: surge + unavailable === 0 || isStuck ? Math.max(1, unavailable) : unavailable };
}

/** The record of the rollout that the guard of a service names. */
export function rolloutOf(view: View, app: string, service: string): RawEntity | undefined {
  const number = guardOf(view, app, service)?.['rollout'];
  return view.rowsOf('rollout', app).find((row) => row['service'] === service && row['number'] === number);
}

/** Its rollout stopped, with a reason, and waits for a person: it is not to converge by itself. */
export function isPaused(view: View, app: string, service: string): boolean {
  const record = rolloutOf(view, app, service);
  return record?.['phase'] === 'paused' && record['reason'] !== undefined;
}

interface SpecRow {
  readonly name: string;
  readonly rollout?: {
    readonly strategy?: string;
    readonly maxSurge?: number | string;
    readonly maxUnavailable?: number | string;
  };
}

const amountOf = (amount: number | string, desired: number, round: (share: number) => number): number =>
  typeof amount === 'number' ? amount : round((Number(amount.replace('%', '')) * desired) / 100);
