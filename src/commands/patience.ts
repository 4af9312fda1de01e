/** Waits out what passes by itself, for as long as a message may be held; what does not pass in time is thrown, so that the message comes again. */
import type { Result } from '../model/result.ts';
import type { PortError } from '../ports/errors.ts';
import type { CommandPorts } from './ports.ts';

/** From the arrival of a message. The host kills a function, and its worker with it, after five minutes (host.json). */
const patienceMs = { beginWithin: 3 * 60_000, endWithin: 4 * 60_000 };
const delayMs = { first: 1_000, cap: 20_000 };

export class PassingFailure extends Error {
  constructor({ kind, message }: PortError) {
    super(`${kind}: ${message}`);
    this.name = 'PassingFailure';
  }
}

/** One message has one patience, however many things are done about it. */
export interface Patience {
  /** No further attempt begins after this, epoch ms. */
  readonly beginUntil: number;
  /** Nor one that would last beyond this, were it as slow as the slowest before. */
  readonly endBy: number;
}

export type PatientPorts = CommandPorts & { readonly patience: Patience };

/** For a message that has just arrived. */
export function withPatience(ports: CommandPorts): PatientPorts {
  const now = ports.now();
  return {
    ...ports,
    patience: { beginUntil: now + patienceMs.beginWithin, endBy: now + patienceMs.endWithin },
  };
}

/** Tries at least once, and again until it succeeds, cannot succeed, or the patience is over. */
export async function patiently<T>(
  { now, sleep, patience }: Pick<PatientPorts, 'now' | 'sleep' | 'patience'>,
  attempt: () => Promise<Result<T, PortError>>,
): Promise<Result<T, PortError>> {
  let longestMs = 0;
  for (let waitMs = delayMs.first; ; waitMs = Math.min(waitMs * 2, delayMs.cap)) {
    const beganAt = now();
    const result = await attempt();
    if (result.ok || result.error.kind === 'NotFound' || result.error.kind === 'Invalid') return result;
    longestMs = Math.max(longestMs, now() - beganAt);
    const pauseMs = Math.max(waitMs, result.error.retryAfterMs ?? 0);
    const nextAt = now() + pauseMs;
    if (nextAt > patience.beginUntil || nextAt + longestMs > patience.endBy) return result;
    await sleep(pauseMs);
  }
}
