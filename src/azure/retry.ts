/** Tries a call again while its error says that nothing happened or that repeating does no harm. Who may repeat is decided by the caller. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Result } from '../model/result.ts';
import type { PortError } from '../ports/errors.ts';

/** Waits before the second and third try, ms; short, because the callers stand behind a queue or a person. */
const delaysMs = [100, 500];
/** A longer Retry-After is the caller's to wait out. */
const retryAfterCapMs = 2_000;

/** Attempts are numbered from 0; the last answer is the result. */
export async function withRetry<T>(
  attempt: (n: number) => Promise<Result<T, PortError>>,
  isRetriable: (error: PortError) => boolean,
): Promise<Result<T, PortError>> {
  for (let n = 0; ; n += 1) {
    const result = await attempt(n);
    const delayMs = delaysMs[n];
    if (result.ok || delayMs === undefined || !isRetriable(result.error)) return result;
    const { retryAfterMs } = result.error;
    if (retryAfterMs !== null && retryAfterMs > retryAfterCapMs) return result;
    await sleep(Math.max(delayMs, retryAfterMs ?? 0));
  }
}
