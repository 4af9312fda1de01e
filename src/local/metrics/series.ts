/**
 * What containers used, as Azure Monitor counts it: values per grain out of the steps that a group's record keeps. A step function can be asked for any
 * minute afterwards. Pure.
 */
import type { ContainerRecord, GroupRecord, UsageStep } from '../aci/model.ts';

/** Source: supported metrics of Microsoft.ContainerInstance/containerGroups (read 2026-11). CPU is in millicores. */
export const METRICS = {
  CpuUsage: {
    title: 'CPU Usage',
    unit: 'Count',
    about: 'CPU usage on all cores in millicores.',
    perContainer: true,
    of: (u: Usage) => u.cpuMillicores,
  },
  MemoryUsage: {
    title: 'Memory Usage',
    unit: 'Bytes',
    about: 'Total memory usage in byte.',
    perContainer: true,
    of: (u: Usage) => u.memoryBytes,
  },
  NetworkBytesReceivedPerSecond: {
    title: 'Network Bytes Received Per Second',
    unit: 'Bytes',
    about: 'The network bytes received per second.',
    perContainer: false,
    of: (u: Usage) => u.receivedBytesPerS,
  },
  NetworkBytesTransmittedPerSecond: {
    title: 'Network Bytes Transmitted Per Second',
    unit: 'Bytes',
    about: 'The network bytes transmitted per second.',
    perContainer: false,
    of: (u: Usage) => u.transmittedBytesPerS,
  },
} as const;
export type MetricName = keyof typeof METRICS;

type Usage = Exclude<UsageStep['usage'], null>;

/** Over one grain; undefined where nothing ran. */
export interface Point {
  readonly at: number;
  readonly average?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** One container, or the sum of all. */
export function pointsOf(
  group: GroupRecord,
  metric: MetricName,
  container: string | undefined,
  range: { readonly from: number; readonly to: number; readonly grainMs: number },
): readonly Point[] {
  const counted = group.containers.filter(({ name }) => container === undefined || name === container);
  const points: Point[] = [];
  for (let at = range.from; at + range.grainMs <= range.to; at += range.grainMs) {
    points.push({ at, ...sum(counted.map((one) => within(one, metric, at, at + range.grainMs))) });
  }
  return points;
}

interface Summary {
  readonly average: number;
  readonly minimum: number;
  readonly maximum: number;
}

function sum(parts: readonly (Summary | undefined)[]): Summary | undefined {
  const there = parts.filter((part) => part !== undefined);
  if (there.length === 0) return undefined;
  const total = (of: keyof Summary) => there.reduce((before, part) => before + part[of], 0);
  return { average: total('average'), minimum: total('minimum'), maximum: total('maximum') };
}

/** Weighted by time; a container that ran for a part of the grain counts for that part alone. */
function within({ usage = [] }: ContainerRecord, metric: MetricName, from: number, to: number): Summary | undefined {
  let weighted = 0;
  let coveredMs = 0;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = 0;
  usage.forEach((step, index) => {
    const begin = Math.max(from, step.at);
    const end = Math.min(to, usage[index + 1]?.at ?? Number.POSITIVE_INFINITY);
    if (step.usage === null || end <= begin) return;
    const value = METRICS[metric].of(step.usage);
    weighted += value * (end - begin);
    coveredMs += end - begin;
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  });
  return coveredMs === 0 ? undefined : { average: weighted / coveredMs, minimum, maximum };
}
