/** Azure Monitor metrics of container groups, in virtual time: what stand-ins used, minute by minute, in the shape of the REST reference. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type ArmFixture, armFixture } from '../support/arm-fixture.ts';
import { leavesOf } from '../support/rest-model.ts';

const API = 'api-version=2018-01-01';
const MIB = 1024 * 1024;
let arm: ArmFixture;
let startedAt: number;

beforeEach(() => {
  arm = armFixture();
  arm.put('g', {
    containers: [
      { name: 'main', env: { STANDIN_CPU: '0.2', STANDIN_MEMORY_MB: '100', STANDIN_NETWORK_BYTES_S: '10' } },
      { name: 'side', port: 0 },
    ],
  });
  arm.after(1_500);
  startedAt = arm.clock.now;
});

interface Answer {
  readonly status: number;
  readonly json: {
    readonly error?: { readonly code: string; readonly message: string };
    readonly value?: readonly {
      readonly name: { readonly value: string };
      readonly timeseries: readonly {
        readonly metadatavalues: readonly { readonly value: string }[];
        readonly data: readonly {
          readonly timeStamp: string;
          readonly average?: number;
          readonly minimum?: number;
          readonly maximum?: number;
        }[];
      }[];
    }[];
  };
}

function ask(query: Readonly<Record<string, string>> = {}, name = 'g'): Answer {
  const to = new Date(arm.clock.now).toISOString();
  const from = new Date(startedAt - 1_500).toISOString();
  const parameters = new URLSearchParams({ 'api-version': '2018-01-01', timespan: `${from}/${to}`, ...query });
  const url = `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/flotilla/providers/Microsoft.ContainerInstance/containerGroups/${name}/providers/Microsoft.Insights/metrics?${parameters}`;
  const answer = arm.core.handle({ method: 'GET', url, headers: { host: 'arm' }, body: '' }, arm.clock.now, () => 0);
  return { status: answer.status, json: JSON.parse(answer.body) as Answer['json'] };
}
const series = (query?: Readonly<Record<string, string>>) => ask(query).json.value?.[0]?.timeseries ?? [];
const averages = (query?: Readonly<Record<string, string>>) => series(query)[0]?.data.map(({ average }) => average);

describe('metrics of a container group', () => {
  it('have the shape of the published example', () => {
    arm.after(3 * 60_000);
    expect(leavesOf(ask({ metricnames: 'CpuUsage', $filter: "containerName eq '*'" }).json)).toEqual(
      expect.arrayContaining([
        'cost: number',
        'interval: string',
        'namespace: string',
        'resourceregion: string',
        'timespan: string',
        'value[].displayDescription: string',
        'value[].id: string',
        'value[].name.localizedValue: string',
        'value[].name.value: string',
        'value[].timeseries[].data[].average: number',
        'value[].timeseries[].data[].timeStamp: string',
        'value[].timeseries[].metadatavalues[].name.localizedValue: string',
        'value[].timeseries[].metadatavalues[].name.value: string',
        'value[].timeseries[].metadatavalues[].value: string',
        'value[].type: string',
        'value[].unit: string',
      ]),
    );
  });

  it('are the sum of its containers in millicores and bytes, minute by minute, a minute late', () => {
    arm.after(4 * 60_000);
    expect(averages({ metricnames: 'CpuUsage' })).toEqual([250, 250, 250]);
    expect(averages({ metricnames: 'MemoryUsage' })).toEqual(Array(3).fill(Math.round((100 + 0.2 * 1024) * MIB)));
    expect(averages({ metricnames: 'NetworkBytesReceivedPerSecond' })).toEqual([10, 10, 10]);
  });

  it('are split by container on demand', () => {
    arm.after(2 * 60_000);
    const split = series({ metricnames: 'CpuUsage', $filter: "containerName eq '*'" });
    expect(split.map(({ metadatavalues, data }) => [metadatavalues[0]?.value, data[0]?.average])).toEqual([
      ['main', 200],
      ['side', 50],
    ]);
    expect(series({ metricnames: 'CpuUsage', $filter: "containerName eq 'side'" })).toHaveLength(1);
  });

  it('weigh a change by time, and know the smallest and the greatest', () => {
    arm.after(88_500);
    arm.fault('load g main cpu=0.8');
    arm.after(3 * 60_000);
    const [point] = series({
      metricnames: 'CpuUsage',
      aggregation: 'Average,Minimum,Maximum',
      $filter: "containerName eq 'main'",
    }).flatMap(({ data }) => data.slice(1));
    expect(point).toMatchObject({ average: 500, minimum: 200, maximum: 800 });
  });

  it('have no value for a minute in which nothing ran', () => {
    arm.after(58_500);
    arm.request('POST', 'g/stop');
    arm.after(4 * 60_000);
    expect(averages({ metricnames: 'CpuUsage' })).toEqual([250, undefined, undefined, undefined]);
  });

  it('come in grains', () => {
    arm.after(12 * 60_000);
    expect(averages({ interval: 'PT5M' })).toHaveLength(2);
  });

  it.each([
    [{ metricnames: 'DiskUsage' }, 'metric: DiskUsage, Valid metrics: CpuUsage,MemoryUsage'],
    [{ interval: 'PT2M' }, "the interval 'PT2M'"],
    [{ timespan: 'yesterday' }, "the timespan 'yesterday'"],
    [{ aggregation: 'Total' }, "the aggregation 'total'"],
    [{ $filter: "image eq 'x'" }, "the filter 'image eq 'x''"],
    [{ metricnames: 'NetworkBytesReceivedPerSecond', $filter: "containerName eq '*'" }, 'have no dimension'],
  ])('refuse %j', (query, message) => {
    const answer = ask(query as Record<string, string>);
    expect(answer.status).toBe(400);
    expect(answer.json.error?.message).toContain(message);
  });

  it('are of groups that are there', () => {
    expect(ask({}, 'nobody').status).toBe(404);
  });

  it('are defined, with grains and dimension', () => {
    const path = `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/flotilla/providers/Microsoft.ContainerInstance/containerGroups/g/providers/Microsoft.Insights`;
    const get = (what: string) =>
      arm.core.handle(
        { method: 'GET', url: `${path}/${what}?${API}`, headers: { host: 'arm' }, body: '' },
        arm.clock.now,
        () => 0,
      );
    const { value } = JSON.parse(get('metricDefinitions').body) as {
      value: { name: { value: string }; unit: string; dimensions?: unknown[] }[];
    };
    expect(value.map(({ name, unit, dimensions }) => [name.value, unit, dimensions?.length])).toEqual([
      ['CpuUsage', 'Count', 1],
      ['MemoryUsage', 'Bytes', 1],
      ['NetworkBytesReceivedPerSecond', 'Bytes', undefined],
      ['NetworkBytesTransmittedPerSecond', 'Bytes', undefined],
    ]);
    expect(get('diagnosticSettings').status).toBe(501);
  });
});
