/**
 * Secrets and configs of an app through the API: values go in and never come out again. Setting one changes no replica: a document that refers to it
 * does, when it is applied.
 */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { servicesUsing } from '../../decide/secret-uses.ts';
import type { SecretResource } from '../../model/api.ts';
import { limits, namePattern } from '../../model/limits.ts';
import { err, ok, type Result } from '../../model/result.ts';
import { composeName, newestByName, type SecretFacts, secretNamePattern } from '../../model/secrets.ts';
import type { PortError } from '../../ports/errors.ts';
import type { CommandPorts } from '../ports.ts';
import { readFlags } from './request.ts';
import { json, noSuchApp, problem, unavailable } from './responses.ts';

export type SecretPorts = Pick<CommandPorts, 'store' | 'secrets'>;

export async function getSecrets(ports: SecretPorts, app: string): Promise<HttpResponseInit> {
  if (!namePattern.test(app)) return noSuchApp(app);
  const [rows, facts] = await Promise.all([ports.store.readApp(app), ports.secrets.list(app)]);
  if (!rows.ok) return unavailable(rows.error);
  if (!facts.ok) return unavailable(facts.error);
  if (rows.value.app === null && facts.value.length === 0) return noSuchApp(app);
  const usersOf = servicesUsing(rows.value);
  const newest = newestByName(facts.value);
  return json(
    200,
    facts.value.map((fact) => resourceOf(fact, newest.get(fact.name)?.version === fact.version, usersOf(fact))),
  );
}

/** The body is the value, byte for byte. */
export async function putSecret(ports: SecretPorts, app: string, request: HttpRequest): Promise<HttpResponseInit> {
  const flags = readFlags(request.query, ['managed', 'dryRun']);
  if (!flags.ok) return flags.error;
  const name = request.params['name'] ?? '';
  if (!namePattern.test(app)) return noSuchApp(app);
  if (!secretNamePattern.test(name)) return badName(name);
  const value = await readValue(request);
  if (!value.ok) return value.error;
  const set = await ports.secrets.set(app, { name, value: value.value, ...flags.value });
  return set.ok ? json(200, resourceOf(set.value, true, [])) : unusable(set.error);
}

async function readValue(request: HttpRequest): Promise<Result<Uint8Array, HttpResponseInit>> {
  const mediaType = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/octet-stream') {
    return err(problem('wrongMediaType', 'Send the value itself, as application/octet-stream.'));
  }
  const announced = Number(request.headers.get('content-length') ?? '0');
  if (announced > limits.secretBytes) return err(tooLarge(announced));
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > limits.secretBytes) return err(tooLarge(bytes.length));
  return ok(bytes);
}

const tooLarge = (sizeBytes: number): HttpResponseInit =>
  problem('tooLarge', `The value has ${sizeBytes} bytes, but may have at most ${limits.secretBytes}.`);

const badName = (name: string): HttpResponseInit =>
  problem(
    'badQuery',
    `«${name.slice(0, 100)}» is not the name of a secret: use 1 to 128 letters, digits, \`.\`, \`_\` and \`-\`.`,
  );

/** Removes every version of a name, unless a replica or a revision that may come back needs one. */
export async function deleteSecret(ports: SecretPorts, app: string, name: string): Promise<HttpResponseInit> {
  if (!namePattern.test(app)) return noSuchApp(app);
  const [rows, facts] = await Promise.all([ports.store.readApp(app), ports.secrets.list(app)]);
  if (!rows.ok) return unavailable(rows.error);
  if (!facts.ok) return unavailable(facts.error);
  const versions = facts.value.filter((fact) => fact.name === name);
  if (versions.length === 0) return problem('notFound', `The app ${app} has no secret «${name.slice(0, 100)}».`);
  const usersOf = servicesUsing(rows.value);
  const users = [...new Set(versions.flatMap((version) => usersOf(version)))].sort();
  if (users.length > 0) {
    const detail = `The secret ${name} is needed by ${users.join(', ')}: apply the app without it first; older revisions let go of it as they are purged.`;
    return problem('inUse', detail);
  }
  for (const { version } of versions) {
    const removed = await ports.secrets.remove(app, { secretRef: name, version });
    if (!removed.ok) return unusable(removed.error);
  }
  return json(200, { removed: versions.length });
}

/** A key that is missing or wrong is for the operator to mend, and no fault of the request. */
const unusable = (error: PortError): HttpResponseInit =>
  error.code === 'SecretUnreadable' ? problem('unavailable', `${error.message}.`) : unavailable(error);

function resourceOf(fact: SecretFacts, isNewest: boolean, usedBy: readonly string[]): SecretResource {
  const { version, sizeBytes, managed, setAt } = fact;
  const at = new Date(setAt).toISOString();
  return { ...composeName(fact.name), version, newest: isNewest, sizeBytes, managed, setAt: at, usedBy };
}
