/**
 * The scheduler's working copy of the world: targets sorted into classes of equals, the room of each account, and how many replicas of each service
 * every domain holds. It is made from values and changes only by `occupy`, so that one plan can place many replicas.
 */
import { HostIndex } from './hosts.ts';
import { type Account, accountOf, type RoomLeft, roomLeftOf, type Size, take } from './room.ts';
import { createTally, type Tally } from './tally.ts';
import type { Ledger, Target } from './target.ts';

export interface Member {
  readonly target: Target;
  readonly account: Account;
}

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

/** Where a target stands: its class and its place in that. */
export interface Found {
  readonly class: TargetClass;
  readonly place: number;
}

export interface World extends Pick<Tally, 'domains' | 'counts' | 'hostCounts'> {
  /** In the order of ties: pool order, then name. */
  readonly classes: readonly TargetClass[];
  readonly left: RoomLeft;
  readonly byTarget: ReadonlyMap<string, Found>;
  occupy(service: string, target: string, size: Size): void;
}

/** @param placed replicas whose room the ledgers count as used already; only their number in each domain is taken from here */
export function createWorld(
  targets: readonly Target[],
  ledgers: readonly Ledger[],
  placed: readonly Placed[] = [],
): World {
  const { classes, left } = classesOf(targets, new Map(ledgers.map((ledger) => [ledger.name, ledger])));
  const byTarget = new Map(
    classes.flatMap((one) => one.members.map(({ target }, place) => [target.name, { class: one, place }] as const)),
  );
  const tally = createTally(classes.map(({ target }) => target));
  const add = (service: string, { class: one, place }: Found): void => {
    const member = one.members[place];
    if (member !== undefined) tally.add(service, member.target, one.index);
  };
  for (const { service, target } of placed) {
    const found = byTarget.get(target);
    if (found !== undefined) add(service, found);
  }
  return {
    classes,
    left,
    byTarget,
    domains: tally.domains,
    counts: tally.counts,
    hostCounts: tally.hostCounts,
    occupy(service, name, size) {
      const found = byTarget.get(name);
      const account = found?.class.members[found.place]?.account;
      if (found === undefined || account === undefined) return;
      take(account, left, size);
      found.class.hosts?.moved(found.place);
      add(service, found);
    },
  };
}

const noRoom = (name: string): Ledger => {
  const nothing = { groups: 0, cores: 0, memoryGiB: 0 };
  return { name, limit: nothing, used: nothing };
};

function classesOf(
  targets: readonly Target[],
  ledgers: ReadonlyMap<string, Ledger>,
): { readonly classes: readonly TargetClass[]; readonly left: RoomLeft } {
  const sorted = grouped(targets);
  const accounts = new Map<string, Account>();
  const accountAt = ({ ledger }: Target): Account => {
    const account = accounts.get(ledger) ?? accountOf(ledgers.get(ledger) ?? noRoom(ledger), accounts.size);
    accounts.set(ledger, account);
    return account;
  };
  // In the order of classes, so that the room of hosts that are compared with each other lies together.
  const members = sorted.map((list) => list.map((target): Member => ({ target, account: accountAt(target) })));
  const left = roomLeftOf([...accounts.values()]);
  const classes = members.flatMap((list, index): TargetClass[] => {
    const [first] = list;
    if (first === undefined) return [];
    const own = list.map(({ account }) => account);
    return [{ index, target: first.target, members: list, hosts: own.length === 1 ? null : new HostIndex(own, left) }];
  });
  return { classes, left };
}

/** Targets that are equal, in the order of ties. */
function grouped(targets: readonly Target[]): readonly (readonly Target[])[] {
  const drawing = new Map<string, number>();
  for (const { ledger } of targets) drawing.set(ledger, (drawing.get(ledger) ?? 0) + 1);
  const groups = new Map<string, Target[]>();
  for (const target of [...targets].sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1))) {
    // Accounts that are shared change behind a member's back, so such a target is a class of its own.
    const key = target.host === null || drawing.get(target.ledger) !== 1 ? `=${target.name}` : equalityKey(target);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [target]);
    else group.push(target);
  }
  return [...groups.values()];
}

/** The separator occurs in no name. */
function equalityKey({ pool, kind, region, zone, labels, order, price, closed }: Target): string {
  const sorted = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  if (sorted.length > 1) sorted.sort();
  const cost = price === null ? '' : `${price.coreHour}/${price.gibHour}`;
  return [pool, kind, region, zone ?? '', order, cost, closed ?? '', ...sorted].join('\n');
}
