/**
 * Time applied to the store: brings due groups to `now`, and is the one way to change a group from outside its own course
 * (clone, change, put back), so that no record is ever changed in place.
 */
import { blockOf, lowestFreeAddress } from './addresses.ts';
import { type Outcome, type Surroundings, wakeProbes } from './container-course.ts';
import type { Containers } from './containers-port.ts';
import { advance } from './lifecycle.ts';
import { type GroupRecord, type OperationRecord, recordEvent } from './model.ts';
import { type Observation, observe } from './observe.ts';
import { type Emit, endOf, resourceEvent } from './resource-events.ts';
import type { ArmSettings } from './settings.ts';
import type { AciStore } from './store.ts';

export interface WorldTime {
  readonly surroundings: Surroundings;
  advance(now: number): void;
  /** Changes one group, then lets its course go on; nothing happens when it does not exist. */
  change(key: string, now: number, act: (draft: GroupRecord) => void): GroupRecord | undefined;
  reportBinding(report: { groupKey: string; container: string; port: number; cause?: string }, now: number): void;
  /** For real groups: `advance` cannot foresee them. */
  observe(uid: string, observation: Observation, now: number): void;
  /** A free address for the group, never the one it has; undefined = none is left. */
  freeAddress(group: GroupRecord): string | undefined;
}

export function createWorldTime(
  store: AciStore,
  containers: Containers,
  settings: ArmSettings,
  emit?: Emit,
): WorldTime {
  const freeAddress = (group: GroupRecord): string | undefined => {
    const taken = new Set(store.groups().flatMap((other) => (other.ip === undefined ? [] : [other.ip])));
    for (const own of [group.ip, group.formerIp]) if (own !== undefined) taken.add(own);
    return lowestFreeAddress(blockOf(settings, group.location), taken);
  };
  const surroundings: Surroundings = {
    containers,
    addressFor: freeAddress,
    log: (group, container, at, text) => store.appendLog(group.key, container.name, { at, text }),
    finish(group, at, outcome) {
      const ended = finishOperation(store, group, at, outcome);
      if (ended && emit) emit(resourceEvent(store, endOf(group, ended), at), at);
    },
  };
  const settle = (draft: GroupRecord, now: number) => {
    if (advance(draft, now, surroundings) === 'alive') return store.putGroup(draft);
    store.removeGroup(draft.key);
    const { id, name, subscriptionId, location } = draft;
    store.appendAudit({ at: now, action: 'gone', id, name, subscriptionId, location });
  };
  const change: WorldTime['change'] = (key, now, act) => {
    const group = store.group(key);
    if (!group) return undefined;
    const draft = structuredClone(group);
    act(draft);
    settle(draft, now);
    return store.group(key);
  };
  return {
    surroundings,
    freeAddress,
    change,
    advance(now) {
      for (const group of store.dueGroups(now)) settle(structuredClone(group), now);
    },
    observe(uid, observation, now) {
      const group = store.groups().find((one) => one.uid === uid);
      if (group) change(group.key, now, (draft) => observe(draft, observation, now, surroundings));
    },
    reportBinding: (report, now) => void change(report.groupKey, now, (draft) => noteBinding(draft, report, now)),
  };
}

/** An operation ends once: a group that runs later than its reported failure does not rewrite it. */
function finishOperation(
  store: AciStore,
  group: GroupRecord,
  at: number,
  outcome: Outcome,
): OperationRecord | undefined {
  const operation = store.operation(group.operationId);
  if (operation?.status !== 'InProgress') return undefined;
  const ended: OperationRecord = {
    ...operation,
    status: outcome.status,
    ...(outcome.error && { error: outcome.error }),
    ...(outcome.events && { events: structuredClone(outcome.events) }),
  };
  store.putOperation(ended);
  store.forgetOperationsBefore(at - OPERATION_KEPT_MS);
  return ended;
}

/** How long a finished operation can be asked for, in ms; the service's own time is not published. */
const OPERATION_KEPT_MS = 24 * 3_600_000;

function noteBinding(
  group: GroupRecord,
  report: { container: string; port: number; cause?: string },
  now: number,
): void {
  const container = group.containers.find((one) => one.name === report.container);
  if (!container) return;
  container.unbound = container.unbound.filter((one) => one.port !== report.port);
  if (report.cause === undefined) {
    recordEvent(container.events, now, 'Started', `Now listening on ${group.ip}:${report.port}`);
  } else {
    container.unbound.push({ port: report.port, cause: report.cause });
    recordEvent(container.events, now, 'Failed', report.cause, 'Warning');
  }
  wakeProbes(group, now);
}
