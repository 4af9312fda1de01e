/** What goes wrong with events on purpose: a table in the store, set through the control API and used up one by one. */
import type { Fate } from './grid.ts';
import type { EventStore, PublishedEvent } from './model.ts';

export type EventEffect =
  | { readonly kind: 'lose' }
  /** Once more, this much later. */
  | { readonly kind: 'duplicate'; readonly afterMs: number }
  | { readonly kind: 'delay'; readonly ms: number }
  /** Whatever follows within this time overtakes it. */
  | { readonly kind: 'reorder'; readonly withinMs: number };

export interface EventFault {
  readonly id: number;
  /** Name of the container group; a trailing `*` matches any rest. Absent = any. */
  readonly name?: string;
  /** How often it strikes; null = until removed. */
  readonly times: number | null;
  readonly effect: EventEffect;
}

const FAULTS = 'faults';

export const listEventFaults = (store: EventStore): readonly EventFault[] =>
  (store.meta(FAULTS) as readonly EventFault[] | undefined) ?? [];

export function addEventFault(store: EventStore, fault: Omit<EventFault, 'id'>): EventFault {
  const faults = listEventFaults(store);
  const added = { ...fault, id: faults.reduce((max, one) => Math.max(max, one.id), 0) + 1 };
  store.setMeta(FAULTS, [...faults, added]);
  return added;
}

/** Removes one fault, or all of them without an id. */
export function removeEventFaults(store: EventStore, id?: number): void {
  store.setMeta(FAULTS, id === undefined ? [] : listEventFaults(store).filter((fault) => fault.id !== id));
}

/** Uses up every fault that matches; each changes what those before it left. */
export function fateOf(store: EventStore, event: PublishedEvent): Fate {
  let fate: Fate = [0];
  for (const fault of listEventFaults(store)) {
    if (!matches(fault, event.subject.split('/').at(-1) ?? '')) continue;
    if (fault.times !== null) useUp(store, fault, fault.times - 1);
    fate = changed(fate, fault.effect);
  }
  return fate;
}

function matches({ name }: EventFault, group: string): boolean {
  if (name === undefined) return true;
  return name.endsWith('*') ? group.startsWith(name.slice(0, -1)) : group === name;
}

function useUp(store: EventStore, fault: EventFault, left: number): void {
  const faults = listEventFaults(store).map((one) => (one.id === fault.id ? { ...one, times: left } : one));
  store.setMeta(
    FAULTS,
    faults.filter(({ times }) => times !== 0),
  );
}

function changed(fate: Fate, effect: EventEffect): Fate {
  switch (effect.kind) {
    case 'lose':
      return [];
    case 'duplicate':
      return [...fate, ...fate.map((ms) => ms + effect.afterMs)];
    case 'delay':
      return fate.map((ms) => ms + effect.ms);
    case 'reorder':
      return fate.map((ms) => ms + effect.withinMs);
  }
}
