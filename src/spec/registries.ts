/** `x-flotilla.registries`: how images that are not public are pulled. A template carries the credentials of the registries that its images come from. */

import type { RegistrySpec } from '../model/app-spec.ts';
import { compareText, isObject, joinPath, ownValue } from './json.ts';
import type { Report } from './report.ts';
import { lookUp, type SecretTable } from './secrets.ts';

const place = joinPath('x-flotilla', 'registries');
/** A host name and perhaps a port: ACI takes neither a protocol nor a path. */
const serverPattern = /^(?=.{1,260}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(:\d{1,5})?$/;
const identityPattern =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.ManagedIdentity\/userAssignedIdentities\/[^/]+$/i;

/** Those that are not refused, by server. */
export function readRegistries(
  extension: unknown,
  secrets: SecretTable,
  report: Report,
): ReadonlyMap<string, RegistrySpec> {
  const stated = ownValue(extension, 'registries');
  const read = new Map<string, RegistrySpec>();
  if (stated === undefined || stated === null) return read;
  if (!Array.isArray(stated)) {
    report.refuse(
      place,
      'must be a list.',
      'Write `[{server: HOST, identity: ID}]` or `[{server: HOST, username: NAME, passwordSecret: SECRET}]`.',
    );
    return read;
  }
  stated.forEach((entry: unknown, index) => {
    const registry = isObject(entry) ? readRegistry(entry, joinPath(place, index), secrets, report) : undefined;
    if (registry === undefined) return;
    if (read.has(canonicalServer(registry.server))) {
      report.refuse(joinPath(place, index, 'server'), `names \`${registry.server}\` twice.`, 'Remove one of them.');
    }
    read.set(canonicalServer(registry.server), registry);
  });
  return read;
}

function readRegistry(
  entry: Readonly<Record<string, unknown>>,
  path: string,
  secrets: SecretTable,
  report: Report,
): RegistrySpec | undefined {
  const { server, identity, username, passwordSecret } = entry;
  if (typeof server !== 'string' || !serverPattern.test(server)) {
    const remedy = 'Write the host name alone, such as `acme.azurecr.io`; of Docker Hub, `docker.io`.';
    report.refuse(joinPath(path, 'server'), 'must be the host name of a registry.', remedy);
    return undefined;
  }
  const hasPassword = username !== undefined || passwordSecret !== undefined;
  if ((identity === undefined) === !hasPassword) {
    report.refuse(
      path,
      identity === undefined ? 'says nowhere how to sign in.' : 'has both an identity and a password.',
      'Write `identity: ID`, or `username: NAME` and `passwordSecret: SECRET`.',
    );
    return undefined;
  }
  if (identity !== undefined) {
    if (typeof identity === 'string' && identityPattern.test(identity)) return { server, identity };
    const remedy =
      'Write `/subscriptions/…/resourceGroups/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME`.';
    report.refuse(joinPath(path, 'identity'), 'must be the resource id of a user-assigned identity.', remedy);
    return undefined;
  }
  if (typeof username !== 'string' || username === '') {
    report.refuse(joinPath(path, 'username'), 'must be the name to sign in with.', 'Write `username: NAME`.');
    return undefined;
  }
  const password = lookUp(secrets, 'secrets', passwordSecret, joinPath(path, 'passwordSecret'), report);
  if (typeof passwordSecret !== 'string') {
    const remedy = 'Declare it under `secrets:` at the top, and write `passwordSecret: NAME`.';
    report.refuse(joinPath(path, 'passwordSecret'), 'must name the secret that holds the password.', remedy);
  }
  return password === undefined ? undefined : { server, username, password };
}

/** The registries that the images come from, as ACI is told of them; sorted by server. */
export function registriesOf(
  images: readonly string[],
  registries: ReadonlyMap<string, RegistrySpec>,
): readonly RegistrySpec[] {
  const used = new Set(images.map((image) => canonicalServer(serverOf(image))));
  return [...registries]
    .filter(([server]) => used.has(server))
    .map(([, registry]) => registry)
    .sort((left, right) => compareText(left.server, right.server));
}

export function warnAboutUnusedRegistries(
  images: readonly string[],
  registries: ReadonlyMap<string, RegistrySpec>,
  report: Report,
): void {
  const used = new Set(images.map((image) => canonicalServer(serverOf(image))));
  for (const [server, registry] of registries) {
    if (used.has(server)) continue;
    report.warn(
      place,
      `no image comes from \`${registry.server}\`: its credentials are not used.`,
      'Write the images with the name of their registry in front, or remove the entry.',
    );
  }
}

/** `acme.azurecr.io/web:1` → `acme.azurecr.io`; a name without a host is Docker Hub's. */
function serverOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first.toLowerCase() : 'docker.io';
}

/** Docker Hub goes by several names. */
const canonicalServer = (server: string): string =>
  ['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'].includes(server) ? 'docker.io' : server;
