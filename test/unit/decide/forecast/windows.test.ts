import { describe, expect, it } from 'vitest';
import { createActLedger, windowOf } from '../../../../src/decide/forecast/windows.ts';

const minute = 60_000;
const many = (count: number, at: number): readonly number[] => Array.from({ length: count }, () => at);

describe('when ACI takes the next create', () => {
  it.each<[string, readonly number[], number]>([
    ['at once while there were none', [], 60 * minute],
    ['at once after 99 in 5 minutes (near miss)', many(99, 60 * minute - 1), 60 * minute],
    ['5 minutes after the first of 100', [...many(1, 57 * minute), ...many(99, 58 * minute)], 62 * minute],
    ['at once when the first of 100 is 5 minutes old', many(100, 55 * minute), 60 * minute],
    ['an hour after the first of 300', [...many(200, 10 * minute), ...many(100, 50 * minute)], 70 * minute],
  ])('%s', (_, past, expected) => {
    expect(createActLedger(new Map([['k', past]])).freeAt('k', 60 * minute)).toBe(expected);
  });

  it('acts are counted as they are made, and each region and subscription by itself', () => {
    const ledger = createActLedger();
    for (let n = 0; n < 100; n += 1) ledger.note('one', 0);
    expect([ledger.freeAt('one', 0), ledger.freeAt('other', 0)]).toEqual([5 * minute, 0]);
    const at = (subscriptionId: string, region: string) => windowOf({ subscriptionId, region });
    expect(at('S1', 'EastUS')).toBe(at('s1', 'eastus'));
    expect(at('s1', 'eastus')).not.toBe(at('s1', 'westus2'));
  });
});
