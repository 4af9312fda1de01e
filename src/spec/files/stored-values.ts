/**
 * `secrets` and `configs` that name a file, a variable or carry their content → references in the document, and the values beside it: the document
 * goes into tables and logs, the values only to the store of secrets.
 */

import { dirname, isAbsolute, join } from 'node:path';
import { limits } from '../../model/limits.ts';
import { storedConfigName } from '../../model/secrets.ts';
import { formatBytes } from '../../model/units.ts';
import { isObject, type Json, type JsonObject, joinPath } from '../json.ts';
import type { Report } from '../report.ts';
import type { Lookup } from './interpolate.ts';

/** A value that must be stored before the document is applied. */
export interface StoredValue {
  /** Name in the store. */
  readonly name: string;
  /** Place in the document. */
  readonly path: string;
  readonly value: Uint8Array;
}

export interface ValueSources {
  /** The Compose file as it was named; `file` is relative to its directory. */
  readonly file: string;
  readonly lookup: Lookup;
  /** `undefined` where there is no such file, or why it cannot be read. */
  readonly readBytes: (
    path: string,
  ) => Promise<{ readonly bytes: Uint8Array | undefined } | { readonly failure: string }>;
}

export async function extractValues(
  document: JsonObject,
  sources: ValueSources,
  report: Report,
): Promise<{ readonly document: JsonObject; readonly values: readonly StoredValue[] }> {
  const values: StoredValue[] = [];
  const result: Record<string, Json> = { ...document };
  for (const kind of ['secrets', 'configs'] as const) {
    const { [kind]: definitions } = document;
    if (!isObject(definitions)) continue;
    const members: [string, Json][] = [];
    for (const [name, definition] of Object.entries(definitions as JsonObject)) {
      const path = joinPath(kind, name);
      const value = isObject(definition) ? await readValue(definition, path, sources, report) : undefined;
      if (value === undefined || !isObject(definition)) {
        members.push([name, definition]);
        continue;
      }
      const { file: _file, environment: _environment, content: _content, ...rest } = definition;
      const secretRef = kind === 'configs' ? storedConfigName(name) : name;
      members.push([name, { ...rest, 'x-flotilla': { secretRef } }]);
      values.push({ name: secretRef, path, value });
    }
    result[kind] = Object.fromEntries(members);
  }
  return { document: result, values };
}

/** `undefined`: there is nothing to store, or it is refused. */
async function readValue(
  definition: Readonly<Record<string, unknown>>,
  path: string,
  sources: ValueSources,
  report: Report,
): Promise<Uint8Array | undefined> {
  const stated = ['file', 'environment', 'content'].filter((key) => typeof definition[key] === 'string');
  const [key, other] = stated;
  if (key === undefined) return undefined;
  const place = joinPath(path, key);
  if (other !== undefined) {
    report.refuse(path, `has both \`${key}\` and \`${other}\`.`, 'Keep one of the two.');
    return undefined;
  }
  const written = String(definition[key]);
  const value = await fetchValue(key, written, place, sources, report);
  if (value === undefined || value.length <= limits.secretBytes) return value;
  report.refuse(
    place,
    `has ${formatBytes(value.length)}, but a secret or config may have at most ${formatBytes(limits.secretBytes)}.`,
    'Put large files into the image, or into an Azure file share.',
  );
  return undefined;
}

async function fetchValue(
  key: string,
  written: string,
  place: string,
  { file, lookup, readBytes }: ValueSources,
  report: Report,
): Promise<Uint8Array | undefined> {
  if (key === 'content') return Buffer.from(written);
  if (key === 'environment') {
    const value = lookup(written);
    if (value !== undefined) return Buffer.from(value);
    report.refuse(place, `the variable \`${written}\` is not set.`, `Set ${written} in the shell or in \`.env\`.`);
    return undefined;
  }
  const actual = isAbsolute(written) ? written : join(dirname(file), written);
  const read = await readBytes(actual);
  if ('failure' in read) {
    report.refuse(place, `\`${actual}\` cannot be read: ${read.failure}.`, 'Check its path and permissions.');
    return undefined;
  }
  if (read.bytes === undefined)
    report.refuse(place, `there is no file \`${actual}\`.`, 'Correct the path, or create the file.');
  return read.bytes;
}
