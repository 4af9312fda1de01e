import { expect, it } from 'vitest';
import { backoffMs, countFailure } from '../../../src/decide/backoff.ts';

const settings = { firstMs: 10, capMs: 50, resetMs: 100 };

it.each([
  [-1, 0],
  [0, 0],
  [1, 10],
  [2, 20],
  [3, 40],
  [4, 50],
  [1_000, 50],
])('after %i failures in a row the rest is %i ms', (failures, restMs) => {
  expect(backoffMs(failures, settings)).toBe(restMs);
});

it.each([
  ['one that was never ready', 3, null, 4],
  ['one that was ready for less than the reset', 3, 901, 4],
  ['one that was ready for the reset', 3, 900, 1],
  ['the first', 0, null, 1],
])('the failure of %s is counted', (_, before, readyAt, after) => {
  expect(countFailure(before, readyAt, 1_000, settings)).toBe(after);
});
