/**
 * `env_file` and `environment` of a service → one mapping, so that the document needs no file any more. Precedence as in the Compose
 * Specification: `environment` over `env_file`, a later file over an earlier; a name without a value takes it from the surroundings.
 */

import { dirname, isAbsolute, join } from 'node:path';
import { entriesOf } from '../environment.ts';
import { isObject, type Json, type JsonObject, joinPath } from '../json.ts';
import { readBoolean } from '../read.ts';
import type { Report } from '../report.ts';
import { parseEnvFile } from './env-file.ts';
import type { Lookup } from './interpolate.ts';
import type { Place } from './yaml-values.ts';

export interface Surroundings {
  /** The Compose file as it was named; `env_file` is relative to its directory. */
  readonly file: string;
  readonly lookup: Lookup;
  /** Text, `undefined` where there is no such file, or why it cannot be read. */
  readonly readText: (path: string) => Promise<{ readonly text: string | undefined } | { readonly failure: string }>;
  readonly places: Map<string, Place>;
  readonly sources: ReadonlyMap<string, string>;
}

/** The service without `env_file`, its `environment` complete. Malformed values are left for the schema to refuse. */
export async function resolveEnvironment(
  service: JsonObject,
  path: string,
  surroundings: Surroundings,
  report: Report,
): Promise<JsonObject> {
  const { env_file: envFile, environment, ...rest } = service;
  const isWellFormed =
    environment === undefined || environment === null || isObject(environment) || isListOfTexts(environment);
  if (!isWellFormed) return { ...rest, environment: environment ?? null };
  const environmentPath = joinPath(path, 'environment');
  const merged = new Map<string, Json>();
  const fromFiles = new Map<string, string>();
  const find = lookupWith(surroundings.lookup, environment, environmentPath);
  for (const reference of readReferences(envFile, joinPath(path, 'env_file'), report)) {
    for (const [name, entry] of await readEnvFile(reference, { ...surroundings, lookup: find }, fromFiles, report)) {
      merged.set(name, entry.value);
      fromFiles.set(name, entry.value);
      surroundings.places.set(joinPath(environmentPath, name), entry.place);
    }
  }
  for (const { name, text, place } of entriesOf(environment, environmentPath)) {
    const target = joinPath(environmentPath, name);
    const origin = surroundings.places.get(place);
    if (origin !== undefined) surroundings.places.set(target, origin);
    const value = text === null ? surroundings.lookup(name) : (surroundings.sources.get(place) ?? toJson(text));
    if (value === undefined) {
      merged.delete(name);
      report.warn(
        target,
        `\`${name}\` has no value here and is left out.`,
        `Set ${name} in the shell or in \`.env\`, or state a value.`,
      );
    } else {
      merged.set(name, value);
    }
  }
  if (environment === undefined && merged.size === 0) return rest;
  return { ...rest, environment: Object.fromEntries(merged) };
}

/** Env files may use what `environment` states, after the surroundings and before their own lines. */
function lookupWith(lookup: Lookup, environment: Json | undefined, path: string): Lookup {
  const stated = new Map(
    entriesOf(environment, path).flatMap(({ name, text }): [string, string][] =>
      text === null || isObject(text) || Array.isArray(text) ? [] : [[name, String(text)]],
    ),
  );
  return (name) => lookup(name) ?? stated.get(name);
}

const isListOfTexts = (value: Json): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string');

/** Entries come out of JSON, so this narrows and changes nothing. */
const toJson = (value: unknown): Json => value as Json;

interface Reference {
  readonly file: string;
  readonly isRequired: boolean;
  readonly format: 'compose' | 'raw';
  readonly path: string;
}

function readReferences(value: Json | undefined, path: string, report: Report): readonly Reference[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return [{ file: value, isRequired: true, format: 'compose', path }];
  const items = Array.isArray(value) ? value : [undefined];
  return items.flatMap((item: Json | undefined, index): Reference[] => {
    const place = Array.isArray(value) ? joinPath(path, index) : path;
    if (typeof item === 'string') return [{ file: item, isRequired: true, format: 'compose', path: place }];
    const file = isObject(item) ? item['path'] : undefined;
    if (!isObject(item) || typeof file !== 'string') {
      report.refuse(
        place,
        'must be the path of a file.',
        'Write `env_file: FILE`, or a list of paths or `{path, required, format}`.',
      );
      return [];
    }
    const { required, format, ...others } = item;
    for (const key of Object.keys(others).filter((other) => other !== 'path')) {
      report.refuse(
        joinPath(place, key),
        `\`${key}\` is not a key that can stand here.`,
        'Write `path`, `required` or `format`.',
      );
    }
    if (format !== undefined && format !== 'raw') {
      report.refuse(
        joinPath(place, 'format'),
        `\`${format}\` is not a format of env files.`,
        'Write `raw`, or remove the key.',
      );
    }
    const isRequired = readBoolean(required, true, joinPath(place, 'required'), report);
    return [{ file, isRequired, format: format === 'raw' ? 'raw' : 'compose', path: place }];
  });
}

async function readEnvFile(
  { file, isRequired, format, path }: Reference,
  { file: composeFile, lookup, readText }: Surroundings,
  above: ReadonlyMap<string, string>,
  report: Report,
): Promise<ReadonlyMap<string, { readonly value: string; readonly place: Place }>> {
  const found = new Map<string, { value: string; place: Place }>();
  const actual = isAbsolute(file) ? file : join(dirname(composeFile), file);
  const read = await readText(actual);
  if ('failure' in read) {
    report.refuse(path, `\`${file}\` cannot be read: ${read.failure}.`, 'Check its path and permissions.');
    return found;
  }
  if (read.text === undefined) {
    if (isRequired) {
      report.refuse(path, `there is no file \`${actual}\`.`, 'Create it, or write `{path: FILE, required: false}`.');
    }
    return found;
  }
  const { entries, failures } = parseEnvFile(read.text, lookup, format, above);
  for (const { line, problem, remedy } of failures) {
    report.errorAt(path, problem, remedy, { file: actual, line, column: 1 });
  }
  for (const { name, value = lookup(name), line } of entries) {
    if (value !== undefined) found.set(name, { value, place: { file: actual, line, column: 1 } });
  }
  return found;
}
