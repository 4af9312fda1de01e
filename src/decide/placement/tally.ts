/** How many replicas of each service every domain holds. Domains are numbered once for a world, so that a count is a number in an array. */
import type { Topology } from '../../model/placement.ts';
import { domainOf, type Target } from './target.ts';

/** The domains of a topology, numbered. */
export interface Domains {
  readonly topology: Topology;
  /** The last number stands for "has none" and counts nothing. */
  readonly none: number;
  /** By the index of a class. */
  readonly ofClass: Int32Array;
}

/** Replicas of one service by number of the domain, live. */
export type Counts = Int32Array;

export interface Tally {
  domains(topology: Topology): Domains;
  counts(service: string, topology: Topology): Counts;
  /** By name of the host. */
  hostCounts(service: string): ReadonlyMap<string, number>;
  add(service: string, target: Target, classIndex: number): void;
}

interface Placed {
  readonly byClass: Map<number, number>;
  readonly byHost: Map<string, number>;
  readonly counted: { readonly domains: Domains; readonly counts: Counts }[];
}

/** @param classes the target that stands for each class; members of one differ in no domain but the host */
export function createTally(classes: readonly Target[]): Tally {
  const known = new Map<Topology, Domains>();
  const services = new Map<string, Placed>();
  const placedOf = (service: string): Placed => {
    const before = services.get(service);
    if (before !== undefined) return before;
    const placed: Placed = { byClass: new Map(), byHost: new Map(), counted: [] };
    services.set(service, placed);
    return placed;
  };
  const domains = (topology: Topology): Domains => {
    const numbered = known.get(topology) ?? numberedDomains(classes, topology);
    known.set(topology, numbered);
    return numbered;
  };
  return {
    domains,
    counts(service, topology) {
      const placed = placedOf(service);
      const before = placed.counted.find((one) => one.domains.topology === topology);
      if (before !== undefined) return before.counts;
      const fresh = { domains: domains(topology), counts: new Int32Array(domains(topology).none + 1) };
      for (const [classIndex, number] of placed.byClass) bump(fresh, classIndex, number);
      placed.counted.push(fresh);
      return fresh.counts;
    },
    hostCounts: (service) => placedOf(service).byHost,
    add(service, { host }, classIndex) {
      const placed = placedOf(service);
      placed.byClass.set(classIndex, (placed.byClass.get(classIndex) ?? 0) + 1);
      if (host !== null) placed.byHost.set(host, (placed.byHost.get(host) ?? 0) + 1);
      for (const one of placed.counted) bump(one, classIndex, 1);
    },
  };
}

function bump({ domains, counts }: Placed['counted'][number], classIndex: number, by: number): void {
  const domain = domains.ofClass[classIndex] ?? domains.none;
  if (domain !== domains.none) counts[domain] = (counts[domain] ?? 0) + by;
}

function numberedDomains(classes: readonly Target[], topology: Topology): Domains {
  const numbers = new Map<string, number>();
  const ofClass = new Int32Array(classes.length);
  for (const [index, target] of classes.entries()) {
    const name = domainOf(target, topology);
    if (name !== null && !numbers.has(name)) numbers.set(name, numbers.size);
    ofClass[index] = name === null ? -1 : (numbers.get(name) ?? -1);
  }
  const none = numbers.size;
  for (const [index, number] of ofClass.entries()) if (number < 0) ofClass[index] = none;
  return { topology, none, ofClass };
}
