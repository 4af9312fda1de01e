/**
 * `Microsoft.Resources.*` events of ARM writes, as data: one for each PUT, PATCH, DELETE and POST that ARM has taken on, when it ends. A write that is
 * finished by its answer ends with it; a long-running one when its operation does.
 * Source: "Azure resource group as an Event Grid source" and "subscription as a source" (learn.microsoft.com/azure/event-grid, read 2026-11-24).
 */
import { createHash } from 'node:crypto';
import type { PublishedEvent } from '../eventgrid/model.ts';
import type { GroupRecord, OperationRecord } from './model.ts';
import type { Route } from './routes.ts';
import type { AciStore } from './store.ts';

/** Takes an event, inside the transaction of the change that it tells of. */
export type Emit = (event: PublishedEvent, now: number) => void;

export interface WriteEnd {
  readonly kind: 'Write' | 'Delete' | 'Action';
  /** The last word of `operationName` where it is an action: `start`, `containers/exec` … */
  readonly action?: string;
  readonly isSuccess: boolean;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly group: string;
}

const KINDS: Readonly<Record<string, WriteEnd['kind']>> = {
  PUT: 'Write',
  PATCH: 'Write',
  DELETE: 'Delete',
  POST: 'Action',
};
const ACTIONS: Readonly<Partial<Record<Route['operation'], string>>> = {
  ContainerGroups_Start: 'start',
  ContainerGroups_Stop: 'stop',
  ContainerGroups_Restart: 'restart',
  Containers_ExecuteCommand: 'containers/exec',
  Containers_Attach: 'containers/attach',
};

/** Undefined for a read, and for what is about no container group. */
export function writeOf(method: string, route: Route, isSuccess: boolean): WriteEnd | undefined {
  const kind = KINDS[method];
  const { subscriptionId, resourceGroup, group } = route;
  if (kind === undefined || resourceGroup === undefined || group === undefined) return undefined;
  const action = ACTIONS[route.operation];
  return { kind, isSuccess, subscriptionId, resourceGroup, group, ...(action !== undefined && { action }) };
}

/** The end of a long-running operation on a group. */
export function endOf(group: GroupRecord, { kind, status }: OperationRecord): WriteEnd {
  const { subscriptionId, resourceGroup, name } = group;
  const common = { isSuccess: status === 'Succeeded', subscriptionId, resourceGroup, group: name };
  if (kind === 'create') return { ...common, kind: 'Write' };
  return kind === 'delete' ? { ...common, kind: 'Delete' } : { ...common, kind: 'Action', action: kind };
}

const PROVIDER = 'Microsoft.ContainerInstance';
/** The stand-in knows no tenants. */
const TENANT = '00000000-0000-0000-0000-000000000000';

/** Ids are made from a stored sequence, so a run can be repeated. */
export function resourceEvent(store: AciStore, end: WriteEnd, now: number): PublishedEvent {
  const sequence = Number(store.meta('eventSequence') ?? 0) + 1;
  store.setMeta('eventSequence', sequence);
  const { kind, isSuccess, subscriptionId, resourceGroup, group } = end;
  const topic = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
  const subject = `${topic}/providers/${PROVIDER}/containerGroups/${group}`;
  const verb = kind === 'Action' ? `${end.action ?? 'action'}/action` : kind.toLowerCase();
  const operationName = `${PROVIDER}/containerGroups/${verb}`;
  return {
    id: idOf(subject, sequence),
    type: `Microsoft.Resources.Resource${kind}${isSuccess ? 'Success' : 'Failure'}`,
    topic,
    subject,
    at: now,
    data: {
      authorization: { scope: subject, action: operationName, evidence: { role: 'Contributor' } },
      claims: {},
      correlationId: idOf(`${subject} correlation`, sequence),
      resourceProvider: PROVIDER,
      resourceUri: subject,
      operationName,
      status: isSuccess ? 'Succeeded' : 'Failed',
      subscriptionId,
      tenantId: TENANT,
    },
    dataVersion: '2',
  };
}

function idOf(what: string, sequence: number): string {
  const hash = createHash('sha256').update(`${what}\n${sequence}`).digest('hex');
  return [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20), hash.slice(20, 32)].join('-');
}
