/**
 * Top-level `secrets` and `configs`, and what services do with them. A document carries references only: the CLI stores the values of files,
 * variables and inline contents first. Azure Container Instances mounts directories, so the files that lie in one directory make one volume.
 */

import { posix } from 'node:path';
import { newestVersion, type SecretRef, type VolumeSpec } from '../model/app-spec.ts';
import { secretNamePattern, secretVersionPattern, storedConfigName } from '../model/secrets.ts';
import { isUsableName } from './environment.ts';
import { isObject, joinPath, ownValue } from './json.ts';
import { pathProblem } from './mount-path.ts';
import { readBoolean } from './read.ts';
import type { Report } from './report.ts';
import { nearestWord } from './suggest.ts';

type Kind = 'secrets' | 'configs';

/** What a service can name, by the name in the file; one that is refused has no reference, and is not complained about again. */
export interface SecretTable {
  readonly secrets: ReadonlyMap<string, SecretRef | undefined>;
  readonly configs: ReadonlyMap<string, SecretRef | undefined>;
}

const uploadedByCli =
  'Let `flotilla up` send the file; or store the value by `flotilla secrets set`, and write `external: true`.';

export function readSecretTable(document: Readonly<Record<string, unknown>>, report: Report): SecretTable {
  const read = (kind: Kind) =>
    new Map(
      Object.entries(isObject(document[kind]) ? document[kind] : {}).map(([name, definition]) => [
        name,
        readDefinition(kind, name, definition, report),
      ]),
    );
  return { secrets: read('secrets'), configs: read('configs') };
}

function readDefinition(kind: Kind, name: string, definition: unknown, report: Report): SecretRef | undefined {
  const path = joinPath(kind, name);
  const extension = ownValue(definition, 'x-flotilla');
  if (isObject(extension)) return readReference(extension, joinPath(path, 'x-flotilla'), report);
  for (const source of ['file', 'environment', 'content'] as const) {
    if (ownValue(definition, source) === undefined) continue;
    report.refuse(joinPath(path, source), 'names a value that only the CLI can store.', uploadedByCli);
    return undefined;
  }
  const external = ownValue(definition, 'external');
  const isExternal = isObject(external) || readBoolean(external, false, joinPath(path, 'external'), report);
  if (!isExternal) {
    report.refuse(
      path,
      'says nowhere where its value is.',
      'Write `file: PATH`, `environment: NAME` or `external: true`.',
    );
    return undefined;
  }
  const stated = ownValue(definition, 'name') ?? ownValue(external, 'name');
  const outside = typeof stated === 'string' ? stated : name;
  return { secretRef: kind === 'configs' ? storedConfigName(outside) : outside, version: newestVersion };
}

/** What the CLI writes in place of a value; without `version` it is the newest one. */
function readReference(
  extension: Readonly<Record<string, unknown>>,
  path: string,
  report: Report,
): SecretRef | undefined {
  const { secretRef, version = newestVersion } = extension;
  if (typeof secretRef !== 'string' || !secretNamePattern.test(secretRef)) {
    report.refuse(joinPath(path, 'secretRef'), 'must be the name of a stored value.', 'Write `secretRef: NAME`.');
    return undefined;
  }
  if (typeof version !== 'string' || (version !== newestVersion && !secretVersionPattern.test(version))) {
    report.refuse(
      joinPath(path, 'version'),
      'must be a version as `flotilla secrets ls` shows it.',
      'Write its 16 digits, or remove the key for the newest one.',
    );
    return undefined;
  }
  return { secretRef, version };
}

/** The stored value that `name` stands for; a name that is not declared is reported. */
export function lookUp(
  table: SecretTable,
  kind: Kind,
  name: unknown,
  path: string,
  report: Report,
): SecretRef | undefined {
  if (typeof name !== 'string') return undefined;
  if (table[kind].has(name)) return table[kind].get(name);
  const nearest = nearestWord(name, table[kind].keys());
  report.refuse(
    path,
    `the document declares no ${kind.slice(0, -1)} \`${name}\`.`,
    nearest === undefined ? `Add it under \`${kind}:\` at the top.` : `Did you mean \`${nearest}\`?`,
  );
  return undefined;
}

/** A directory of a service's secrets and configs, with its files. */
export interface SecretDirectory {
  readonly path: string;
  readonly files: Extract<VolumeSpec, { kind: 'secret' }>['files'];
}

const secretsDirectory = '/run/secrets';

