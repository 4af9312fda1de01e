/** CPU and memory of a service → what ACI allocates: limits, else reservations, else ACI's least; rounded up, and the rounding reported. */

import { limits } from '../model/limits.ts';
import { bytesPerGiB, ceilTo, formatBytes, parseBytes } from '../model/units.ts';
import { isObject, joinPath } from './json.ts';
import type { Report } from './report.ts';

export interface Resources {
  readonly cpuCores: number;
  readonly memoryGiB: number;
}

/** ACI takes hundredths of a core and tenths of a GB. Source: virtual-kubelet/azure-aci, `getContainers` (read 2025-11-17). */
const coresSteps = 100;
const memorySteps = 10;

interface Measure {
  readonly name: 'cpus' | 'memory';
  /** Keys of the service itself that say the same. */
  readonly legacyLimit: string;
  readonly legacyReservation?: string;
  readonly read: (value: unknown) => number | undefined;
  readonly show: (amount: number) => string;
  readonly steps: number;
  readonly min: number;
  readonly max: number;
  readonly example: string;
}

const cpu: Measure = {
  name: 'cpus',
  legacyLimit: 'cpus',
  read: (value) => (/^\d*\.?\d+$/.test(String(value)) ? Number(value) : undefined),
  show: (cores) => `${cores} ${cores === 1 ? 'core' : 'cores'}`,
  steps: coresSteps,
  min: limits.aci.minCpuCores,
  max: limits.aci.cpuCoresPerGroup,
  example: '`"0.5"`',
};

const memory: Measure = {
  name: 'memory',
  legacyLimit: 'mem_limit',
  legacyReservation: 'mem_reservation',
  read: (value) => {
    const sizeBytes = parseBytes(String(value));
    return sizeBytes === undefined ? undefined : sizeBytes / bytesPerGiB;
  },
  show: (sizeGiB) => formatBytes(Math.round(sizeGiB * bytesPerGiB)),
  steps: memorySteps,
  min: limits.aci.minMemoryGiB,
  max: limits.aci.memoryGiBPerGroup,
  example: '`512m` or `1.5G`',
};

export function readResources(service: Readonly<Record<string, unknown>>, path: string, report: Report): Resources {
  return {
    cpuCores: readAmount(cpu, service, path, report),
    memoryGiB: readAmount(memory, service, path, report),
  };
}

interface Stated {
  readonly amount: number;
  readonly path: string;
}

function readAmount(
  measure: Measure,
  service: Readonly<Record<string, unknown>>,
  path: string,
  report: Report,
): number {
  const deploy = service['deploy'];
  const resources = isObject(deploy) ? deploy['resources'] : undefined;
  const under = (key: 'limits' | 'reservations'): Stated | undefined => {
    const group = isObject(resources) ? resources[key] : undefined;
    const value = isObject(group) ? group[measure.name] : undefined;
    return readStated(measure, value, joinPath(path, 'deploy', 'resources', key, measure.name), report);
  };
  const direct = (key: string | undefined): Stated | undefined =>
    key === undefined ? undefined : readStated(measure, service[key], joinPath(path, key), report);
  const limit = same(measure, under('limits'), direct(measure.legacyLimit), report);
  const reservation = same(measure, under('reservations'), direct(measure.legacyReservation), report);
  if (limit !== undefined && reservation !== undefined) compare(measure, limit, reservation, report);
  const stated = limit ?? reservation;
  return stated === undefined ? measure.min : allocate(measure, stated, report);
}

function readStated(measure: Measure, value: unknown, path: string, report: Report): Stated | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const amount = measure.read(value);
  if (amount === undefined) {
    report.refuse(
      path,
      `\`${value}\` is not an amount of ${measure.name === 'cpus' ? 'CPU' : 'memory'}.`,
      `Write ${measure.example}.`,
    );
    return undefined;
  }
  // Docker's 0 is "no limit", which ACI does not have.
  return amount === 0 ? undefined : { amount, path };
}

/** Two keys for one thing must agree, as in Docker Compose. */
function same(
  measure: Measure,
  main: Stated | undefined,
  legacy: Stated | undefined,
  report: Report,
): Stated | undefined {
  if (main !== undefined && legacy !== undefined && main.amount !== legacy.amount) {
    report.error(
      legacy.path,
      `says ${measure.show(legacy.amount)}, but \`${main.path}\` says ${measure.show(main.amount)}.`,
      'Keep one of the two.',
    );
  }
  return main ?? legacy;
}

function compare(measure: Measure, limit: Stated, reservation: Stated, report: Report): void {
  if (reservation.amount > limit.amount) {
    report.error(
      reservation.path,
      `reserves ${measure.show(reservation.amount)}, more than the limit of ${measure.show(limit.amount)}.`,
      'Raise the limit or lower the reservation.',
    );
  } else if (roundUp(measure, reservation.amount) < roundUp(measure, limit.amount)) {
    report.warn(
      reservation.path,
      `is ignored: a replica is allocated its whole limit, ${measure.show(roundUp(measure, limit.amount))}.`,
      'Lower the limit to pay for less.',
    );
  }
}

const roundUp = (measure: Measure, amount: number): number => Math.max(measure.min, ceilTo(amount, measure.steps));

function allocate(measure: Measure, stated: Stated, report: Report): number {
  const allocated = roundUp(measure, stated.amount);
  if (allocated > measure.max) {
    report.error(
      stated.path,
      `asks for ${measure.show(stated.amount)}, but a container group has at most ${measure.show(measure.max)}.`,
      `Ask for at most ${measure.show(measure.max)} per replica, and use more replicas.`,
    );
  } else if (allocated !== stated.amount) {
    report.warn(
      stated.path,
      `${measure.show(stated.amount)} becomes ${measure.show(allocated)}, the next size that Azure Container Instances allocates (at least ${measure.show(measure.min)}).`,
      `Write \`${measure.name === 'cpus' ? allocated : `${allocated}G`}\` to say so yourself.`,
    );
  }
  return allocated;
}
