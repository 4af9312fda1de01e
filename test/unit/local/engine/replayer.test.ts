import { describe, expect, it } from 'vitest';
import { type Action, ActionType, failedAnswer, type WorkerAnswer } from '../../../../src/local/host/engine/actions.ts';
import type { Decision } from '../../../../src/local/host/engine/decisions.ts';
import { azureStorageLimits } from '../../../../src/local/host/engine/flows.ts';
import {
  completion,
  EventType,
  type ExecutionStarted,
  eventRaised,
  executionStarted,
  failure,
  type HistoryEvent,
  suspendedOrResumed,
  taskScheduled,
  terminated,
  timerCreated,
  timerFired,
  turnMark,
} from '../../../../src/local/host/engine/history.ts';
import { type ReplayResult, replay } from '../../../../src/local/host/engine/replayer.ts';
import { type GoldenTurn, goldenTurns } from './goldens.ts';

function replayed(history: readonly HistoryEvent[], answer: WorkerAnswer): ReplayResult {
  const start = history.find((e): e is ExecutionStarted => e.EventType === EventType.ExecutionStarted);
  return replay({
    name: start?.Name ?? 'orchestrator',
    instanceId: start?.OrchestrationInstance.InstanceId ?? 'i',
    executionId: start?.OrchestrationInstance.ExecutionId ?? 'x',
    parentInstanceId: start?.ParentInstance?.OrchestrationInstance.InstanceId,
    history,
    answer,
    unknownFunction: () => undefined,
    limits: azureStorageLimits,
  });
}

/** What identifies a decision in a history. */
const ofDecision = (d: Decision) =>
  d.kind === 'timer'
    ? { id: d.id, fireAtMs: d.fireAtMs }
    : { id: d.id, name: d.name, ...(d.kind === 'sub-orchestration' && { instanceId: d.instanceId }) };

function ofEvent(event: HistoryEvent): object[] {
  switch (event.EventType) {
    case EventType.TaskScheduled:
      return [{ id: event.EventId, name: event.Name }];
    case EventType.TimerCreated:
      return [{ id: event.EventId, fireAtMs: Date.parse(event.FireAt) }];
    case EventType.SubOrchestrationInstanceCreated:
      return [{ id: event.EventId, name: event.Name, instanceId: event.InstanceId }];
    default:
      return [];
  }
}

const usesEntities = ({ answer }: GoldenTurn): boolean => {
  const entity = new Set<number>([7, 9, 10, 13, 14]);
  const any = (actions: readonly Action[]): boolean =>
    actions.some((a) => entity.has(a.actionType) || any(a.compoundActions ?? []));
  return any(answer.actions);
};
const executionOf = (history: readonly HistoryEvent[]) =>
  history.find((e): e is ExecutionStarted => e.EventType === EventType.ExecutionStarted)?.OrchestrationInstance
    .ExecutionId;

