/** Which services a set of active profiles enables (Compose Specification, "Profiles"). Pure. */

import { isObject, type Json, type JsonObject, joinPath } from '../json.ts';
import { readBoolean } from '../read.ts';
import type { Report } from '../report.ts';

export interface Enabled {
  /** Enabled services without their `profiles`. */
  readonly services: JsonObject;
  /** Problem paths of the disabled ones: what is wrong there does not matter. */
  readonly disabledPaths: readonly string[];
}

/** A service without profiles is always enabled; `*` activates every profile. A dependency on a disabled service is an error. */
export function enableServices(services: JsonObject, active: ReadonlySet<string>, report: Report): Enabled {
  const enabled: [string, Json][] = [];
  const disabled = new Map<string, readonly string[]>();
  for (const [name, service] of Object.entries(services)) {
    const written = isObject(service) ? service['profiles'] : undefined;
    const profiles = readProfiles(written, joinPath('services', name, 'profiles'), report);
    if (profiles.length === 0 || active.has('*') || profiles.some((profile) => active.has(profile))) {
      enabled.push([name, withoutProfiles(service)]);
    } else {
      disabled.set(name, profiles);
    }
  }
  for (const [name, service] of enabled) reportDisabledDependencies(name, service, disabled, report);
  if (enabled.length === 0 && disabled.size > 0) {
    const all = [...new Set([...disabled.values()].flat())].sort();
    report.error(
      'services',
      'no service is enabled: each of them has profiles, and none is active.',
      `Activate one: --profile ${all.join(' or --profile ')}.`,
    );
  }
  return {
    services: Object.fromEntries(enabled),
    disabledPaths: [...disabled.keys()].map((name) => joinPath('services', name)),
  };
}

function readProfiles(value: unknown, path: string, report: Report): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  report.refuse(path, 'must be a list of texts.', 'Write `profiles: [name]`.');
  return [];
}

function withoutProfiles(service: Json | undefined): Json {
  if (!isObject(service)) return service ?? null;
  return Object.fromEntries(Object.entries(service).filter(([key]) => key !== 'profiles'));
}

function reportDisabledDependencies(
  name: string,
  service: Json,
  disabled: ReadonlyMap<string, readonly string[]>,
  report: Report,
): void {
  const dependsOn = isObject(service) ? service['depends_on'] : undefined;
  const path = joinPath('services', name, 'depends_on');
  const entries: readonly (readonly [unknown, string, unknown])[] = Array.isArray(dependsOn)
    ? dependsOn.map((item, index) => [item, joinPath(path, index), undefined] as const)
    : Object.entries(isObject(dependsOn) ? dependsOn : {}).map(([key, options]) => [key, joinPath(path, key), options]);
  for (const [dependency, place, options] of entries) {
    const profiles = typeof dependency === 'string' ? disabled.get(dependency) : undefined;
    const required = isObject(options) ? options['required'] : undefined;
    if (profiles === undefined || !readBoolean(required, true, joinPath(place, 'required'), report)) continue;
    report.refuse(
      place,
      `\`${dependency}\` is disabled: it belongs to ${profiles.length === 1 ? 'the profile' : 'the profiles'} ${profiles.join(', ')}.`,
      `Activate it with --profile ${profiles[0]}, or give \`${name}\` the same profile.`,
    );
  }
}
