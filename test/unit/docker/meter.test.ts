/** What the engine has counted, as usage between two looks. */
import { describe, expect, it } from 'vitest';
import type { UsageSeen } from '../../../src/docker/usage.ts';
import { Meter } from '../../../src/local/containers/docker/meter.ts';

const at = (second: number, over: Partial<UsageSeen> = {}): UsageSeen => ({
  id: 'web-1',
  uid: 'g',
  container: 'web',
  run: 1,
  createdAt: 0,
  at: second * 1_000,
  cpuNs: 0,
  memoryBytes: 0,
  receivedBytes: 0,
  transmittedBytes: 0,
  ...over,
});
const sandbox = (second: number, receivedBytes: number, transmittedBytes: number): UsageSeen => {
  const { container: _, ...rest } = at(second, { id: 'sandbox', run: 0, receivedBytes, transmittedBytes });
  return rest;
};
const silent = { receivedBytesPerS: 0, transmittedBytesPerS: 0 };

describe('a meter', () => {
  it('counts the first look from the start of the container, and every other from the last one', () => {
    const meter = new Meter();
    expect(meter.take([at(10, { cpuNs: 5e9, memoryBytes: 7 })])).toEqual([
      { uid: 'g', container: 'web', run: 1, from: 0, usage: { cpuMillicores: 500, memoryBytes: 7, ...silent } },
    ]);
    expect(meter.take([at(30, { cpuNs: 6e9, memoryBytes: 8 })])).toEqual([
      { uid: 'g', container: 'web', run: 1, from: 10_000, usage: { cpuMillicores: 50, memoryBytes: 8, ...silent } },
    ]);
  });

  it('counts a new run from its own start', () => {
    const meter = new Meter();
    meter.take([at(10, { cpuNs: 9e9 })]);
    const again = at(30, { id: 'web-2', run: 2, createdAt: 20_000, cpuNs: 1e9 });
    expect(meter.take([again])).toMatchObject([{ run: 2, from: 20_000, usage: { cpuMillicores: 100 } }]);
  });

  it('counts the traffic of a group once, with the first of its containers', () => {
    const meter = new Meter();
    const side = (second: number) => at(second, { id: 'side-1', container: 'side' });
    meter.take([at(10), side(10), sandbox(10, 1_000, 100)]);
    const traffic = meter
      .take([at(20), side(20), sandbox(20, 6_000, 300)])
      .map(({ usage }) => [usage.receivedBytesPerS, usage.transmittedBytesPerS]);
    expect(traffic).toEqual([
      [500, 20],
      [0, 0],
    ]);
  });

  it('takes counters that began anew for no traffic, and two looks at one instant for none', () => {
    const meter = new Meter();
    meter.take([at(10), sandbox(10, 1_000, 1_000)]);
    expect(meter.take([at(20), sandbox(20, 10, 10)])).toMatchObject([{ usage: silent }]);
    expect(meter.take([at(20), sandbox(20, 10, 10)])).toEqual([]);
  });
});
