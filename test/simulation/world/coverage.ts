/** What a run has really exercised: effects by target, faults by name, and pairs of fault and workflow phase. */
import type { SimEvent } from '../types.ts';

export interface Coverage {
  readonly effects: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<string, number>;
  /** `fault × phase`. */
  readonly pairs: ReadonlyMap<string, number>;
  readonly runs: ReadonlyMap<string, number>;
  readonly commands: number;
  readonly crashes: number;
}

export interface Counting extends Coverage {
  add(event: SimEvent): void;
}

const bump = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);

export function createCoverage(): Counting {
  const effects = new Map<string, number>();
  const faults = new Map<string, number>();
  const pairs = new Map<string, number>();
  const runs = new Map<string, number>();
  let commands = 0;
  let crashes = 0;
  return {
    effects,
    faults,
    pairs,
    runs,
    get commands() {
      return commands;
    },
    get crashes() {
      return crashes;
    },
    add(event) {
      if (event.type === 'effect' && event.moment === 'sent') bump(effects, `${event.target} ${event.method}`);
      if (event.type === 'run' && event.moment === 'begun') bump(runs, event.cause.fn);
      if (event.type === 'command' && event.moment === 'acknowledged') commands += 1;
      if (event.type === 'host' && event.change === 'crashed') crashes += 1;
      if (event.type !== 'fault') return;
      bump(faults, event.fault);
      bump(pairs, `${event.fault} × ${event.phase}`);
    },
  };
}
