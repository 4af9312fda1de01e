/**
 * The scheduler's working copy of the world: targets sorted into classes of equals, the room of each account, and how many replicas of each service
 * every domain holds. It is made from values and changes only by `occupy`, so that one plan can place many replicas.
 */

import type { Topology } from '../../model/placement.ts';
import { type Account, HostIndex, type Member, type Size } from './hosts.ts';
import { domainOf, type Ledger, type Target } from './target.ts';

/** Targets that no filter and no score tells apart, except for the room and the replicas on each. */
export interface TargetClass {
  /** Place in the order of ties. */
  readonly index: number;
  /** Stands for all members. */
  readonly target: Target;
  readonly members: readonly Member[];
  /** Null where there is one member only. */
  readonly hosts: HostIndex | null;
}

/** A replica that is placed already. */
export interface Placed {
  readonly service: string;
  readonly target: string;
}

export interface World {
  /** In the order of ties: pool order, then name. */
  readonly classes: readonly TargetClass[];
  readonly byTarget: ReadonlyMap<string, { readonly member: Member; readonly class: TargetClass }>;
  /** Live counts of the service's replicas by domain of the topology. */
  count(service: string, topology: Topology): ReadonlyMap<string, number>;
  occupy(service: string, target: string, size: Size): void;
}

/** @param placed replicas whose room the ledgers count as used already; only their number in each domain is taken from here */
export function createWorld(
  targets: readonly Target[],
  ledgers: readonly Ledger[],
  placed: readonly Placed[] = [],
): World {
  const classes = classesOf(targets, accountsOf(ledgers));
  const byTarget = new Map(
    classes.flatMap((one) => one.members.map((member) => [member.target.name, { member, class: one }] as const)),
  );
  const tally = createTally((name) => byTarget.get(name)?.member.target);
  for (const { service, target } of placed) tally.add(service, target);
  return {
    classes,
    byTarget,
    count: tally.count,
    occupy(service, name, { cores, memoryGiB }) {
      const found = byTarget.get(name);
      if (found === undefined) return;
      const { account } = found.member;
      account.groups += 1;
      account.cores += cores;
      account.memoryGiB += memoryGiB;
      found.class.hosts?.moved(found.member);
      tally.add(service, name);
    },
  };
}

function accountsOf(ledgers: readonly Ledger[]): ReadonlyMap<string, Account> {
  const accounts = new Map<string, Account>();
  for (const { name, limit, used } of ledgers) {
    accounts.set(name, { name, limit, groups: used.groups, cores: used.cores, memoryGiB: used.memoryGiB });
  }
  return accounts;
}

const noRoom = (name: string): Account => ({
  name,
  limit: { groups: 0, cores: 0, memoryGiB: 0 },
  groups: 0,
  cores: 0,
  memoryGiB: 0,
});

function classesOf(targets: readonly Target[], accounts: ReadonlyMap<string, Account>): readonly TargetClass[] {
  const drawing = new Map<string, number>();
  for (const { ledger } of targets) drawing.set(ledger, (drawing.get(ledger) ?? 0) + 1);
  const sorted = [...targets].sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1));
  const groups = new Map<string, Member[]>();
  for (const target of sorted) {
    // Accounts that are shared change behind a member's back, so such a target is a class of its own.
    const key = target.host === null || drawing.get(target.ledger) !== 1 ? `=${target.name}` : equalityKey(target);
    const account = accounts.get(target.ledger) ?? noRoom(target.ledger);
    const member: Member = { target, account, bucket: -1, place: -1 };
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [member]);
    else members.push(member);
  }
  return [...groups.values()].flatMap((members, index) => {
    const [first] = members;
    if (first === undefined) return [];
    const hosts = members.length === 1 ? null : new HostIndex(members);
    return [{ index, target: first.target, members, hosts }];
  });
}

/** The separator occurs in no name. */
function equalityKey({ pool, kind, region, zone, labels, order, price, closed }: Target): string {
  const sorted = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  if (sorted.length > 1) sorted.sort();
  const cost = price === null ? '' : `${price.coreHour}/${price.gibHour}`;
  return [pool, kind, region, zone ?? '', order, cost, closed ?? '', ...sorted].join('\n');
}

function createTally(targetNamed: (name: string) => Target | undefined) {
  const placed = new Map<string, Map<string, number>>();
  const counts = new Map<string, Map<Topology, Map<string, number>>>();
  const bump = (map: Map<string, number>, key: string, by: number): void => {
    map.set(key, (map.get(key) ?? 0) + by);
  };
  return {
    add(service: string, name: string): void {
      const target = targetNamed(name);
      if (target === undefined) return;
      const own = placed.get(service) ?? new Map<string, number>();
      placed.set(service, own);
      bump(own, name, 1);
      for (const [topology, map] of counts.get(service) ?? []) {
        const domain = domainOf(target, topology);
        if (domain !== null) bump(map, domain, 1);
      }
    },
    count(service: string, topology: Topology): ReadonlyMap<string, number> {
      const known = counts.get(service) ?? new Map<Topology, Map<string, number>>();
      counts.set(service, known);
      const before = known.get(topology);
      if (before !== undefined) return before;
      const map = new Map<string, number>();
      for (const [name, number] of placed.get(service) ?? []) {
        const target = targetNamed(name);
        const domain = target === undefined ? null : domainOf(target, topology);
        if (domain !== null) bump(map, domain, number);
      }
      known.set(topology, map);
      return map;
    },
  };
}
