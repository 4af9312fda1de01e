/**
 * A self-contained Compose document → the app spec, or everything that is wrong with it. Pure: it runs in the API and in the CLI and says the
 * same in both. Order: limits, support table, schema, our own rules; each stage is silent about what an earlier one refused.
 */

import type { AppSpec, Dependency, ServiceSpec } from '../model/app-spec.ts';
import { limits, namePattern } from '../model/limits.ts';
import type { Problem } from '../model/problem.ts';
import { err, ok, type Result } from '../model/result.ts';
import { formatBytes, formatDuration } from '../model/units.ts';
import { checkSchema } from './check-schema.ts';
import { checkSupport } from './check-support.ts';
import { readDependencies, reportCycles } from './dependencies.ts';
import { minReadyMs } from './health.ts';
import { findInitContainers } from './init-containers.ts';
import { canonicalJson, compareText, isObject, joinPath, ownValue } from './json.ts';
import { readBoolean } from './read.ts';
import { readRegistries, warnAboutUnusedRegistries } from './registries.ts';
import { createReport, type Report } from './report.ts';
import { readSecretTable } from './secrets.ts';
import { readService, type Shared } from './service.ts';
import { proposeName } from './suggest.ts';
import { readVolumeTable } from './volumes.ts';

export interface ParsedApp {
  /** Secrets may still be asked for in their newest version; `bindSecrets` looks it up. */
  readonly app: AppSpec;
  /** What is ignored or rounded, by path. */
  readonly warnings: readonly Problem[];
}

/** Never throws on JSON. An error holds all problems, warnings included, sorted by path. */
export function parseApp(document: unknown): Result<ParsedApp, readonly Problem[]> {
  const report = createReport();
  if (!isObject(document)) {
    report.error('', 'the document is not a mapping.', 'Write `services:` with at least one service below it.');
    return err(report.problems());
  }
  if (!isWithinLimits(document, report)) return err(report.problems());
  checkSupport(document, report);
  checkSchema(document, report);
  const app = readApp(document, report);
  return report.hasErrors() ? err(report.problems()) : ok({ app, warnings: report.problems() });
}

/** Nesting and list length that no real app needs; they bound the work of all later stages. */
const nestingMax = 32;
const listItemsMax = 1000;

function isWithinLimits(document: unknown, report: Report): boolean {
  // Breadth first and without recursion: the nesting is not known yet.
  let level: readonly (readonly [unknown, string])[] = [[document, '']];
  for (let depth = 0; level.length > 0; depth += 1) {
    const [first] = level;
    if (depth > nestingMax && first !== undefined) {
      report.error(first[1], `is nested more than ${nestingMax} levels deep.`, 'Flatten it.');
      return false;
    }
    for (const [value, path] of level) {
      if (!Array.isArray(value) || value.length <= listItemsMax) continue;
      report.error(path, `has ${value.length} items, but a list may have at most ${listItemsMax}.`, 'Shorten it.');
      return false;
    }
    level = level.flatMap(([value, path]) => membersOf(value, path));
  }
  const sizeBytes = Buffer.byteLength(canonicalJson(document));
  if (sizeBytes <= limits.documentBytes) return true;
  report.error(
    '',
    `the document has ${formatBytes(sizeBytes)}, but may have at most ${formatBytes(limits.documentBytes)}.`,
    'Move large values, such as embedded files, into the images, or split the app.',
  );
  return false;
}

const membersOf = (value: unknown, path: string): readonly (readonly [unknown, string])[] => {
  if (Array.isArray(value)) return value.map((item, index) => [item, joinPath(path, index)] as const);
  return isObject(value) ? Object.entries(value).map(([key, item]) => [item, joinPath(path, key)] as const) : [];
};

function readApp(document: Readonly<Record<string, unknown>>, report: Report): AppSpec {
  const extension = document['x-flotilla'];
  const secrets = readSecretTable(document, report);
  const volumes = readVolumeTable(document, secrets, report);
  const registries = readRegistries(extension, secrets, report);
  const isProtected = readBoolean(ownValue(extension, 'protected'), false, 'x-flotilla.protected', report);
  return {
    name: readName(document['name'], report),
    pools: readPools(extension, report),
    ...(isProtected && { protected: true }),
    services: readServices(document['services'], { secrets, volumes, registries }, report),
  };
}

