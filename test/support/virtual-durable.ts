/**
 * Drives orchestrator generators in virtual time, without a host: activities run as they are called, timers and events by a clock the test moves.
 * Inputs and results cross it as JSON, as they do in Durable Functions. It is no replayer: that the generators replay is tested elsewhere.
 */
import type { OrchestrationContext } from 'durable-functions';
import { ok } from '../../src/model/result.ts';
import type { InstanceStatus, Workflows } from '../../src/ports/workflows.ts';

type Orchestrator = (context: OrchestrationContext) => Generator<unknown, unknown, unknown>;
type Task =
  | { kind: 'activity'; name: string; input: unknown }
  | { kind: 'all'; tasks: Task[] }
  | { kind: 'any'; tasks: Task[] }
  | { kind: 'timer'; fireAt: number; isCompleted: boolean; cancel(): void }
  | { kind: 'event'; name: string };

interface Instance {
  readonly id: string;
  readonly name: string;
  status: InstanceStatus;
  updatedAt: number;
  output: unknown;
  generations: number;
  wake: ((by: 'event' | 'timer') => void) | null;
}

export interface VirtualDurable {
  readonly workflows: Workflows;
  readonly instances: ReadonlyMap<string, Instance>;
  /** Resolves when every instance waits or has ended. */
  settle(): Promise<void>;
  nextTimerAt(): number | undefined;
  /** Fires what is due. */
  fire(): void;
  /** The turn of an instance is lost, as when a worker dies under it: the instance ends as Failed. */
  loseTurn(id: string): void;
  /** Waits in virtual time. */
  sleep(ms: number): Promise<void>;
  /** Counts outside work, so that `settle` waits for it. */
  track<T>(work: Promise<T>): Promise<T>;
  /** Largest activity result seen, in bytes. */
  readonly sizes: { largestResultBytes: number };
}

const json = <T>(value: T): T => (value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T));

const isOver = (status: InstanceStatus): boolean => status !== 'Running';

