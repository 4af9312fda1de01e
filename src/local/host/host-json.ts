/**
 * Reads host.json. Every key is used, is harmless here (listed with the reason), or is refused by name at start: a setting that silently did
 * nothing would only be missed in Azure. Source of keys and defaults: host.json reference v2, learn.microsoft.com/azure/azure-functions.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { HostStartError, type StartProblem } from './start-error.ts';
import { timeSpanMs } from './timespan.ts';

const timeSpan = z
  .string()
  .refine((text) => (timeSpanMs(text) ?? -1) >= 0, 'is no TimeSpan such as "00:05:00"')
  .transform((text) => timeSpanMs(text) ?? 0);
const functionTimeout = z
  .string()
  .refine(
    (text) => text === '-1' || (timeSpanMs(text) ?? 0) > 0,
    'is neither a positive TimeSpan such as "00:05:00" nor "-1"',
  )
  .transform((text) => (text === '-1' ? Number.POSITIVE_INFINITY : (timeSpanMs(text) ?? 0)));
const count = z.int().min(1);
/** Accepted with any value because it cannot change what the embedded host does. */
const harmless = z.unknown().optional();

const http = z.strictObject({
  routePrefix: z
    .string()
    .regex(/^(?:[^/~{}?#\s]+(?:\/[^/~{}?#\s]+)*)?$/, 'has a leading or trailing slash, or a character that no path has')
    .default('api'),
  /** Throttles of a loaded cloud instance. */
  maxOutstandingRequests: harmless,
  maxConcurrentRequests: harmless,
  dynamicThrottlesEnabled: harmless,
});

const durableTask = z.strictObject({
  hubName: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9]{2,44}$/, 'is not 3 to 45 letters and digits beginning with a letter')
    .default('TestHubName'),
  defaultVersion: z.string().optional(),
  versionMatchStrategy: z.enum(['None', 'Strict', 'CurrentOrOlder']).optional(),
  versionFailureStrategy: z.enum(['Reject', 'Fail']).optional(),
  maxConcurrentActivityFunctions: count.optional(),
  maxConcurrentOrchestratorFunctions: count.optional(),
  /** Storage and tracing of the cloud's backend; the embedded store is SQLite. */
  storageProvider: harmless,
  tracing: harmless,
  useGracefulShutdown: harmless,
  maxConcurrentEntityFunctions: harmless,
});

const serviceBus = z.strictObject({
  autoCompleteMessages: z.boolean().default(true),
  maxConcurrentCalls: count.default(16),
  maxConcurrentSessions: count.default(8),
  maxAutoLockRenewalDuration: timeSpan.default(300_000),
  /** Default: `tryTimeout`, 1 min. */
  sessionIdleTimeout: timeSpan.default(60_000),
  /** Credit kept ahead, and the sizes of batches (`cardinality: many` is refused). */
  prefetchCount: harmless,
  maxMessageBatchSize: harmless,
  minMessageBatchSize: harmless,
  maxBatchWaitTime: harmless,
  /** The embedded host sets its own retries, tuned to a broker that may be killed. */
  clientRetryOptions: harmless,
});

const schema = z.strictObject({
  version: z.literal('2.0'),
  functionTimeout: functionTimeout.default(300_000),
  extensions: z
    .strictObject({
      http: http.prefault({}),
      durableTask: durableTask.prefault({}),
      serviceBus: serviceBus.prefault({}),
    })
    .prefault({}),
  $schema: harmless,
  /** The embedded host has its triggers built in. */
  extensionBundle: harmless,
  /** Every line goes to the host's log. */
  logging: harmless,
  telemetryMode: harmless,
  aggregator: harmless,
  healthMonitor: harmless,
  /** PowerShell only. */
  managedDependency: harmless,
  /** The app is loaded once and not watched. */
  watchDirectories: harmless,
  watchFiles: harmless,
  /** One host runs each timer. */
  singleton: harmless,
});

/** host.json with defaults filled in; durations in ms, `functionTimeout` infinite when unlimited. */
export type HostJson = z.output<typeof schema>;

const remedies: Readonly<Record<string, string>> = {
  'extensions.http.hsts': 'remove it: the embedded host speaks plain HTTP on loopback',
  'extensions.http.customHeaders': 'set the headers in the function that answers',
  'extensions.durableTask.extendedSessionsEnabled': 'remove it: it has no effect on JavaScript apps in Azure either',
  'extensions.serviceBus.enableCrossEntityTransactions': 'remove it: the embedded broker has no transactions',
  retry: 'move the policy to the functions that need it; Azure no longer reads it here',
  customHandler: 'only Node functions can be loaded',
  concurrency: 'set fixed numbers such as extensions.serviceBus.maxConcurrentCalls',
};

/** Reads `host.json` of the app directory; an absent file means `{"version":"2.0"}`, as in Azure. @throws HostStartError naming every key at fault. */
export function readHostJson(appDir: string): HostJson {
  const path = join(appDir, 'host.json');
  if (!existsSync(path)) return schema.parse({ version: '2.0' });
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new HostStartError([{ path, problem, remedy: 'host.json is one JSON object' }], { cause: error });
  }
  return parseHostJson(json);
}

/** @throws HostStartError naming every key at fault. */
export function parseHostJson(json: unknown): HostJson {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new HostStartError(parsed.error.issues.flatMap(toProblems));
}

function toProblems(issue: z.core.$ZodIssue): StartProblem[] {
  const at = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const full = at === '' ? key : `${at}.${key}`;
      return {
        path: `host.json: ${full}`,
        problem: 'is not supported by the embedded host',
        remedy: remedies[full] ?? 'remove it, or run the app in Azure Functions',
      };
    });
  }
  const remedy = at === 'version' ? 'write "version": "2.0"' : 'correct the value';
  return [{ path: at === '' ? 'host.json' : `host.json: ${at}`, problem: issue.message, remedy }];
}