/** Sorted by path. */
export function readSecretFiles(
  service: Readonly<Record<string, unknown>>,
  path: string,
  table: SecretTable,
  report: Report,
): readonly SecretDirectory[] {
  const directories = new Map<string, Map<string, SecretRef>>();
  for (const kind of ['secrets', 'configs'] as const) {
    const items = service[kind];
    if (!Array.isArray(items)) continue;
    items.forEach((item, index) => {
      const place = joinPath(path, kind, index);
      const ref = lookUp(table, kind, isObject(item) ? item['source'] : item, place, report);
      const target = readTarget(kind, item, place, report);
      if (ref === undefined || target === undefined) return;
      const directory = posix.dirname(target);
      const files = directories.get(directory) ?? new Map<string, SecretRef>();
      if (!directories.has(directory)) warnAboutHiding(directory, place, report);
      directories.set(directory, files);
      const file = target.slice(target.lastIndexOf('/') + 1);
      if (files.has(file))
        report.refuse(place, `there is a file at \`${target}\` already.`, 'Choose another `target`.');
      files.set(file, ref);
    });
  }
  return [...directories]
    .map(([directory, files]) => ({ path: directory, files: Object.fromEntries([...files].sort(byName)) }))
    .sort((left, right) => (left.path < right.path ? -1 : 1));
}

const byName = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number =>
  left < right ? -1 : 1;

function readTarget(kind: Kind, item: unknown, place: string, report: Report): string | undefined {
  const source = isObject(item) ? item['source'] : item;
  const stated = isObject(item) ? item['target'] : undefined;
  if (stated !== undefined && typeof stated !== 'string') return undefined;
  if (isObject(item)) warnAboutOwner(item, place, report);
  const base = kind === 'secrets' ? secretsDirectory : '/';
  const target = posix.join(base, stated ?? String(source));
  const written = stated?.startsWith('/') ? posix.normalize(stated) : target;
  const problem = pathProblem(posix.dirname(written));
  if (problem !== undefined) {
    const remedy =
      kind === 'configs' && stated === undefined
        ? `Write \`{source: ${String(source)}, target: /run/configs/${String(source)}}\`, or another directory of its own.`
        : 'Choose a `target` in a directory of its own, such as `/run/configs/…`.';
    report.refuse(
      place,
      `would be the file \`${written}\`, and Azure Container Instances mounts whole directories only: ${problem}.`,
      remedy,
    );
    return undefined;
  }
  if (!/^[-._a-zA-Z0-9]{1,253}$/.test(written.slice(written.lastIndexOf('/') + 1))) {
    report.refuse(
      place,
      `\`${written}\` does not end in a name that a secret volume can hold.`,
      'Use letters, digits, `-`, `_` and `.`.',
    );
    return undefined;
  }
  return written;
}

function warnAboutOwner(item: Readonly<Record<string, unknown>>, place: string, report: Report): void {
  const stated = ['uid', 'gid', 'mode'].filter((key) => item[key] !== undefined && item[key] !== null);
  if (stated.length === 0) return;
  report.warn(
    place,
    `${stated.map((key) => `\`${key}\``).join(', ')} cannot be set: in Azure Container Instances the files of secret volumes belong to root, and every user of the container may read them.`,
    'Remove it; where a program insists on narrower rights, let the entrypoint copy the file.',
  );
}

/** Docker lays single files into a directory of the image; ACI lays a directory over it. */
function warnAboutHiding(directory: string, place: string, report: Report): void {
  if (/^\/run\/(secrets|configs)(\/|$)/.test(directory)) return;
  report.warn(
    place,
    `hides everything that the image has in \`${directory}\`: Azure Container Instances mounts whole directories.`,
    'Make sure that the image needs nothing else there, or use a directory of its own.',
  );
}

/** `x-flotilla.secretEnvironment`: variable → name of a secret. */
export function readSecretEnvironment(
  extension: unknown,
  path: string,
  table: SecretTable,
  plain: Readonly<Record<string, string>>,
  report: Report,
): Readonly<Record<string, SecretRef>> {
  const place = joinPath(path, 'secretEnvironment');
  const stated = ownValue(extension, 'secretEnvironment');
  if (stated === undefined || stated === null) return {};
  if (!isObject(stated)) {
    report.refuse(
      place,
      'must be a mapping.',
      'Write `VARIABLE: SECRET` below it, with the name of a secret of this file.',
    );
    return {};
  }
  const read = Object.entries(stated).flatMap(([name, secret]): [string, SecretRef][] => {
    const at = joinPath(place, name);
    if (!isUsableName(name, at, report)) return [];
    if (Object.hasOwn(plain, name)) {
      report.refuse(at, `\`${name}\` stands in \`environment\` as well.`, 'Remove one of the two.');
      return [];
    }
    if (typeof secret !== 'string') {
      report.refuse(at, 'must be the name of a secret.', 'Write the name that it has under `secrets:` at the top.');
      return [];
    }
    const ref = lookUp(table, 'secrets', secret, at, report);
    return ref === undefined ? [] : [[name, ref]];
  });
  return Object.fromEntries(read.sort(byName));
}
