/**
 * Every recorded history must replay under today's orchestrators: an instance in flight is continued by the code that is deployed next. Each prefix that
 * the engine handed out is given to the registered handler, and what it asks for (names, inputs, times, order, outcome) is compared with what was recorded.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { EventType, type HistoryEvent } from '../../src/local/host/engine/history.ts';
import type { WorkerHost } from '../../src/local/host/engine/types.ts';
import { loadApp, workerOf } from '../support/durable-host.ts';
import { divergences, type GoldenHistory, turnCount } from '../support/golden-history.ts';

const directory = join(import.meta.dirname, 'histories');
const goldens = globSync('*.json', { cwd: directory })
  .toSorted()
  .map((file) => ({ file, golden: JSON.parse(readFileSync(join(directory, file), 'utf8')) as GoldenHistory }));
const named = (file: string): GoldenHistory => {
  const found = goldens.find((one) => one.file === file);
  if (!found) throw new Error(`${file} is missing`);
  return found.golden;
};

let worker: WorkerHost;
beforeAll(async () => {
  // The project's own registrations, run from source.
  worker = workerOf(await loadApp({ appDir: join(import.meta.dirname, '../..'), main: 'functions/durable.ts' }));
});

describe('a recorded history', () => {
  it.each(goldens)('$file replays as it ran: $golden.about', async ({ golden }) => {
    expect(turnCount(golden)).toBeGreaterThan(2);
    expect(await divergences(worker, golden), 'what to do: histories/README.md').toEqual([]);
  });

  it('is there for every orchestrator that is registered', () => {
    const recorded = new Set(goldens.map(({ golden }) => golden.orchestrator));
    expect([...recorded].toSorted()).toEqual([...(worker.names?.('orchestrator') ?? [])].toSorted());
  });

  it('has the name of what it holds', () => {
    for (const { file, golden } of goldens)
      expect(basename(file, '.json')).toBe(`${golden.orchestrator}.${golden.appVersion}.${golden.case}`);
  });
});

type Change = (golden: GoldenHistory) => GoldenHistory;

/** Another history, in which the `nth` event of a type is changed. */
const withEvent =
  (type: number, nth: number, change: (event: HistoryEvent) => object): Change =>
  (golden) => {
    let seen = -1;
    const history = golden.history.map((event) => {
      if (event.EventType !== type || ++seen !== nth) return event;
      return { ...event, ...change(event) } as HistoryEvent;
    });
    expect(seen).toBeGreaterThanOrEqual(nth);
    return { ...golden, history };
  };

const withInput =
  (nth: number, input: unknown): Change =>
  (golden) => ({ ...golden, activityInputs: golden.activityInputs.toSpliced(nth, 1, input) });

const later = (event: HistoryEvent) => ({
  FireAt: new Date(Date.parse((event as HistoryEvent & { FireAt: string }).FireAt) + 1_000).toISOString(),
});

describe('a history that was tampered with', () => {
  const plain = 'deployment.0.1.0.plain.json';
  const lostWorker = 'deployment.0.1.0.lost-worker.json';

  it.each<{ name: string; file: string; change: Change }>([
    {
      name: 'another activity',
      file: plain,
      change: withEvent(EventType.TaskScheduled, 1, () => ({ Name: 'finish' })),
    },
    { name: 'another input', file: plain, change: withInput(1, { replica: 'other' }) },
    { name: 'inputs in another order', file: plain, change: (golden) => swapInputs(golden, 1, 2) },
    { name: 'another instant of a timer', file: plain, change: withEvent(EventType.TimerCreated, 0, later) },
    {
      name: 'an activity more than the code asks for',
      file: plain,
      change: (golden) => twice(golden, EventType.TaskScheduled),
    },
    { name: 'a timer less', file: plain, change: (golden) => without(golden, EventType.TimerCreated) },
    {
      name: 'another result, after which the code ends',
      file: plain,
      change: withEvent(EventType.TaskCompleted, 0, () => ({ Result: JSON.stringify({ outcome: 'superseded' }) })),
    },
    {
      name: 'another outcome',
      file: plain,
      change: withEvent(EventType.ExecutionCompleted, 0, () => ({ Result: '{"outcome":"superseded"}' })),
    },
    {
      name: 'a pass that came through where the worker died',
      file: lostWorker,
      change: withEvent(EventType.TaskFailed, 0, () => ({
        EventType: EventType.TaskCompleted,
        Result: JSON.stringify({ outcome: 'superseded' }),
      })),
    },
    {
      name: 'the history of another orchestrator',
      file: plain,
      change: (golden) => ({ ...golden, orchestrator: 'app' }),
    },
  ])('is found out: $name', async ({ file, change }) => {
    const found = await divergences(worker, change(named(file))).catch((error: Error) => [error.message]);
    expect(found).not.toEqual([]);
  });
});

function swapInputs(golden: GoldenHistory, a: number, b: number): GoldenHistory {
  const inputs = [...golden.activityInputs];
  [inputs[a], inputs[b]] = [inputs[b], inputs[a]];
  return { ...golden, activityInputs: inputs };
}

function twice(golden: GoldenHistory, type: number): GoldenHistory {
  const at = golden.history.findIndex((event) => event.EventType === type);
  return { ...golden, history: golden.history.toSpliced(at, 0, golden.history[at] as HistoryEvent) };
}

function without(golden: GoldenHistory, type: number): GoldenHistory {
  const at = golden.history.findIndex((event) => event.EventType === type);
  return { ...golden, history: golden.history.toSpliced(at, 1) };
}
