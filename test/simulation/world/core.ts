/** What all parts of a world share: choices, faults, time, and the stream of events that becomes trace, oracles' input and coverage. */
import type { Choices } from '../choices/choices.ts';
import { phaseOf } from '../faults/phases.ts';
import type { FaultName, FaultPlan } from '../faults/registry.ts';
import type { Cause, SimEvent } from '../types.ts';
import { causes, clock, epoch } from '../virtual/clock.ts';

export const installation = 'sim';
/** ARM, Tables and the durable extension under names that no host can reach by accident. */
export const addresses = {
  arm: 'https://management.azure.com',
  tables: 'https://flotilla.table.core.windows.net',
  durable: 'http://localhost:7071',
} as const;

/** What may be told to nobody but the service it is for. */
export const secrets = {
  token: 'token-of-the-managed-identity',
  busKey: 'a2V5LW9mLXRoZS1idXM=',
  durableKey: 'key-of-the-durable-extension',
  /** Seals the stored secrets of apps. */
  secretsKey: 'a key that everybody may know: it guards nothing',
} as const;

export interface WorldCore {
  readonly seed: number;
  readonly choices: Choices;
  readonly plan: FaultPlan;
  /** Faults strike before this instant. */
  readonly calmFrom: number;
  emit(event: SimEvent): void;
}

export const causeNow = (): Cause | null => (causes.getStore() as Cause | undefined) ?? null;

/** Whether the fault may strike now. */
export function mayStrike(world: WorldCore, name: FaultName): boolean {
  return clock.now < world.calmFrom && clock.now > epoch && world.plan.names.has(name);
}

/** A fault that strikes with a probability, under a key; in replay only the recorded ones do. */
export function strikes(world: WorldCore, name: FaultName, key: string, rate: number): boolean {
  if (!mayStrike(world, name)) return false;
  if (world.choices.weighted(`${key}/${name}`, [0, rate * world.plan.factor]) === 0) return false;
  noteFault(world, name, causeNow(), key);
  return true;
}

export function noteFault(world: WorldCore, fault: FaultName, cause: Cause | null, detail: string): void {
  world.emit({ type: 'fault', at: clock.now, fault, phase: phaseOf(cause), detail });
}
