/**
 * Turns the actions of one turn and the history into decisions, the way the extension does: the whole list is executed again on a fresh
 * DurableTask context, each action started when the one before has finished; ids are handed out in that order; what the history confirms is
 * old, the rest is new work. Pure: no clock, no ids, no storage.
 *
 * Sources: Azure/azure-functions-durable-extension `OutOfProcOrchestrationShim.cs`, Azure/durabletask `TaskOrchestrationContext.cs`,
 * `TaskOrchestrationExecutor.cs`, `RetryInterceptor.cs` (MIT).
 */
import { type Action, ActionType, type WorkerAnswer } from './actions.ts';
import { all, any, Cell, settledCell } from './cells.ts';
import { type Decision, mismatchText, type ScheduleEvent, sameName } from './decisions.ts';
import { httpFlow, type ReplayLimits, retryFlow, type Scheduler, timerFlow } from './flows.ts';
import { type EventRaised, EventType, type HistoryEvent, timeOf } from './history.ts';
import { hangs, nonDeterminism, orchestratorFailed, orchestratorFailureDetails } from './texts.ts';

export interface Ending {
  readonly id: number;
  readonly status: 'Completed' | 'Failed' | 'Terminated' | 'ContinuedAsNew';
  /** Completed and ContinuedAsNew: JSON text or null. Failed and Terminated: the bare text. */
  readonly result: string | null;
  /** What a parent gets as `Details`. */
  readonly details: string | null;
}

export interface ReplayResult {
  readonly decisions: readonly Decision[];
  readonly ending: Ending | undefined;
  /** Events that arrived after continueAsNew was decided; they belong to the next generation. */
  readonly carriedOver: readonly EventRaised[];
  readonly suspended: boolean;
  /** Ids of activities, timers and sub-orchestrations without an answer yet. */
  readonly openIds: readonly number[];
  /** Nothing is open, nothing is waited for and nothing has ended: no event can ever move this instance. */
  readonly stuck: boolean;
}

export interface ReplayInput {
  readonly name: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly parentInstanceId: string | undefined;
  /** Old and new events, in order. */
  readonly history: readonly HistoryEvent[];
  readonly answer: WorkerAnswer;
  /** Undefined = known; otherwise the extension's text for an unknown function. */
  readonly unknownFunction: (kind: 'orchestrator' | 'activity', name: string) => string | undefined;
  readonly limits: ReplayLimits;
}

export function replay(input: ReplayInput): ReplayResult {
  return new Replay(input).run();
}

class NonDeterminism extends Error {}
class Refused extends Error {}

class Replay implements Scheduler {
  readonly limits: ReplayLimits;
  nowMs = 0;
  refusal: string | undefined;
  readonly #input: ReplayInput;
  #nextId = 0;
  #unconfirmed = new Map<number, Decision>();
  #heldBack = new Map<number, Decision>();
  readonly #open = new Map<number, Cell>();
  /** Keys in lower case: the extension compares event names without regard to case (the SDK does not). */
  readonly #waiting = new Map<string, Cell[]>();
  readonly #buffered = new Map<string, number>();
  #position = 0;
  #current: Cell | undefined;
  #advancing = false;
  #started = false;
  #suspended = false;
  #whileSuspended: HistoryEvent[] = [];
  #continueAsNew: { readonly input: string | null } | undefined;
  readonly #carriedOver: EventRaised[] = [];
  #terminated: Ending | undefined;

  constructor(input: ReplayInput) {
    this.#input = input;
    this.limits = input.limits;
  }

