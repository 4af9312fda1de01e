/**
 * The two brakes of ARM: token buckets per subscription and kind of request, and the resource provider's sliding windows of creates and
 * deletes. Buckets live in volatile memory; windows are counted from the audit log, so a restart does not refill them.
 */
import { type ArmError, tooManyRequests } from './errors.ts';
import type { AuditEntry } from './model.ts';
import type { AciStore } from './store.ts';

/** Size and refill per second. Source: Azure Resource Manager "request limits and throttling" (read 2026-11). */
const BUCKETS = {
  reads: { size: 250, perSecond: 25 },
  writes: { size: 200, perSecond: 10 },
  deletes: { size: 200, perSecond: 10 },
} as const;
export type BucketKind = keyof typeof BUCKETS;

/** The service reports a global bucket beside each one, 15 times its size (seen in azure-cli#29438); it is shown, never enforced. */
const GLOBAL_FACTOR = 15;

/** Creates and deletes, each: 100 in 5 minutes and 300 in an hour, per region and subscription. Source: service quotas page. */
const WINDOWS = [
  { name: 'pt5m', lengthMs: 300_000, limit: 100 },
  { name: 'pt1h', lengthMs: 3_600_000, limit: 300 },
] as const;

export interface Admission {
  readonly refused?: ArmError;
  readonly headers: Readonly<Record<string, string>>;
}

export function bucketKind(method: string): BucketKind {
  if (method === 'GET' || method === 'HEAD') return 'reads';
  return method === 'DELETE' ? 'deletes' : 'writes';
}

/** Takes one token. */
export function takeToken(store: AciStore, subscriptionId: string, kind: BucketKind, now: number): Admission {
  const { size, perSecond } = BUCKETS[kind];
  const name = `bucket|${subscriptionId}|${kind}`;
  const before = (store.volatile.get(name) as { tokens: number; at: number } | undefined) ?? { tokens: size, at: now };
  const filled = Math.min(size, before.tokens + (Math.max(0, now - before.at) / 1000) * perSecond);
  const left = filled < 1 ? filled : filled - 1;
  store.volatile.set(name, { tokens: left, at: now });
  const headers = {
    [`x-ms-ratelimit-remaining-subscription-${kind}`]: String(Math.floor(left)),
    [`x-ms-ratelimit-remaining-subscription-global-${kind}`]: String(Math.floor(left * GLOBAL_FACTOR)),
  };
  if (filled >= 1) return { headers };
  const wait = Math.max(1, Math.ceil((1 - filled) / perSecond));
  return {
    headers,
    refused: tooManyRequests(
      `Number of requests for subscription '${subscriptionId}' exceeded the limit. Please try again after '${wait}' seconds.`,
      wait,
    ),
  };
}

/** Asks whether one more create or delete fits into both windows; the caller's audit entry takes the place. */
export function askWindows(
  store: AciStore,
  kind: 'create' | 'delete',
  where: { readonly subscriptionId: string; readonly location: string },
  now: number,
): Admission {
  const counts = (entry: AuditEntry) =>
    entry.subscriptionId === where.subscriptionId &&
    entry.location === where.location &&
    (kind === 'delete' ? entry.action === 'delete' : entry.action === 'create' || entry.action === 'update');
  const longest = Math.max(...WINDOWS.map((window) => window.lengthMs));
  const entries = store.audit(now - longest + 1).filter(counts);
  const headers: Record<string, string> = {};
  let wait = 0;
  for (const window of WINDOWS) {
    const inside = entries.filter((entry) => entry.at > now - window.lengthMs);
    const oldest = inside[inside.length - window.limit];
    if (oldest) wait = Math.max(wait, Math.ceil((oldest.at + window.lengthMs - now) / 1000));
    const left = Math.max(0, window.limit - inside.length - 1);
    headers[`x-ms-ratelimit-remaining-subscription-resource-requests-${window.name}`] = String(left);
  }
  if (wait === 0) return { headers };
  const message = `The number of ${kind} requests for container groups in region '${where.location}' exceeded the limit. Please try again after '${wait}' seconds.`;
  return { headers, refused: tooManyRequests(message, wait) };
}
