import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCron } from '../../../src/local/host/ncrontab.ts';
import { parseSchedule } from '../../../src/local/host/schedule.ts';

function next(text: string, after: string): string | undefined {
  const parsed = parseCron(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  const at = parsed.schedule.nextAfter(Date.parse(after));
  return at === undefined ? undefined : new Date(at).toISOString();
}

function problemOf(text: string): string {
  const parsed = parseCron(text);
  return parsed.ok ? 'no problem' : parsed.problem;
}

describe('NCRONTAB', () => {
  it.each([
    ['every 30 s', '*/30 * * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:00:30.000Z'],
    ['an occurrence itself is not after itself', '0 0 * * * *', '2026-01-01T05:00:00Z', '2026-01-01T06:00:00.000Z'],
    ['a fraction of a second before is', '0 0 * * * *', '2026-01-01T04:59:59.999Z', '2026-01-01T05:00:00.000Z'],
    ['five fields begin at second 0', '*/15 * * * *', '2026-01-01T00:15:10Z', '2026-01-01T00:30:00.000Z'],
    ['a/n runs from a to the end', '0 5/20 * * * *', '2026-01-01T00:45:00Z', '2026-01-01T01:05:00.000Z'],
    ['a list with ranges', '0 0 8-10,20 * * *', '2026-01-01T10:30:00Z', '2026-01-01T20:00:00.000Z'],
    ['names of months and weekdays', '0 30 9 * Jan Mon', '2026-01-01T00:00:00Z', '2026-01-05T09:30:00.000Z'],
    ['both day fields must match', '0 0 0 13 * Fri', '2026-01-01T00:00:00Z', '2026-02-13T00:00:00.000Z'],
    ['29 February waits for a leap year', '0 0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    [
      '29 February on a Sunday waits for a leap year that fits',
      '0 0 0 29 2 0',
      '2032-03-01T00:00:00Z',
      '2060-02-29T00:00:00.000Z',
    ],
    ['year end', '59 59 23 31 12 *', '2026-12-31T23:59:59Z', '2027-12-31T23:59:59.000Z'],
  ])('%s: %s', (_what, text, after, expected) => {
    expect(next(text, after)).toBe(expected);
  });

  it.each([
    ['* * * *', 'has 4 fields instead of 6'],
    ['* * * * * * *', 'has 7 fields instead of 6'],
    ['', 'has 0 fields'],
    ['60 * * * * *', '"60" is not valid in the second field (0 to 59)'],
    ['0 0 24 * * *', 'hour field'],
    ['0 0 0 0 * *', 'day of month field'],
    ['0 0 0 * * 7', 'day of week field (0 to 6)'],
    ['*/0 * * * * *', 'not a valid step'],
    ['*/ * * * * *', 'not a valid step'],
    ['0 30-10 * * * *', 'runs backwards in the minute field'],
    ['0 0 0 L * *', 'day of month field'],
    ['0 0 0 ? * *', 'day of month field'],
    ['0 0 0 * * 1#1', 'day of week field'],
    ['0 0 0 30 2 *', 'never occurs'],
    ['H * * * * *', 'second field'],
  ])('refuses "%s"', (text, problem) => {
    expect(problemOf(text)).toContain(problem);
  });

  it('gives the earliest second that matches every field', () => {
    const field = (max: number) =>
      fc.oneof(fc.constant('*'), fc.integer({ min: 0, max }).map(String), fc.constant('*/7'));
    const arbitrary = fc.record({
      second: field(59),
      minute: field(59),
      hour: field(23),
      after: fc.integer({ min: 0, max: 4_000_000_000 }),
    });
    const matches = (text: string, value: number) =>
      text === '*' || (text === '*/7' ? value % 7 === 0 : Number(text) === value);
    fc.assert(
      fc.property(arbitrary, ({ second, minute, hour, after }) => {
        const parsed = parseCron(`${second} ${minute} ${hour} * * *`);
        if (!parsed.ok) throw new Error(parsed.problem);
        const found = parsed.schedule.nextAfter(after * 1000) ?? Number.NaN;
        for (let at = after + 1; at <= after + 90_000; at++) {
          const ofDay = at % 86_400;
          const isMatch =
            matches(second, ofDay % 60) &&
            matches(minute, Math.floor(ofDay / 60) % 60) &&
            matches(hour, Math.floor(ofDay / 3600));
          if (isMatch) return found === at * 1000;
        }
        return false;
      }),
      { numRuns: 60 },
    );
  });
});

describe('a timer schedule', () => {
  it('may be a TimeSpan, counted from the last run', () => {
    const parsed = parseSchedule('00:00:45', {});
    expect(parsed.ok && parsed.schedule.nextAfter(1_000)).toBe(46_000);
  });

  it('may come from a setting, and the missing setting is named', () => {
    const found = parseSchedule('%TICK%', { TICK: '*/10 * * * * *' });
    expect(found.ok && found.schedule.nextAfter(0)).toBe(10_000);
    expect(parseSchedule('%TICK%', {})).toMatchObject({ ok: false, problem: expect.stringContaining('%TICK%') });
  });

  it.each([undefined, '', '00:00:00', '99:00:00', 'soon'])('refuses %j', (text) => {
    expect(parseSchedule(text, {})).toMatchObject({ ok: false, remedy: expect.stringContaining('NCRONTAB') });
  });
});
