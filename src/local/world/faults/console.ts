/**
 * The fault console: what can go wrong on purpose, what is set, setting it by words, and clearing it. `flotilla local fault` speaks to it through the
 * control API. A new fault is a row of one of the tables below and nothing else.
 */
import { listFaults, regionStates, removeFaults, setRegionState } from '../../aci/faults.ts';
import { release } from '../../aci/lifecycle.ts';
import { listEventFaults, removeEventFaults } from '../../eventgrid/faults.ts';
import { eventFaults } from './event-faults.ts';
import type { Done, Fault, FaultWorld } from './fault.ts';
import { groupFaults } from './group-faults.ts';
import { choicesOf, formOf, readWords } from './read-words.ts';
import { regionFaults } from './region-faults.ts';
import { requestFaults } from './request-faults.ts';
import { tableFaults } from './table-faults.ts';

export const catalogue: readonly Fault[] = [
  ...regionFaults,
  ...groupFaults,
  ...requestFaults,
  ...tableFaults,
  ...eventFaults,
];

/** The catalogue as JSON, with what there is to choose from at the moment. */
export function describeCatalogue(world: FaultWorld) {
  return catalogue.map(({ name, about, arguments: taken, does, lasts, example }) => ({
    name,
    about,
    does,
    lasts,
    example,
    arguments: taken.map((argument) => ({
      name: argument.name,
      form: formOf(argument),
      help: argument.help,
      ...(argument.fallback !== undefined && { fallback: argument.fallback }),
      choices: choicesOf(argument, world),
    })),
  }));
}

export function inject(world: FaultWorld, words: readonly string[], now: number): Done {
  const read = readWords(catalogue, world, words);
  return 'problem' in read ? read : read.fault.act(world, read.given, now);
}

export interface ActiveFault {
  /** What `clear` takes: the number of a fault of requests, `event-` and that of one of events, a region, a group, or `tables`. */
  readonly id: string;
  readonly what: string;
}

export function activeFaults({ store, tables, events }: FaultWorld): readonly ActiveFault[] {
  return [
    ...Object.entries(regionStates(store)).flatMap(([id, state]) =>
      Object.keys(state).length > 0 ? [{ id, what: `region: ${JSON.stringify(state)}` }] : [],
    ),
    ...listFaults(store).map(({ id, ...fault }) => ({
      id: String(id),
      what: `requests to ARM: ${JSON.stringify(fault)}`,
    })),
    ...(tables.list().length > 0 ? [{ id: 'tables', what: `tables: ${JSON.stringify(tables.list())}` }] : []),
    ...listEventFaults(events.store).map(({ id, ...fault }) => ({
      id: `event-${id}`,
      what: `events: ${JSON.stringify(fault)}`,
    })),
    ...store.groups().flatMap(({ name, stuck }) => (stuck ? [{ id: name, what: 'group: its deletion is stuck' }] : [])),
  ];
}

/** Clears one, or all without an id. What happened once (a kill, a new address) cannot be taken back. */
export function clearFaults(world: FaultWorld, id: string | undefined, now: number): Done {
  const active = activeFaults(world);
  const meant = active.filter((one) => id === undefined || one.id === id);
  if (id !== undefined && meant.length === 0) {
    const there = active.length === 0 ? 'None is set.' : `There are ${active.map((one) => one.id).join(', ')}.`;
    return { problem: `No fault \`${id}\` is set. ${there}` };
  }
  for (const one of meant) clearOne(world, one.id, now);
  return { done: meant.length === 1 ? `Cleared ${meant[0]?.id}.` : `Cleared ${meant.length} faults.` };
}

function clearOne({ store, arm, tables, events }: FaultWorld, id: string, now: number): void {
  const event = /^event-(\d+)$/.exec(id)?.[1];
  const group = store.groups().find((one) => one.name === id);
  if (/^\d+$/.test(id)) removeFaults(store, Number(id));
  else if (event !== undefined) removeEventFaults(events.store, Number(event));
  else if (id === 'tables') tables.clear();
  else if (arm.settings.regions.includes(id)) setRegionState(store, id, {});
  else if (group) arm.time.change(group.key, now, (draft) => release(draft, now));
}
