/** Delays of `callActivityWithRetry` and `callSubOrchestratorWithRetry`, as DurableTask's RetryInterceptor computes them. */

/** The SDK's `RetryOptions` on the wire. */
export interface RetryOptions {
  readonly firstRetryIntervalInMilliseconds: number;
  readonly maxNumberOfAttempts: number;
  /** Default 1. */
  readonly backoffCoefficient?: number;
  /** Default: none. */
  readonly maxRetryIntervalInMilliseconds?: number;
  /** Measured from the first attempt. Default: none. */
  readonly retryTimeoutInMilliseconds?: number;
}

/**
 * Delay before the next attempt in ms, or undefined when the retry timeout has elapsed.
 * `failed` counts the attempts so far (≥ 1); `startedAtMs` and `nowMs` are the orchestration's own time.
 */
export function retryDelayMs(
  options: RetryOptions,
  failed: number,
  startedAtMs: number,
  nowMs: number,
): number | undefined {
  const timeoutMs = options.retryTimeoutInMilliseconds;
  if (timeoutMs !== undefined && nowMs >= startedAtMs + timeoutMs) return undefined;
  const delayMs = options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** (failed - 1);
  return Math.min(delayMs, options.maxRetryIntervalInMilliseconds ?? Number.POSITIVE_INFINITY);
}
