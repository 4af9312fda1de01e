/**
 * POST …/start, …/stop and …/restart of a container group. Stop is answered at once and takes its time; start is a new deployment of a stopped
 * group; restart takes everything down in place and fetches the images anew. Sources: "stop and start" page, aci REST reference, azure-cli#8136,
 * azure-sdk-for-js#14176 (read 2026-11).
 */
import type { CoreResponse } from '../core.ts';
import { beginOperation, type Call, inTransition, operationUrl } from './call.ts';
import { capacityRefusal } from './capacity.ts';
import { startAgain, stopGroup } from './container-course.ts';
import { type ArmError, armError, empty } from './errors.ts';
import { PROVISIONING_TIMEOUT_MS } from './lifecycle.ts';
import { type AuditEntry, type GroupRecord, isReal } from './model.ts';
import { quotaRefusal } from './quota.ts';
import type { ArmSettings } from './settings.ts';
import type { AciStore } from './store.ts';
import { groupState } from './view.ts';
import type { WorldTime } from './world-time.ts';

export interface PowerParts {
  readonly store: AciStore;
  readonly settings: ArmSettings;
  readonly time: WorldTime;
}

/** A group that has ended by itself keeps its state, but holds nothing any more and can be started. */
export function stop({ store, settings, time }: PowerParts, call: Call, group: GroupRecord): CoreResponse | ArmError {
  const moving = inTransition(group);
  if (moving) return moving;
  if (group.stopped) return empty(204);
  stopNow({ store, settings, time }, group, call.now);
  return empty(204);
}

/** What a stop does to a group that is in no transition. */
export function stopNow({ store, settings, time }: PowerParts, group: GroupRecord, now: number): void {
  time.change(group.key, now, (draft) => {
    const state = groupState(draft);
    stopGroup(draft, now, time.surroundings);
    draft.stopped = state === 'Succeeded' || state === 'Failed' ? state : 'Stopped';
    draft.provisioningState = 'Updating';
    // A real group is stopped once nothing of it is left.
    draft.due = isReal(draft) ? [] : [{ at: now + settings.deletionMs, step: 'stopped' }];
  });
  store.appendAudit(entry('stop', now, group));
}

/** Nothing happens to a group that is not stopped. */
export function start(parts: PowerParts, call: Call, group: GroupRecord): CoreResponse | ArmError {
  const { store, settings } = parts;
  const moving = inTransition(group);
  if (moving) return moving;
  if (!group.stopped) return empty(204);
  const { subscriptionId, location, key } = group;
  const refused =
    quotaRefusal(store, settings, { subscriptionId, location, except: key }, group) ??
    capacityRefusal(store, location, group, key);
  if (refused) return refused;
  const operationId = again(parts, call, group, 'start');
  return empty(202, {
    'azure-asyncoperation': operationUrl(call, location, 'operations', operationId),
    'retry-after': String(settings.retryAfterSeconds),
  });
}

/** Also starts what has ended by itself. Whether the address stays is the world's choice. */
export function restart(parts: PowerParts, call: Call, group: GroupRecord): CoreResponse | ArmError {
  const { settings, time } = parts;
  const moving = inTransition(group);
  if (moving) return moving;
  if (group.stopped) {
    return armError(
      400,
      'ContainerGroupStopped',
      `Container Group '${group.name}' in resource group '${group.resourceGroup}' is stopped.`,
    );
  }
  const moves = group.ip !== undefined && call.draw(`arm restart ${group.name}/address`, 2) === 1;
  const operationId = again(parts, call, group, 'restart');
  if (moves) {
    const address = time.freeAddress(group);
    time.change(group.key, call.now, (draft) => {
      if (address !== undefined) draft.ip = address;
    });
  }
  return empty(204, {
    location: operationUrl(call, group.location, 'operationresults', operationId),
    'retry-after': String(settings.retryAfterSeconds),
  });
}

function again({ store, time }: PowerParts, call: Call, group: GroupRecord, kind: 'start' | 'restart'): string {
  const { now, mishap } = call;
  const operationId = beginOperation(store, kind, group, now);
  time.change(group.key, now, (draft) => {
    if (kind === 'restart') stopGroup(draft, now, time.surroundings);
    startAgain(draft, kind);
    draft.operationId = operationId;
    if (mishap) draft.mishap = mishap;
    else delete draft.mishap;
    draft.due = [
      { at: now + Math.round(draft.provisioningMs * 0.1), step: 'schedule' },
      { at: now + PROVISIONING_TIMEOUT_MS, step: 'timeout' },
    ];
  });
  store.appendAudit(entry(kind, now, group));
  return operationId;
}

function entry(action: AuditEntry['action'], at: number, group: GroupRecord): AuditEntry {
  const { id, name, subscriptionId, location } = group;
  return { at, action, id, name, subscriptionId, location };
}
