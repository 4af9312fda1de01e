/**
 * Stores what a Compose file says of secrets and configs, and writes the versions into the document: what is applied is then exactly what was read here,
 * whoever stores something else meanwhile.
 */
import { err, ok, type Result } from '../model/result.ts';
import type { CheckedFile } from '../spec/files/resolve.ts';
import { isObject, type Json, type JsonObject } from '../spec/json.ts';
import type { Session } from './context.ts';
import type { ExitCode } from './exit-codes.ts';
import { failWith } from './session.ts';

const storedAtOnce = 4;

/** The document to send. @param dryRun only ask which versions they would be */
export async function storeValues(
  session: Session,
  file: CheckedFile,
  dryRun = false,
): Promise<Result<JsonObject, ExitCode>> {
  const versions = new Map<string, string>();
  for (let n = 0; n < file.values.length; n += storedAtOnce) {
    const batch = file.values.slice(n, n + storedAtOnce);
    const answers = await Promise.all(
      batch.map(({ name, value }) =>
        session.client.setSecret(file.app.name, { name, value, managed: true, ...(dryRun && { dryRun }) }),
      ),
    );
    for (const [index, answer] of answers.entries()) {
      if (!answer.ok) return err(failWith(session, answer.error));
      versions.set(batch[index]?.name ?? '', answer.value.version);
    }
  }
  return ok(withVersions(file.document, versions));
}

function withVersions(document: JsonObject, versions: ReadonlyMap<string, string>): JsonObject {
  const result: Record<string, Json> = { ...document };
  for (const kind of ['secrets', 'configs'] as const) {
    const definitions = document[kind];
    if (!isObject(definitions)) continue;
    result[kind] = Object.fromEntries(
      Object.entries(definitions as JsonObject).map(([name, definition]) => [name, withVersion(definition, versions)]),
    );
  }
  return result;
}

function withVersion(definition: Json, versions: ReadonlyMap<string, string>): Json {
  if (!isObject(definition)) return definition;
  const { 'x-flotilla': extension, ...rest } = definition as JsonObject;
  if (!isObject(extension)) return definition;
  const { secretRef } = extension as JsonObject;
  const version = versions.get(String(secretRef));
  return version === undefined ? definition : { ...rest, 'x-flotilla': { ...(extension as JsonObject), version } };
}
