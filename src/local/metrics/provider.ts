/**
 * `Microsoft.Insights` for container groups behind ARM: metrics and their definitions. Source of the shapes: the monitor REST reference and its examples of
 * 2018-01-01 (read 2026-11). The batch endpoint of regions is not served.
 */
import { type ArmError, badRequest, groupNotFound, json, notModelled } from '../aci/errors.ts';
import type { GroupRecord } from '../aci/model.ts';
import type { Provider, ProviderCall } from '../aci/provider.ts';
import type { AciStore } from '../aci/store.ts';
import type { CoreResponse } from '../core.ts';
import { METRICS, type MetricName, type Point, pointsOf } from './series.ts';

const NAMESPACE = 'Microsoft.ContainerInstance/containerGroups';
const PATH =
  /^(?<id>\/subscriptions\/(?<subscriptionId>[^/]+)\/resourceGroups\/(?<resourceGroup>[^/]+)\/providers\/Microsoft\.ContainerInstance\/containerGroups\/(?<group>[^/]+))\/providers\/Microsoft\.Insights\/(?<what>[^/]+)\/?$/i;

const MINUTE_MS = 60_000;
/** Grains of the metrics of container groups. Source: supported metrics page (read 2026-11). */
const GRAINS_MS: Readonly<Record<string, number>> = {
  PT1M: MINUTE_MS,
  PT5M: 5 * MINUTE_MS,
  PT15M: 15 * MINUTE_MS,
  PT30M: 30 * MINUTE_MS,
  PT1H: 60 * MINUTE_MS,
  PT6H: 360 * MINUTE_MS,
  PT12H: 720 * MINUTE_MS,
};
const AGGREGATIONS = ['average', 'minimum', 'maximum'] as const;
type Aggregation = (typeof AGGREGATIONS)[number];
/** What is not older than this is not there yet; the service publishes no figure, and is never at once. */
const LAG_MS = MINUTE_MS;
const POINTS_MAX = 1_440;

export function createMetricsProvider(store: Pick<AciStore, 'group'>): Provider {
  return {
    serves: PATH,
    apiVersions: ['2018-01-01', '2019-07-01', '2021-05-01', '2023-10-01', '2024-02-01'],
    act: 'metrics',
    resourceType: 'metrics',
    handle(call) {
      const { id = '', resourceGroup = '', group: name = '', what = '' } = PATH.exec(call.url.pathname)?.groups ?? {};
      const group = store.group(id.toLowerCase());
      if (!group) return groupNotFound(resourceGroup, name);
      if (call.method === 'GET' && what.toLowerCase() === 'metrics') return metrics(group, call);
      if (call.method === 'GET' && what.toLowerCase() === 'metricdefinitions') return definitions(group);
      return notModelled(`Microsoft.Insights ${call.method} ${what}`);
    },
  };
}

interface Query {
  readonly names: readonly MetricName[];
  readonly from: number;
  readonly to: number;
  readonly interval: string;
  readonly grainMs: number;
  readonly aggregations: readonly Aggregation[];
  /** Names, or `*` for each by itself; absent = all together. */
  readonly container?: string;
}

function metrics(group: GroupRecord, { url, now }: ProviderCall): CoreResponse | ArmError {
  const query = readQuery(url.searchParams, now);
  if ('code' in query) return query;
  return json(200, {
    cost: 0,
    timespan: `${iso(query.from)}/${iso(query.to)}`,
    interval: query.interval,
    namespace: NAMESPACE,
    resourceregion: group.location,
    value: query.names.map((name) => ({
      id: `${group.id}/providers/Microsoft.Insights/metrics/${name}`,
      type: 'Microsoft.Insights/metrics',
      name: { value: name, localizedValue: METRICS[name].title },
      displayDescription: METRICS[name].about,
      unit: METRICS[name].unit,
      timeseries: seriesOf(group, name, query, now),
      errorCode: 'Success',
    })),
  });
}

function seriesOf(group: GroupRecord, name: MetricName, query: Query, now: number): unknown[] {
  const range = { from: query.from, to: Math.min(query.to, now - LAG_MS), grainMs: query.grainMs };
  const containers = group.containers.map((one) => one.name);
  const split =
    query.container === undefined
      ? [undefined]
      : containers.filter((one) => query.container === '*' || one === query.container);
  return split.map((container) => ({
    metadatavalues:
      container === undefined
        ? []
        : [{ name: { value: 'containername', localizedValue: 'containername' }, value: container }],
    data: pointsOf(group, name, container, range).map((point) => pointView(point, query.aggregations)),
  }));
}