describe('the replayer, fed with what the real extension recorded,', () => {
  const turns = goldenTurns();
  const plain = turns.filter((turn) => !usesEntities(turn));
  const followed = plain.filter(
    (t) =>
      t.next &&
      executionOf(t.next.history) === executionOf(t.trigger.history) &&
      t.next.history.length > t.trigger.history.length,
  );
  const continued = plain.filter((t) => t.next && executionOf(t.next.history) !== executionOf(t.trigger.history));

  it('has enough recorded turns to go by', () => {
    expect([plain.length > 80, followed.length > 40, continued.length > 5]).toEqual([true, true, true]);
  });

  it.each(followed.map((turn) => [turn.where, turn] as const))(
    'decides what the history records next: %s',
    (_where, turn) => {
      const added = turn.next?.history.slice(turn.trigger.history.length) ?? [];
      const end = added.findIndex((event) => event.EventType === EventType.OrchestratorCompleted);
      // A rewound history has its schedules struck out; the turn before it cannot be compared.
      if (added.some((event) => event.EventType === EventType.GenericEvent)) return;
      const { decisions } = replayed(turn.trigger.history, turn.answer);
      expect(decisions.map(ofDecision)).toEqual(added.slice(0, end).flatMap(ofEvent));
    },
  );

  it.each(continued.map((turn) => [turn.where, turn] as const))(
    'continues as new with the recorded input and events: %s',
    (_where, turn) => {
      const { ending, carriedOver } = replayed(turn.trigger.history, turn.answer);
      const seed = turn.next?.history ?? [];
      const started = seed.find((e): e is ExecutionStarted => e.EventType === EventType.ExecutionStarted);
      expect(ending?.status).toBe('ContinuedAsNew');
      expect(ending?.result).toBe(started?.Input);
      const firstTurn = seed.slice(
        0,
        seed.findIndex((e) => e.EventType === EventType.OrchestratorCompleted),
      );
      const raised = firstTurn.filter((e) => e.EventType === EventType.EventRaised);
      expect(carriedOver.map((e) => e.Name)).toEqual(raised.map((e) => (e as { Name: string }).Name));
    },
  );

  it('completes every recorded turn that was done with nothing open', () => {
    const continues = (t: GoldenTurn) => t.answer.actions.some((a) => a.actionType === ActionType.ContinueAsNew);
    const done = plain.filter((t) => t.answer.isDone && !t.next && !continues(t));
    expect(done.length).toBeGreaterThan(15);
    for (const turn of done) {
      const { ending, openIds } = replayed(turn.trigger.history, turn.answer);
      if (openIds.length === 0) expect([turn.where, ending?.status]).toEqual([turn.where, 'Completed']);
      else expect(ending).toBeUndefined();
    }
  });

  it('finds the non-determinism that the extension found, in its words', () => {
    const turn = turns.findLast((t) => t.where.includes('turns/anyRetry/'));
    const { ending, decisions } = replayed(turn?.trigger.history ?? [], turn?.answer ?? failedAnswer(''));
    expect(ending).toMatchObject({
      status: 'Failed',
      result:
        'Non-Deterministic workflow detected: A previous execution of this orchestration scheduled a timer task with sequence number 2 named but the current orchestration replay instead produced a ScheduleTaskOrchestratorAction action with this sequence number. Was a change made to the orchestrator code after this instance had already started running?',
    });
    expect(decisions.map((d) => d.kind)).toEqual(['activity', 'timer']);
  });

  it('refuses entities by name', () => {
    const turn = turns.find(usesEntities);
    expect(turn).toBeDefined();
    if (turn) expect(replayed(turn.trigger.history, turn.answer).ending?.result).toMatch(/entities are not offered/);
  });
});

// --- built histories

const t0 = Date.UTC(2026, 0, 1);
const started = (input: string | null = null) =>
  executionStarted(
    { instance: { InstanceId: 'i', ExecutionId: 'x' }, parent: null, name: 'o', version: null, input, generation: 0 },
    t0,
  );
const first = [turnMark('started', t0), started()];
const answers = (actions: readonly Action[], over: Partial<WorkerAnswer> = {}): WorkerAnswer => ({
  actions,
  isDone: false,
  output: null,
  error: undefined,
  customStatus: null,
  threwNothing: false,
  ...over,
});
const activity = (functionName: string): Action => ({ actionType: ActionType.CallActivity, functionName });
const timer = (afterMs: number, isCanceled = false): Action => ({
  actionType: ActionType.CreateTimer,
  fireAt: new Date(t0 + afterMs).toISOString(),
  isCanceled,
});
const event = (externalEventName: string): Action => ({
  actionType: ActionType.WaitForExternalEvent,
  externalEventName,
});
const anyOf = (...compoundActions: Action[]): Action => ({ actionType: ActionType.WhenAny, compoundActions });
const allOf = (...compoundActions: Action[]): Action => ({ actionType: ActionType.WhenAll, compoundActions });
const day = 86_400_000;

