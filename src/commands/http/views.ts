/** Rows → resources of the API. Pure: what is shown follows from the rows alone. */

import { isSettled } from '../../decide/converged.ts';
import { movingOf } from '../../decide/placement/place.ts';
import type {
  AppResource,
  AppSummary,
  EventList,
  EventResource,
  OperationResource,
  PoolResource,
  ReplicaResource,
  RunResource,
  ServiceResource,
} from '../../model/api.ts';
import type { ServiceTemplate } from '../../model/app-spec.ts';
import type { Reason } from '../../model/reasons.ts';
import type { RolloutRow } from '../../model/rollout-record.ts';
import { isRun, type RunRow, runId } from '../../model/run.ts';
import type { AppRow, EventRow, GuardRow, OperationRow, PoolRow, ReplicaRow, RevisionRow } from '../../model/state.ts';
import type { EventPage } from '../../ports/state-store.ts';
import { pendingOf } from '../apply-operations.ts';
import { rolloutSummaryOf } from './rollout-views.ts';

/** The rows of an app that exists. */
export interface AppView {
  readonly app: AppRow;
  readonly guards: readonly GuardRow[];
  readonly revisions: readonly RevisionRow[];
  readonly replicas: readonly ReplicaRow[];
  readonly operations: readonly OperationRow[];
  readonly rollouts: readonly RolloutRow[];
}

const iso = (at: number): string => new Date(at).toISOString();

export function summaryOf(view: AppView): AppSummary {
  const { app } = view;
  const wanted = view.guards.filter((guard) => !guard.removed);
  const isSeen = app.state !== 'deleting' && app.generation > 0 && app.observedGeneration === app.generation;
  return {
    name: app.app,
    state: app.state,
    generation: app.generation,
    observedGeneration: app.observedGeneration,
    converged: isSeen && pendingOf(view.operations).length === 0,
    frozen: app.frozen ?? false,
    stopped: wanted.length > 0 && wanted.every(({ stopped }) => stopped),
    services: wanted.length,
    ready: view.replicas.filter(({ state }) => state === 'ready').length,
    desired: wanted.reduce((sum, { desired }) => sum + desired, 0),
  };
}

/** Gone replicas are history, and a removed service without any other is too: the events tell of them. */
export function appOf(view: AppView, pools: readonly PoolRow[]): AppResource {
  const regions = new Map(pools.map(({ pool, region }) => [pool, region]));
  const present = view.replicas.filter((row) => row.state !== 'gone' && !isRun(row));
  const serviceList = view.guards.flatMap((guard): ServiceResource[] => {
    const replicas = present.filter(({ service }) => service === guard.service);
    if (guard.removed && replicas.length === 0 && guard.workflow === null) return [];
    return [serviceOf(guard, view, replicas, regions)];
  });
  return { ...summaryOf(view), serviceList, pendingOperations: pendingOf(view.operations).map(({ id }) => id) };
}

function serviceOf(
  guard: GuardRow,
  { revisions, rollouts }: Pick<AppView, 'revisions' | 'rollouts'>,
  replicas: readonly ReplicaRow[],
  regions: ReadonlyMap<string, string>,
): ServiceResource {
  const revision = revisions.find((row) => row.service === guard.service && row.revision === guard.revision);
  const rollout = rollouts.find((row) => row.service === guard.service && row.number === guard.rollout);
  return {
    name: guard.service,
    image: revision?.template.image ?? null,
    revision: guard.revision,
    desired: guard.desired,
    ready: replicas.filter(({ state }) => state === 'ready').length,
    converged: isSettled(guard, replicas),
    removed: guard.removed,
    stopped: guard.stopped ?? false,
    scaledTo: guard.scaledTo,
    reason: guard.reason,
    message: guard.message,
    workflow: guard.workflow,
    rollout: rollout ? rolloutSummaryOf(rollout) : null,
    replicas: replicas
      .toSorted((a, b) => a.slot - b.slot || a.incarnation - b.incarnation)
      .map((replica) => {
        const template = revisions.find(
          (row) => row.service === replica.service && row.revision === replica.revision,
        )?.template;
        return replicaOf(replica, regions.get(replica.pool) ?? null, template);
      }),
  };
}

