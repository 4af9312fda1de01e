/** Versions of Flotilla are told apart by their numbers. */
import { describe, expect, it } from 'vitest';
import { isOlder } from '../../../src/model/version.ts';

describe('a version', () => {
  it.each<[string | null, string, boolean]>([
    ['0.1.0', '0.2.0', true],
    ['0.2.0', '0.1.0', false],
    ['0.2.0', '0.2.0', false],
    ['0.9.0', '0.10.0', true],
    ['0.2', '0.2.1', true],
    ['0.2.0', '0.2', false],
    ['1.0.0-2', '1.0.0-10', true],
    [null, '0.1.0', true],
  ])('%s is older than %s: %s', (one, other, expected) => {
    expect(isOlder(one, other)).toBe(expected);
  });
});
