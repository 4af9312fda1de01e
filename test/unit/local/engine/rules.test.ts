import { describe, expect, it } from 'vitest';
import * as history from '../../../../src/local/host/engine/history.ts';
import { retryDelayMs } from '../../../../src/local/host/engine/retry.ts';
import { rewindHistory } from '../../../../src/local/host/engine/rewind.ts';
import { jsonOrText, mergedHistory } from '../../../../src/local/host/engine/status.ts';
import { activityFailed } from '../../../../src/local/host/engine/texts.ts';
import { compareVersions, mayRun } from '../../../../src/local/host/engine/versions.ts';
import { golden } from './goldens.ts';

describe('versions', () => {
  it.each([
    ['', '', 0],
    ['', '1.0', -1],
    ['1.0', ' ', 1],
    ['1.10.0', '1.9.0', 1],
    ['2.1', '2.1.0', -1],
    ['2.1.0', '2.1.0', 0],
    ['v2', 'V2', 0],
    ['alpha', 'beta', -1],
    ['2', '10', 1],
  ])('compare %j with %j as .NET does', (a, b, sign) => expect(Math.sign(compareVersions(a, b))).toBe(sign));

  it('decide who runs an instance', () => {
    const strategies = ['None', 'Strict', 'CurrentOrOlder'] as const;
    const verdicts = (version: string | null, host: string | undefined) =>
      strategies.map((s) => mayRun(s, version, host));
    expect(verdicts('1.0.0', undefined)).toEqual([true, false, false]);
    expect(verdicts(null, undefined)).toEqual([true, true, true]);
    expect(verdicts('1.0.0', '2.1.0')).toEqual([true, false, true]);
    expect(verdicts('3.0.0', '2.1.0')).toEqual([true, false, false]);
  });
});

describe('retry delays', () => {
  const options = { firstRetryIntervalInMilliseconds: 100, maxNumberOfAttempts: 9, backoffCoefficient: 2 };
  it('grow by the coefficient up to the maximum', () => {
    const capped = { ...options, maxRetryIntervalInMilliseconds: 350 };
    expect([1, 2, 3].map((failed) => retryDelayMs(capped, failed, 0, 0))).toEqual([100, 200, 350]);
  });
  it('end when the timeout has elapsed since the first attempt', () => {
    const timed = { ...options, retryTimeoutInMilliseconds: 500 };
    expect([retryDelayMs(timed, 1, 1_000, 1_499), retryDelayMs(timed, 1, 1_000, 1_500)]).toEqual([100, undefined]);
  });
});

describe('a failed activity', () => {
  it('has the recorded reason and the recorded shape of details', () => {
    const { reason, details } = activityFailed('boom', 'kaput', 'TypeError: kaput\n    at x');
    expect(reason).toBe("Activity function 'boom' failed:  kaput");
    const parsed = JSON.parse(details ?? '') as {
      Message: string;
      InnerException: { RemoteMessage: string; Message: string };
    };
    const events = (
      golden('01') as unknown as { turns: { trigger: { history: { EventType: number; Details?: string }[] } }[] }
    ).turns;
    const recorded = events.at(-1)?.trigger.history.find((e) => e.EventType === history.EventType.TaskFailed);
    const real = JSON.parse(recorded?.Details ?? '') as typeof parsed;
    expect(Object.keys(parsed)).toEqual(Object.keys(real));
    expect(Object.keys(parsed.InnerException)).toEqual(Object.keys(real.InnerException));
    expect([parsed.Message, parsed.InnerException.RemoteMessage]).toEqual([
      real.Message,
      real.InnerException.RemoteMessage,
    ]);
  });

  it('with exception properties becomes the recorded FailureDetails', () => {
    const turns = golden('22') as unknown as {
      name: string;
      trigger: { history?: history.HistoryEvent[] };
      answer: { error_message?: string };
    }[];
    const thrown = turns.find((t) => t.name === 'bizAct2')?.answer.error_message ?? '';
    const recorded = turns
      .flatMap((t) => t.trigger.history ?? [])
      .find((e) => e.EventType === history.EventType.TaskFailed);
    const { reason, details, failureDetails } = activityFailed('bizAct2', thrown, undefined);
    expect({ Reason: reason, Details: details, FailureDetails: failureDetails }).toEqual({
      Reason: (recorded as history.Failure).Reason,
      Details: null,
      FailureDetails: (recorded as history.Failure).FailureDetails,
    });
  });
});

describe('rewind', () => {
  const failed = history.failure('activity', 1, { reason: 'r', details: null }, 0);
  const events: history.HistoryEvent[] = [
    history.taskScheduled(0, 'kept', 0),
    history.completion('activity', 0, '1', 0),
    history.taskScheduled(1, 'failed', 0),
    history.subOrchestrationCreated(2, { name: 'c', version: null, instanceId: 'child' }, 0),
    failed,
    history.failure('sub-orchestration', 2, { reason: 'r', details: null }, 0),
    history.executionCompleted(3, 'Failed', 'r', 0),
  ];

  it('strikes out failures and the calls that failed, keeps the rest in place, and names failed children', () => {
    const rewound = rewindHistory(events);
    expect(rewound.events.map((e) => e.EventType)).toEqual([4, 5, 17, 7, 17, 17, 17]);
    expect(rewound.failedChildren).toEqual(['child']);
    expect(rewound.events[2]).toMatchObject({ EventId: 1, Data: null });
  });
});

describe('the status', () => {
  it.each([
    [null, null],
    ['  ', ''],
    ['{"a":1}', { a: 1 }],
    ['stop it', 'stop it'],
    ['undefined', 'undefined'],
    ['123', 123],
  ])('shows %j as JSON or as the text itself', (text, shown) => expect(jsonOrText(text)).toEqual(shown));

  it('folds schedules into completions and cannot show an id that was scheduled twice', () => {
    const done = [history.taskScheduled(0, 'a', 0), history.completion('activity', 0, '{"r":1}', 5)];
    expect(mergedHistory(done, true, true)).toEqual({
      ok: true,
      events: [
        {
          EventType: 'TaskCompleted',
          Result: { r: 1 },
          Timestamp: '1970-01-01T00:00:00.005Z',
          ScheduledTime: '1970-01-01T00:00:00+00:00',
          FunctionName: 'a',
          Input: null,
        },
      ],
    });
    const twice = [...done, history.taskScheduled(0, 'b', 0)];
    expect(mergedHistory(twice, true, true)).toEqual({ ok: false, duplicate: 'TaskScheduled_0' });
  });
});