describe('the replayer', () => {
  it('starts the next action only when the one before has finished', () => {
    const twoInARow = answers([activity('a'), activity('b')]);
    expect(replayed(first, twoInARow).decisions.map((d) => d.id)).toEqual([0]);
    const later = [
      ...first,
      taskScheduled(0, 'a', t0),
      turnMark('started', t0 + 9),
      completion('activity', 0, '1', t0),
    ];
    expect(replayed(later, twoInARow).decisions).toMatchObject([{ id: 1, name: 'b' }]);
  });

  it('starts all of a Task.all at once and goes on when the last has answered, failed or not', () => {
    const both = answers([allOf(activity('a'), activity('b')), activity('c')]);
    expect(replayed(first, both).decisions.map((d) => d.id)).toEqual([0, 1]);
    const open = [...first, taskScheduled(0, 'a', t0), taskScheduled(1, 'b', t0), turnMark('started', t0 + 9)];
    const failed = failure('activity', 1, { reason: 'r', details: null }, t0);
    expect(replayed([...open, failed], both).decisions).toEqual([]);
    expect(replayed([...open, failed, completion('activity', 0, null, t0)], both).decisions).toMatchObject([
      { id: 2, name: 'c' },
    ]);
  });

  it('compares names with history without regard to case', () => {
    const later = [...first, taskScheduled(0, 'A', t0), turnMark('started', t0 + 9)];
    expect(replayed(later, answers([activity('a')])).ending).toBeUndefined();
    expect(replayed(later, answers([activity('other')])).ending?.result).toContain(
      "instead scheduled an activity task named 'other'",
    );
  });

  it('waits with its end for an open timer, but not for a cancelled one, which takes its id all the same', () => {
    const raised = [...first, timerCreated(0, t0 + 6_000, t0), turnMark('started', t0 + 9), eventRaised('go', '1', t0)];
    const done = { isDone: true, output: '"done"' };
    const open = replayed(raised, answers([anyOf(timer(6_000), event('go'))], done));
    expect([open.ending, open.openIds]).toEqual([undefined, [0]]);
    const cancelled = replayed(raised, answers([anyOf(timer(6_000, true), event('go'))], done));
    expect(cancelled.ending).toMatchObject({ status: 'Completed', result: '"done"', id: 1 });
    const fresh = replayed(first, answers([timer(6_000, true), activity('a')]));
    expect(fresh.decisions).toMatchObject([
      { kind: 'timer', id: 0 },
      { kind: 'activity', id: 1 },
    ]);
  });

  it('cuts a timer of ten days into legs of three days and less', () => {
    const tenDays = answers([timer(10 * day)]);
    const history: HistoryEvent[] = [...first];
    const legs: number[] = [];
    for (let nowMs = t0; ; ) {
      const [decision] = replayed(history, tenDays).decisions;
      if (decision?.kind !== 'timer') break;
      legs.push((decision.fireAtMs - nowMs) / day);
      history.push(timerCreated(decision.id, decision.fireAtMs, nowMs));
      nowMs = decision.fireAtMs;
      history.push(turnMark('started', nowMs), timerFired(decision.id, nowMs, nowMs));
    }
    expect(legs).toEqual([3, 3, 3, 1]);
  });

  it('gives the last of two waits the first event and keeps unmatched events in order', () => {
    const two = answers([allOf(event('e'), event('E')), activity('after')]);
    const one = [...first, turnMark('started', t0 + 9), eventRaised('e', '1', t0)];
    expect(replayed(one, two).decisions).toEqual([]);
    expect(replayed([...one, eventRaised('e', '2', t0)], two).decisions).toMatchObject([{ id: 0 }]);
    expect(replayed([...first, eventRaised('e', '1', t0), eventRaised('e', '2', t0)], two).decisions).toMatchObject([
      { id: 0 },
    ]);
  });

  it('holds decisions back while suspended and releases them with what came meanwhile', () => {
    const action = answers([event('one'), activity('a')]);
    const suspended = [
      ...first,
      turnMark('started', t0 + 1),
      suspendedOrResumed('suspended', 'hold', t0),
      eventRaised('one', '1', t0),
    ];
    expect(replayed(suspended, action)).toMatchObject({ decisions: [], suspended: true });
    const resumed = [...suspended, turnMark('started', t0 + 2), suspendedOrResumed('resumed', 'go', t0)];
    expect(replayed(resumed, action)).toMatchObject({ decisions: [{ id: 0, name: 'a' }], suspended: false });
  });

  it('lets a termination win over a completion in the same turn', () => {
    const last = [...first, terminated('stop', t0)];
    expect(replayed(last, answers([], { isDone: true, output: '1' })).ending).toMatchObject({
      status: 'Terminated',
      result: 'stop',
    });
  });

  it('retries after the delay, and after the last attempt sets one more timer that is due at once', () => {
    const retryOptions = { firstRetryIntervalInMilliseconds: 1_000, maxNumberOfAttempts: 2, backoffCoefficient: 3 };
    const action = answers([{ actionType: ActionType.CallActivityWithRetry, functionName: 'a', retryOptions }], {
      error: 'gave up',
    });
    const history: HistoryEvent[] = [...first, taskScheduled(0, 'a', t0)];
    history.push(turnMark('started', t0 + 10), failure('activity', 0, { reason: 'r', details: null }, t0));
    expect(replayed(history, action).decisions).toEqual([{ kind: 'timer', id: 1, fireAtMs: t0 + 1_010 }]);
    history.push(timerCreated(1, t0 + 1_010, t0), turnMark('started', t0 + 1_010), timerFired(1, t0 + 1_010, t0));
    expect(replayed(history, action).decisions).toMatchObject([{ kind: 'activity', id: 2 }]);
    history.push(
      taskScheduled(2, 'a', t0),
      turnMark('started', t0 + 2_000),
      failure('activity', 2, { reason: 'r', details: null }, t0),
    );
    expect(replayed(history, action).decisions).toEqual([{ kind: 'timer', id: 3, fireAtMs: t0 + 2_000 }]);
    history.push(timerCreated(3, t0 + 2_000, t0), turnMark('started', t0 + 2_001), timerFired(3, t0 + 2_000, t0));
    expect(replayed(history, action).ending).toMatchObject({
      status: 'Failed',
      result: "Orchestrator function 'o' failed: gave up",
    });
  });

  it('fails an instance whose retry timeout has elapsed and that nothing else can move, and says that the cloud would hang', () => {
    const retryOptions = {
      firstRetryIntervalInMilliseconds: 1_000,
      maxNumberOfAttempts: 9,
      retryTimeoutInMilliseconds: 5,
    };
    const retrying: Action = { actionType: ActionType.CallActivityWithRetry, functionName: 'a', retryOptions };
    const failed = [turnMark('started', t0 + 10), failure('activity', 0, { reason: 'r', details: null }, t0)];
    const history = [...first, taskScheduled(0, 'a', t0), ...failed];
    expect(replayed(history, answers([retrying])).ending?.result).toMatch(/retryTimeout.*would stay Running for ever/);
    expect(replayed(history, answers([anyOf(retrying, event('e')), event('e')])).ending).toBeUndefined();
  });

  it('says the cloud would hang when a function is unknown or when no Error was thrown', () => {
    const start = { name: 'o', instanceId: 'i', executionId: 'x', parentInstanceId: undefined, history: first };
    const unknown = replay({
      ...start,
      answer: answers([activity('typo')]),
      unknownFunction: (_kind, name) => `The function '${name}' doesn't exist.`,
      limits: azureStorageLimits,
    });
    expect(unknown.ending?.result).toMatch(/'typo' doesn't exist.*would stay Running for ever/);
    const threw = replayed(first, answers([], { threwNothing: true }));
    expect(threw.ending?.result).toMatch(/not an Error.*would stay Running for ever/);
  });

  it('calls an instance stuck that no event can move, and none that waits', () => {
    expect(replayed(first, answers([])).stuck).toBe(true);
    expect(replayed(first, answers([event('e')])).stuck).toBe(false);
    expect(replayed(first, answers([activity('a')])).stuck).toBe(false);
  });

  it('makes of a turn whose actions are lost the non-determinism that Azure reports', () => {
    const history = [
      ...first,
      taskScheduled(0, 'a', t0),
      turnMark('started', t0 + 9),
      completion('activity', 0, '1', t0),
    ];
    expect(replayed(history, failedAnswer('worker gone')).ending?.result).toBe(
      "Non-Deterministic workflow detected: A previous execution of this orchestration scheduled an activity task with sequence ID 0 and name 'a' (version ''), but the current replay execution hasn't (yet?) scheduled this task. Was a change made to the orchestrator code after this instance had already started running?",
    );
    expect(replayed(first, failedAnswer('worker gone')).ending?.result).toBe(
      "Orchestrator function 'o' failed: worker gone",
    );
  });

  it('polls callHttp on 202 after Retry-After, else after 30 s, and takes any other answer as it is', () => {
    const request = { method: 'POST', uri: 'http://h/', asynchronousPatternEnabled: true };
    const action = answers([{ actionType: ActionType.CallHttp, httpRequest: request }]);
    const http = (statusCode: number, headers: object) => [
      ...first,
      taskScheduled(0, 'BuiltIn::HttpActivity', t0),
      turnMark('started', t0 + 10),
      completion('activity', 0, JSON.stringify({ statusCode, headers, content: '' }), t0),
    ];
    const at = (headers: object) => replayed(http(202, { Location: 'http://h/st', ...headers }), action).decisions;
    expect(at({ 'Retry-After': '7' })).toMatchObject([{ kind: 'timer', fireAtMs: t0 + 7_010 }]);
    expect(at({})).toMatchObject([{ kind: 'timer', fireAtMs: t0 + 30_010 }]);
    expect(replayed(http(503, {}), action).decisions).toEqual([]);
  });
});
