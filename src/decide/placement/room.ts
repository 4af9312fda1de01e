/** Room taken and left in the world's accounts. What is left lies side by side in one array: the search for a host reads little else. */
import type { Ledger, Room } from './target.ts';

/** The room of one ledger, shared by the targets that draw on it; changes as replicas are placed. */
export interface Account {
  readonly name: string;
  readonly limit: Room;
  /** Place among the accounts of its world. */
  readonly slot: number;
  groups: number;
  cores: number;
  memoryGiB: number;
}

export interface Size {
  readonly cores: number;
  readonly memoryGiB: number;
}

/** Groups, cores and GiB left of each account, by its slot. */
export type RoomLeft = Float64Array;

const width = 3;

/** Rounding of sums of tenths; no size that ACI knows is finer than a hundredth. */
const tolerance = 1e-6;

export function accountOf({ name, limit, used }: Ledger, slot: number): Account {
  return { name, limit, slot, groups: used.groups, cores: used.cores, memoryGiB: used.memoryGiB };
}

export function roomLeftOf(accounts: readonly Account[]): RoomLeft {
  const left = new Float64Array(accounts.length * width);
  for (const { slot, limit, groups, cores, memoryGiB } of accounts) {
    left[slot * width] = limit.groups - groups;
    left[slot * width + 1] = limit.cores - cores;
    left[slot * width + 2] = limit.memoryGiB - memoryGiB;
  }
  return left;
}

export function take(account: Account, left: RoomLeft, { cores, memoryGiB }: Size): void {
  account.groups += 1;
  account.cores += cores;
  account.memoryGiB += memoryGiB;
  const at = account.slot * width;
  left[at] = account.limit.groups - account.groups;
  left[at + 1] = account.limit.cores - account.cores;
  left[at + 2] = account.limit.memoryGiB - account.memoryGiB;
}

export function fits(left: RoomLeft, slot: number, size: Size): boolean {
  const at = slot * width;
  return (
    (left[at] ?? 0) >= 1 &&
    (left[at + 1] ?? 0) + tolerance >= size.cores &&
    (left[at + 2] ?? 0) + tolerance >= size.memoryGiB
  );
}

/** Share of the scarcest resource that is left, 0–1, of a room that is `whole`. */
export function shareLeft(left: RoomLeft, slot: number, whole: Room): number {
  const at = slot * width;
  return Math.max(
    0,
    Math.min(
      shareOf(left[at] ?? 0, whole.groups),
      shareOf(left[at + 1] ?? 0, whole.cores),
      shareOf(left[at + 2] ?? 0, whole.memoryGiB),
    ),
  );
}

/** What is without limit is never scarce. */
export const shareOf = (amount: number, whole: number): number =>
  whole === 0 ? 0 : whole === Number.POSITIVE_INFINITY ? 1 : amount / whole;
