/**
 * One-shot services that become init containers: `x-flotilla.colocateWith: OWNER`, where OWNER waits for them with
 * `service_completed_successfully`. They run in OWNER's container group before its container starts, in the order in which `depends_on` names them,
 * and have no replicas, ports or resources of their own.
 */

import { isObject, joinPath, ownValue } from './json.ts';
import type { Report } from './report.ts';

type Services = Readonly<Record<string, unknown>>;

/** Owner → its init containers, in order. */
export type InitContainers = ReadonlyMap<string, readonly string[]>;

/** A `colocateWith` that means anything else is refused. */
export function findInitContainers(services: Services, report: Report): InitContainers {
  const found = new Map<string, readonly string[]>();
  const owners = new Map(
    Object.entries(services).flatMap(([name, service]): [string, string][] => {
      const owner = ownValue(ownValue(service, 'x-flotilla'), 'colocateWith');
      return typeof owner === 'string' ? [[name, owner]] : [];
    }),
  );
  for (const [name, owner] of owners) {
    if (isAwaited(services[owner], name)) continue;
    report.refuse(
      joinPath('services', name, 'x-flotilla', 'colocateWith'),
      'services that run side by side do not share a container group yet; only what runs to its end before another starts can.',
      `If \`${owner}\` is to wait for it, write \`depends_on: {${name}: {condition: service_completed_successfully}}\` there; else remove it, or put both processes into one image.`,
    );
    owners.delete(name);
  }
  for (const [owner, service] of Object.entries(services)) {
    const dependsOn = ownValue(service, 'depends_on');
    const names = (isObject(dependsOn) ? Object.keys(dependsOn) : []).filter((name) => owners.get(name) === owner);
    if (names.length > 0) found.set(owner, names);
  }
  for (const name of owners.keys()) refuseWhatTheyLack(services[name], joinPath('services', name), report);
  return found;
}

const isAwaited = (owner: unknown, name: string): boolean =>
  ownValue(ownValue(ownValue(owner, 'depends_on'), name), 'condition') === 'service_completed_successfully';

/** Keys that ask for something of which an init container uses its group's. */
const foreignKeys = [
  'ports',
  'expose',
  'healthcheck',
  'depends_on',
  'deploy',
  'scale',
  'cpus',
  'mem_limit',
  'mem_reservation',
];

function refuseWhatTheyLack(service: unknown, path: string, report: Report): void {
  for (const key of foreignKeys) {
    const value = ownValue(service, key);
    if (value === undefined || value === null) continue;
    report.refuse(
      joinPath(path, key),
      `an init container has no \`${key}\` of its own: it runs once for each replica that it is colocated with, with the resources of that replica.`,
      'Remove it.',
    );
  }
}
