import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseHostJson, readHostJson } from '../../../src/local/host/host-json.ts';
import { HostStartError } from '../../../src/local/host/start-error.ts';
import { timeSpanMs } from '../../../src/local/host/timespan.ts';

function problemsOf(json: unknown) {
  try {
    parseHostJson(json);
  } catch (error) {
    if (error instanceof HostStartError) return error.problems;
    throw error;
  }
  return [];
}

describe('host.json', () => {
  it('has the defaults of Azure', () => {
    expect(parseHostJson({ version: '2.0' })).toMatchObject({
      functionTimeout: 300_000,
      extensions: {
        http: { routePrefix: 'api' },
        durableTask: { hubName: 'TestHubName' },
        serviceBus: {
          autoCompleteMessages: true,
          maxConcurrentCalls: 16,
          maxConcurrentSessions: 8,
          sessionIdleTimeout: 60_000,
        },
      },
    });
  });

  it('of this project is accepted', () => {
    const json: unknown = JSON.parse(readFileSync(new URL('../../../host.json', import.meta.url), 'utf8'));
    expect(problemsOf(json)).toEqual([]);
  });

  it('reads durations, and -1 as no timeout', () => {
    const json = {
      version: '2.0',
      functionTimeout: '-1',
      extensions: { serviceBus: { sessionIdleTimeout: '00:00:05' } },
    };
    const parsed = parseHostJson(json);
    expect(parsed.functionTimeout).toBe(Number.POSITIVE_INFINITY);
    expect(parsed.extensions.serviceBus.sessionIdleTimeout).toBe(5_000);
  });

  it('names every key at fault at once, each with a remedy', () => {
    const problems = problemsOf({
      version: '1.0',
      functionTimeout: 'long',
      customHandler: {},
      extensions: { http: { hsts: {}, routePrefix: '/api' }, kafka: {}, serviceBus: { maxConcurrentCalls: 0 } },
    });
    expect(problems.map((p) => p.path).sort()).toEqual([
      'host.json: customHandler',
      'host.json: extensions.http.hsts',
      'host.json: extensions.http.routePrefix',
      'host.json: extensions.kafka',
      'host.json: extensions.serviceBus.maxConcurrentCalls',
      'host.json: functionTimeout',
      'host.json: version',
    ]);
    for (const problem of problems) expect(problem.remedy).not.toBe('');
  });

  it('may be absent, but not broken', () => {
    const appDir = mkdtempSync(join(tmpdir(), 'flotilla-host-'));
    expect(readHostJson(appDir).version).toBe('2.0');
    writeFileSync(join(appDir, 'host.json'), '{');
    expect(() => readHostJson(appDir)).toThrow(/host\.json: .*JSON/);
  });
});

describe('a TimeSpan', () => {
  it.each([
    ['00:05:00', 300_000],
    ['1.02:03:04', 93_784_000],
    ['00:00:00.5', 500],
    ['01:30', 5_400_000],
    ['-00:00:01', -1_000],
    ['24:00:00', undefined],
    ['5', undefined],
    ['', undefined],
  ])('%j is %s ms', (text, ms) => {
    expect(timeSpanMs(text)).toBe(ms);
  });
});
