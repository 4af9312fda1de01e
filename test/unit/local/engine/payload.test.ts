import { describe, expect, it } from 'vitest';
import { durableClientBinding } from '../../../../src/local/host/engine/binding.ts';
import { azureStorageLimits } from '../../../../src/local/host/engine/flows.ts';
import * as history from '../../../../src/local/host/engine/history.ts';
import {
  activityResult,
  activityTrigger,
  netTimeSpan,
  orchestrationPayload,
} from '../../../../src/local/host/engine/payload.ts';
import type { RpcTypedData } from '../../../../src/local/host/rpc.ts';
import { anInstance } from '../../../contract/durable-store.contract.ts';
import { golden, goldenTurns } from './goldens.ts';

interface GoldenActivity {
  readonly trigger: RpcTypedData;
  readonly triggerMetadata: Readonly<Record<string, RpcTypedData>>;
  readonly answer: { readonly returnValue: (RpcTypedData & { bytes?: unknown }) | null };
}

describe('the activity trigger', () => {
  const data = golden('02') as unknown as {
    activities: GoldenActivity[];
    orchestratorActions: { returnValue_json: { actions: { input?: unknown }[][] } };
  };
  const actions = data.orchestratorActions.returnValue_json.actions[0] ?? [];

  it.each(actions.map((action, i) => [JSON.stringify(action.input), action.input, data.activities[i]] as const))(
    'carries %s as the extension does',
    (_text, input, recorded) => {
      const text = input === undefined || input === null ? null : JSON.stringify(input);
      const { '<bindingName>': _own, ...metadata } = recorded?.triggerMetadata ?? {};
      expect(activityTrigger('inputs-g1', text)).toEqual({ data: recorded?.trigger, metadata });
    },
  );

  it('has 17 recorded inputs to go by', () => expect([actions.length, data.activities.length]).toEqual([17, 17]));
});

describe('the result of an activity', () => {
  const data = golden('03') as unknown as { activities: GoldenActivity[]; taskCompletedEvents: (string | null)[] };

  it.each(
    data.activities.map((a, i) => [JSON.stringify(a.answer.returnValue), a, data.taskCompletedEvents[i]] as const),
  )('%s becomes the recorded Result', (_text, recorded, result) => {
    const { returnValue } = recorded.answer;
    const bytes = typeof returnValue?.bytes === 'string' ? { bytes: Buffer.from(returnValue.bytes, 'base64') } : {};
    expect(activityResult(returnValue && { ...returnValue, ...bytes })).toBe(result);
  });
});

describe('history events', () => {
  const recorded = new Map<number, string[]>();
  for (const { trigger } of goldenTurns()) {
    for (const event of trigger.history) recorded.set(event.EventType, Object.keys(event));
  }
  const instance = { InstanceId: 'i', ExecutionId: 'x' };
  const start = { instance, parent: null, name: 'n', version: null, input: null, generation: 0 };
  const built: history.HistoryEvent[] = [
    history.turnMark('started', 0),
    history.turnMark('completed', 0),
    history.executionStarted(start, 0),
    history.taskScheduled(0, 'n', 0),
    history.completion('activity', 0, null, 0),
    history.completion('sub-orchestration', 0, null, 0),
    history.failure('activity', 0, { reason: 'r', details: null }, 0),
    history.failure('sub-orchestration', 0, { reason: 'r', details: null }, 0),
    history.subOrchestrationCreated(0, { name: 'n', version: null, instanceId: 'i' }, 0),
    history.timerCreated(0, 0, 0),
    history.timerFired(0, 0, 0),
    history.eventRaised('n', null, 0),
    history.suspendedOrResumed('suspended', null, 0),
    history.suspendedOrResumed('resumed', null, 0),
    history.generic(null, history.turnMark('started', 0)),
  ];

  it.each(built.map((event) => [event.EventType, event] as const))(
    'of type %i have the recorded fields in the recorded order',
    (type, event) => {
      expect(Object.keys(event)).toEqual(recorded.get(type));
    },
  );

  it.each([
    [0, '1970-01-01T00:00:00Z'],
    [620, '1970-01-01T00:00:00.62Z'],
    [10_500, '1970-01-01T00:00:10.5Z'],
    [600_000, '1970-01-01T00:10:00Z'],
    [1, '1970-01-01T00:00:00.001Z'],
  ])('write %i ms as .NET does', (ms, text) => expect(history.netTime(ms)).toBe(text));
});

describe('the orchestration trigger', () => {
  it('has the recorded members in the recorded order', () => {
    const turn = goldenTurns()[0];
    const record = anInstance({
      input: JSON.stringify(turn?.trigger.input),
      instanceId: turn?.trigger.instanceId ?? '',
    });
    const text = (turn?.trigger.history ?? []).map((event) => JSON.stringify(event)).join(',');
    expect(JSON.parse(orchestrationPayload(record, text, false, azureStorageLimits))).toEqual(turn?.trigger);
    expect(Object.keys(JSON.parse(orchestrationPayload(record, text, false, azureStorageLimits)))).toEqual(
      Object.keys(turn?.trigger ?? {}),
    );
  });

  it.each([
    [3 * 86_400_000, '3.00:00:00'],
    [90_061_000, '1.01:01:01'],
    [59_000, '00:00:59'],
  ])('writes %i ms as a TimeSpan', (ms, text) => expect(netTimeSpan(ms)).toBe(text));
});

describe('the durable client binding', () => {
  it('is the recorded one', () => {
    const settings = { origin: 'http://localhost:7071', hubName: 'GoldHub', systemKey: 'KEY' };
    expect(durableClientBinding(settings, 'http://127.0.0.1:30992')).toEqual(golden('06'));
  });
});
