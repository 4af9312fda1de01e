/** Wall and timers as a value, so that tests and the simulator own time. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `fire` once at or after `atMs` (epoch ms; any distance, also beyond 2^31 ms). Returns a cancel function; cancelling twice is harmless. */
  at(atMs: number, fire: () => void): () => void;
}
