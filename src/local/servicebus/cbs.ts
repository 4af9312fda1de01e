/**
 * Claims-based security: checks the shared access signatures that a client puts to `$cbs`, and says which addresses a connection may use.
 * Format: learn.microsoft.com/azure/service-bus-messaging/service-bus-sas.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { granted, notOffered, type OrRefusal, refused, unauthorized } from './errors.ts';

export interface SharedAccessKey {
  readonly name: string;
  readonly value: string;
}

const SAS_TOKEN = 'servicebus.windows.net:sastoken';

export interface PutToken {
  /** The resource it is for, such as `sb://localhost:5672/orders`. */
  readonly audience: string;
  readonly tokenType: string;
  readonly token: string;
}

/** What is granted: the path of the audience (lower case, '' for all) and the end of the token in epoch ms. */
export interface Claim {
  readonly path: string;
  readonly expiresAt: number;
}

/** Checks a token against the only key. `now` in epoch ms. */
export function readClaim(request: PutToken, key: SharedAccessKey, now: number): OrRefusal<Claim> {
  if (request.tokenType !== SAS_TOKEN) return refused(notOffered(`tokens of type '${request.tokenType}'`));
  const [scheme, encoded] = request.token.split(' ', 2);
  if (scheme !== 'SharedAccessSignature' || !encoded) return refused(unauthorized('MalformedToken: no SAS token.'));
  const fields = new Map(encoded.split('&').map((field) => splitField(field)));
  const resource = fields.get('sr') ?? '';
  const expiry = fields.get('se') ?? '';
  if (decode(fields.get('skn') ?? '') !== key.name)
    return refused(unauthorized(`InvalidSignature: there is no key named '${decode(fields.get('skn') ?? '')}'.`));
  const signature = createHmac('sha256', key.value).update(`${resource}\n${expiry}`).digest();
  const given = Buffer.from(decode(fields.get('sig') ?? ''), 'base64');
  if (given.length !== signature.length || !timingSafeEqual(given, signature))
    return refused(unauthorized('InvalidSignature: The token has an invalid signature.'));
  const expiresAt = Number(expiry) * 1000;
  if (!(expiresAt > now)) return refused(unauthorized('ExpiredToken: The token is expired.'));
  const path = pathOf(decode(resource));
  if (!covers(path, pathOf(request.audience)))
    return refused(unauthorized(`The token for '${decode(resource)}' is not valid for '${request.audience}'.`));
  return granted({ path: pathOf(request.audience), expiresAt });
}

/** The claims of one connection. */
export class Claims {
  readonly #expiresAtByPath = new Map<string, number>();

  add({ path, expiresAt }: Claim): void {
    this.#expiresAtByPath.set(path, expiresAt);
  }

  /** Whether a link to `address` may be attached. */
  allow(address: string, now: number): boolean {
    for (const [path, expiresAt] of this.#expiresAtByPath)
      if (expiresAt > now && covers(path, address.toLowerCase())) return true;
    return false;
  }
}

const covers = (path: string, other: string): boolean => path === '' || path === other || other.startsWith(`${path}/`);

function splitField(field: string): [string, string] {
  const at = field.indexOf('=');
  return [field.slice(0, at), field.slice(at + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** The path of an `sb://host/path` address without slashes around it, in lower case. */
const pathOf = (audience: string): string =>
  audience
    .replace(/^[a-z]+:\/\/[^/]*/i, '')
    .replace(/^\/+|\/+$/g, '')
    .toLowerCase();
