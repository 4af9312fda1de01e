/**
 * What befalls the next requests to Table Storage. The Tables stand-in asks a draw what goes wrong (`tables/faults.ts` lists the choices); this is the
 * draw of the console. Kept in memory beside the stored copy: tables are asked too often to read it from there.
 */

import type { AciStore } from '../../aci/store.ts';
import type { Draw } from '../../core.ts';

/** Names of the choices of `tables/faults.ts` that the console offers. */
const CHOICES = { busy: 1, lost: 2, error: 3, late: 5, drop: 6 } as const;
export type TableEffect = keyof typeof CHOICES;
export const TABLE_ACTS = ['get', 'query', 'insert', 'put', 'patch', 'delete', 'batch'] as const;
export type TableAct = (typeof TABLE_ACTS)[number];

export interface TableFault {
  readonly effect: TableEffect;
  /** Absent = any. */
  readonly act?: TableAct;
  /** null = until cleared. */
  readonly times: number | null;
}

export interface TableFaults {
  readonly draw: Draw;
  list(): readonly TableFault[];
  add(fault: TableFault): void;
  clear(): void;
}

const META = 'tableFaults';
const METHODS: Readonly<Record<TableAct, string>> = {
  get: 'GET',
  query: 'QUERY',
  insert: 'POST',
  put: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  batch: 'BATCH',
};

/** `save` runs a write to the store in a transaction; the count of a fault that is used up is saved a moment later. */
export function createTableFaults(store: AciStore, save: (write: () => void) => void): TableFaults {
  let faults = (store.meta(META) as TableFault[] | undefined) ?? [];
  const set = (next: TableFault[]) => {
    faults = next;
    save(() => store.setMeta(META, next));
  };
  return {
    draw(key) {
      if (faults.length === 0) return 0;
      const method = /^tables (\w+) (?!Tables\/).*\/fault$/.exec(key)?.[1];
      const index = faults.findIndex(
        ({ act }) => method !== undefined && (act === undefined || METHODS[act] === method),
      );
      const fault = faults[index];
      if (!fault) return 0;
      if (fault.times !== null) set(faults.flatMap((one, at) => (at === index ? usedUp(one) : [one])));
      return CHOICES[fault.effect];
    },
    list: () => faults,
    add: (fault) => set([...faults, fault]),
    clear: () => set([]),
  };
}

const usedUp = (fault: TableFault): TableFault[] =>
  fault.times === null || fault.times > 1 ? [{ ...fault, times: (fault.times ?? 1) - 1 }] : [];
