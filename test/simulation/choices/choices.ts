/**
 * The world's choices, each under a name: `value = hash(seed, key, nth use of key)`. 0 always means "nothing bad". What was not 0 is recorded; a
 * run is repeated from that sparse map alone, everything else being 0. Names survive edits of the code under test; a shared sequence would not.
 */
import { keyedUnit } from '../virtual/random.ts';

export type ChoiceMap = Readonly<Record<string, number>>;

export interface Choices {
  /** An index into `weights`, whose rest up to 1 is the weight of 0 (`weights[0]` is ignored). */
  weighted(key: string, weights: readonly number[]): number;
  /** In [0, options), all equally likely. */
  pick(key: string, options: number): number;
  /** What was not 0, by `key#nth`. */
  readonly made: Map<string, number>;
}

interface Made {
  readonly key: string;
  readonly nth: number;
  readonly value: number;
}

class NamedChoices implements Choices {
  /** Most choices are latencies that nobody ever asks for: their names are put together only when somebody does. */
  readonly #made: Made[] = [];
  readonly #uses = new Map<string, number>();
  readonly #seed: number;
  readonly #replay: ChoiceMap | null;

  constructor(seed: number, replay: ChoiceMap | null) {
    this.#seed = seed;
    this.#replay = replay;
  }

  get made(): Map<string, number> {
    return new Map(this.#made.map(({ key, nth, value }) => [`${key}#${nth}`, value]));
  }

  #draw(key: string, options: number, fromUnit: (unit: number) => number): number {
    const nth = this.#uses.get(key) ?? 0;
    this.#uses.set(key, nth + 1);
    const value = this.#replay
      ? Math.min(this.#replay[`${key}#${nth}`] ?? 0, options - 1)
      : fromUnit(keyedUnit(this.#seed, key, nth));
    if (value !== 0) this.#made.push({ key, nth, value });
    return value;
  }

  weighted(key: string, weights: readonly number[]): number {
    return this.#draw(key, weights.length, (unit) => {
      let left = unit;
      for (let value = 1; value < weights.length; value++) {
        left -= weights[value] ?? 0;
        if (left < 0) return value;
      }
      return 0;
    });
  }

  pick(key: string, options: number): number {
    return this.#draw(key, options, (unit) => Math.floor(unit * options));
  }
}

/** With `replay`, the seed only feeds random numbers and UUIDs. */
export const createChoices = (seed: number, replay: ChoiceMap | null = null): Choices => new NamedChoices(seed, replay);
