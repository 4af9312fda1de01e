import { describe, expect, it } from 'vitest';
import { compareInstants, newsOf } from '../../../src/cli/log-feed.ts';
import type { LogsQuery } from '../../../src/client/client.ts';
import type { LogList, ReplicaLog } from '../../../src/model/api.ts';
import { ok } from '../../../src/model/result.ts';
import type { LogLine } from '../../../src/model/state.ts';
import { instant, refused, runCli } from '../../support/cli-fixture.ts';

const line = (seconds: number, text: string): LogLine => ({ at: instant(seconds), text });
const aLog = (over: Partial<ReplicaLog> = {}): ReplicaLog => ({
  service: 'web',
  slot: 0,
  incarnation: 1,
  container: 'web',
  state: 'ready',
  lines: [],
  truncated: false,
  problem: null,
  retryAfterMs: null,
  ...over,
});

describe('what is new in a log', () => {
  const [a, b, c, d] = [line(1, 'a'), line(2, 'b'), line(3, 'c'), line(4, 'd')];
  const twin = line(2, 'b');
  it.each<{ name: string; known: LogLine[]; read: LogLine[]; truncated?: boolean; news: LogLine[]; gap?: boolean }>([
    { name: 'everything at first', known: [], read: [a, b], news: [a, b] },
    { name: 'nothing when nothing was added', known: [a, b], read: [a, b], news: [] },
    { name: 'what stands behind the known lines', known: [a, b], read: [a, b, c], news: [c] },
    { name: 'the same when the first lines have moved out of the read', known: [a, b, c], read: [b, c, d], news: [d] },
    { name: 'a line that repeats another of the same instant', known: [a, b], read: [a, b, twin], news: [twin] },
    { name: 'nothing when it is read shorter', known: [a, b, c], read: [c], news: [] },
    {
      name: 'all, and a gap, when the read does not reach back',
      known: [a],
      read: [c, d],
      truncated: true,
      news: [c, d],
      gap: true,
    },
    { name: 'all without a gap when the log began anew', known: [a, b], read: [c, d], news: [c, d] },
    { name: 'only later lines when the log began anew with an old one', known: [b, c], read: [a, d], news: [d] },
    { name: 'nothing of an empty read, which forgets nothing', known: [a], read: [], news: [] },
  ])('is $name', ({ known, read, truncated = false, news, gap = false }) => {
    const result = newsOf({ lines: known }, { lines: read, truncated });
    expect(result).toMatchObject({ lines: news, gap });
    expect(newsOf(result.memory, { lines: read, truncated }).lines).toEqual([]);
  });

  it.each([
    ['2026-11-24T12:00:00.1234567Z', '2026-11-24T12:00:00.1234568Z', -1],
    ['2026-11-24T12:00:00.2Z', '2026-11-24T12:00:00.123Z', 1],
    ['2026-11-24T12:00:00Z', '2026-11-24T12:00:00.000Z', 0],
  ])('puts %s and %s in order', (left, right, sign) => {
    expect(Math.sign(compareInstants(left, right))).toBe(sign);
  });
});

