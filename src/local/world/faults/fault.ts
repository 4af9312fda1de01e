/**
 * What a fault of the console is: a name, its arguments, what it does, and the deed. The tables of faults (`region-faults.ts`, `group-faults.ts`, …) are
 * data of this shape; reading of words, help, completion and the section of CONTROL.md all come from them.
 */
import type { ArmCore } from '../../aci/core.ts';
import type { GroupRecord } from '../../aci/model.ts';
import type { AciStore } from '../../aci/store.ts';
import type { EventGrid } from '../../eventgrid/grid.ts';
import type { TableFaults } from './table-draw.ts';

/** What faults act on. */
export interface FaultWorld {
  readonly store: AciStore;
  readonly arm: ArmCore;
  readonly tables: TableFaults;
  readonly events: Pick<EventGrid, 'store'>;
}

/** What an argument can be; `read-words.ts` says what of each kind exists. */
export type ArgumentKind =
  | 'region'
  /** A zone of the region that is named before it. */
  | 'zone'
  /** Groups that exist: the name of one, `APP`, `APP.SERVICE`, `APP.SERVICE.SLOT`, or `*`. */
  | 'groups'
  | 'container'
  /** Names of groups that may come: `*` stands for anything. */
  | 'pattern'
  /** The same with `*` at its end alone. */
  | 'prefix'
  | 'act'
  | 'tableAct'
  | 'duration'
  | 'count'
  | 'times'
  | 'cores'
  | 'status'
  | 'exitCode'
  | 'flag'
  | 'text';

export interface Argument {
  /** As it is written in front of `=`. */
  readonly name: string;
  readonly kind: ArgumentKind;
  /** What it is without; absent = it must be given. */
  readonly fallback?: string;
  readonly help: string;
}

/** Arguments as read: the value of each kind is what {@link ValueOf} says. */
export interface ValueOf {
  readonly region: string;
  readonly zone: string;
  readonly groups: readonly GroupRecord[];
  readonly container: string;
  readonly pattern: string;
  readonly prefix: string;
  readonly act: string;
  readonly tableAct: string;
  readonly duration: number;
  readonly count: number;
  /** null = until cleared. */
  readonly times: number | null;
  readonly cores: number;
  readonly status: number;
  readonly exitCode: number;
  readonly flag: boolean;
  readonly text: string;
}

/** Checked arguments by name. */
export interface Given {
  get<K extends ArgumentKind>(name: string, kind: K): ValueOf[K];
  /** Of one that may be left out. */
  find<K extends ArgumentKind>(name: string, kind: K): ValueOf[K] | undefined;
}

export interface Fault {
  readonly name: string;
  readonly about: 'regions' | 'groups' | 'requests to ARM' | 'tables' | 'events';
  readonly arguments: readonly Argument[];
  /** A sentence without a full stop, in lower case: what happens. */
  readonly does: string;
  /** `once`: it has happened when the command returns. */
  readonly lasts: 'once' | 'until cleared' | 'for so many requests' | 'for so many events';
  /** What follows `flotilla local fault add`. */
  readonly example: string;
  /** Does it; the answer is a sentence that says what, or why not. */
  readonly act: (world: FaultWorld, given: Given, now: number) => Done;
}

export type Done = { readonly done: string } | { readonly problem: string };

export const done = (sentence: string): Done => ({ done: sentence });
