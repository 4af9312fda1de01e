/** ARM's token buckets and the resource provider's windows, exactly at their edges. */
import { describe, expect, it } from 'vitest';
import { armFixture } from '../../../support/arm-fixture.ts';

const remaining = (headers: Readonly<Record<string, string>>, name: string) =>
  Number(headers[`x-ms-ratelimit-remaining-${name}`]);

describe('token buckets', () => {
  it('let 250 reads through at once, then 25 a second', () => {
    const arm = armFixture();
    const read = () => arm.request('GET', 'nobody');
    expect(remaining(read().headers, 'subscription-reads')).toBe(249);
    for (let i = 0; i < 248; i += 1) read();
    const last = read();
    expect(last.status).toBe(404);
    expect(remaining(last.headers, 'subscription-reads')).toBe(0);
    expect(read()).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1' },
      json: { error: { code: 'TooManyRequests' } },
    });
    arm.clock.now += 1_000;
    const passed = Array.from({ length: 30 }, () => read().status).filter((status) => status === 404);
    expect(passed).toHaveLength(25);
  });

  it('count writes and deletes apart from reads: 200 each, 10 a second', () => {
    const arm = armFixture();
    for (let i = 0; i < 200; i += 1) expect(arm.remove('nobody').status).toBe(204);
    expect(arm.remove('nobody').status).toBe(429);
    expect(arm.put('g').status).toBe(201);
    expect(arm.request('GET', 'g').status).toBe(200);
    arm.clock.now += 500;
    expect(Array.from({ length: 7 }, () => arm.remove('nobody').status)).toEqual([204, 204, 204, 204, 204, 429, 429]);
  });

  it('never hold more than their size', () => {
    const arm = armFixture();
    arm.request('GET', 'nobody');
    arm.clock.now += 3_600_000;
    expect(remaining(arm.request('GET', 'nobody').headers, 'subscription-reads')).toBe(249);
  });
});

describe('create and delete windows', () => {
  const quotas = { containerGroups: 1_000, standardCores: 1_000, standardSpotCores: 10 };

  it('let 100 creates of a region through in 5 minutes, and tell how many are left', () => {
    const arm = armFixture({ quotas });
    for (let i = 0; i < 100; i += 1) {
      const { status, headers } = arm.put(`g-${i}`);
      expect(status).toBe(201);
      expect(remaining(headers, 'subscription-resource-requests-pt5m')).toBe(99 - i);
      expect(remaining(headers, 'subscription-resource-requests-pt1h')).toBe(299 - i);
      arm.clock.now += 1_000;
    }
    const refused = arm.put('one-more');
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '200' } });
    expect(arm.put('elsewhere', { location: 'westus2' }).status).toBe(201);
    arm.clock.now += 199_000;
    expect(arm.put('one-more').status).toBe(429);
    arm.clock.now += 1_000;
    expect(arm.put('one-more').status).toBe(201);
    expect(arm.put('and-another').status).toBe(429);
  });

  it('let 300 through in an hour', () => {
    const arm = armFixture({ quotas });
    for (let i = 0; i < 300; i += 1) {
      expect(arm.put(`g-${i}`).status).toBe(201);
      arm.clock.now += 4_000;
    }
    const refused = arm.put('one-more');
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '2400' } });
  });

  it('count an update as a create, and a refused create not at all', () => {
    const arm = armFixture({ quotas });
    arm.put('g');
    arm.after(2_000);
    expect(arm.put('g').status).toBe(200);
    expect(arm.put('other', { containers: [{ image: '' }] }).status).toBe(400);
    expect(remaining(arm.put('another').headers, 'subscription-resource-requests-pt5m')).toBe(97);
  });

  it('count deletes apart, and only of what existed', () => {
    const arm = armFixture({ quotas });
    for (let i = 0; i < 100; i += 1) arm.put(`g-${i}`);
    arm.clock.now += 300_000;
    arm.put('last');
    for (let i = 0; i < 100; i += 1) expect(arm.remove(`g-${i}`).status).toBe(202);
    expect(arm.remove('last')).toMatchObject({ status: 429, headers: { 'retry-after': '300' } });
    expect(arm.remove('nobody').status).toBe(204);
  });
});

describe('quota', () => {
  it('is refused at the first group or core beyond it, and freed when the group is gone', () => {
    const arm = armFixture({ quotas: { containerGroups: 2, standardCores: 5, standardSpotCores: 0 } });
    expect(arm.put('a', { containers: [{ cpu: 3 }] }).status).toBe(201);
    expect(arm.put('b', { containers: [{ cpu: 2.5 }] }).status).toBe(400);
    expect(arm.put('b', { containers: [{ cpu: 2 }] }).status).toBe(201);
    expect(arm.put('c', { containers: [{ cpu: 0.1 }] }).status).toBe(400);
    arm.after(2_000, 'a');
    arm.remove('b');
    expect(arm.put('c').status).toBe(400);
    arm.after(500, 'a');
    expect(arm.put('c').status).toBe(201);
  });
});
