/**
 * What clients may ask of the engine: start, look, raise events, terminate, suspend, resume, rewind, restart, purge, query, wait.
 * Expected refusals are values. HTTP is in `management.ts`.
 */
import {
  eventRaised,
  generic,
  type HistoryEvent,
  type RuntimeStatus,
  suspendedOrResumed,
  terminated,
  turnMark,
} from './history.ts';
import { Instance } from './instance.ts';
import { rewindHistory } from './rewind.ts';
import { hasEnded, type InstanceFilter, type InstanceRecord, type MessageRecord, type Write } from './store.ts';
import { newExecution, type TurnTools } from './turn.ts';
import type { EngineOptions } from './types.ts';

export interface StartRequest {
  readonly name: string;
  /** Default: a new one, 32 hex digits. */
  readonly instanceId?: string | undefined;
  /** JSON text or null. */
  readonly input: string | null;
  /** Default: the host's default version. */
  readonly version?: string | undefined;
}

export type StartResult =
  | { readonly ok: true; readonly instanceId: string }
  | { readonly ok: false; readonly reason: 'IllegalId'; readonly message: string }
  | { readonly ok: false; readonly reason: 'Conflict'; readonly status: RuntimeStatus };

/** `ended` = the instance has finished, the request has no effect; `state` = not possible in this status. */
export type CommandResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'missing' }
  | { readonly ok: false; readonly reason: 'ended' | 'state'; readonly status: RuntimeStatus };

export interface DurableClient {
  startNew(request: StartRequest): Promise<StartResult>;
  /** As last committed. */
  status(instanceId: string): InstanceRecord | undefined;
  history(instanceId: string): readonly HistoryEvent[];
  query(filter: InstanceFilter): readonly InstanceRecord[];
  /** `data` is JSON text. */
  raiseEvent(instanceId: string, name: string, data: string): Promise<CommandResult>;
  terminate(instanceId: string, reason: string | null): Promise<CommandResult>;
  suspend(instanceId: string, reason: string | null): Promise<CommandResult>;
  resume(instanceId: string, reason: string | null): Promise<CommandResult>;
  /** Failed instances only. */
  rewind(instanceId: string, reason: string | null): Promise<CommandResult>;
  restart(
    instanceId: string,
    withNewId: boolean,
  ): Promise<StartResult | { readonly ok: false; readonly reason: 'missing' }>;
  /** Finished instances only. */
  purge(instanceId: string): Promise<CommandResult>;
  /** Resolves with true when the instance has finished, false after `timeoutMs`. */
  waitForEnd(instanceId: string, timeoutMs: number): Promise<boolean>;
}

/** What the client needs of the engine. */
export interface EngineState {
  readonly options: EngineOptions;
  readonly instances: Map<string, Instance>;
  readonly tools: Pick<TurnTools, 'nowMs' | 'nextId' | 'keyOf' | 'newExecutionId'>;
  deliver(message: MessageRecord): void;
  /** Begins a new execution in memory after its rows were committed. */
  install(record: InstanceRecord): void;
  forget(instanceId: string): void;
  onEnded(instanceId: string, callback: () => void): () => void;
}

export function createClient(engine: EngineState): DurableClient {
  return new Client(engine);
}

class Client implements DurableClient {
  readonly #engine: EngineState;

  constructor(engine: EngineState) {
    this.#engine = engine;
  }

  async startNew(request: StartRequest): Promise<StartResult> {
    const { options } = this.#engine;
    const instanceId = request.instanceId || options.newId().replaceAll('-', '');
    const illegal = idProblem(instanceId);
    if (illegal) return { ok: false, reason: 'IllegalId', message: illegal };
    const existing = this.status(instanceId);
    if (existing && !hasEnded(existing)) return { ok: false, reason: 'Conflict', status: existing.status };
    // Check, then act, with a storage round trip between, as in the extension: of starts that overlap all are accepted and the first counts.
    await this.#gap();
    const now = this.status(instanceId);
    if (this.#starting.has(instanceId) || (now && !hasEnded(now))) {
      // The extension writes this start, too, and drops it later as a duplicate.
      await this.#gap();
      return { ok: true, instanceId };
    }
    this.#starting.add(instanceId);
    try {
      await this.#begin(request, instanceId, now);
    } finally {
      this.#starting.delete(instanceId);
    }
    return { ok: true, instanceId };
  }

