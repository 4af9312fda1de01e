/**
 * The durable engine: keeps live instances in memory, gives their turns to attached hosts, commits each turn before anything follows from it,
 * and recovers everything from its store. Time, ids and storage are ports; no globals.
 * What a turn decides is in `replayer.ts`, what it changes in `turn.ts`, what clients may ask in `client.ts`.
 */

import { failedAnswer, parseAnswer, parseThrown, type WorkerAnswer } from './actions.ts';
import { Activities } from './activities.ts';
import { createClient, type DurableClient, type EngineState } from './client.ts';
import { azureStorageLimits, httpActivityName, type ReplayLimits } from './flows.ts';
import { executionCompleted, type HistoryEvent, turnMark } from './history.ts';
import { type AttachedHost, Hosts } from './hosts.ts';
import { type Inbound, Instance, toInbound } from './instance.ts';
import { orchestrationPayload } from './payload.ts';
import { replay } from './replayer.ts';
import type { ActivityRecord, InstanceRecord, MessageRecord, Write } from './store.ts';
import { customStatusTooBig, orchestratorFailed, unknownFunction } from './texts.ts';
import {
  type Batch,
  compileTurn,
  deletions,
  hasWork,
  notifyParent,
  type TurnOutcome,
  type TurnTools,
  takeBatch,
} from './turn.ts';
import type { EngineFaults, EngineOptions, FunctionKind, HostDeath, WorkerHost } from './types.ts';
import { mayRun } from './versions.ts';

const defaultLeaseMs = 5 * 60_000;
const defaultConcurrentActivities = 64;
const customStatusLimitBytes = 16 * 1024;
/** After a failed commit the turn is tried again this much later. */
const commitRetryMs = 1_000;

export interface DurableEngine {
  readonly hubName: string;
  readonly client: DurableClient;
  /** Recovers from the store; hosts may be attached before or after. */
  start(): Promise<void>;
  /** Waits for turns in flight, and up to `graceMs` (default 0) for activities; the others run again at the next start. The store stays open. */
  stop(graceMs?: number): Promise<void>;
  attach(host: WorkerHost): void;
  /** The host is gone, with everything it had in hand. Default: its whole machine died. */
  drop(hostId: string, death?: HostDeath): void;
  /** Registered names over all hosts. */
  names(kind: FunctionKind): readonly string[];
}

export function createEngine(options: EngineOptions): DurableEngine {
  return new Engine(options);
}

class Engine implements DurableEngine, EngineState {
  readonly hubName: string;
  readonly client: DurableClient;
  readonly options: EngineOptions;
  readonly instances = new Map<string, Instance>();
  readonly #hosts = new Hosts();
  readonly #activities: Activities;
  readonly #limits: ReplayLimits;
  readonly #faults: EngineFaults;
  readonly #timers = new Map<number, () => void>();
  readonly #endings = new Map<string, Set<() => void>>();
  readonly #turns = new Set<Promise<void>>();
  #ids = 0;
  #running = false;

