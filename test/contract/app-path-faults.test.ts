/** ARM and the table refuse, lose answers after the effect, and throttle, by seeds. Once they stop, everything converges, and nothing was made twice. */
import { describe, expect, it } from 'vitest';
import type { Draw } from '../../src/local/core.ts';
import { appWorld, converged, deleted } from '../support/app-world.ts';

const document = {
  name: 'shop',
  services: {
    web: { image: 'flotilla/http', ports: ['80'], deploy: { replicas: 4 }, depends_on: ['store'] },
    store: { image: 'flotilla/tcp', ports: ['80'] },
  },
};

/** mulberry32: small, seeded, good enough to pick faults. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function hostile(seed: number) {
  const next = random(seed);
  const weather = { bad: false, struck: 0 };
  const faulty =
    (share: number): Draw =>
    (key, options) => {
      if (!weather.bad || !key.endsWith('/fault') || next() >= share) return 0;
      weather.struck += 1;
      return Math.floor(next() * options);
    };
  return { weather, armDraw: faulty(0.15), tableDraw: faulty(0.01) };
}

describe('bad weather', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'seed %i: ends well',
    async (seed) => {
      const { weather, ...draws } = hostile(seed);
      const world = appWorld(draws);
      await world.command('apply', 'shop', document);
      weather.bad = true;
      await world.elapse(4 * 60_000);
      weather.bad = false;
      expect(weather.struck).toBeGreaterThan(0);
      await world.until('convergence', converged, 60 * 60_000);
      const { replicas } = await world.rows();
      const ready = replicas.filter(({ state }) => state === 'ready').map(({ group }) => group);
      expect(ready).toHaveLength(5);
      await world.elapse(5 * 60_000);
      expect((await world.groups()).toSorted()).toEqual(ready.toSorted());

      await world.command('delete', 'shop', null);
      weather.bad = true;
      await world.elapse(2 * 60_000);
      weather.bad = false;
      await world.until('deletion', deleted, 60 * 60_000);
      await world.elapse(5 * 60_000);
      expect(await world.groups()).toEqual([]);
      expect((await world.reservations()).flat()).toEqual([]);
    },
    60_000,
  );
});
