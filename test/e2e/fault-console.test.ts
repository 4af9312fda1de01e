/** The fault console from a second terminal: something goes wrong, Flotilla repairs it, and what was set is cleared. */
import { describe, expect, it } from 'vitest';
import type { AppResource } from '../../src/model/api.ts';
import { platformForTests } from '../support/flotilla-process.ts';

/** A probe every 30 s finds what is gone; back-off of creates adds its own. */
const waits = { timeout: 90_000, interval: 500 };

describe('flotilla local fault', { shuffle: false }, () => {
  const here = platformForTests();

  const flotilla = async (...args: readonly string[]) => await here.place.flotilla(...args, '--api', here.api).finished;
  const fault = (...args: readonly string[]) => flotilla('local', 'fault', ...args);
  const app = async (): Promise<AppResource> => JSON.parse((await flotilla('ps', 'voting', '--json')).out.join('\n'));
  const web = async (slot: number) => {
    const service = (await app()).serviceList.find(({ name }) => name === 'web');
    const replica = service?.replicas.find((one) => one.slot === slot);
    return { ready: service?.ready, state: replica?.state, incarnation: replica?.incarnation ?? 0 };
  };
  /** All three are ready, and the one in the slot is another than before. */
  const repaired = (slot: number, before: number) =>
    expect
      .poll(async () => {
        const { ready, state, incarnation } = await web(slot);
        return { ready, state, isAnother: incarnation > before };
      }, waits)
      .toEqual({ ready: 3, state: 'ready', isAnother: true });

  it('tells every fault that the platform knows', async () => {
    const { code, out } = await fault();
    expect(code).toBe(0);
    expect(out).toEqual(expect.arrayContaining(['REGIONS', 'GROUPS', 'REQUESTS TO ARM', 'TABLES']));
  });

  it('kills a group: the replica is replaced', async () => {
    const { incarnation } = await web(0);
    expect((await fault('add', 'kill-group', 'voting.web.0')).out[0]).toMatch(/^f-\w+-web gone\.$/);
    await repaired(0, incarnation);
  });

  it('stops a group, as somebody might in the portal: the replica is replaced', async () => {
    const { incarnation } = await web(2);
    await fault('add', 'stop-group', 'voting.web.2');
    await repaired(2, incarnation);
    const { out } = await flotilla('events', 'voting');
    expect(out.some((line) => line.includes('GroupStopped'))).toBe(true);
  });

  it('throttles creates meanwhile: the replacement waits, and comes once they are let through', async () => {
    const { incarnation } = await web(1);
    await fault('add', 'throttle', 'create', 'times=always', 'retry-after=1s');
    expect((await fault('ls')).out[1]).toMatch(/^1 +requests to ARM: .*"act":"create"/);
    await fault('add', 'kill-group', 'voting.web.1');
    await expect.poll(() => web(1), waits).toMatchObject({ ready: 2, state: 'creating' });
    expect((await fault('clear', '1')).out).toEqual(['Cleared 1.']);
    await repaired(1, incarnation);
    expect((await fault('ls')).out).toEqual(['No fault is set.']);
  });

  it('names what there is when it is told something else', async () => {
    expect(await fault('add', 'region-down', 'mars')).toMatchObject({
      code: 2,
      errors: ['error: region `mars`: give a region: eastus, westus2, westeurope.'],
    });
  });
});