  readonly #starting = new Set<string>();

  async #gap(): Promise<void> {
    const { store, clock, faults } = this.#engine.options;
    await store.commit([]);
    const gapMs = faults?.startGapMs ?? 0;
    if (gapMs > 0) await new Promise<void>((resolve) => clock.at(clock.now() + gapMs, resolve));
  }

  async #begin(request: StartRequest, instanceId: string, previous: InstanceRecord | undefined): Promise<void> {
    const { options, tools } = this.#engine;
    const start = {
      name: request.name,
      instanceId,
      version: request.version ?? options.defaultVersion ?? null,
      input: request.input,
      parent: null,
      generation: previous ? (previous.generation ?? 0) + 1 : 0,
      executionId: options.newId(),
    };
    const { record, message, writes } = newExecution(start, tools);
    await options.store.commit(writes);
    this.#engine.install(record);
    this.#engine.deliver(message);
  }

  status(instanceId: string): InstanceRecord | undefined {
    return this.#engine.instances.get(instanceId)?.record ?? this.#engine.options.store.instance(instanceId);
  }

  history(instanceId: string): readonly HistoryEvent[] {
    const live = this.#engine.instances.get(instanceId);
    if (live) return live.events;
    const { store } = this.#engine.options;
    const record = store.instance(instanceId);
    return record ? new Instance(record, store.history(record.key)).events : [];
  }

  query(filter: InstanceFilter): readonly InstanceRecord[] {
    return this.#engine.options.store.query(filter);
  }

  async raiseEvent(instanceId: string, name: string, data: string): Promise<CommandResult> {
    return (await this.#send(instanceId, (now) => eventRaised(name, data, now))) ?? { ok: true };
  }

  async terminate(instanceId: string, reason: string | null): Promise<CommandResult> {
    return (await this.#send(instanceId, (now) => terminated(reason, now))) ?? { ok: true };
  }

  async suspend(instanceId: string, reason: string | null): Promise<CommandResult> {
    const status = this.status(instanceId)?.status;
    if (status === 'Suspended') return { ok: false, reason: 'state', status };
    return (await this.#send(instanceId, (now) => suspendedOrResumed('suspended', reason, now))) ?? { ok: true };
  }

  async resume(instanceId: string, reason: string | null): Promise<CommandResult> {
    const status = this.status(instanceId)?.status;
    if (status === 'Running' || status === 'Pending') return { ok: false, reason: 'state', status };
    return (await this.#send(instanceId, (now) => suspendedOrResumed('resumed', reason, now))) ?? { ok: true };
  }

  async rewind(instanceId: string, reason: string | null): Promise<CommandResult> {
    const record = this.status(instanceId);
    if (!record) return { ok: false, reason: 'missing' };
    if (record.status !== 'Failed') return { ok: false, reason: 'state', status: record.status };
    const { store } = this.#engine.options;
    const { nowMs } = this.#engine.tools;
    const writes: Write[] = [];
    const revived: { readonly record: InstanceRecord; readonly text: string }[] = [];
    const leaves: MessageRecord[] = [];
    const visit = (id: string) => {
      const failed = this.status(id);
      if (failed?.status !== 'Failed') return;
      const { events, failedChildren } = rewindHistory(this.history(id));
      const text = events.map((event) => JSON.stringify(event)).join(',');
      const pending: InstanceRecord = { ...failed, status: 'Pending', output: null, updatedAtMs: nowMs };
      revived.push({ record: pending, text });
      writes.push({ op: 'clearHistory', key: failed.key }, { op: 'updateInstance', record: pending });
      writes.push({ op: 'appendHistory', key: failed.key, position: 0, events: text });
      if (failedChildren.length === 0) leaves.push(this.#message(failed, generic(reason, turnMark('started', nowMs))));
      for (const child of failedChildren) visit(child);
    };
    visit(instanceId);
    for (const leaf of leaves) writes.push({ op: 'putMessage', record: leaf });
    await store.commit(writes);
    for (const { record: pending, text } of revived) {
      this.#engine.instances.set(pending.instanceId, new Instance(pending, [text]));
    }
    for (const leaf of leaves) this.#engine.deliver(leaf);
    return { ok: true };
  }

  async restart(
    instanceId: string,
    withNewId: boolean,
  ): Promise<StartResult | { readonly ok: false; readonly reason: 'missing' }> {
    const record = this.status(instanceId);
    if (!record) return { ok: false, reason: 'missing' };
    const { name, input } = record;
    return await this.startNew({ name, input, ...(!withNewId && { instanceId }) });
  }

  async purge(instanceId: string): Promise<CommandResult> {
    const record = this.status(instanceId);
    if (!record) return { ok: false, reason: 'missing' };
    if (!hasEnded(record)) return { ok: false, reason: 'state', status: record.status };
    await this.#engine.options.store.commit([{ op: 'deleteInstance', key: record.key, instanceId }]);
    this.#engine.forget(instanceId);
    return { ok: true };
  }

  waitForEnd(instanceId: string, timeoutMs: number): Promise<boolean> {
    const record = this.status(instanceId);
    if (record && hasEnded(record)) return Promise.resolve(true);
    const { clock } = this.#engine.options;
    return new Promise((resolve) => {
      const cancelTimer = clock.at(clock.now() + timeoutMs, () => {
        cancelWatch();
        resolve(false);
      });
      const cancelWatch = this.#engine.onEnded(instanceId, () => {
        cancelTimer();
        resolve(true);
      });
    });
  }

  /** Sends an event to a live instance; undefined = accepted. */
  async #send(instanceId: string, event: (nowMs: number) => HistoryEvent): Promise<CommandResult | undefined> {
    const record = this.status(instanceId);
    if (!record) return { ok: false, reason: 'missing' };
    if (hasEnded(record)) return { ok: false, reason: 'ended', status: record.status };
    const message = this.#message(record, event(this.#engine.tools.nowMs));
    await this.#engine.options.store.commit([{ op: 'putMessage', record: message }]);
    this.#engine.deliver(message);
    return undefined;
  }

  /** To whatever execution is current when it arrives. */
  #message(record: InstanceRecord, event: HistoryEvent): MessageRecord {
    const { nowMs, nextId } = this.#engine.tools;
    return {
      id: nextId(),
      instanceId: record.instanceId,
      executionId: null,
      visibleAtMs: nowMs,
      event: JSON.stringify(event),
    };
  }
}

/**
 * Ids that Azure's documentation forbids.
 * Source: learn.microsoft.com/azure/azure-functions/durable/durable-functions-instance-management, "instance ID" (read 2026-11-24).
 */
function idProblem(instanceId: string): string | undefined {
  const rule =
    'Instance ids must not start with @, must not contain / \\ # ? or control characters, and have at most 256 characters.';
  if (instanceId.startsWith('@')) return `The instance id '${instanceId}' starts with @. ${rule}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const found = /[/\\#?\u0000-\u001f\u007f-\u009f]/.exec(instanceId)?.[0];
  if (found) return `The instance id '${instanceId}' contains ${JSON.stringify(found)}. ${rule}`;
  return instanceId.length > 256 ? `The instance id has ${instanceId.length} characters. ${rule}` : undefined;
}
