/**
 * What the sweep over ready replicas changes. Replicas in transition are looked at by their own workflow; of a ready one the listing and a probe are
 * enough to see that it is well. Whatever looks wrong is read in full before its verdict changes, and only a changed verdict is written. The price: a
 * replica that crashed and passes its probe again is not read, so that its restart is told with its next read, however late.
 */
import type { ServiceTemplate } from '../model/app-spec.ts';
import type { ListedGroup } from '../model/group.ts';
import type { Observation } from '../model/snapshot.ts';
import type { ReplicaRow, ReplicaState } from '../model/state.ts';
import { isLegal } from '../model/transitions.ts';
import { addressOf } from './condition.ts';
import { type Identity, isGroupOf, isMadeFrom } from './group-spec.ts';
import { type Circumstances, judge, type Verdict } from './verdict.ts';

/**
 * `unlisted`: the listing shows no group that has both its name and its tags; `moved`: another address than the row has, or none; `shared`: another row
 * has the address too, so that nobody knows whose answer a probe got.
 */
export type Suspicion = 'unlisted' | 'moved' | 'shared' | 'failing' | 'unprobed';

export interface Sighting {
  readonly listed: ListedGroup | undefined;
  /** null where its readiness is not probed over the network. */
  readonly probe: 'passed' | 'failed' | null;
  /** Its address is one of `sharedAddresses`. */
  readonly shared: boolean;
}

/**
 * Why a ready replica must be read, else null. One that is not probed cannot be seen from outside, because a listing has no instance view: reads of
 * these are rationed by the caller.
 */
export function suspicionOf(
  replica: ReplicaRow,
  template: ServiceTemplate,
  { listed, probe, shared }: Sighting,
  identity: Identity,
): Suspicion | null {
  if (replica.state !== 'ready') return null;
  if (listed === undefined || !isGroupOf(listed.tags, identity, replica)) return 'unlisted';
  if (!isMadeFrom(listed.tags, replica, template)) return 'unlisted';
  if (addressOf(listed.ip) !== replica.ip) return 'moved';
  if (shared) return 'shared';
  if (probe === 'failed') return 'failing';
  return template.readiness.kind === 'running' ? 'unprobed' : null;
}

/** Period of the sweep, ms. */
const tickMs = 30_000;
/** A steady replica is read every 4 minutes, so that what only a read shows is known within 5, a late or lost tick included. */
const ticksMax = 8;
/** ARM refills so many reads in a tick, per subscription (aci: quotas); the rest is for workflows, listings and whatever looks wrong. */
const readsPerTick = 25 * 30;
const shareOfSweep = 0.6;

/** So many unprobed replicas of a pool are read in one tick at most, whatever their number: pools of one subscription share its reads. */
export const unprobedReadsOf = (poolsOfSubscription: number): number =>
  Math.max(1, Math.floor((readsPerTick * shareOfSweep) / Math.max(1, poolsOfSubscription)));

/**
 * Whether a ready replica that only ARM can tell of has its turn since the last sweep of its pool: every tick while it is young or has just changed,
 * then at half its age, so that what happens to it is seen at most half as late as it took to happen, and steady ones every 4 minutes. Each has a
 * place of its own in that cycle by its name, so that the reads of many are spread; a tick that was missed is made up for by the next.
 *
 * @param sweptAt the sweep before, null = never: then everybody has a turn
 * @param unprobed how many such replicas the pool has: with more than the `reads` of a tick, turns come more rarely
 */
export function isReadDue(
  replica: Pick<ReplicaRow, 'group' | 'stateAt' | 'observedAt'>,
  { now, sweptAt, unprobed, reads }: Turns,
): boolean {
  if (sweptAt === null) return true;
  const quietMs = now - Math.max(replica.stateAt, replica.observedAt ?? 0);
  const byAge = Math.min(ticksMax, powerOf2AtMost(quietMs / 2 / tickMs));
  // Powers of two, so that a cycle that grows with age keeps its places.
  const cycle = Math.max(byAge, Math.ceil(unprobed / reads));
  const turnsBy = (at: number): number => Math.floor((Math.floor(at / tickMs) + placeOf(replica.group)) / cycle);
  return turnsBy(now) > turnsBy(sweptAt);
}

export interface Turns {
  readonly now: number;
  readonly sweptAt: number | null;
  readonly unprobed: number;
  readonly reads: number;
}

const powerOf2AtMost = (value: number): number => 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, value))));

const placeOf = (group: string): number => [...group].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 4096, 0);

/** Where to probe a replica. A result counts only for a listed pair of group and address: an old address may answer for a stranger. */
export const probedAddress = ({ ip }: ReplicaRow, listed: ListedGroup | undefined): string | null =>
  listed !== undefined && addressOf(listed.ip) === ip ? ip : null;

/** A row in one of these claims that its group has the address now; later ones may name one that is in other hands already. */
const claims: ReadonlySet<ReplicaState> = new Set<ReplicaState>(['starting', 'ready', 'unready', 'lost']);

export function sharedAddresses(replicas: readonly ReplicaRow[]): ReadonlySet<string> {
  const addresses = replicas.flatMap(({ state, ip }) => (ip !== null && claims.has(state) ? [ip] : []));
  return new Set(addresses.filter((ip, index) => addresses.indexOf(ip) !== index));
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
