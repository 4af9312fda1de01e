/**
 * Runs activity work items on the attached hosts: at most so many at once, each under a lease that is stored, renewed while the host works,
 * and waited for when the host is gone. Hands every outcome on as an event; never touches an instance.
 */
import type { Clock } from '../../../model/clock.ts';
import { httpActivityName } from './flows.ts';
import { completion, type FailureFields, failure, type HistoryEvent } from './history.ts';
import type { AttachedHost, Hosts } from './hosts.ts';
import { activityResult, activityTrigger } from './payload.ts';
import type { ActivityRecord, DurableStore, Write } from './store.ts';
import { activityFailed, httpFailed } from './texts.ts';
import type { EngineFaults, HostDeath, HttpAnswer, SendHttp } from './types.ts';

export interface ActivitiesOptions {
  readonly clock: Clock;
  readonly store: DurableStore;
  readonly hosts: Hosts;
  readonly maxConcurrent: number;
  readonly leaseMs: number;
  readonly faults: EngineFaults;
  readonly sendHttp: SendHttp | undefined;
  readonly log: (level: 'warning' | 'error', message: string) => void;
  /** The outcome of an item. */
  readonly onOutcome: (item: ActivityRecord, event: HistoryEvent) => void;
}

interface Running {
  readonly item: ActivityRecord;
  /** Undefined = executed by the engine itself (callHttp). */
  readonly worker: AttachedHost | undefined;
  leaseUntilMs: number;
}

export class Activities {
  readonly #options: ActivitiesOptions;
  readonly #ready: ActivityRecord[] = [];
  readonly #running = new Map<number, Running>();
  /** Items whose host is gone, until their lease has run out. */
  readonly #orphaned = new Map<number, { readonly item: ActivityRecord; readonly freeAtMs: number }>();
  #reserved = 0;
  /** Nothing is started any more. */
  #closed = false;
  /** Nor is anything heard of what runs. */
  #stopped = false;
  #idle: (() => void) | undefined;
  #cancelSweep: (() => void) | undefined;
  #sweepAtMs = Number.POSITIVE_INFINITY;

  constructor(options: ActivitiesOptions) {
    this.#options = options;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Promises one free place to an item that is about to be committed; `add` redeems it. */
  reserve(): number | null {
    const { hosts, maxConcurrent, clock, leaseMs } = this.#options;
    if (!hosts.any || this.#ready.length > 0 || this.#running.size + this.#reserved >= maxConcurrent) return null;
    this.#reserved++;
    return clock.now() + leaseMs;
  }

  /** A committed item of this process. */
  add(item: ActivityRecord): void {
    if (item.leaseUntilMs !== null) this.#reserved--;
    this.#ready.push(item);
    this.#fill();
  }

  /** An item found in the store at start: a lease on it belongs to a process that is gone. */
  recover(item: ActivityRecord): void {
    const free = item.leaseUntilMs === null || item.leaseUntilMs <= this.#options.clock.now();
    if (free) this.#ready.push({ ...item, leaseUntilMs: null });
    else this.#orphan(item, item.leaseUntilMs ?? 0);
  }

  /** Starts what can be started; call it when a host was attached. */
  fill(): void {
    this.#fill();
  }

  /** Drops what has not begun for an instance that is being purged; what runs is left alone and its outcome falls on nobody. */
  forget(instanceId: string): void {
    for (let i = this.#ready.length - 1; i >= 0; i--) {
      if (this.#ready[i]?.instanceId === instanceId) this.#ready.splice(i, 1);
    }
    for (const [id, { item }] of this.#orphaned) if (item.instanceId === instanceId) this.#orphaned.delete(id);
  }

  drop(worker: AttachedHost, death: HostDeath): void {
    for (const running of [...this.#running.values()]) {
      if (running.worker !== worker) continue;
      this.#running.delete(running.item.id);
      if (death === 'worker')
        this.#fail(running.item, activityFailed(running.item.name, 'The worker process exited.', undefined));
      else this.#orphan(running.item, running.leaseUntilMs);
    }
    this.#fill();
  }

  /**
   * Starts nothing any more, gives what runs up to `graceMs` to end, and gives up the leases of the rest, so that the next process runs it at
   * once. To begin something again is never free: a workflow may only take over a half-done effect when its claim expires.
   */
  async stop(graceMs: number): Promise<void> {
    this.#closed = true;
    if (graceMs > 0 && this.#running.size > 0) await this.#emptied(graceMs);
    this.#stopped = true;
    this.#cancelSweep?.();
    this.#running.clear();
    const { store } = this.#options;
    // Also of items whose turn was being committed when the engine stopped, which nobody was told of.
    const leased = store.activities().filter(({ leaseUntilMs }) => leaseUntilMs !== null);
    const writes: Write[] = leased.map(({ id }) => ({ op: 'leaseActivity', id, leaseUntilMs: null }));
    if (writes.length > 0) await store.commit(writes);
  }

  #emptied(graceMs: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.at(clock.now() + graceMs, resolve);
      this.#idle = () => {
        cancel();
        resolve();
      };
    });
  }

  #fill(): void {
    while (!this.#closed && this.#running.size < this.#options.maxConcurrent) {
      const at = this.#ready.findIndex((item) => this.#canRun(item));
      if (at < 0) return;
      const [item] = this.#ready.splice(at, 1);
      if (item) this.#run(item);
    }
  }

  #canRun(item: ActivityRecord): boolean {
    return item.name === httpActivityName || this.#options.hosts.any;
  }

