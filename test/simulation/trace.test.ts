/** The trace hears of what only the real world can have said, and of nothing that the virtual one says. */
import { describe, expect, it } from 'vitest';
import { epoch } from './virtual/clock.ts';
import { skewsMs } from './world/fleet.ts';
import { createTrace } from './world/trace.ts';

/** What the trace takes for real in one line of log. */
function realIn(message: string): readonly string[] {
  const heard: string[] = [];
  const trace = createTrace(null, (what) => heard.push(what.split(' in: ')[0] ?? ''));
  trace.add({ type: 'log', at: epoch, host: 'host-1', level: 'info', message });
  // What is heard is complete once the hash is asked for.
  expect(trace.hash).toMatch(/^[0-9a-f]{32}$/);
  return heard;
}

describe('a line of the trace', () => {
  const iso = (at: number): string => new Date(at).toISOString();
  const slowestAt = epoch + Math.min(...skewsMs);
  const dayMs = 24 * 60 * 60_000;

  it.each([
    ['an instant of today', '2026-07-01T12:00:00Z', '2026-07-01T'],
    ['an instant of the last real year', '2038-12-31T23:59:59Z', '2038-12-31T'],
    ['milliseconds of today', '1782000000000', '1782000000000'],
    ['a random UUID', '0f8fad5b-d9cb-469f-a165-70867728950e', '0f8fad5b-d9cb-469f-a165-'],
  ])('with %s is of the real world', (_, message, shown) => {
    expect(realIn(`since ${message}.`)).toEqual([shown]);
  });

  it.each([
    ['the start of the world', iso(epoch)],
    ['the same instant by the slowest clock', iso(slowestAt)],
    ['the day before by the slowest clock', iso(slowestAt - dayMs)],
    ['milliseconds by the slowest clock', String(slowestAt)],
    ['a seeded UUID', '0f8fad5b-d9cb-869f-a165-70867728950e'],
  ])('with %s is not', (_, message) => {
    expect(realIn(`since ${message}.`)).toEqual([]);
  });
});
