import { describe, expect, it } from 'vitest';
import { createActLedger, keptOf, pastCreates, windowOf, withCreates } from '../../../../src/decide/budget/windows.ts';
import { aPool } from '../../../support/rows.ts';

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
    expect(createActLedger(new Map([['k', past]])).freeAt('k', 60 * minute, 'urgent')).toBe(expected);
  });

  it('acts are counted as they are made, and each region and subscription by itself', () => {
    const ledger = createActLedger();
    for (let n = 0; n < 100; n += 1) ledger.note('one', 0);
    expect([ledger.freeAt('one', 0, 'urgent'), ledger.freeAt('other', 0, 'urgent')]).toEqual([5 * minute, 0]);
    const at = (subscriptionId: string, region: string) => windowOf({ subscriptionId, region });
    expect(at('S1', 'EastUS')).toBe(at('s1', 'eastus'));
    expect(at('s1', 'eastus')).not.toBe(at('s1', 'westus2'));
  });

  it.each<[string, number, number]>([
    ['at once after 79 in 5 minutes (near miss)', 79, 0],
    ['later after 80: a fifth is kept', 80, 5],
  ])('what can wait gets it %s', (_, count, minutes) => {
    const ledger = createActLedger(new Map([['k', many(count, 0)]]));
    expect(ledger.freeAt('k', 0, 'ordinary')).toBe(minutes * minute);
    expect(ledger.freeAt('k', 0, 'urgent')).toBe(0);
  });

  it('of a small window at least ten are kept', () => {
    expect([300, 100, 20].map(keptOf)).toEqual([60, 20, 10]);
  });

  it('pools of one region and subscription share what they have made in the last hour', () => {
    const now = 120 * minute;
    const one = aPool({ pool: 'one', creates: [now - 61 * minute, now - minute] });
    const other = aPool({ pool: 'other', creates: [now - 2 * minute] });
    expect(withCreates(one, 2, now)).toEqual([now - minute, now, now]);
    expect(pastCreates([one, other]).get(windowOf(one))).toHaveLength(3);
  });
});
