/** One service as a graph that is built as it is asked for: every state has a number, and what follows from it is worked out once. */
import { canonical, keyOf } from './canonical.ts';
import { type Cell, poolsMax, type Service, type ServiceName, type Surroundings } from './cell.ts';
import { behaved, movesOf, tick } from './moves.ts';
import { isLive, isObserved, pass, type Sight } from './pass.ts';
import type { Bound, Planner } from './planner.ts';

export interface Edge {
  readonly label: string;
  readonly to: number;
}

export class Machine {
  readonly name: ServiceName;
  readonly #planner: Planner;
  readonly #bound: Bound;
  readonly #numbers = new Map<string, number>();
  readonly #states: Service[] = [];
  readonly #moves: (readonly Edge[] | undefined)[] = [];
  readonly #ticks: (number | null | undefined)[] = [];
  readonly #behaved: (number | undefined)[] = [];
  readonly #anywhere: (readonly Edge[] | undefined)[] = [];
  readonly #passes = new Map<number, readonly Edge[]>();
  readonly #calm = new Map<number, number>();

  constructor(planner: Planner, name: ServiceName, bound: Bound) {
    this.#planner = planner;
    this.name = name;
    this.#bound = bound;
  }

  get size(): number {
    return this.#states.length;
  }

  number(service: Service): number {
    const state = canonical(service);
    const key = keyOf(state);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const id = this.#states.length;
    this.#numbers.set(key, id);
    this.#states.push(state);
    return id;
  }

  state(id: number): Service {
    const state = this.#states[id];
    if (state === undefined) throw new Error(`no state ${id}`);
    return state;
  }

  moves(id: number): readonly Edge[] {
    const known = this.#moves[id];
    if (known !== undefined) return known;
    const moves = movesOf(this.#planner, this.state(id), this.name, this.#bound);
    const edges = moves.map(({ label, service }) => ({ label, to: this.number(service) }));
    this.#moves[id] = edges;
    return edges;
  }

  tick(id: number): number | null {
    const known = this.#ticks[id];
    if (known !== undefined) return known;
    const after = tick(this.state(id), this.#bound);
    const to = after === null ? null : this.number(after);
    this.#ticks[id] = to;
    return to;
  }

  behaved(id: number): number {
    const known = this.#behaved[id];
    if (known !== undefined) return known;
    const to = this.number(behaved(this.#planner, this.state(id), this.name));
    this.#behaved[id] = to;
    return to;
  }

  /** Passes in every surroundings that make a difference. */
  passesAnywhere(id: number, quota: number): readonly Edge[] {
    const known = this.#anywhere[id];
    if (known !== undefined) return known;
    const { met, revision, removed, desired, cells } = this.state(id);
    const gates = removed || met === revision ? [true] : [true, false];
    const isMissing = !removed && cells.filter(isLive).length < desired;
    const none = Array.from({ length: poolsMax }, () => 0);
    const used = isMissing ? [none, none.map(() => quota)] : [none];
    const places = gates.flatMap((gate) => used.map((counts) => ({ gate, used: counts })));
    const edges = distinct(places.flatMap((place) => this.passes(id, place)));
    this.#anywhere[id] = edges;
    return edges;
  }

  /** Passes with every way of seeing the cells that are looked at. */
  passes(id: number, surroundings: Surroundings): readonly Edge[] {
    const key = id * surroundingsMax + indexOf(surroundings);
    const known = this.#passes.get(key);
    if (known !== undefined) return known;
    const state = this.state(id);
    const edges = distinct(
      sightings(state, this.#bound).map(({ label, faults, sights }) => {
        const { service } = pass(this.#planner, state, this.name, surroundings, this.#bound, sights);
        const to = this.number({ ...service, faults: state.faults + faults });
        return { label: `${this.name}: pass${label}`, to };
      }),
    );
    this.#passes.set(key, edges);
    return edges;
  }

  /** A pass that sees everything as it is. */
  calmPass(id: number, surroundings: Surroundings): number {
    const key = id * surroundingsMax + indexOf(surroundings);
    const known = this.#calm.get(key);
    if (known !== undefined) return known;
    const state = this.state(id);
    const sights = new Map(state.cells.filter(isObserved).map((cell) => [cell, 'true'] as const));
    const to = this.number(pass(this.#planner, state, this.name, surroundings, this.#bound, sights).service);
    this.#calm.set(key, to);
    return to;
  }
}

const distinct = (edges: readonly Edge[]): readonly Edge[] => [
  ...new Map(edges.map((edge) => [edge.to, edge])).values(),
];

const usedMax = 16;
const surroundingsMax = 2 * usedMax ** poolsMax;
const indexOf = ({ gate, used }: Surroundings): number =>
  used.reduce((index, count) => index * usedMax + count, gate ? 1 : 0);

interface Sighting {
  readonly label: string;
  readonly faults: number;
  readonly sights: ReadonlyMap<Cell, Sight>;
}

/** True and stale answers in every combination; as faults, one that gives no answer, and none that does. */
function sightings(service: Service, bound: Bound): readonly Sighting[] {
  const observed = service.cells.filter(isObserved);
  const answers = observed.reduce<readonly (readonly Sight[])[]>(
    (rows, cell) => {
      const choices: readonly Sight[] = cell.stale ? ['true', 'stale'] : ['true'];
      return rows.flatMap((row) => choices.map((sight) => [...row, sight]));
    },
    [[]],
  );
  const silences =
    service.faults >= bound.faults || observed.length === 0
      ? []
      : [...observed.map((silent) => observed.map((cell) => cell === silent)), observed.map(() => true)]
          .slice(observed.length === 1 ? 1 : 0)
          .map((row) => row.map((silent): Sight => (silent ? 'silent' : 'true')));
  const sighting = (row: readonly Sight[], faults: number): Sighting => ({
    label: row.some((sight) => sight !== 'true') ? ` (${row.join(', ')})` : '',
    faults,
    sights: new Map(observed.map((cell, index) => [cell, row[index] ?? 'true'])),
  });
  return [...answers.map((row) => sighting(row, 0)), ...silences.map((row) => sighting(row, 1))];
}