function readName(name: unknown, report: Report): string {
  if (name === undefined || name === null) {
    report.error('name', 'the app has no name.', 'Add `name:` at the top of the document.');
  } else if (typeof name === 'string') {
    checkName(name, 'name', 'app', report);
    return name;
  }
  return '';
}

/** Names are never mapped; the refusal proposes a legal one. */
function checkName(name: string, path: string, kind: 'app' | 'service', report: Report): void {
  if (namePattern.test(name)) return;
  const proposal = proposeName(name);
  report.error(
    path,
    `${JSON.stringify(name.slice(0, 100))} is not a legal ${kind} name: 1 to 40 lower-case letters, digits and inner \`-\`.`,
    proposal === undefined ? 'Choose another name.' : `Name it \`${proposal}\`.`,
  );
}

function readPools(extension: unknown, report: Report): readonly string[] {
  const pools = isObject(extension) ? extension['pools'] : undefined;
  if (pools === undefined || pools === null) return [];
  const path = joinPath('x-flotilla', 'pools');
  if (!Array.isArray(pools)) {
    report.refuse(path, 'must be a list of pool names.', 'Write `[first, second]`, in order of preference.');
    return [];
  }
  const read = new Set<string>();
  pools.forEach((pool: unknown, index) => {
    const place = joinPath(path, index);
    if (typeof pool !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(pool)) {
      report.refuse(place, 'must be the name of a pool.', 'Write a name from `pools.yaml`.');
    } else if (read.has(pool)) {
      report.refuse(place, `names \`${pool}\` twice.`, 'Remove one of them.');
    } else {
      read.add(pool);
    }
  });
  return [...read];
}

function readServices(value: unknown, shared: Omit<Shared, 'services'>, report: Report): readonly ServiceSpec[] {
  const entries = isObject(value) ? Object.entries(value).sort(([left], [right]) => compareText(left, right)) : [];
  if ((isObject(value) && entries.length === 0) || value === undefined || value === null) {
    report.refuse('services', 'the app has no services.', 'Add a service; `flotilla down` removes an app.');
    return [];
  }
  const names = new Set(entries.map(([name]) => name));
  const initContainers = findInitContainers(isObject(value) ? value : {}, report);
  const inGroups = new Set([...initContainers.values()].flat());
  const dependencies = new Map<string, readonly Dependency[]>();
  const services = entries.flatMap(([name, service]): ServiceSpec[] => {
    checkName(name, pathOf(name), 'service', report);
    if (!isObject(service) || inGroups.has(name)) return [];
    const inits = initContainers.get(name) ?? [];
    const dependsOn = readDependencies(service, pathOf(name), names, inits, report);
    dependencies.set(name, dependsOn);
    const own = inits.map((init) => ({ name: init, service: ownValue(value, init), path: pathOf(init) }));
    return [readService({ name, service, path: pathOf(name) }, own, dependsOn, { ...shared, services: names }, report)];
  });
  if (entries.length > limits.servicesPerApp) {
    report.error(
      'services',
      `the app has ${entries.length} services, but may have at most ${limits.servicesPerApp}.`,
      'Split it into several apps.',
    );
    return services;
  }
  reportCycles(dependencies, pathOf, report);
  warnAboutUncheckedHealth(services, report);
  warnAboutUnusedRegistries(services.flatMap(imagesOf), shared.registries, report);
  return services;
}

const pathOf = (service: string): string => joinPath('services', service);

const imagesOf = ({ template }: ServiceSpec): readonly string[] => [
  template.image,
  ...(template.initContainers ?? []).map(({ image }) => image),
];

function warnAboutUncheckedHealth(services: readonly ServiceSpec[], report: Report): void {
  const unchecked = new Set(
    services
      .filter(({ template }) => template.liveness === undefined && template.readiness.kind === 'running')
      .map(({ name }) => name),
  );
  for (const { name, dependsOn } of services) {
    for (const dependency of dependsOn) {
      if (dependency.condition !== 'healthy' || !unchecked.has(dependency.service)) continue;
      report.warn(
        joinPath(pathOf(name), 'depends_on', dependency.service, 'condition'),
        `\`${dependency.service}\` has no healthcheck: it counts as healthy once it has run for ${formatDuration(minReadyMs)}.`,
        `Give \`${dependency.service}\` a \`healthcheck\` or an \`x-flotilla.probes.readiness\`.`,
      );
    }
  }
}
