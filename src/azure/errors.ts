/**
 * The one place where errors of the Azure SDKs become {@link PortError}s. Looks at `name`, `statusCode` and `code` only: several copies of
 * the SDK's error classes can be loaded, so their identity proves nothing.
 */
import type { PortError } from '../ports/errors.ts';

export interface CallFacts {
  /** What was attempted, for people: `read row app of partition shop`. */
  readonly what: string;
  /** The call changes something, so an answer that got lost is `Unknown` instead of `Unavailable`. */
  readonly effect: boolean;
}

type Kind = PortError['kind'];

/** Codes whose meaning differs from that of their HTTP status. Sources: Tables error codes (learn.microsoft.com), ACI support articles. */
const kindByCode: Readonly<Record<string, Kind>> = {
  // Tables
  ServerBusy: 'Throttled',
  TableBeingDeleted: 'Unavailable',
  // ARM and Azure Container Instances
  ContainerGroupTransitioning: 'Conflict',
  ContainerGroupQuotaReached: 'QuotaExceeded',
  InsufficientCapacity: 'NoCapacity',
  TooManyRequests: 'Throttled',
  RequestDisallowedByPolicy: 'Invalid',
  // ARM says these to whoever is cut off from the subscription, with status 404: they prove nothing about what is in it.
  SubscriptionNotFound: 'Unavailable',
  InvalidSubscriptionId: 'Unavailable',
  InaccessibleImage: 'Invalid',
  OsVersionNotSupported: 'Invalid',
  ContainerLogNotAvailable: 'NotFound',
  // Service Bus
  ServiceBusy: 'Throttled',
  MessageSizeExceeded: 'Invalid',
  MessagingEntityNotFound: 'NotFound',
  UnauthorizedAccess: 'Unavailable',
};

/** The connection was never made, so nothing can have happened (Node's network errors). */
const neverReached = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Never throws, whatever was thrown. */
export function toPortError(error: unknown, { what, effect }: CallFacts): PortError {
  const code = codeOf(error);
  const kind = kindOf(error, code, effect);
  return { kind, code, message: `${what}: ${messageOf(error)}`, retryAfterMs: retryAfterMsOf(error) };
}

function kindOf(error: unknown, code: string | null, effect: boolean): Kind {
  // Without a token the request was not sent; the status of these errors is the token endpoint's.
  if (/^(CredentialUnavailableError|AuthenticationError|AggregateAuthenticationError)$/.test(nameOf(error)))
    return 'Unavailable';
  const status = statusOf(error);
  if (code === 'ServiceUnavailable' && status !== null && status < 500) return capacityKind(messageOf(error));
  const byCode = code === null ? undefined : kindByCode[code.replace(/\.$/, '')];
  if (byCode) return byCode;
  // Without a code of the service it may be a proxy's: absence must be said by the service itself.
  if (status === 404 && code === null) return effect ? 'Unknown' : 'Unavailable';
  if (status !== null) return kindByStatus(status, effect);
  if (code !== null && neverReached.has(code)) return 'Unavailable';
  return effect ? 'Unknown' : 'Unavailable';
}

/** ACI says both "no capacity" and "quota" by `ServiceUnavailable` with status 409; only the words differ. */
const capacityKind = (message: string): Kind => (/quota/i.test(message) ? 'QuotaExceeded' : 'NoCapacity');

function kindByStatus(status: number, effect: boolean): Kind {
  if (status === 404) return 'NotFound';
  if (status === 409 || status === 412) return 'Conflict';
  if (status === 429) return 'Throttled';
  if (status === 401 || status === 403) return 'Unavailable';
  if (status === 408 || status >= 500) return effect ? 'Unknown' : 'Unavailable';
  return 'Invalid';
}

const own = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? (error as Readonly<Record<string, unknown>>)[name] : undefined;

const nameOf = (error: unknown): string => String(own(error, 'name') ?? '');

function statusOf(error: unknown): number | null {
  const status = own(error, 'statusCode');
  return typeof status === 'number' ? status : null;
}

/** `code`, or the OData code that the Tables client keeps in `details`. */
function codeOf(error: unknown): string | null {
  const nested = own(own(own(error, 'details'), 'odataError'), 'code');
  const code = nested ?? own(error, 'code');
  return typeof code === 'string' && code !== '' ? code : null;
}

/** First line only: the Tables service appends request id and time. */
function messageOf(error: unknown): string {
  if (/^(AbortError|TimeoutError)$/.test(nameOf(error))) return 'no answer in time';
  const text = own(own(own(own(error, 'details'), 'odataError'), 'message'), 'value') ?? own(error, 'message');
  const [line = ''] = String(text ?? error).split('\n');
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}

function retryAfterMsOf(error: unknown): number | null {
  const headers = own(own(error, 'response'), 'headers');
  const get = own(headers, 'get');
  if (typeof get !== 'function') return null;
  const value: unknown = get.call(headers, 'retry-after');
  const seconds = typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