const replicaOf = (
  replica: ReplicaRow,
  region: string | null,
  template: ServiceTemplate | undefined,
): ReplicaResource => ({
  slot: replica.slot,
  incarnation: replica.incarnation,
  revision: replica.revision,
  state: replica.state,
  since: iso(replica.stateAt),
  reason: replica.reason,
  message: replica.message,
  pool: replica.pool,
  region,
  group: replica.group,
  addresses: addressesOf(replica, template),
  restartCount: replica.restartCount,
  logTail: replica.logTail,
});

export function runOf(row: RunRow): RunResource {
  const { run, service, revision, state, reason, message } = row;
  const { end } = run;
  return {
    id: runId(row),
    service,
    name: run.name,
    operation: run.operation,
    revision,
    state: runStateOf(row),
    exitCode: end?.exitCode ?? null,
    reason: end === null ? reason : end.reason,
    message: end === null ? message : end.message,
    pool: row.pool || null,
    group: row.group || null,
    createdAt: iso(row.createdAt),
    startedAt: run.startedAt === null ? null : iso(run.startedAt),
    endedAt: end === null ? null : iso(end.at),
    deadlineAt: iso(run.deadlineAt),
    cleanedUp: state === 'gone',
  };
}

function runStateOf({ state, run: { end, startedAt } }: RunRow): RunResource['state'] {
  if (end !== null) return end.exitCode === 0 ? 'succeeded' : 'failed';
  if (state === 'planned' || state === 'creating') return 'waiting';
  return startedAt === null ? 'starting' : 'running';
}

function addressesOf({ endpoint, ip, ports }: ReplicaRow, template: ServiceTemplate | undefined): readonly string[] {
  if (!endpoint || ip === null) return [];
  const speaks = (port: number): string => spokenAt(port, template) ?? 'tcp';
  return ports.filter(({ protocol }) => protocol === 'TCP').map(({ port }) => `${speaks(port)}://${ip}:${port}`);
}

/** Registered for HTTP (IANA service names and port numbers, read 2026-11-24), or by common use. */
const wellKnown: Readonly<Record<number, string>> = { 80: 'http', 8080: 'http', 443: 'https', 8443: 'https' };

/** What a probe of the service is sure of, else what such a port usually speaks; nothing says so of any other. */
function spokenAt(port: number, template: ServiceTemplate | undefined): string | undefined {
  const { readiness, liveness } = template ?? {};
  if (readiness?.kind === 'http' && readiness.port === port) return readiness.scheme;
  if (liveness?.httpGet?.port === port) return liveness.httpGet.scheme;
  return wellKnown[port];
}

export const operationOf = (operation: OperationRow): OperationResource => ({
  id: operation.id,
  app: operation.app,
  seq: operation.seq,
  command: operation.command,
  state: operation.state,
  generation: operation.generation,
  reason: operation.reason,
  problems: operation.problems,
  acceptedAt: iso(operation.acceptedAt),
  finishedAt: operation.finishedAt === null ? null : iso(operation.finishedAt),
});

export function poolOf(row: PoolRow): PoolResource {
  const moving = movingOf(row);
  return {
    name: row.pool,
    kind: row.type,
    region: row.region,
    quota: row.quota,
    used: {
      groups: row.reservations.length,
      cores: Number(row.reservations.reduce((sum, { cores }) => sum + cores, 0).toFixed(3)),
    },
    labels: row.labels,
    price: row.price,
    cordoned: row.cordoned,
    draining: row.draining ?? false,
    ...(moving === null
      ? trustOf(row)
      : { reason: 'PoolMoving' satisfies Reason, message: `${row.pool} ${moving}. ${howToMove}` }),
  };
}

function trustOf({ pool, health }: PoolRow): Pick<PoolResource, 'reason' | 'message'> {
  if (health === null || health.state === 'healthy' || health.state === 'recovering') {
    return { reason: null, message: null };
  }
  const reason: Reason = health.state === 'down' ? 'PoolDown' : 'PoolSuspect';
  return { reason, message: `${pool} is ${health.state} since ${iso(health.since)}: ${health.message}.` };
}

const howToMove =
  'Until then it takes no new ones: remove them, or give the pool its old place back and the new place to a new pool.';

export const eventsOf = ({ events, newest, oldest }: EventPage): EventList => ({
  events: events.map(eventOf),
  newest,
  oldest,
});

const eventOf = (event: EventRow): EventResource => ({
  at: iso(event.at),
  type: event.type,
  service: event.service,
  replica: event.replica,
  reason: event.reason,
  message: event.message,
  cause: event.cause,
});
