/**
 * The members of a class of equal targets, ordered by free room for best fit: bin packing keeps whole hosts free for what is large. Buckets by the
 * scarcer resource make the search independent of the number of hosts.
 */
import { type Account, fits, type RoomLeft, type Size, shareLeft, shareOf } from './room.ts';
import type { Room } from './target.ts';

const bucketCount = 64;
const triesMax = 8;

const bucketAt = (share: number): number => Math.max(0, Math.min(bucketCount - 1, Math.floor(share * bucketCount)));

/** Whether a member is acceptable, by its place in the class. */
export type Test = (member: number) => boolean;

export class HostIndex {
  /** Members by their place in the class. */
  readonly #buckets: number[][] = Array.from({ length: bucketCount }, () => []);
  readonly #left: RoomLeft;
  /** By member: slot of its account, its bucket, and where it stands in that. */
  readonly #slots: Int32Array;
  readonly #bucketOf: Uint8Array;
  readonly #placeOf: Int32Array;
  /** The largest host: shares are of its room, so that a bucket means the same amount for all. */
  readonly #largest: Room;

  constructor(accounts: readonly Account[], left: RoomLeft) {
    const most = (of: (room: Room) => number): number =>
      accounts.reduce((max, { limit }) => Math.max(max, of(limit)), 0);
    this.#largest = {
      groups: most(({ groups }) => groups),
      cores: most(({ cores }) => cores),
      memoryGiB: most(({ memoryGiB }) => memoryGiB),
    };
    this.#left = left;
    this.#slots = Int32Array.from(accounts, ({ slot }) => slot);
    this.#bucketOf = new Uint8Array(accounts.length);
    this.#placeOf = new Int32Array(accounts.length);
    for (let member = 0; member < accounts.length; member += 1) this.#insert(member, this.#bucketNow(member));
  }

  /** After its account changed. */
  moved(member: number): void {
    const next = this.#bucketNow(member);
    const bucket = this.#bucketOf[member] ?? 0;
    if (next === bucket) return;
    const members = this.#buckets[bucket] ?? [];
    const last = members.pop();
    if (last !== undefined && last !== member) {
      const place = this.#placeOf[member] ?? 0;
      members[place] = last;
      this.#placeOf[last] = place;
    }
    this.#insert(member, next);
  }

  /**
   * A host with little room left that takes the size and is `allowed`; hosts that are `preferred` before others, whatever their room. -1 = none.
   * Below the bucket from which on every host has room for the size, only a few are tried before those are: the search stays short, and ends complete.
   */
  bestFit(size: Size, allowed: Test, preferred: Test | null): number {
    const cores = shareOf(size.cores, this.#largest.cores);
    const memory = shareOf(size.memoryGiB, this.#largest.memoryGiB);
    const from = bucketAt(Math.min(cores, memory));
    const certain = bucketAt(Math.max(cores, memory)) + 1;
    const few = this.#first(from, certain, size, allowed, preferred, triesMax);
    if (few >= 0) return few;
    const large = this.#first(certain, bucketCount, size, allowed, preferred);
    if (large >= 0) return large;
    const any = this.#first(from, certain, size, allowed, preferred);
    return any >= 0 || preferred === null ? any : this.#first(from, bucketCount, size, allowed, null);
  }

  #first(
    from: number,
    to: number,
    size: Size,
    allowed: Test,
    preferred: Test | null,
    tries = Number.POSITIVE_INFINITY,
  ): number {
    let rest = tries;
    for (let bucket = from; bucket < to; bucket += 1) {
      const members = this.#buckets[bucket] ?? [];
      for (let place = 0; place < members.length; place += 1) {
        const member = members[place] ?? -1;
        const takes = fits(this.#left, this.#slots[member] ?? -1, size);
        if (takes && allowed(member) && (preferred === null || preferred(member))) return member;
        rest -= 1;
        if (rest <= 0) return -1;
      }
    }
    return -1;
  }

  #bucketNow(member: number): number {
    return bucketAt(shareLeft(this.#left, this.#slots[member] ?? -1, this.#largest));
  }

  #insert(member: number, bucket: number): void {
    const members = this.#buckets[bucket] ?? [];
    this.#bucketOf[member] = bucket;
    this.#placeOf[member] = members.length;
    members.push(member);
  }
}
