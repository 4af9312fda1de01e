/** A host may die after (or before) any call through a port, and any turn of an orchestration may be lost: a deployment and a teardown end well all the same. */
import { describe, expect, it } from 'vitest';
import { type AppWorld, appWorld, converged, deleted, HostDied } from '../support/app-world.ts';

const document = {
  name: 'shop',
  services: {
    web: { image: 'flotilla/http', ports: ['80'], deploy: { replicas: 2 }, depends_on: ['store'] },
    store: { image: 'flotilla/tcp', ports: ['80'] },
  },
};
const revised = { ...document, services: { ...document.services, web: { ...document.services.web, image: 'nginx' } } };

type Blow = 'before' | 'after' | 'turn lost';

/** Runs the scenario with one blow at the `nth` call; answers how many calls there were. */
async function story(nth: number, blow: Blow): Promise<number> {
  let calls = 0;
  let world: AppWorld | undefined;
  const strike = (): void => {
    if (blow !== 'turn lost') throw new HostDied(`call ${nth}`);
    for (const { id, status } of world?.durable.instances.values() ?? []) {
      if (status === 'Running' && !id.startsWith('app:')) world?.durable.loseTurn(id);
    }
  };
  world = appWorld({
    onCall(_, moment) {
      if (moment === (blow === 'before' ? 'before' : 'after') && ++calls === nth) strike();
    },
  });
  await world.command('apply', 'shop', document);
  await world.until(`convergence after ${blow} ${nth}`, converged, 45 * 60_000);
  await expectOwned(world);
  await world.command('apply', 'shop', revised);
  await world.until(`the second revision after ${blow} ${nth}`, converged, 45 * 60_000);
  await expectOwned(world);
  await world.command('delete', 'shop', null);
  await world.until(`deletion after ${blow} ${nth}`, deleted, 45 * 60_000);
  await world.elapse(3 * 60_000);
  expect(await world.groups()).toEqual([]);
  expect((await world.reservations()).flat()).toEqual([]);
  expectOncePerName(world);
  return calls;
}

async function expectOwned(world: AppWorld): Promise<void> {
  const { replicas } = await world.rows();
  const ready = replicas.filter(({ state }) => state === 'ready').map(({ group }) => group);
  expect(ready).toHaveLength(3);
  expect((await world.groups()).toSorted()).toEqual(ready.toSorted());
}

/** A PUT on a group that is there would restart its containers. */
function expectOncePerName(world: AppWorld): void {
  const accepted = world.armLog.flatMap((line) => /^PUT (.*) 20\d$/.exec(line)?.[1] ?? []);
  expect(new Set(accepted).size).toBe(accepted.length);
}

describe.each(['before', 'after', 'turn lost'] as const)('a blow: %s', (blow) => {
  it('at many points of a deployment, an upgrade and a teardown: nothing is lost, doubled or left over', async () => {
    const calls = await story(Number.POSITIVE_INFINITY, blow);
    expect(calls).toBeGreaterThan(100);
    const stride = Math.ceil(calls / 40);
    for (let nth = 1; nth <= calls; nth += stride) await story(nth, blow);
  }, 120_000);
});
