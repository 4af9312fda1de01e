/**
 * What an event says about a container group, as far as it may be believed: that somebody should look at it. Whose the group is follows from the pools and
 * their ledgers, never from the event, which anybody may have written, and which may be late, repeated or out of order.
 */
import type { PoolRow, Reservation } from '../model/state.ts';
import { groupName, type Identity } from './group-spec.ts';

/** Why an event leads to nothing. Stable tokens, for the log. */
export type DropReason =
  /** Neither an Event Grid event nor a CloudEvent 1.0 with a type and a subject. */
  | 'Malformed'
  /** Of a type that says nothing about a container group's life. */
  | 'OtherType'
  /** About something else than a container group. */
  | 'OtherResource'
  /** No name of ours looks like this. */
  | 'OtherName'
  /** No pool is in that subscription and resource group. */
  | 'OtherScope'
  /** No incarnation in those pools' ledgers has this name. */
  | 'NotOurs'
  /** Too many apps have a service of this name: the sweep finds it as well. */
  | 'TooManyCandidates'
  /** Its replica is not ready: its own workflow looks at it anyway. */
  | 'NotWatched'
  /** The table or ARM did not answer. */
  | 'Unreadable'
  /** The group is as its row says. */
  | 'Unchanged';

export interface GroupSubject {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
}

type Reading =
  | { readonly ok: true; readonly subject: GroupSubject }
  | { readonly ok: false; readonly reason: DropReason };

/** Type of the CloudEvents by which others tell of a container's state (`docs/events.md`). */
export const containerStateType = 'flotilla.ContainerStateChanged';

const resourceType = /^Microsoft\.Resources\.Resource(Write|Delete|Action)(Success|Failure|Cancel)$/;
const groupId =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.ContainerInstance\/containerGroups\/([^/]+)(\/.*)?$/i;
const ourName = /^f-[0-9a-f]{16}-([a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?)$/;
/** Resource ids are no longer than this; what is longer is no id. */
const subjectLength = 1024;

export function readGroupEvent(payload: unknown): Reading {
  const told = typeof payload === 'object' && payload !== null ? (payload as Readonly<Record<string, unknown>>) : {};
  const type = told['specversion'] === '1.0' ? told['type'] : told['eventType'];
  const { subject } = told;
  if (typeof type !== 'string' || typeof subject !== 'string') return drop('Malformed');
  if (type !== containerStateType && !resourceType.test(type)) return drop('OtherType');
  const parts = subject.length <= subjectLength ? groupId.exec(subject) : null;
  if (parts === null) return drop('OtherResource');
  const [, subscriptionId = '', resourceGroup = '', written = ''] = parts;
  const name = written.toLowerCase();
  return ourName.test(name) ? { ok: true, subject: { subscriptionId, resourceGroup, name } } : drop('OtherName');
}

const drop = (reason: DropReason): Reading => ({ ok: false, reason });

/** An incarnation that may be the one, by its reservation. */
export interface Candidate {
  readonly pool: string;
  readonly app: string;
  readonly service: string;
  readonly slot: number;
  readonly incarnation: number;
}

/** Retired pools count: they hold groups. */
export function candidatesOf({ subscriptionId, resourceGroup, name }: GroupSubject, pools: readonly PoolRow[]) {
  const place = `${subscriptionId}/${resourceGroup}`.toLowerCase();
  const here = pools.filter((pool) => `${pool.subscriptionId}/${pool.resourceGroup}`.toLowerCase() === place);
  if (here.length === 0) return { ok: false, reason: 'OtherScope' } as const;
  const service = ourName.exec(name)?.[1];
  const candidates = here.flatMap(({ pool, reservations }) =>
    reservations.flatMap((reservation) => candidateOf(pool, reservation, service)),
  );
  return { ok: true, candidates } as const;
}

function candidateOf(pool: string, { owner }: Reservation, wanted: string | undefined): readonly Candidate[] {
  const [app = '', service = '', slot, incarnation] = owner.split('/');
  return service === wanted ? [{ pool, app, service, slot: Number(slot), incarnation: Number(incarnation) }] : [];
}

/** Whether the name is that of the candidate's group. It follows from the identity, so that nobody can make one up. */
export const isNamed = (candidate: Candidate, identity: Identity, name: string): boolean =>
  groupName(identity, candidate) === name;
