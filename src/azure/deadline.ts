/**
 * The end of one call. The timer goes with the call: one that outlived it, as those of `AbortSignal.timeout` do, would be held for minutes by
 * thousands in a busy process.
 */

/** @throws whatever `run` throws; once `timeoutMs` have passed its signal says `TimeoutError`. */
export async function withDeadline<T>(
  timeoutMs: number,
  run: (abortSignal: AbortSignal, abort: () => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(timeoutError()), timeoutMs);
  try {
    return await run(controller.signal, () => controller.abort());
  } finally {
    clearTimeout(timer);
  }
}

const timeoutError = (): Error => new DOMException('The operation was aborted due to timeout', 'TimeoutError');
