/**
 * The members of a class of equal targets, ordered by free room for best fit: bin packing keeps whole hosts free for what is large. Buckets by the
 * scarcer resource make the search independent of the number of hosts.
 */
import type { Room, Target } from './target.ts';

/** Room taken and left, shared by the targets that draw on it; changes as replicas are placed. */
export interface Account {
  readonly name: string;
  readonly limit: Room;
  groups: number;
  cores: number;
  memoryGiB: number;
}

export interface Member {
  readonly target: Target;
  readonly account: Account;
  /** Where the index keeps it; -1 in no index. */
  bucket: number;
  place: number;
}

export interface Size {
  readonly cores: number;
  readonly memoryGiB: number;
}

/** Rounding of sums of tenths; no size that ACI knows is finer than a hundredth. */
const tolerance = 1e-6;

export const fits = ({ limit, groups, cores, memoryGiB }: Account, size: Size): boolean =>
  groups + 1 <= limit.groups &&
  cores + size.cores <= limit.cores + tolerance &&
  memoryGiB + size.memoryGiB <= limit.memoryGiB + tolerance;

const bucketCount = 64;
const triesMax = 8;

const shareOf = (amount: number, of: number): number =>
  of === 0 ? 0 : of === Number.POSITIVE_INFINITY ? 1 : amount / of;

const bucketAt = (share: number): number => Math.max(0, Math.min(bucketCount - 1, Math.floor(share * bucketCount)));

export class HostIndex {
  readonly #buckets: Member[][] = Array.from({ length: bucketCount }, () => []);
  /** The largest host: shares are of its room, so that a bucket means the same amount for all. */
  readonly #largest: Room;

  constructor(members: readonly Member[]) {
    const most = (of: (room: Room) => number): number =>
      members.reduce((max, { account }) => Math.max(max, of(account.limit)), 0);
    this.#largest = {
      groups: most(({ groups }) => groups),
      cores: most(({ cores }) => cores),
      memoryGiB: most(({ memoryGiB }) => memoryGiB),
    };
    for (const member of members) this.#insert(member);
  }

  /** After its account changed. */
  moved(member: Member): void {
    if (member.bucket === this.#bucketOf(member)) return;
    const bucket = this.#buckets[member.bucket] ?? [];
    const last = bucket.pop();
    if (last !== undefined && last !== member) {
      bucket[member.place] = last;
      last.place = member.place;
    }
    this.#insert(member);
  }

  /**
   * A host with little room left that takes the size and is `allowed`; hosts that are `preferred` before others, whatever their room. Null = none.
   * Below the bucket from which on every host has room for the size, only a few are tried before those are: the search stays short, and ends complete.
   */
  bestFit(
    size: Size,
    allowed: (target: Target) => boolean,
    preferred: ((target: Target) => boolean) | null,
  ): Member | null {
    const cores = shareOf(size.cores, this.#largest.cores);
    const memory = shareOf(size.memoryGiB, this.#largest.memoryGiB);
    const from = bucketAt(Math.min(cores, memory));
    const certain = bucketAt(Math.max(cores, memory)) + 1;
    const takes = (member: Member): boolean => fits(member.account, size) && allowed(member.target);
    const wanted = preferred === null ? takes : (member: Member): boolean => preferred(member.target) && takes(member);
    const found =
      this.#first(from, certain, wanted, triesMax) ??
      this.#first(certain, bucketCount, wanted) ??
      this.#first(from, certain, wanted);
    return found ?? (preferred === null ? null : this.#first(from, bucketCount, takes));
  }

  #first(
    from: number,
    to: number,
    takes: (member: Member) => boolean,
    tries = Number.POSITIVE_INFINITY,
  ): Member | null {
    let left = tries;
    for (let bucket = from; bucket < to && left > 0; bucket += 1) {
      for (const member of this.#buckets[bucket] ?? []) {
        if (takes(member)) return member;
        left -= 1;
        if (left <= 0) return null;
      }
    }
    return null;
  }

  #bucketOf({ account: { limit, groups, cores, memoryGiB } }: Member): number {
    const most = this.#largest;
    return bucketAt(
      Math.min(
        shareOf(limit.groups - groups, most.groups),
        shareOf(limit.cores - cores, most.cores),
        shareOf(limit.memoryGiB - memoryGiB, most.memoryGiB),
      ),
    );
  }

  #insert(member: Member): void {
    const bucket = this.#bucketOf(member);
    const members = this.#buckets[bucket] ?? [];
    member.bucket = bucket;
    member.place = members.length;
    members.push(member);
  }
}