/** A grain in which nothing ran has its time and no value. */
function pointView(point: Point, aggregations: readonly Aggregation[]): unknown {
  const values = aggregations.flatMap((name) => (point[name] === undefined ? [] : [[name, point[name]]]));
  return { timeStamp: iso(point.at), ...Object.fromEntries(values) };
}

function readQuery(parameters: URLSearchParams, now: number): Query | ArmError {
  const given = parameters.get('metricnames');
  const names = given === null ? ['CpuUsage'] : given.split(',');
  const known = names.flatMap(
    (name) => Object.keys(METRICS).find((one) => one.toLowerCase() === name.toLowerCase()) ?? [],
  ) as MetricName[];
  if (known.length < names.length) {
    const unknown = names.find((name) => !known.some((one) => one.toLowerCase() === name.toLowerCase()));
    return badRequest(
      'BadRequest',
      `Failed to find metric configuration for provider: Microsoft.ContainerInstance, resource Type: containerGroups, metric: ${unknown}, Valid metrics: ${Object.keys(METRICS).join(',')}`,
    );
  }
  const interval = parameters.get('interval') ?? 'PT1M';
  const grainMs = GRAINS_MS[interval];
  if (grainMs === undefined)
    return invalid(`the interval '${interval}' is not one of ${Object.keys(GRAINS_MS).join(', ')}`);
  const span = readSpan(parameters.get('timespan'), now, grainMs);
  if (typeof span === 'string') return invalid(span);
  const aggregations = (parameters.get('aggregation') ?? 'Average').split(',').map((one) => one.trim().toLowerCase());
  const wrong = aggregations.find((one) => !AGGREGATIONS.some((known) => known === one));
  if (wrong !== undefined) return invalid(`the aggregation '${wrong}' is not one of Average, Minimum, Maximum`);
  const filter = parameters.get('$filter');
  const container = filter === null ? undefined : /^\s*containerName\s+eq\s+'([^']+)'\s*$/i.exec(filter)?.[1];
  if (filter !== null && container === undefined)
    return invalid(`the filter '${filter}' is not of the form containerName eq 'NAME' or containerName eq '*'`);
  if (container !== undefined && known.some((name) => !METRICS[name].perContainer))
    return invalid('the network metrics have no dimension containerName');
  return {
    names: known,
    ...span,
    interval,
    grainMs,
    aggregations: aggregations as Aggregation[],
    ...(container !== undefined && { container }),
  };
}

/** Whole grains; the last hour where nothing is asked for. A text says what is wrong. */
function readSpan(timespan: string | null, now: number, grainMs: number): { from: number; to: number } | string {
  const [begin, end] =
    timespan === null ? [now - 60 * MINUTE_MS, now] : timespan.split('/').map((text) => Date.parse(text));
  if (begin === undefined || end === undefined || Number.isNaN(begin) || Number.isNaN(end) || end <= begin) {
    return `the timespan '${timespan}' is not of the form START/END with instants such as 2026-11-24T12:00:00Z`;
  }
  const from = Math.floor(begin / grainMs) * grainMs;
  if ((end - from) / grainMs > POINTS_MAX) return `the timespan has more than ${POINTS_MAX} grains`;
  return { from, to: end };
}

const invalid = (problem: string): ArmError => badRequest('BadRequest', `The request is invalid: ${problem}.`);
const iso = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z');

function definitions(group: GroupRecord): CoreResponse {
  return json(200, {
    value: (Object.keys(METRICS) as MetricName[]).map((name) => ({
      id: `${group.id}/providers/microsoft.insights/metricdefinitions/${name}`,
      resourceId: group.id,
      namespace: NAMESPACE,
      name: { value: name, localizedValue: METRICS[name].title },
      displayDescription: METRICS[name].about,
      isDimensionRequired: false,
      unit: METRICS[name].unit,
      primaryAggregationType: 'Average',
      supportedAggregationTypes: ['Average', 'Minimum', 'Maximum'],
      metricAvailabilities: Object.keys(GRAINS_MS).map((timeGrain) => ({ timeGrain, retention: 'P93D' })),
      ...(METRICS[name].perContainer && { dimensions: [{ value: 'containerName', localizedValue: 'containerName' }] }),
    })),
  });
}
