/** What applying a document would change, worked out by the very functions that apply it. Nothing is written. */
import type { CommandView } from '../decide/commands/conclude.ts';
import { planApply } from '../decide/commands/plan-apply.ts';
import { forecastOf } from '../decide/forecast/forecast.ts';
import { assumedDeletionMs, assumedStartMs, startMsOf } from '../decide/forecast/start-time.ts';
import { outlookOf } from '../decide/outlook.ts';
import type { ApplyPreview, FieldChangeResource, ForecastResource, ServicePlanResource } from '../model/api.ts';
import { type AppSpec, type ServiceSpec, type ServiceTemplate, serviceNamed } from '../model/app-spec.ts';
import { defaults } from '../model/defaults.ts';
import { isRun } from '../model/run.ts';
import type { AppRow, GuardRow, OperationRow, PoolRow, ReplicaRow, RevisionRow, Row } from '../model/state.ts';
import type { AppRows } from '../ports/state-store.ts';
import { diffApps } from '../spec/diff.ts';
import { compareText, ownValue } from '../spec/json.ts';
import type { ParsedApp } from '../spec/parse-app.ts';
import { pendingOf } from './apply-operations.ts';
import { planIdOf } from './plan-id.ts';

export function planDocument(
  name: string,
  rows: AppRows,
  pools: readonly PoolRow[],
  document: ParsedApp,
  now: number,
): ApplyPreview {
  const view: CommandView = { ...rows, app: rows.app ?? { ...noApp(name, now), etag: '' } };
  const writes = planApply(view, { ...trial(name, now), etag: '' }, document, { now, txId: '' }).map(({ row }) => row);
  const operation = writes.find((row) => row.kind === 'op');
  const diff = diffApps(rows.app?.spec ?? undefined, document.app);
  const guards = guardsAfter(rows.guards, writes);
  const revisions = [...rows.revisions, ...writes.filter((row): row is RevisionRow => row.kind === 'revision')];
  const frozen = view.app.frozen ?? false;
  const replicas = rows.replicas.filter((row) => !isRun(row));
  return {
    id: planIdOf(document.app, rows, pools),
    app: name,
    changes: diff.map(({ service, kind, fields }) => ({ service, change: kind, fields })),
    services: guards.map((guard): ServicePlanResource => {
      const { service } = guard;
      const was = rows.guards.find((row) => row.service === service && !row.removed);
      const fields = diff.find((change) => change.service === service)?.fields ?? [];
      const own = replicas.filter((row) => row.service === service);
      return {
        service,
        change: changeOf(was, guard),
        from: was === undefined ? null : sideOf(was, revisions),
        to: guard.removed ? null : sideOf(guard, revisions),
        fields: fieldsOf(service, fields, rows.app?.spec ?? null, document.app),
        ...outlookOf({ guard, app: document.app, frozen, replicas: own, guards, pools }),
      };
    }),
    warnings: operation?.problems ?? document.warnings,
    pending: pendingOf(rows.operations).length,
    forecast: forecast({ app: document.app, frozen, guards, revisions, replicas, pools, now }),
  };
}

interface ForecastFacts {
  readonly app: AppSpec;
  readonly frozen: boolean;
  readonly guards: readonly GuardRow[];
  readonly revisions: readonly RevisionRow[];
  readonly replicas: readonly ReplicaRow[];
  readonly pools: readonly PoolRow[];
  readonly now: number;
}

function forecast({ revisions, ...facts }: ForecastFacts): ForecastResource {
  const templates = new Map(revisions.map((row) => [`${row.service}/${row.revision}`, row.template]));
  const templateOf = (service: string, revision: number): ServiceTemplate | undefined =>
    templates.get(`${service}/${revision}`);
  const measured = new Map(
    facts.guards.map(({ service }) => [service, startMsOf(service, facts.replicas, templateOf)]),
  );
  const startMs = (service: string): number => measured.get(service) ?? assumedStartMs;
  const told = forecastOf({ ...facts, templateOf, settings: defaults, startMs, deletionMs: assumedDeletionMs });
  const quotas = new Map(facts.pools.map(({ pool, quota }) => [pool, quota]));
  return {
    ...told,
    services: told.services.map((one) => ({
      ...one,
      startMs: startMs(one.service),
      startMeasured: (measured.get(one.service) ?? null) !== null,
    })),
    pools: told.pools.map((one) => ({ ...one, quota: quotas.get(one.pool) ?? { groups: 0, cores: 0 } })),
  };
}

/** By name; without those that were removed before. */
function guardsAfter(before: readonly GuardRow[], writes: readonly Row[]): readonly GuardRow[] {
  const written = writes.filter((row): row is GuardRow => row.kind === 'service');
  const changed = new Set(written.map(({ service }) => service));
  const kept = before.filter(({ service, removed }) => !removed && !changed.has(service));
  return [...kept, ...written].toSorted((a, b) => compareText(a.service, b.service));
}

const sideOf = (guard: GuardRow, revisions: readonly RevisionRow[]): NonNullable<ServicePlanResource['from']> => ({
  revision: guard.revision,
  image:
    revisions.find(({ service, revision }) => service === guard.service && revision === guard.revision)?.template
      .image ?? null,
  replicas: guard.desired,
});

function changeOf(before: GuardRow | undefined, after: GuardRow): ServicePlanResource['change'] {
  if (after.removed) return 'removed';
  if (before === undefined) return 'added';
  if (before.revision !== after.revision) return 'revised';
  return before.desired === after.desired ? 'unchanged' : 'scaled';
}

/** Values of what may hold a secret are not told. */
const untold = /^template\.(environment|secureEnvironment|command|volumes|registries|credentials)\b/;

function fieldsOf(
  service: string,
  fields: readonly string[],
  before: AppSpec | null,
  after: AppSpec,
): readonly FieldChangeResource[] {
  const was = serviceNamed(before, service);
  const becomes = serviceNamed(after, service);
  return fields.map((field) => {
    const isTold = !untold.test(field);
    return { field, from: isTold ? textAt(was, field) : null, to: isTold ? textAt(becomes, field) : null };
  });
}

/** null where there is nothing. */
function textAt(spec: ServiceSpec | undefined, field: string): string | null {
  const value = field.split('.').reduce<unknown>((inner, key) => ownValue(inner, key), spec);
  if (value === undefined || value === null) return null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const noApp = (app: string, now: number): AppRow => ({
  kind: 'app',
  app,
  uid: '',
  state: 'active',
  frozen: false,
  generation: 0,
  observedGeneration: 0,
  nextSeq: 1,
  appliedSeq: 0,
  spec: null,
  updatedAt: now,
  lastTx: '',
});

const trial = (app: string, now: number): OperationRow => ({
  kind: 'op',
  app,
  id: '',
  seq: Number.MAX_SAFE_INTEGER,
  command: 'apply',
  state: 'accepted',
  bodyHash: '',
  body: null,
  acceptedAt: now,
  sentAt: now,
  attempt: 1,
  finishedAt: null,
  generation: null,
  reason: null,
  problems: [],
});