export function virtualDurable(options: {
  readonly now: () => number;
  readonly orchestrators: Readonly<Record<string, Orchestrator>>;
  readonly activity: (name: string, input: unknown) => Promise<unknown>;
}): VirtualDurable {
  const { now, orchestrators, activity } = options;
  const instances = new Map<string, Instance>();
  const timers = new Set<{ at: number; fire: () => void }>();
  const sizes = { largestResultBytes: 0 };
  let busy = 0;
  let idle: (() => void)[] = [];
  const begin = (): void => {
    busy += 1;
  };
  const end = (): void => {
    busy -= 1;
    if (busy > 0) return;
    const waiting = idle;
    idle = [];
    for (const resolve of waiting) resolve();
  };
  const track = async <T>(work: Promise<T>): Promise<T> => {
    begin();
    try {
      return await work;
    } finally {
      end();
    }
  };
  const at = (time: number, fire: () => void): (() => void) => {
    const timer = { at: time, fire };
    timers.add(timer);
    return () => void timers.delete(timer);
  };

  async function perform(instance: Instance, task: Task): Promise<unknown> {
    switch (task.kind) {
      case 'activity': {
        const result = json(await activity(task.name, json(task.input)));
        const bytes = Buffer.byteLength(JSON.stringify(result ?? null));
        sizes.largestResultBytes = Math.max(sizes.largestResultBytes, bytes);
        return result;
      }
      case 'all':
        if (task.tasks.length === 0) throw new Error('Task.all of nothing throws');
        return await Promise.all(task.tasks.map((one) => perform(instance, one)));
      case 'any': {
        const timer = task.tasks.find((one) => one.kind === 'timer');
        if (timer === undefined || !task.tasks.some((one) => one.kind === 'event')) throw new Error('not modelled');
        return await wait(instance, timer);
      }
      default:
        throw new Error(`${task.kind} alone is not modelled`);
    }
  }

  async function wait(instance: Instance, timer: Extract<Task, { kind: 'timer' }>): Promise<void> {
    const by = await new Promise<'event' | 'timer'>((resolve) => {
      const cancel = at(timer.fireAt, () => instance.wake?.('timer'));
      instance.wake = (reason) => {
        instance.wake = null;
        cancel();
        begin();
        resolve(reason);
      };
      end();
    });
    timer.isCompleted = by === 'timer';
  }

  const contextOf = (instance: Instance, input: unknown, again: (value: unknown) => void) => ({
    instanceId: instance.id,
    get currentUtcDateTime() {
      return new Date(now());
    },
    getInput: () => input,
    callActivity: (name: string, value: unknown): Task => ({ kind: 'activity', name, input: value }),
    createTimer: (fireAt: Date): Task => ({
      kind: 'timer',
      fireAt: fireAt.getTime(),
      isCompleted: false,
      cancel() {},
    }),
    waitForExternalEvent: (name: string): Task => ({ kind: 'event', name }),
    continueAsNew: again,
    Task: {
      all: (tasks: Task[]): Task => ({ kind: 'all', tasks }),
      any: (tasks: Task[]): Task => ({ kind: 'any', tasks }),
    },
  });

  async function walk(instance: Instance, generator: Generator<unknown, unknown, unknown>): Promise<unknown> {
    let turn = generator.next();
    while (!turn.done && !isOver(instance.status)) {
      let result: unknown;
      try {
        result = await perform(instance, turn.value as Task);
      } catch (error) {
        turn = generator.throw(error);
        continue;
      }
      instance.updatedAt = now();
      turn = generator.next(result);
    }
    return turn.value;
  }

  async function run(instance: Instance, first: unknown): Promise<void> {
    let input: unknown = json(first);
    for (;;) {
      let next: { readonly input: unknown } | null = null;
      const df = contextOf(instance, input, (value) => {
        next = { input: json(value) };
      });
      const generator = orchestrators[instance.name]?.({ df } as unknown as OrchestrationContext);
      if (generator === undefined) throw new Error(`no orchestrator ${instance.name}`);
      const output = await walk(instance, generator);
      if (next === null || isOver(instance.status)) {
        instance.output = output;
        return;
      }
      input = (next as { input: unknown }).input;
      instance.generations += 1;
    }
  }

  const workflows: Workflows = {
    async start(name, id, input) {
      const known = instances.get(id);
      if (known !== undefined && !isOver(known.status)) return ok('existing');
      const instance: Instance = {
        id,
        name,
        status: 'Running',
        updatedAt: now(),
        output: null,
        generations: 1,
        wake: null,
      };
      instances.set(id, instance);
      void track(run(instance, input)).then(
        () => {
          if (instance.status === 'Running') instance.status = 'Completed';
        },
        (error) => {
          instance.status = 'Failed';
          instance.output = String(error);
        },
      );
      return ok('started');
    },
    async hint(id) {
      instances.get(id)?.wake?.('event');
    },
    async status(id) {
      const known = instances.get(id);
      return ok(known === undefined ? null : { status: known.status, updatedAt: known.updatedAt });
    },
    async terminate(id) {
      const known = instances.get(id);
      if (known !== undefined && !isOver(known.status)) {
        known.status = 'Terminated';
        known.wake?.('event');
      }
      return ok(undefined);
    },
    async purge() {
      return ok(0);
    },
  };
  return {
    workflows,
    instances,
    sizes,
    track,
    async settle() {
      // A few turns of the event loop, because what ends may start something else in a callback.
      for (let quiet = 0; quiet < 3; quiet += 1) {
        if (busy > 0) {
          await new Promise<void>((resolve) => idle.push(resolve));
          quiet = 0;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    loseTurn(id) {
      const known = instances.get(id);
      if (known === undefined || isOver(known.status)) return;
      known.status = 'Failed';
      known.wake?.('event');
    },
    nextTimerAt: () => [...timers].reduce<number | undefined>((min, { at: t }) => Math.min(min ?? t, t), undefined),
    fire() {
      for (const timer of [...timers].sort((a, b) => a.at - b.at)) {
        if (timer.at > now() || !timers.delete(timer)) continue;
        timer.fire();
      }
    },
    async sleep(ms) {
      await new Promise<void>((resolve) => {
        at(now() + ms, () => {
          begin();
          resolve();
        });
        end();
      });
    },
  };
}