describe('flotilla logs', () => {
  /** Answers of the API in turn; the last one stays. */
  const script = (...answers: readonly (readonly ReplicaLog[])[]) => {
    const asked: LogsQuery[] = [];
    let n = 0;
    const logs = async (_: string, query: LogsQuery) => {
      asked.push(query);
      const kept: LogList = {
        logs: query.previous ? [] : (answers[Math.min(n++, answers.length - 1)] ?? []),
        omitted: 0,
      };
      return ok(kept);
    };
    return { asked, overrides: { logs } };
  };

  it('shows lines of several replicas in the order of their instants, each with its replica', async () => {
    const { overrides, asked } = script([
      aLog({ lines: [line(1, 'one'), { at: null, text: '  more of one' }, line(3, 'three')] }),
      aLog({ service: 'worker', slot: 10, container: 'worker', lines: [line(2, 'two')] }),
    ]);
    const ran = await runCli(['logs', 'shop'], { overrides });
    expect(ran).toMatchObject({ code: 0, errors: [] });
    expect(ran.out).toEqual(['web.0     | one', 'web.0     |   more of one', 'worker.10 | two', 'web.0     | three']);
    expect(asked).toEqual([{ tail: 100 }]);
  });

  it('shows the lines of one replica as they are, and its instants when asked to', async () => {
    const { overrides, asked } = script([aLog({ lines: [line(1, 'one')] })]);
    const ran = await runCli(['logs', 'shop.web.0', '-t', '-n', '5', '--since', '1m', '-c', 'side'], { overrides });
    expect(ran.out).toEqual([`${instant(1)} one`]);
    expect(asked).toEqual([{ service: 'web', slot: 0, container: 'side', tail: 5, since: instant(-60) }]);
  });

  it('colours the names of replicas on a terminal, and nothing else', async () => {
    const { overrides } = script([aLog({ lines: [line(1, 'one')] })]);
    const ran = await runCli(['logs', 'shop.web'], { overrides, colours: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour is.
    expect(ran.out[0]).toMatch(/^\u001b\[\d+mweb\.0 \| \u001b\[0mone$/);
  });

  it('gives one object per line with --json', async () => {
    const { overrides } = script([aLog({ lines: [line(1, 'one')] })]);
    const ran = await runCli(['logs', 'shop', '--json'], { overrides });
    expect(ran.out.map((text) => JSON.parse(text))).toEqual([
      { app: 'shop', service: 'web', slot: 0, incarnation: 1, container: 'web', at: instant(1), text: 'one' },
    ]);
  });

  it('says why a replica has none, and fails when none of them has any', async () => {
    const { overrides } = script([aLog({ state: 'creating', problem: 'It has not started yet.' })]);
    const ran = await runCli(['logs', 'shop.web'], { overrides });
    expect(ran).toMatchObject({ code: 1, out: [], errors: ['web.0: It has not started yet.'] });
  });

  it('says that there is nothing to read', async () => {
    const { overrides } = script([]);
    expect(await runCli(['logs', 'shop.web'], { overrides })).toMatchObject({
      code: 0,
      errors: ['shop.web has no replica with a container group.'],
    });
    expect(await runCli(['logs', 'shop.web', '-p'], { overrides })).toMatchObject({
      errors: ['No log of a replica of shop.web that is gone is kept.'],
    });
  });

  it('follows: every line once, also of the replica that takes over', async () => {
    const { overrides } = script(
      [aLog({ lines: [line(1, 'one')] })],
      [aLog({ lines: [line(1, 'one'), line(2, 'two')] })],
      [aLog({ incarnation: 2, lines: [line(3, 'new')] })],
    );
    const ran = await runCli(['logs', '-f', 'shop.web'], { overrides, interruptAfterMs: 5_000 });
    expect(ran).toMatchObject({ code: 0, errors: ['web.0: the replica is gone.'] });
    expect(ran.out).toEqual(['web.0 | one', 'web.0 | two', 'web.0 | new']);
  });

  it('shows what a replica printed last, from what was kept of it', async () => {
    let n = 0;
    const gone = aLog({ state: 'gone', lines: [line(1, 'one'), line(2, 'bye')] });
    const logs = async (_: string, { previous }: LogsQuery) => {
      const found = previous ? [gone] : n++ === 0 ? [aLog({ lines: [line(1, 'one')] })] : [];
      return ok({ logs: found, omitted: 0 });
    };
    const ran = await runCli(['logs', '-f', 'shop.web'], { overrides: { logs }, interruptAfterMs: 4_000 });
    expect(ran.out).toEqual(['web.0 | one', 'web.0 | bye']);
  });

  it('asks for more when the last lines do not reach back, and tells what ACI has lost', async () => {
    const asked: LogsQuery[] = [];
    const logs = async (_: string, query: LogsQuery) => {
      asked.push(query);
      const lines =
        asked.length === 1 ? [line(1, 'one')] : query.tail === 5_000 ? [line(8, 'h'), line(9, 'i')] : [line(9, 'i')];
      return ok({ logs: [aLog({ lines, truncated: asked.length > 1 })], omitted: 0 });
    };
    const ran = await runCli(['logs', '-f', 'shop.web'], { overrides: { logs }, interruptAfterMs: 1_500 });
    expect(ran.out).toEqual(['web.0 | one', 'web.0 | h', 'web.0 | i']);
    expect(ran.errors).toEqual(['web.0: more was printed than ACI keeps; lines are missing here.']);
    expect(asked.map(({ tail }) => tail)).toEqual([100, 500, 5_000]);
  });

  it('waits as long as ARM asks for, and no less than a quarter of a second per replica', async () => {
    const many = (retryAfterMs: number | null) => Array.from({ length: 20 }, (_, slot) => aLog({ slot, retryAfterMs }));
    const polite = script(many(null));
    await runCli(['logs', '-f', 'shop'], { overrides: polite.overrides, interruptAfterMs: 30_000 });
    expect(polite.asked.length).toBe(1 + 5);
    const throttled = script(many(30_000));
    await runCli(['logs', '-f', 'shop'], { overrides: throttled.overrides, interruptAfterMs: 60_000 });
    expect(throttled.asked.length).toBe(1 + 2);
  });

  it('names what cannot be found', async () => {
    const overrides = {
      logs: async () => ({ ok: false as const, error: refused(404, 'The app shop has no service «wob».') }),
    };
    expect(await runCli(['logs', 'shop.wob'], { overrides })).toMatchObject({
      code: 1,
      errors: ['error: The app shop has no service «wob».'],
    });
  });
});
