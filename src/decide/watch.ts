/**
 * What the sweep over ready replicas changes. Replicas in transition are looked at by their own workflow; of a ready one the listing and a probe are
 * enough to see that it is well. Whatever looks wrong is read in full before its verdict changes, and only a changed verdict is written.
 */
import type { ServiceTemplate } from '../model/app-spec.ts';
import type { ListedGroup } from '../model/group.ts';
import type { Observation } from '../model/snapshot.ts';
import type { ReplicaRow } from '../model/state.ts';
import { isLegal } from '../model/transitions.ts';
import { hasAddress } from './condition.ts';
import { type Identity, isGroupOf } from './group-spec.ts';
import { type Circumstances, judge, type Verdict } from './verdict.ts';

/** `unlisted`: the listing shows no group that has both its name and its tags. */
export type Suspicion = 'unlisted' | 'moved' | 'failing' | 'unprobed';

/**
 * Why a ready replica must be read, else null. `probe` is null where its readiness is not probed over the network. Such a replica cannot be seen
 * from outside, because a listing has no instance view: reads of these are rationed by the caller.
 */
export function suspicionOf(
  replica: ReplicaRow,
  template: ServiceTemplate,
  listed: ListedGroup | undefined,
  probe: 'passed' | 'failed' | null,
  identity: Identity,
): Suspicion | null {
  if (replica.state !== 'ready') return null;
  if (listed === undefined || !isGroupOf(listed.tags, identity, replica)) return 'unlisted';
  if (hasAddress(listed.ip) && listed.ip !== replica.ip) return 'moved';
  if (probe === 'failed') return 'failing';
  return template.readiness.kind === 'running' ? 'unprobed' : null;
}

/** The verdict that a full read changes; null when nothing is to be written. A listing without the group and a read without it are the two answers that absence needs. */
export function watch(
  replica: ReplicaRow,
  template: ServiceTemplate,
  suspicion: Suspicion,
  observation: Observation,
  circumstances: Circumstances,
): Verdict | null {
  const doubted = suspicion === 'unlisted' ? { ...replica, missing: replica.missing + 1 } : replica;
  const verdict = judge(doubted, template, observation, circumstances);
  if (verdict.row === doubted) return null;
  const moved = verdict.row.state !== replica.state;
  if (moved && !isLegal('watch', replica.state, verdict.row.state)) return null;
  const shown = moved || verdict.row.ip !== replica.ip || verdict.row.restartCount !== replica.restartCount;
  return shown ? verdict : null;
}
