import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ceilTo,
  formatBytes,
  formatDuration,
  formatInstant,
  parseBytes,
  parseDurationMs,
} from '../../../src/model/units.ts';

describe('durations', () => {
  it.each([
    ['1m30s', 90_000],
    ['10ms', 10],
    ['1h5m30s20ms', 3_930_020],
    ['1.5s', 1500],
    ['0.1s', 100],
    ['0', 0],
    ['0s', 0],
    ['2d', 172_800_000],
    ['1500us', 2],
    ['1500µs', 2],
    ['1500μs', 2],
    ['1ns', 1],
    ['3000000ns', 3],
    ['.5s', 500],
    ['1.s', 1000],
  ])('reads %s as %d ms', (text, expected) => {
    expect(parseDurationMs(text)).toBe(expected);
  });

  it.each(['', '10', '-1s', '1 s', 's', '1x', '1m 30s', '1e3s', '.s', '.', '99999999999999999w'])(
    'does not read %j',
    (text) => {
      expect(parseDurationMs(text)).toBeUndefined();
    },
  );

  it('shows what it reads', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), (durationMs) => {
        expect(parseDurationMs(formatDuration(durationMs))).toBe(durationMs);
      }),
    );
  });
});

describe('instants', () => {
  it.each([
    [0, '1970-01-01T00:00:00Z'],
    [1_000, '1970-01-01T00:00:01Z'],
    [1_001, '1970-01-01T00:00:02Z'],
  ])('%i ms since 1970 is written %s, never too early', (at, expected) => {
    expect(formatInstant(at)).toBe(expected);
  });
});

describe('sizes', () => {
  it.each([
    ['1G', 1024 ** 3],
    ['1gb', 1024 ** 3],
    ['512m', 512 * 1024 ** 2],
    ['1.5GiB', 1.5 * 1024 ** 3],
    ['2048k', 2 * 1024 ** 2],
    ['1024', 1024],
    ['2b', 2],
  ])('reads %s as %d bytes', (text, expected) => {
    expect(parseBytes(text)).toBe(expected);
  });

  it.each(['', 'G', '-1G', '1e9', '1 potato', '1gg'])('does not read %j', (text) => {
    expect(parseBytes(text)).toBeUndefined();
  });

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536 * 1024 ** 2, '1.5 GiB'],
    [192 * 1024, '192 KiB'],
  ])('shows %d bytes as %s', (sizeBytes, expected) => {
    expect(formatBytes(sizeBytes)).toBe(expected);
  });

  it.each([
    [0.1 + 0.2, 10, 0.3],
    [1.25, 10, 1.3],
    [1.005, 100, 1.01],
    [1 + 1 / 1024 ** 3, 10, 1.1],
    [2, 10, 2],
  ])('rounds %d up to a multiple of 1/%d: %d', (value, perUnit, expected) => {
    expect(ceilTo(value, perUnit)).toBe(expected);
  });
});