  constructor(options: EngineOptions) {
    this.options = options;
    this.hubName = options.hubName;
    this.#limits = options.limits ?? azureStorageLimits;
    this.#faults = options.faults ?? {};
    this.#activities = new Activities({
      clock: options.clock,
      store: options.store,
      hosts: this.#hosts,
      maxConcurrent: options.maxConcurrentActivities ?? defaultConcurrentActivities,
      leaseMs: options.activityLeaseMs ?? defaultLeaseMs,
      faults: this.#faults,
      sendHttp: options.sendHttp,
      log: (level, message) => this.#log(level, message),
      onOutcome: (item, event) => this.#onOutcome(item, event),
    });
    this.client = createClient(this);
  }

  get tools(): TurnTools {
    const { options } = this;
    return {
      nowMs: options.clock.now(),
      nextId: () => ++this.#ids,
      newExecutionId: () => options.newId().replaceAll('-', ''),
      defaultVersion: options.defaultVersion,
      timerDueAtMs: (fireAtMs, nowMs) => (this.#faults.earlyTimers ? earlyMs(fireAtMs, nowMs) : fireAtMs),
      keyOf: (instanceId) => this.#keyOf(instanceId),
      leaseUntilMs: () => this.#activities.reserve(),
    };
  }

  async start(): Promise<void> {
    const { store } = this.options;
    this.#ids = store.lastId();
    for (const record of store.unfinished()) {
      this.instances.set(record.instanceId, new Instance(record, store.history(record.key)));
    }
    this.#running = true;
    for (const message of store.messages()) this.deliver(message);
    for (const item of store.activities()) this.#activities.recover(item);
    this.#activities.fill();
  }

  async stop(graceMs = 0): Promise<void> {
    this.#running = false;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await Promise.all(this.#turns);
    await this.#activities.stop(graceMs);
    // Commits keep their order: behind this one nothing of ours is left.
    await this.options.store.commit([]);
  }

  attach(host: WorkerHost): void {
    this.#hosts.attach(host);
    for (const instance of this.instances.values()) this.#wake(instance);
    this.#activities.fill();
  }

  drop(hostId: string, death: HostDeath = 'host'): void {
    const dropped = this.#hosts.drop(hostId, death);
    if (dropped) this.#activities.drop(dropped, death);
  }

  names(kind: FunctionKind): readonly string[] {
    return this.#hosts.names(kind);
  }

  // --- arrivals

  deliver(message: MessageRecord): void {
    const { clock } = this.options;
    const now = clock.now();
    const arrivesAtMs = Math.max(message.visibleAtMs, now + (this.#faults.queueDelayMs ?? 0));
    if (arrivesAtMs <= now) {
      this.#arrive(message.instanceId, toInbound(message));
      return;
    }
    const cancel = clock.at(arrivesAtMs, () => {
      this.#timers.delete(message.id);
      this.#arrive(message.instanceId, toInbound(message));
    });
    this.#timers.set(message.id, cancel);
  }

  #onOutcome(item: ActivityRecord, event: HistoryEvent): void {
    const inbound = { activityId: item.id, executionId: item.executionId, events: [event], isSeed: false };
    const instance = this.instances.get(item.instanceId);
    if (!instance || (instance.state !== 'turning' && this.#mayTurn(instance))) {
      // Committed together with the turn that it causes, which begins at once.
      this.#arrive(item.instanceId, inbound);
      return;
    }
    const { instanceId, executionId } = item;
    const text = JSON.stringify(event);
    const message = { id: ++this.#ids, instanceId, executionId, visibleAtMs: this.options.clock.now(), event: text };
    this.#commit(
      [
        { op: 'deleteActivity', id: item.id },
        { op: 'putMessage', record: message },
      ],
      () => this.deliver(message),
    );
  }

  #arrive(instanceId: string, inbound: Inbound): void {
    if (!this.#running) return;
    const instance = this.instances.get(instanceId);
    if (!instance) {
      // Its instance has ended or was purged.
      this.#commit(deletions(inbound), () => {});
      return;
    }
    instance.inbox.push(inbound);
    this.#wake(instance);
  }

  #commit(writes: readonly Write[], then: () => void): void {
    this.options.store.commit(writes).then(then, (error: unknown) => {
      this.#log('error', `the store refused a commit, trying again in ${commitRetryMs} ms: ${String(error)}`);
      const { clock } = this.options;
      clock.at(clock.now() + commitRetryMs, () => this.#running && this.#commit(writes, then));
    });
  }

  // --- turns

  #mayTurn(instance: Instance): boolean {
    const { versionMatchStrategy, defaultVersion } = this.options;
    return (
      this.#running &&
      this.#hosts.any &&
      mayRun(versionMatchStrategy ?? 'CurrentOrOlder', instance.record.version, defaultVersion)
    );
  }

  #wake(instance: Instance): void {
    if (instance.state !== 'idle' || !hasWork(instance) || !this.#mayTurn(instance)) return;
    instance.state = 'waking';
    // Behind the store's next group, so that everything that arrives together makes one turn.
    const turn = this.options.store
      .commit([])
      .then(() => this.#turn(instance))
      .catch((error: unknown) => this.#turnBroke(instance, error))
      .then(() => {
        this.#turns.delete(turn);
        instance.state = 'idle';
        this.#wake(instance);
      });
    this.#turns.add(turn);
  }

  async #turn(instance: Instance): Promise<void> {
    const { record } = instance;
    instance.state = 'turning';
    const batch = takeBatch(instance, this.options.clock.now());
    if (batch.events.length === 0) {
      await this.options.store.commit(batch.consumed.flatMap(deletions));
      return;
    }
    const answer = await this.#ask(instance, batch);
    if (!this.#running) return;
    if (instance.record !== record) {
      await this.options.store.commit(batch.consumed.flatMap(deletions));
      return;
    }
    if (answer === 'elsewhere') {
      instance.inbox.unshift(...batch.consumed);
      return;
    }
    const outcome = this.#compile(instance, batch, answer);
    // A running instance whose id a child takes is replaced from here on: no turn of it may be committed behind the child's start.
    for (const child of outcome.children) this.instances.get(child.instanceId)?.reset(child);
    await new Promise<void>((resolve) => this.#commit(outcome.writes, resolve));
    if (this.#running) this.#apply(instance, record, outcome);
  }

  /** One invocation of the orchestrator; `elsewhere` = its host died with it, another one takes the same turn. */
  async #ask(instance: Instance, batch: Batch): Promise<WorkerAnswer | 'elsewhere'> {
    const { name, instanceId } = instance.record;
    const worker = this.#hosts.pick('orchestrator', name);
    if (!worker) return failedAnswer(unknownFunction('orchestrator', name, this.names('orchestrator')));
    const isFirst = batch.isSeed || instance.text === '';
    const history = isFirst ? batch.text : `${instance.text},${batch.text}`;
    const payload = orchestrationPayload(instance.record, history, !isFirst, this.#limits);
    const answer = await invoke(worker, name, payload, instanceId);
    if (worker.death === 'host') return 'elsewhere';
    if (worker.death === 'worker' || this.#faults.loseTurn?.(instanceId))
      return failedAnswer('The worker process exited.');
    const sizeBytes = (answer.customStatus?.length ?? 0) * 2;
    return sizeBytes > customStatusLimitBytes ? failedAnswer(customStatusTooBig(sizeBytes)) : answer;
  }

  #compile(instance: Instance, batch: Batch, answer: WorkerAnswer): TurnOutcome {
    const { record } = instance;
    const history = batch.isSeed ? batch.events : [...instance.events, ...batch.events];
    const result = replay({
      name: record.name,
      instanceId: record.instanceId,
      executionId: record.executionId,
      parentInstanceId: record.parent?.OrchestrationInstance.InstanceId,
      history,
      answer,
      unknownFunction: (kind, name) => this.#unknown(kind, name),
      limits: this.#limits,
    });
    if (result.stuck) {
      this.#log(
        'warning',
        `instance '${record.instanceId}' of '${record.name}' can never continue: nothing is open and nothing is waited for`,
      );
    }
    return compileTurn(instance, batch, answer, result, this.tools);
  }

  #unknown(kind: 'orchestrator' | 'activity', name: string): string | undefined {
    if (name === httpActivityName || this.#hosts.pick(kind, name)) return undefined;
    return unknownFunction(kind, name, this.names(kind));
  }

  /** What follows from a committed turn. */
  #apply(instance: Instance, before: InstanceRecord, outcome: TurnOutcome): void {
    const { instanceId } = outcome.record;
    const isCurrent = instance.record === before;
    if (isCurrent && outcome.restarts) instance.reset(outcome.record);
    else if (isCurrent) {
      instance.record = outcome.record;
      instance.append(outcome.text, outcome.events);
    }
    for (const child of outcome.children) this.install(child);
    for (const item of outcome.activities) this.#activities.add(item);
    for (const message of outcome.messages) this.deliver(message);
    if (!outcome.ended || !isCurrent) return;
    this.instances.delete(instanceId);
    const late = instance.inbox.splice(0).flatMap(deletions);
    if (late.length > 0) this.#commit(late, () => {});
    const callbacks = this.#endings.get(instanceId);
    this.#endings.delete(instanceId);
    for (const callback of callbacks ?? []) callback();
  }

  /** A defect of the engine or of an answer it cannot read must not leave an instance Running in silence. */
  async #turnBroke(instance: Instance, error: unknown): Promise<void> {
    const { record } = instance;
    const message = `the engine failed in a turn of '${record.instanceId}': ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    this.#log('error', message);
    const { clock } = this.options;
    const nowMs = clock.now();
    const output = orchestratorFailed(record.name, message);
    const events = [
      turnMark('started', nowMs),
      executionCompleted(0, 'Failed', output, nowMs),
      turnMark('completed', nowMs),
    ];
    const text = events.map((event) => JSON.stringify(event)).join(',');
    const failed: InstanceRecord = { ...record, status: 'Failed', output, updatedAtMs: nowMs };
    const consumed = instance.inbox.splice(0);
    const toParent = notifyParent(record, { id: 0, status: 'Failed', result: output, details: message }, this.tools);
    const writes: Write[] = [
      ...consumed.flatMap(deletions),
      { op: 'updateInstance', record: failed },
      { op: 'appendHistory', key: record.key, position: instance.chunks, events: text },
      ...(toParent ? [{ op: 'putMessage' as const, record: toParent }] : []),
    ];
    this.instances.delete(record.instanceId);
    await new Promise<void>((resolve) => this.#commit(writes, resolve));
    if (toParent) this.deliver(toParent);
  }

  // --- for clients

  install(record: InstanceRecord): void {
    const instance = this.instances.get(record.instanceId);
    // A running instance of this id is replaced silently, as in the extension; what still arrives for it belongs to another execution.
    if (instance) instance.reset(record);
    else this.instances.set(record.instanceId, new Instance(record));
  }

  forget(instanceId: string): void {
    this.instances.delete(instanceId);
    this.#activities.forget(instanceId);
  }

  onEnded(instanceId: string, callback: () => void): () => void {
    const callbacks = this.#endings.get(instanceId) ?? new Set();
    this.#endings.set(instanceId, callbacks.add(callback));
    return () => callbacks.delete(callback);
  }

  #keyOf(instanceId: string): number {
    const known = this.instances.get(instanceId)?.record ?? this.options.store.instance(instanceId);
    return known?.key ?? ++this.#ids;
  }

  #log(level: 'warning' | 'error', message: string): void {
    this.options.log?.(level, message);
  }
}

async function invoke(worker: AttachedHost, name: string, payload: string, instanceId: string): Promise<WorkerAnswer> {
  try {
    return parseAnswer(await worker.host.runOrchestrator(name, payload, instanceId));
  } catch (error) {
    return parseThrown(error instanceof Error ? error.message : String(error));
  }
}

/** The remaining time is sent as whole seconds; some of it has passed by then, hence 1 ms less. */
function earlyMs(fireAtMs: number, nowMs: number): number {
  return nowMs + Math.max(0, Math.floor((fireAtMs - nowMs - 1) / 1000) * 1000);
}
