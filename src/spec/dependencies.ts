/** `depends_on` of all services → dependencies; finds services that do not exist and circles that could never start. */

import type { Dependency } from '../model/app-spec.ts';
import { compareText, isObject, joinPath } from './json.ts';
import { readBoolean } from './read.ts';
import type { Report } from './report.ts';
import { nearestWord } from './suggest.ts';

/** Sorted by service. Dependencies that are refused or left out, or that are init containers of the service, are not in the result. */
export function readDependencies(
  service: Readonly<Record<string, unknown>>,
  path: string,
  services: ReadonlySet<string>,
  initContainers: readonly string[],
  report: Report,
): readonly Dependency[] {
  const place = joinPath(path, 'depends_on');
  const found = new Map<string, Dependency>();
  for (const { name, at, options } of entriesOf(service['depends_on'], place)) {
    if (!services.has(name)) {
      const isRequired = readBoolean(options['required'], true, joinPath(at, 'required'), report);
      reportMissing(name, at, services, !isRequired, report);
      continue;
    }
    if (options['condition'] === 'service_completed_successfully') {
      if (initContainers.includes(name)) continue;
      report.refuse(
        joinPath(at, 'condition'),
        '`service_completed_successfully` is supported only for a service that shares the container group: nothing records yet that a job is complete.',
        `Write \`x-flotilla: {colocateWith: OWNER}\` in \`${name}\` (it then runs before each replica of OWNER, this service), do the work at the start of the dependant, or wait with \`service_healthy\` for a service that stays up.`,
      );
      continue;
    }
    found.set(name, { service: name, condition: options['condition'] === 'service_healthy' ? 'healthy' : 'started' });
  }
  return [...found.values()].sort((left, right) => compareText(left.service, right.service));
}

interface Entry {
  readonly name: string;
  readonly at: string;
  readonly options: Readonly<Record<string, unknown>>;
}

function entriesOf(value: unknown, place: string): readonly Entry[] {
  if (Array.isArray(value)) {
    return value.flatMap((name, index): Entry[] =>
      typeof name === 'string' ? [{ name, at: joinPath(place, index), options: {} }] : [],
    );
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, options]): Entry[] =>
    isObject(options) ? [{ name, at: joinPath(place, name), options }] : [],
  );
}

function reportMissing(
  name: string,
  at: string,
  services: ReadonlySet<string>,
  isOptional: boolean,
  report: Report,
): void {
  if (isOptional) {
    report.warn(at, `is left out: the app has no service \`${name}\`, and it is not required.`, 'Nothing to do.');
    return;
  }
  const nearest = nearestWord(name, services);
  report.error(
    at,
    `the app has no service \`${name}\`.`,
    nearest === undefined ? 'Add the service, or remove the dependency.' : `Did you mean \`${nearest}\`?`,
  );
}

/** Reports each circle once, at the dependency that closes it, beginning with the first of its services by name. */
export function reportCycles(
  dependencies: ReadonlyMap<string, readonly Dependency[]>,
  pathOf: (service: string) => string,
  report: Report,
): void {
  const finished = new Set<string>();
  const visit = (service: string, trail: readonly string[]): void => {
    if (finished.has(service)) return;
    const start = trail.indexOf(service);
    if (start >= 0) {
      const circle = rotateToFirst(trail.slice(start));
      report.error(
        joinPath(pathOf(circle[0] ?? service), 'depends_on'),
        `the services wait for each other: ${[...circle, circle[0]].join(' → ')}.`,
        'Remove one of these dependencies; services should retry their connections anyway.',
      );
      return;
    }
    for (const dependency of dependencies.get(service) ?? []) visit(dependency.service, [...trail, service]);
    finished.add(service);
  };
  for (const service of [...dependencies.keys()].sort(compareText)) visit(service, []);
}

function rotateToFirst(circle: readonly string[]): readonly string[] {
  const first = [...circle].sort(compareText)[0] ?? '';
  const start = circle.indexOf(first);
  return [...circle.slice(start), ...circle.slice(0, start)];
}
