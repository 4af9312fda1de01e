/**
 * Golden histories of orchestrators: what an instance did, as the engine recorded it, and the comparison with what today's code would do. The
 * JavaScript SDK replays a history whose events differ from what the code schedules without complaint, so the comparison is ours.
 */
import { type Action, ActionType, parseAnswer } from '../../src/local/host/engine/actions.ts';
import { azureStorageLimits } from '../../src/local/host/engine/flows.ts';
import { EventType, type HistoryEvent } from '../../src/local/host/engine/history.ts';
import { orchestrationPayload } from '../../src/local/host/engine/payload.ts';
import type { InstanceRecord } from '../../src/local/host/engine/store.ts';
import type { WorkerHost } from '../../src/local/host/engine/types.ts';

/** A file of `test/replay/histories`. */
export interface GoldenHistory {
  readonly orchestrator: string;
  /** Version of the app that ran it. */
  readonly appVersion: string;
  readonly case: string;
  readonly about: string;
  readonly instanceId: string;
  readonly input: unknown;
  /** Of the TaskScheduled events, in their order: the events themselves carry none. */
  readonly activityInputs: readonly unknown[];
  readonly history: readonly HistoryEvent[];
}

/** What an orchestrator asks of the engine, in order. */
export type Effect =
  | { readonly kind: 'activity'; readonly name: string; readonly input: unknown }
  | { readonly kind: 'timer'; readonly fireAtMs: number }
  | { readonly kind: 'other'; readonly actionType: number }
  | { readonly kind: 'end'; readonly output: unknown };

/** The effects in an orchestrator's answer (its JSON text). Waiting for an event leaves no trace in a history. */
export function effectsOf(answerText: string): Effect[] {
  const answer = parseAnswer(answerText);
  if (answer.error !== undefined) throw new Error(`the orchestrator failed: ${answer.error}`);
  const end: Effect[] = answer.isDone ? [{ kind: 'end', output: JSON.parse(answer.output ?? 'null') }] : [];
  return [...answer.actions.flatMap(actionEffects), ...end];
}

function actionEffects(action: Action): Effect[] {
  switch (action.actionType) {
    case ActionType.WhenAll:
    case ActionType.WhenAny:
      return (action.compoundActions ?? []).flatMap(actionEffects);
    case ActionType.WaitForExternalEvent:
      return [];
    case ActionType.CallActivity:
      return [{ kind: 'activity', name: action.functionName ?? '', input: action.input ?? null }];
    case ActionType.CreateTimer:
      return [{ kind: 'timer', fireAtMs: Date.parse(action.fireAt ?? '') }];
    default:
      return [{ kind: 'other', actionType: action.actionType }];
  }
}

/** The effects that the first `events` events of a history record. */
export function recordedEffects({ history, activityInputs }: GoldenHistory, events = history.length): Effect[] {
  const inputs = [...activityInputs];
  return history.slice(0, events).flatMap((event): Effect[] => {
    if (event.EventType === EventType.TaskScheduled)
      return [{ kind: 'activity', name: event.Name, input: inputs.shift() ?? null }];
    if (event.EventType === EventType.TimerCreated) return [{ kind: 'timer', fireAtMs: Date.parse(event.FireAt) }];
    if (event.EventType === EventType.ExecutionCompleted)
      return [{ kind: 'end', output: JSON.parse(event.Result ?? 'null') }];
    return [];
  });
}

const effectTypes: ReadonlySet<number> = new Set([
  EventType.TaskScheduled,
  EventType.TimerCreated,
  EventType.SubOrchestrationInstanceCreated,
  EventType.ExecutionCompleted,
]);

interface Turn {
  /** Events that the worker is given. */
  readonly given: number;
  /** Events after the turn's own effects. */
  readonly done: number;
}

/** Where the turns of a history begin and end: from what came in to OrchestratorCompleted. */
function turnsOf(history: readonly HistoryEvent[]): Turn[] {
  const turns: Turn[] = [];
  let start = 0;
  for (const [index, event] of history.entries()) {
    if (event.EventType !== EventType.OrchestratorCompleted) continue;
    const own = history.slice(start, index).findIndex(({ EventType: type }) => effectTypes.has(type));
    turns.push({ given: own < 0 ? index : start + own, done: index + 1 });
    start = index + 1;
  }
  return turns;
}

/** Replays every prefix that the engine handed to the worker, and says where today's code would do otherwise than recorded. */
export async function divergences(worker: WorkerHost, golden: GoldenHistory): Promise<string[]> {
  const found: string[] = [];
  const all = recordedEffects(golden).map((effect) => JSON.stringify(effect));
  for (const [index, { given, done }] of turnsOf(golden.history).entries()) {
    const recorded = all.slice(0, recordedEffects(golden, done).length);
    const actual = (await replayed(worker, golden, given)).map((effect) => JSON.stringify(effect));
    const expected = hostWaits(golden.history.slice(0, given)) ? all.slice(0, actual.length) : recorded;
    const length = Math.max(expected.length, recorded.length, actual.length);
    const at = Array.from({ length }).findIndex((_, position) => expected[position] !== actual[position]);
    if (at >= 0) found.push(`turn ${index}, effect ${at}: recorded ${expected[at]}, now ${actual[at]}`);
  }
  return found;
}

/**
 * `Task.all` fails the orchestrator at the first activity that fails, and it goes on; the host carries out what it asks for next only when all of them
 * have answered (as the extension does). Until then the answer is ahead of the history.
 */
function hostWaits(given: readonly HistoryEvent[]): boolean {
  const answered = new Set<number>();
  let failed = false;
  for (const event of given) {
    if (event.EventType === EventType.TaskFailed) failed = true;
    if (event.EventType === EventType.TaskCompleted || event.EventType === EventType.TaskFailed)
      answered.add(event.TaskScheduledId);
  }
  const isOpen = (event: HistoryEvent) => event.EventType === EventType.TaskScheduled && !answered.has(event.EventId);
  return failed && given.some(isOpen);
}

export const turnCount = ({ history }: GoldenHistory): number => turnsOf(history).length;

async function replayed(worker: WorkerHost, golden: GoldenHistory, events: number): Promise<Effect[]> {
  const { orchestrator, instanceId, history } = golden;
  const given = history.slice(0, events);
  const turnStart = given.findLastIndex(({ EventType: type }) => type === EventType.OrchestratorStarted);
  const texts = given.map((event, index) => JSON.stringify({ ...event, IsPlayed: index < turnStart }));
  const record = { instanceId, input: JSON.stringify(golden.input), parent: null } as unknown as InstanceRecord;
  const payload = orchestrationPayload(record, texts.join(','), turnStart > 0, azureStorageLimits);
  return effectsOf(await worker.runOrchestrator(orchestrator, payload, instanceId));
}
