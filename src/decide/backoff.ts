/** How long a slot rests after a failure before its successor is created. Kubernetes' CrashLoopBackOff: doubling with a cap. */
export interface BackoffSettings {
  readonly firstMs: number;
  readonly capMs: number;
  /** A replica that was ready this long starts a new count when it fails. */
  readonly resetMs: number;
}

/** Rest after the `failures`-th failure in a row, in ms; 0 for none. */
export function backoffMs(failures: number, settings: Omit<BackoffSettings, 'resetMs'>): number {
  if (failures <= 0) return 0;
  return Math.min(settings.capMs, settings.firstMs * 2 ** Math.min(failures - 1, 30));
}

/** Failures in a row once a replica fails that had `failures` before it and was first ready at `readyAt`. */
export function countFailure(failures: number, readyAt: number | null, now: number, settings: BackoffSettings): number {
  const steady = readyAt !== null && now - readyAt >= settings.resetMs;
  return steady ? 1 : failures + 1;
}
