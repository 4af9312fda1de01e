/**
 * The token endpoint of an App Service (what `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` point at), as a core: the managed identity
 * credentials of the Azure SDKs use it unmodified. Only the system-assigned identity exists.
 */
import type { Core, CoreResponse } from '../core.ts';
import type { TokenAuthority } from './tokens.ts';

/** Source: App Service "managed identities" page, REST endpoint reference. */
const API_VERSION = '2019-08-01';
export const TOKEN_PATH = '/msi/token';

export function createIdentityCore(options: { readonly header: string; readonly tokens: TokenAuthority }): Core {
  return {
    handle(request, now) {
      const url = new URL(request.url, 'http://identity.invalid');
      if (url.pathname !== TOKEN_PATH || request.method !== 'GET') {
        return refusal(501, `The embedded platform does not model ${request.method} ${url.pathname}.`);
      }
      if (request.headers['x-identity-header'] !== options.header) {
        return refusal(401, 'The X-IDENTITY-HEADER is missing or wrong.');
      }
      if (url.searchParams.get('api-version') !== API_VERSION)
        return refusal(400, `The api-version must be ${API_VERSION}.`);
      const userAssigned = ['client_id', 'principal_id', 'mi_res_id', 'object_id'].find((name) =>
        url.searchParams.has(name),
      );
      if (userAssigned) {
        return refusal(
          400,
          `No user-assigned identity '${url.searchParams.get(userAssigned)}': only the system-assigned one exists here.`,
        );
      }
      const resource = url.searchParams.get('resource');
      if (!resource) return refusal(400, 'The resource parameter is missing.');
      const { token, expiresAt } = options.tokens.issue(resource, now);
      return answer(200, {
        access_token: token,
        expires_on: String(Math.floor(expiresAt / 1000)),
        resource,
        token_type: 'Bearer',
        client_id: SYSTEM_CLIENT_ID,
      });
    },
  };
}

const SYSTEM_CLIENT_ID = '00000000-0000-0000-0000-0000000000aa';

const refusal = (status: number, message: string): CoreResponse => answer(status, { statusCode: status, message });

function answer(status: number, body: unknown): CoreResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(body),
  };
}
