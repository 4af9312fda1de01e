/** Access tokens of the embedded platform: opaque to clients, signed, and bound to the resource they were asked for. No state. */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface TokenAuthority {
  /** `now` in epoch ms; the token is valid for {@link TOKEN_LIFETIME_MS}. */
  issue(resource: string, now: number): { readonly token: string; readonly expiresAt: number };
  /** Is this `Authorization` header a bearer token of ours that is still valid (and, with `resources`, meant for one of them)? */
  verify(authorization: string | undefined, now: number, resources?: readonly string[]): boolean;
}

/** As a managed identity's tokens live: 24 hours. */
export const TOKEN_LIFETIME_MS = 24 * 3_600_000;

export function createTokenAuthority(secret: string): TokenAuthority {
  const sign = (payload: string): Buffer => createHmac('sha256', secret).update(payload).digest();
  return {
    issue(resource, now) {
      const expiresAt = now + TOKEN_LIFETIME_MS;
      const payload = Buffer.from(JSON.stringify({ aud: withoutSlash(resource), exp: expiresAt })).toString(
        'base64url',
      );
      return { token: `${payload}.${sign(payload).toString('base64url')}`, expiresAt };
    },
    verify(authorization, now, resources) {
      const match = /^Bearer ([\w-]+)\.([\w-]+)$/i.exec(authorization ?? '');
      const [, payload = '', signature = ''] = match ?? [];
      const given = Buffer.from(signature, 'base64url');
      const expected = sign(payload);
      if (!match || given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { aud: string; exp: number };
      return claims.exp > now && (resources === undefined || resources.map(withoutSlash).includes(claims.aud));
    },
  };
}

const withoutSlash = (resource: string): string => resource.replace(/\/+$/, '');
