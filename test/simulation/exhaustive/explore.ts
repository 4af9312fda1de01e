/**
 * Explores every state that can be reached, breadth first, so that the trace of a violation is a shortest one. Then follows from each state what happens
 * when the world behaves: it must end in what was asked for.
 */
import { emptyService, poolsMax, type Service, type ServiceName, type Surroundings } from './cell.ts';
import { type Edge, Machine } from './machine.ts';
import { isAsAsked } from './pass.ts';
import { type Bound, type Oracle, type Planner, Violation } from './planner.ts';

export interface Report {
  readonly states: number;
  readonly transitions: number;
  /** States of each service on its own. */
  readonly local: readonly number[];
  /** The most rounds of a well-behaved world that it took to converge. */
  readonly rounds: number;
  readonly violation: { readonly oracle: Oracle; readonly detail: string; readonly trace: readonly string[] } | null;
}

/** Far more than any state needs; each is a look of every service and a tick. */
const roundsMax = 60;

/** One service among surroundings that may change at any time, as another service could make them and worse. */
export function exploreAlone(planner: Planner, bound: Bound, desired = bound.slots): Report {
  return explore([new Machine(planner, 'web', bound)], [desired], bound);
}

/** Two services that share the pools; `web` waits for `store` to be healthy. */
export function exploreTogether(planner: Planner, bound: Bound, desired: readonly [number, number]): Report {
  const names: readonly ServiceName[] = ['store', 'web'];
  const machines = names.map((name) => new Machine(planner, name, bound));
  return explore(machines, desired, bound);
}

/** Numbers of the services' states as one. */
const width = 2 ** 24;
const packed = (ids: readonly number[]): number => ids.reduce((code, id) => code * width + id, 0);
const unpacked = (code: number, count: number): readonly number[] =>
  count === 1 ? [code] : [Math.floor(code / width), code % width];

function explore(machines: readonly Machine[], desired: readonly number[], bound: Bound): Report {
  const space = new Space(machines, bound);
  const start = packed(machines.map((machine, index) => machine.number(emptyService(desired[index] ?? 0))));
  const parents = new Map<number, number>([[start, -1]]);
  const good = new Set<number>();
  let transitions = 0;
  let rounds = 0;
  let at = start;
  const found = (violation: Report['violation']): Report => ({
    states: parents.size,
    transitions,
    local: machines.map(({ size }) => size),
    rounds,
    violation,
  });
  try {
    for (const code of parents.keys()) {
      at = code;
      for (const { to } of space.edges(code)) {
        transitions += 1;
        if (!parents.has(to)) parents.set(to, code);
      }
      rounds = Math.max(rounds, space.converge(code, good));
    }
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return found({ oracle: error.oracle, detail: error.message, trace: space.trace(at, parents) });
  }
  return found(null);
}

class Space {
  readonly #machines: readonly Machine[];
  readonly #bound: Bound;

  constructor(machines: readonly Machine[], bound: Bound) {
    this.#machines = machines;
    this.#bound = bound;
  }

  edges(code: number): readonly Edge[] {
    const ids = unpacked(code, this.#machines.length);
    const edges: Edge[] = [];
    for (const [index, machine] of this.#machines.entries()) {
      const id = ids[index] ?? 0;
      const passes =
        ids.length === 1
          ? machine.passesAnywhere(id, this.#bound.quota)
          : machine.passes(id, this.#surroundings(ids, index));
      for (const { label, to } of [...machine.moves(id), ...passes]) {
        const next = ids.map((other, at) => (at === index ? to : other));
        if (this.#affordable(next)) edges.push({ label, to: packed(next) });
      }
    }
    const later = this.#ticked(ids);
    if (later !== null && this.#affordable(later)) edges.push({ label: 'tick', to: packed(later) });
    return edges;
  }

  /** Rounds until all is as asked, and stays. Every state on the way is good too. */
  converge(code: number, good: Set<number>): number {
    const path: number[] = [];
    let here = code;
    while (!good.has(here)) {
      path.push(here);
      const ids = unpacked(here, this.#machines.length);
      const next = this.#round(ids);
      if (next === here && this.#isConverged(ids)) break;
      if (path.length > roundsMax) throw new Violation('Converges', `not as asked after ${roundsMax} calm rounds`);
      here = next;
    }
    for (const passed of path) good.add(passed);
    return path.length;
  }

  trace(code: number, parents: ReadonlyMap<number, number>): readonly string[] {
    const labels: string[] = [];
    for (let here = code; ; ) {
      const parent = parents.get(here) ?? -1;
      if (parent < 0) return labels.reverse();
      labels.push(this.edges(parent).find(({ to }) => to === here)?.label ?? '?');
      here = parent;
    }
  }

  #round(ids: readonly number[]): number {
    const now = [...ids];
    for (const [index, machine] of this.#machines.entries()) {
      const calm = machine.behaved(now[index] ?? 0);
      now[index] = calm;
      now[index] = machine.calmPass(calm, this.#surroundings(now, index));
    }
    return packed(this.#ticked(now) ?? now);
  }

  #isConverged(ids: readonly number[]): boolean {
    return this.#states(ids).every(
      (service) =>
        isAsAsked(service) &&
        service.cells.every((cell) => cell.endpoint === (cell.state === 'ready')) &&
        service.cells.every((cell) => cell.group === (cell.state === 'gone' ? 'none' : 'running')),
    );
  }

  #ticked(ids: readonly number[]): readonly number[] | null {
    const later = this.#machines.map((machine, index) => machine.tick(ids[index] ?? 0));
    return later.some((id) => id === null) ? null : later.map((id) => id ?? 0);
  }

  #states(ids: readonly number[]): readonly Service[] {
    return this.#machines.map((machine, index) => machine.state(ids[index] ?? 0));
  }

  /** Faults and changes are shared by all services. */
  #affordable(ids: readonly number[]): boolean {
    const states = this.#states(ids);
    const sum = (of: (service: Service) => number): number => states.reduce((total, state) => total + of(state), 0);
    return sum(({ faults }) => faults) <= this.#bound.faults && sum(({ changes }) => changes) <= this.#bound.changes;
  }

  #surroundings(ids: readonly number[], index: number): Surroundings {
    const others = this.#states(ids).filter((_, other) => other !== index);
    const used = Array.from({ length: poolsMax }, (_, pool) =>
      others.reduce(
        (sum, { cells }) => sum + cells.filter((cell) => cell.pool === pool && cell.state !== 'gone').length,
        0,
      ),
    );
    const store = index === 0 ? undefined : others[0];
    return { gate: store === undefined || (store.healthy && !store.removed), used };
  }
}
