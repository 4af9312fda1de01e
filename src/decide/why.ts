/**
 * Why a replica is in the state it is in, and what comes next and when: the rule about its container group that holds now, the rule by which the planner
 * acts, and the instant at which something follows without any further news. For people; by the same rules that decide.
 */
import type { ServiceTemplate } from '../model/app-spec.ts';
import { type Observation, replicaKey, type ServiceSnapshot } from '../model/snapshot.ts';
import type { ReplicaRow } from '../model/state.ts';
import { type Action, type Case, classify } from './classify.ts';
import { diagnose } from './condition.ts';
import { isGroupOf, isMadeFrom } from './group-spec.ts';
import { casesIn } from './reconcile.ts';

export interface Why {
  /** Name of the rule about the container group, or what stands in its place. */
  readonly sees: string;
  /** Why the planner does what it does. */
  readonly because: string;
  readonly next: readonly Next[];
}

export interface Next {
  readonly what: string;
  /** Epoch ms; null = as soon as the service is looked at, or not by time at all. */
  readonly at: number | null;
}

/** @param snapshot with a fresh observation of the replica, where one could be made; null = it has no such replica. */
export function whyOf(snapshot: ServiceSnapshot, replica: ReplicaRow, now: number): Why | null {
  if (replica.state === 'lost' && !snapshot.guard.removed) return lostOne(replica, snapshot);
  const one = casesIn(snapshot, now).find((candidate) => replicaKey(candidate.replica) === replicaKey(replica));
  if (one === undefined) return null;
  const template = snapshot.templates.get(replica.revision);
  const { action, because } = classify(one);
  return {
    sees: sightOf(one, template, snapshot),
    because,
    next: [...nextOf(one, action), ...deadlinesOf(one, template, snapshot)],
  };
}

function lostOne({ pool }: ReplicaRow, { pools }: ServiceSnapshot): Why {
  const health = pools.find((row) => row.pool === pool)?.health ?? null;
  return {
    sees:
      health === null || health.message === '' ? 'its pool is down' : `its pool is ${health.state}: ${health.message}`,
    because: 'it is made up for elsewhere, and nothing is done about its group before its pool is back',
    next: [{ what: 'it is looked at once its pool is back, and kept unless it has been made up for', at: null }],
  };
}

function sightOf({ replica, now }: Case, template: ServiceTemplate | undefined, snapshot: ServiceSnapshot): string {
  const observation = snapshot.observations.get(replicaKey(replica));
  if (observation === undefined) return unseen(replica);
  if (observation.kind === 'unknown') return `the control plane does not answer, and silence decides nothing`;
  if (observation.kind === 'missing') return 'ARM knows no container group of its name';
  return judgedBy(observation, replica, template, snapshot, now);
}

function judgedBy(
  seen: Extract<Observation, { kind: 'group' }>,
  replica: ReplicaRow,
  template: ServiceTemplate | undefined,
  { installation, appUid }: ServiceSnapshot,
  now: number,
): string {
  const { tags, provisioningState } = seen.group;
  if (!isGroupOf(tags, { installation, appUid }, replica)) return 'a group of its name stands that is not ours';
  if (template === undefined || !isMadeFrom(tags, replica, template)) {
    return 'its group was made from another revision than the table says';
  }
  const { rule } = diagnose(seen, template, now);
  return provisioningState === 'Failed' && seen.group.container?.state === 'Running'
    ? `${rule}; provisioning is Failed, yet it runs, and counts by what it does`
    : rule;
}

const unseen = ({ state, attempt }: ReplicaRow): string =>
  state === 'creating' && attempt?.startedAt === null
    ? 'its create has not been sent'
    : `nothing is read of a replica that is ${state}`;

/** What the planner does at its next pass. */
function nextOf({ replica, verdict }: Case, action: Action): readonly Next[] {
  switch (action) {
    case 'none':
      return [];
    case 'observe':
      return verdict.row.state !== replica.state ? [{ what: `it becomes ${verdict.row.state}`, at: null }] : [];
    default:
      return [{ what: steps[action], at: null }];
  }
}

const steps: Readonly<Record<Exclude<Action, 'none' | 'observe'>, string>> = {
  confirmGone: 'it is recorded as gone, and its place is free',
  release: 'it is recorded as gone, and its place is free',
  delete: 'its container group is deleted; if it is still wanted, a successor takes its slot after the back-off',
  redelete: 'ARM is asked again to delete its container group',
  drain: 'it leaves the endpoints and drains',
  beginDrain: 'its drain begins',
  create: 'its container group is created',
  retry: 'the create is tried again',
};

/** What follows at an instant that is known already. */
function deadlinesOf(
  { verdict, now }: Case,
  template: ServiceTemplate | undefined,
  { settings, frozen }: ServiceSnapshot,
): readonly Next[] {
  if (frozen) return [{ what: 'nothing happens to its container group until the app is thawed', at: null }];
  const { row } = verdict;
  switch (row.state) {
    case 'creating':
      return row.attempt === null ? [] : [{ what: 'the claim on its create expires', at: row.attempt.expiresAt }];
    case 'starting':
      return [
        ...(verdict.waitsForTime ? soon(verdict.lookAt, 'it is ready, if nothing happens until then', now) : []),
        {
          what: 'it fails unless it is ready',
          at:
            row.stateAt +
            settings.startDeadlineMs +
            (template?.readiness.kind === 'running' ? template.readiness.afterMs : 0),
        },
      ];
    case 'unready':
      return [
        ...soon(verdict.lookAt, 'it is back in the endpoints if it looks fit until then', now),
        {
          what: 'it is replaced if it is still unready and others of its revision are ready',
          at: row.stateAt + settings.startDeadlineMs,
        },
      ];
    case 'draining':
      return row.drainUntil === null ? [] : [{ what: 'its container group is deleted', at: row.drainUntil }];
    case 'deleting':
      return soon(row.redeleteAt, 'ARM is asked again to delete its container group', now);
    default:
      return [];
  }
}

const soon = (at: number | null, what: string, now: number): readonly Next[] =>
  at !== null && at > now ? [{ what, at }] : [];
