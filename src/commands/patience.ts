/** Waits out what passes by itself, for as long as a message may be held; what does not pass in time is thrown, so that the message comes again. */
import type { Result } from '../model/result.ts';
import type { PortError } from '../ports/errors.ts';
import type { CommandPorts } from './ports.ts';

/** Well within the five minutes for which the host keeps a message locked. */
const patienceMs = 3 * 60_000;
const delayMs = { first: 1_000, cap: 20_000 };

export class PassingFailure extends Error {
  constructor({ kind, message }: PortError) {
    super(`${kind}: ${message}`);
    this.name = 'PassingFailure';
  }
}

/** Repeats `attempt` until it succeeds, cannot succeed, or three minutes are over. */
export async function patiently<T>(
  { now, sleep }: Pick<CommandPorts, 'now' | 'sleep'>,
  attempt: () => Promise<Result<T, PortError>>,
): Promise<Result<T, PortError>> {
  const deadlineAt = now() + patienceMs;
  for (let waitMs = delayMs.first; ; waitMs = Math.min(waitMs * 2, delayMs.cap)) {
    const result = await attempt();
    if (result.ok || result.error.kind === 'NotFound' || result.error.kind === 'Invalid') return result;
    const pauseMs = Math.max(waitMs, result.error.retryAfterMs ?? 0);
    if (now() + pauseMs > deadlineAt) return result;
    await sleep(pauseMs);
  }
}
