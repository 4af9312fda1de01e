/** The few kinds of failure of the outside world that decisions tell apart. Adapters map to them once; nothing else reads SDK errors. */
export interface PortError {
  readonly kind: /** It is not there. */
    | 'NotFound'
    /** Somebody else changed it first, or the resource is in transition. Read again. */
    | 'Conflict'
    | 'Throttled'
    | 'QuotaExceeded'
    | 'NoCapacity'
    /** The request itself is wrong; repeating it is useless. */
    | 'Invalid'
    /** Not reached, or refused before any effect. */
    | 'Unavailable'
    /** It may have taken effect: read back before anything else. */
    | 'Unknown';
  /** The service's own error code, where it gave one. */
  readonly code: string | null;
  readonly message: string;
  readonly retryAfterMs: number | null;
}