  #run(item: ActivityRecord): void {
    const { clock, leaseMs, hosts, store } = this.#options;
    const isHttp = item.name === httpActivityName;
    const worker = isHttp ? undefined : hosts.pick('activity', item.name);
    const leaseUntilMs = item.leaseUntilMs ?? clock.now() + leaseMs;
    const running: Running = { item, worker, leaseUntilMs };
    this.#running.set(item.id, running);
    if (item.leaseUntilMs === null) this.#write(store.commit([{ op: 'leaseActivity', id: item.id, leaseUntilMs }]));
    this.#sweepBy(clock.now() + leaseMs / 3);
    const work = isHttp ? this.#sendHttp(item) : this.#invoke(item, worker);
    work.then(
      (event) => this.#finish(running, event),
      (error: unknown) =>
        this.#finish(running, this.#failure(item, activityFailed(item.name, String(error), undefined))),
    );
  }

  async #invoke(item: ActivityRecord, worker: AttachedHost | undefined): Promise<HistoryEvent> {
    if (!worker) {
      // Known when it was scheduled; the host that has it was dropped since.
      return this.#failure(
        item,
        activityFailed(item.name, `No attached host has the activity '${item.name}'.`, undefined),
      );
    }
    const { data, metadata } = activityTrigger(item.instanceId, item.input);
    try {
      const answer = await worker.host.runActivity(item.name, data, metadata);
      return completion('activity', item.taskId, activityResult(answer), this.#options.clock.now());
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      return this.#failure(item, activityFailed(item.name, error.message, error.stack));
    }
  }

  async #sendHttp(item: ActivityRecord): Promise<HistoryEvent> {
    const { sendHttp, clock } = this.#options;
    let answer: HttpAnswer;
    try {
      const request = JSON.parse(item.input ?? '{}') as Parameters<SendHttp>[0];
      if (!sendHttp) throw new Error('callHttp is not offered by this engine: no HTTP sender was given');
      if (request.tokenSource !== undefined && request.tokenSource !== null) {
        throw new Error(
          'callHttp with a tokenSource is not offered by the embedded engine; call the service from an activity',
        );
      }
      answer = await sendHttp(request);
    } catch (thrown) {
      return this.#failure(item, httpFailed(thrown instanceof Error ? thrown.message : String(thrown)));
    }
    return completion('activity', item.taskId, JSON.stringify(answer), clock.now());
  }

  #finish(running: Running, event: HistoryEvent): void {
    const { item } = running;
    if (this.#stopped || this.#running.get(item.id) !== running) return;
    this.#running.delete(item.id);
    const fate = this.#options.faults.loseActivity?.(item.instanceId, item.name) ?? 'no';
    if (fate === 'lost') this.#orphan(item, running.leaseUntilMs);
    else if (fate === 'failed') this.#fail(item, activityFailed(item.name, 'The worker process exited.', undefined));
    else this.#options.onOutcome(item, event);
    this.#fill();
    if (this.#running.size === 0) this.#idle?.();
  }

  #failure(item: ActivityRecord, fields: FailureFields): HistoryEvent {
    return failure('activity', item.taskId, fields, this.#options.clock.now());
  }

  #fail(item: ActivityRecord, fields: FailureFields): void {
    this.#options.onOutcome(item, this.#failure(item, fields));
  }

  #orphan(item: ActivityRecord, freeAtMs: number): void {
    this.#orphaned.set(item.id, { item, freeAtMs });
    this.#sweepBy(freeAtMs);
  }

  /** One timer for all leases: renews those of running items, frees those of dead ones. */
  #sweepBy(atMs: number): void {
    if (atMs >= this.#sweepAtMs || this.#stopped) return;
    this.#cancelSweep?.();
    this.#sweepAtMs = atMs;
    this.#cancelSweep = this.#options.clock.at(atMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    const { clock, leaseMs, store } = this.#options;
    const now = clock.now();
    const renewals: Write[] = [];
    for (const running of this.#running.values()) {
      if (running.leaseUntilMs - now > (leaseMs * 2) / 3) continue;
      running.leaseUntilMs = now + leaseMs;
      renewals.push({ op: 'leaseActivity', id: running.item.id, leaseUntilMs: running.leaseUntilMs });
    }
    if (renewals.length > 0) this.#write(store.commit(renewals));
    let nextMs = this.#running.size > 0 ? now + leaseMs / 3 : Number.POSITIVE_INFINITY;
    for (const [id, { item, freeAtMs }] of this.#orphaned) {
      if (freeAtMs > now) {
        nextMs = Math.min(nextMs, freeAtMs);
        continue;
      }
      this.#orphaned.delete(id);
      this.#ready.push({ ...item, leaseUntilMs: null });
    }
    if (Number.isFinite(nextMs)) this.#sweepBy(nextMs);
    this.#fill();
  }

  /** Leases are advice to the next process; a lost one means at most an earlier second run. */
  #write(commit: Promise<void>): void {
    commit.catch((error: unknown) =>
      this.#options.log('error', `lease of an activity was not stored: ${String(error)}`),
    );
  }
}