  run(): ReplayResult {
    let ending: Ending | undefined;
    try {
      for (const event of this.#input.history) {
        if (event.EventType === EventType.OrchestratorStarted) this.nowMs = timeOf(event);
        else this.#process(event);
      }
      ending = this.#ending();
    } catch (error) {
      if (error instanceof NonDeterminism)
        ending = this.#terminated ?? this.#failure(nonDeterminism.prefix(error.message));
      else if (error instanceof Refused) ending = this.#terminated ?? this.#refused(error.message);
      else throw error;
    }
    const decisions = [...this.#unconfirmed.values()].sort((a, b) => a.id - b.id);
    return {
      decisions,
      ending,
      carriedOver: this.#carriedOver,
      suspended: this.#suspended,
      openIds: [...this.#open.keys()],
      stuck: ending === undefined && this.#isStuck() && !waitsForEvents(this.#input.answer.actions),
    };
  }

  #process(event: HistoryEvent): void {
    const overrides =
      event.EventType === EventType.ExecutionResumed || event.EventType === EventType.ExecutionTerminated;
    if (this.#suspended && !overrides) {
      if (event.EventType !== EventType.ExecutionSuspended) this.#whileSuspended.push(event);
      return;
    }
    switch (event.EventType) {
      case EventType.ExecutionStarted:
        this.#started = true;
        this.#advance();
        break;
      case EventType.TaskScheduled:
      case EventType.TimerCreated:
      case EventType.SubOrchestrationInstanceCreated:
        this.#confirm(event);
        break;
      case EventType.TaskCompleted:
      case EventType.SubOrchestrationInstanceCompleted:
        this.#settle(event.TaskScheduledId, false, event.Result);
        break;
      case EventType.TaskFailed:
      case EventType.SubOrchestrationInstanceFailed:
        this.#settle(event.TaskScheduledId, true, null);
        break;
      case EventType.TimerFired:
        this.#settle(event.TimerId, false, null);
        break;
      case EventType.EventRaised:
        this.#raise(event);
        break;
      default:
        this.#control(event);
    }
  }

  #control(event: HistoryEvent): void {
    if (event.EventType === EventType.ExecutionTerminated) {
      this.#terminated ??= { id: this.#nextId++, status: 'Terminated', result: event.Input, details: null };
    } else if (event.EventType === EventType.ExecutionSuspended) {
      this.#suspended = true;
      // Decisions made while suspended wait here until the instance is resumed.
      for (const [id, decision] of this.#unconfirmed) this.#heldBack.set(id, decision);
      this.#unconfirmed = new Map();
    } else if (event.EventType === EventType.ExecutionResumed) {
      this.#suspended = false;
      for (const [id, decision] of this.#heldBack) this.#unconfirmed.set(id, decision);
      this.#heldBack = new Map();
      const queued = this.#whileSuspended;
      this.#whileSuspended = [];
      for (const late of queued) this.#process(late);
    }
  }

  // --- endings

  #ending(): Ending | undefined {
    if (this.#terminated) return this.#terminated;
    const { answer } = this.#input;
    if (!this.#started || this.#open.size > 0) return undefined;
    if (this.refusal !== undefined && this.#isStuck()) return this.#refused(this.refusal);
    if (!this.#allFinished()) return undefined;
    if (answer.error !== undefined) {
      return this.#failure(
        orchestratorFailed(this.#input.name, answer.error),
        orchestratorFailureDetails(answer.error),
      );
    }
    if (answer.threwNothing) return this.#refused(hangs.notAnError());
    if (!answer.isDone) return undefined;
    if (this.#continueAsNew) {
      return { id: this.#nextId++, status: 'ContinuedAsNew', result: this.#continueAsNew.input, details: null };
    }
    return { id: this.#nextId++, status: 'Completed', result: answer.output, details: null };
  }

  #failure(result: string, details = `Unhandled exception while executing orchestration: ${result}`): Ending {
    return { id: this.#nextId++, status: 'Failed', result, details };
  }

  #refused(message: string): Ending {
    return this.#failure(orchestratorFailed(this.#input.name, message), orchestratorFailureDetails(message));
  }

  #allFinished(): boolean {
    return this.#position === this.#input.answer.actions.length && (this.#current?.settled ?? true);
  }

  #isStuck(): boolean {
    return this.#started && !this.#suspended && this.#open.size === 0 && this.#waiting.size === 0;
  }

  // --- history

  #confirm(event: ScheduleEvent): void {
    const decision = this.#unconfirmed.get(event.EventId);
    const mismatch = mismatchText(event, decision);
    if (mismatch !== undefined) throw new NonDeterminism(mismatch);
    this.#unconfirmed.delete(event.EventId);
  }

  /** Answers to unknown ids are duplicates or belong to cancelled timers. */
  #settle(id: number, failed: boolean, value: string | null): void {
    const cell = this.#open.get(id);
    if (!cell) return;
    this.#open.delete(id);
    cell.settle(failed, value);
  }

  #raise(event: EventRaised): void {
    if (this.#continueAsNew) {
      this.#carriedOver.push(event);
      return;
    }
    const key = event.Name.toLowerCase();
    const waiters = this.#waiting.get(key);
    const cell = waiters?.pop();
    if (waiters?.length === 0) this.#waiting.delete(key);
    if (cell) cell.settle(false);
    else this.#buffered.set(key, (this.#buffered.get(key) ?? 0) + 1);
  }

  // --- actions

  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    const { actions } = this.#input.answer;
    while (this.#current === undefined || this.#current.settled) {
      const action = actions[this.#position];
      if (!action) break;
      this.#position++;
      this.#current = this.#start(action);
    }
    this.#advancing = false;
    const current = this.#current;
    if (current && !current.settled) current.whenSettled(() => this.#advance());
  }

  #start(action: Action): Cell {
    switch (action.actionType) {
      case ActionType.CallActivity:
        return this.#activity(action);
      case ActionType.CallActivityWithRetry:
        return retryFlow(this, action, () => this.#activity(action));
      case ActionType.CallSubOrchestrator:
        return this.#child(action);
      case ActionType.CallSubOrchestratorWithRetry:
        return retryFlow(this, action, () => this.#child(action));
      case ActionType.ContinueAsNew:
        this.#continueAsNew = { input: jsonText(action.input) };
        return settledCell();
      case ActionType.CreateTimer:
        return timerFlow(this, action);
      case ActionType.WaitForExternalEvent:
        return this.#wait(action.externalEventName ?? '');
      case ActionType.CallHttp:
        return httpFlow(this, action.httpRequest ?? { method: 'GET', uri: '' });
      case ActionType.WhenAll:
        return all((action.compoundActions ?? []).map((child) => this.#start(child)));
      case ActionType.WhenAny:
        return any((action.compoundActions ?? []).map((child) => this.#start(child)));
      default:
        throw new Refused(entityRefusal(action));
    }
  }

  withdraw(id: number): void {
    this.#open.delete(id);
  }

  decide(make: (id: number) => Decision): Cell {
    const id = this.#nextId++;
    const cell = new Cell();
    this.#unconfirmed.set(id, make(id));
    this.#open.set(id, cell);
    return cell;
  }

  #activity(action: Action): Cell {
    const name = action.functionName ?? '';
    const unknown = this.#input.unknownFunction('activity', name);
    if (unknown !== undefined) throw new Refused(hangs.unknown(unknown));
    return this.decide((id) => ({ kind: 'activity', id, name, input: action.input }));
  }

  #child(action: Action): Cell {
    const name = action.functionName ?? '';
    const unknown = this.#input.unknownFunction('orchestrator', name);
    if (unknown !== undefined) throw new Refused(hangs.unknown(unknown));
    const { instanceId: own, executionId, parentInstanceId } = this.#input;
    const asked = action.instanceId;
    if (
      asked &&
      (asked.startsWith('@') || sameName(asked, own) || (parentInstanceId && sameName(asked, parentInstanceId)))
    ) {
      throw new Refused(hangs.childId(asked));
    }
    return this.decide((id) => ({
      kind: 'sub-orchestration',
      id,
      name,
      version: action.version,
      instanceId: asked?.trim() ? asked : `${executionId}:${id}`,
      input: action.input,
    }));
  }

  /** Waits on one name form a stack: the last one gets the first event. */
  #wait(name: string): Cell {
    const key = name.toLowerCase();
    const buffered = this.#buffered.get(key) ?? 0;
    if (buffered > 0) {
      if (buffered === 1) this.#buffered.delete(key);
      else this.#buffered.set(key, buffered - 1);
      return settledCell();
    }
    const cell = new Cell();
    const stack = this.#waiting.get(key);
    if (stack) stack.push(cell);
    else this.#waiting.set(key, [cell]);
    return cell;
  }
}

function jsonText(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}

/** An event of another case satisfies the extension's wait but not the SDK's: one that waits for events can always go on. */
function waitsForEvents(actions: readonly Action[]): boolean {
  return actions.some(
    (action) => action.actionType === ActionType.WaitForExternalEvent || waitsForEvents(action.compoundActions ?? []),
  );
}

function entityRefusal(action: Action): string {
  switch (action.actionType) {
    case ActionType.CallEntity:
      return hangs.entities(`callEntity '${action.operation}' on ${action.instanceId}`);
    case ActionType.SignalEntity:
    case ActionType.ScheduledSignalEntity:
      return hangs.entities(`signalEntity '${action.operation}' on ${action.instanceId}`);
    case ActionType.LockEntities:
    case ActionType.ReleaseEntities:
      return hangs.entities('lock');
    default:
      return `Received an unexpected action type from the out-of-proc function: '${action.actionType}'.`;
  }
}
