/** `environment` of a document → name and text, sorted. Holds no secret: those are in `x-flotilla.secretEnvironment`. */

import { compareText, isObject, joinPath } from './json.ts';
import type { Report } from './report.ts';

/** Set on every replica by Flotilla (semantics, "Always in a replica's environment"). */
const ownNames = new Set(
  ['APP', 'SERVICE', 'SLOT', 'INCARNATION', 'REVISION', 'POOL', 'REGION'].map((name) => `FLOTILLA_${name}`),
);

export function readEnvironment(value: unknown, path: string, report: Report): Readonly<Record<string, string>> {
  const read: [string, string][] = [];
  for (const { name, text, place } of entriesOf(value, path)) {
    if (!isUsableName(name, place, report)) continue;
    if (isObject(text) && Object.hasOwn(text, 'secretRef')) {
      report.refuse(
        place,
        '`environment` holds plain values only.',
        'Declare the value under `secrets:` at the top, and write `x-flotilla: {secretEnvironment: {NAME: SECRET}}` in the service.',
      );
    } else if (text === null) {
      report.refuse(place, `\`${name}\` has no value, and only the CLI can take it from your shell.`, 'State a value.');
    } else if (typeof text === 'string' || typeof text === 'number' || typeof text === 'boolean') {
      read.push([name, String(text)]);
    }
  }
  return Object.fromEntries(new Map(read.sort(([left], [right]) => compareText(left, right))));
}

interface Entry {
  readonly name: string;
  readonly text: unknown;
  readonly place: string;
}

/** Both forms; `NAME` alone in a list means the same as a name without a value in a mapping. */
export function entriesOf(value: unknown, path: string): readonly Entry[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index): Entry[] => {
      if (typeof item !== 'string') return [];
      const equals = item.indexOf('=');
      const place = joinPath(path, index);
      return equals < 0
        ? [{ name: item, text: null, place }]
        : [{ name: item.slice(0, equals), text: item.slice(equals + 1), place }];
    });
  }
  if (!isObject(value)) return [];
  return Object.entries(value).map(([name, text]) => ({ name, text, place: joinPath(path, name) }));
}

export function isUsableName(name: string, place: string, report: Report): boolean {
  if (ownNames.has(name)) {
    report.refuse(
      place,
      `\`${name}\` is set by Flotilla on every replica.`,
      'Choose a name that does not begin with `FLOTILLA_`.',
    );
    return false;
  }
  // Azure answers `InvalidContainerEnvironmentVariable` to anything else (Azure/azure-rest-api-specs#19173).
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return true;
  report.refuse(
    place,
    `${JSON.stringify(name.slice(0, 100))} is not a name for an environment variable that Azure Container Instances takes.`,
    'Use letters, digits and `_`, not beginning with a digit; many images read settings with dots from a file or an argument as well.',
  );
  return false;
}
