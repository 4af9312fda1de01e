import { describe, expect, it } from 'vitest';
import { toObservation } from '../../../src/azure/aci-mapping.ts';

const long = `Failed to pull image: ${'x'.repeat(40_000)}`;
const observed = (event: { readonly name?: string; readonly message: string }) =>
  toObservation({
    containers: [
      {
        name: 'web',
        image: 'nginx',
        resources: { requests: { cpu: 1, memoryInGB: 1 } },
        instanceView: { currentState: { state: 'Terminated', detailStatus: long }, events: [event] },
      },
    ],
    osType: 'Linux',
  } as unknown as Parameters<typeof toObservation>[0]);

describe('texts of ACI, which end up in rows', () => {
  it.each([
    ['an event', { name: 'Failed', message: long }],
    ['an event of the old form', { message: `Failed: ${long}` }],
  ])('%s is cut to its first 500 characters', (_, event) => {
    const [seen] = observed(event).events;
    expect(seen).toMatchObject({ name: 'Failed', message: `${long.slice(0, 500)}…` });
  });

  it('so is what is said of a state; short ones are left alone', () => {
    const { container, events } = observed({ name: 'Pulling', message: 'pulling image' });
    expect(container?.detail).toBe(`${long.slice(0, 500)}…`);
    expect(events[0]?.message).toBe('pulling image');
  });
});
