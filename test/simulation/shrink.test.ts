/** A failing run ends as the few choices that make it fail. */
import { describe, expect, it } from 'vitest';
import { shrink } from './choices/shrink.ts';

/** A run that fails when `isFailing` says so of its choices. */
const judged = (isFailing: (choices: Readonly<Record<string, number>>) => boolean) => {
  const asked: string[] = [];
  return {
    asked,
    stillFails: async (choices: Readonly<Record<string, number>>) => {
      asked.push(JSON.stringify(choices));
      return isFailing(choices);
    },
  };
};

const noise = Object.fromEntries([
  ...Array.from({ length: 200 }, (_, n) => [`arm GET shop/web/0/1/ms#${n}`, 1 + (n % 9)]),
  ...Array.from({ length: 40 }, (_, n) => [`table GET shop/app/fault#${n}`, 1 + (n % 5)]),
  ['workload shop what#0', 2],
  ['fact/listPageSize#0', 1],
]);

describe('shrinking', () => {
  it('finds first whether anything is needed at all', async () => {
    const { stillFails, asked } = judged(() => true);
    expect(await shrink(noise, stillFails)).toEqual({ choices: {}, reruns: 1 });
    expect(asked).toEqual(['{}']);
  });

  it('keeps the one fault that matters', async () => {
    const { stillFails } = judged((choices) => choices['arm PUT shop/web/0/1/fault#0'] === 2);
    const { choices, reruns } = await shrink({ ...noise, 'arm PUT shop/web/0/1/fault#0': 2 }, stillFails);
    expect(choices).toEqual({ 'arm PUT shop/web/0/1/fault#0': 2 });
    expect(reruns).toBeLessThan(30);
  });

  it('keeps two faults that fail only together, and lowers what may be lower', async () => {
    const { stillFails } = judged(({ a = 0, b = 0 }) => a >= 3 && b >= 1);
    const { choices } = await shrink({ ...noise, a: 9, b: 4 }, stillFails, 400);
    expect(choices).toEqual({ a: 3, b: 1 });
  });

  it('gives back what it was given when less does not fail', async () => {
    const all = { a: 1, b: 1 };
    const { stillFails } = judged((choices) => Object.keys(choices).length === 2);
    expect((await shrink(all, stillFails)).choices).toEqual(all);
  });

  it('stops after the reruns it is allowed', async () => {
    const { stillFails, asked } = judged(() => false);
    expect(await shrink(noise, stillFails, 7)).toEqual({ choices: noise, reruns: 7 });
    expect(asked).toHaveLength(7);
  });
});
