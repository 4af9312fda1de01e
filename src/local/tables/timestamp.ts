/** The service's Timestamp (UTC, 100 ns) and the ETag made from it: a new write never gets a value that an earlier one had. */

/** The Timestamp of a write at `nowMs` after one that got `last` (empty: none): `2026-01-02T03:04:05.0060000Z`, always greater than `last`. */
export function timestampAfter(last: string, nowMs: number): string {
  const candidate = `${new Date(nowMs).toISOString().slice(0, 23)}0000Z`;
  if (candidate > last) return candidate;
  const fraction = Number(last.slice(20, 27)) + 1;
  if (fraction < 10_000_000) return `${last.slice(0, 20)}${String(fraction).padStart(7, '0')}Z`;
  const nextSecond = new Date(Date.parse(`${last.slice(0, 19)}Z`) + 1000).toISOString();
  return `${nextSecond.slice(0, 19)}.0000000Z`;
}

export const etagOf = (timestamp: string): string => `W/"datetime'${encodeURIComponent(timestamp)}'"`;
