/** The engine with the real `durable-functions` SDK in time that the test moves: hosts that die, leases, faults, versions, recovery. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAnswer } from '../../src/local/host/engine/actions.ts';
import { createEngine, type DurableEngine } from '../../src/local/host/engine/engine.ts';
import { azureStorageLimits } from '../../src/local/host/engine/flows.ts';
import { EventType, type HistoryEvent, type TimerCreated } from '../../src/local/host/engine/history.ts';
import { createMemoryStore } from '../../src/local/host/engine/memory-store.ts';
import { replay } from '../../src/local/host/engine/replayer.ts';
import type { DurableStore, InstanceRecord, Write } from '../../src/local/host/engine/store.ts';
import type { EngineOptions, WorkerHost } from '../../src/local/host/engine/types.ts';
import type { LoadedApp } from '../../src/local/host/functions-core.ts';
import { loadApp, type TemporaryApp, workerOf, writeApp } from '../support/durable-host.ts';
import { type ManualClock, manualClock, until } from '../support/manual-clock.ts';

/** What the app's activities do to the test: runs are counted, gates hold them. */
interface Probe {
  readonly runs: string[];
  readonly gates: Map<string, Promise<void>>;
  /** The sequence ids that the SDK holds open after its last turn. */
  sdkOpenIds: readonly number[];
}
const probe: Probe = { runs: [], gates: new Map(), sdkOpenIds: [] };
Object.assign(globalThis, { durableEngineProbe: probe });

const source = `
import { app } from '@azure/functions';
import * as df from 'durable-functions';
const probe = globalThis.durableEngineProbe;
app.hook.postInvocation(({ invocationContext }) => {
  const open = invocationContext.df?.taskOrchestratorExecutor?.openTasks;
  if (open) probe.sdkOpenIds = Object.keys(open).map(Number).sort((a, b) => a - b);
});
df.app.activity('flaky', { handler: (name) => {
  probe.runs.push(name);
  if (probe.runs.filter((run) => run === name).length < 3) throw new Error('not yet');
  return name;
} });
df.app.orchestration('retrying', function* (c) {
  const options = new df.RetryOptions(1000, 4);
  const all = ['x', 'y'].map((name) => c.df.callActivityWithRetry('flaky', options, name));
  const first = yield c.df.Task.all([...all, c.df.callActivity('step', 'between')]);
  const timer = c.df.createTimer(new Date(c.df.currentUtcDateTime.getTime() + 1000));
  yield c.df.Task.any([timer, c.df.waitForExternalEvent('never')]);
  return [first, yield c.df.callSubOrchestrator('steps', ['last'])];
});
df.app.activity('step', { handler: async (name) => {
  probe.runs.push(name);
  await probe.gates.get(name);
  return name + ' done';
} });
df.app.orchestration('steps', function* (c) {
  const results = [];
  for (const name of c.df.getInput()) results.push(yield c.df.callActivity('step', name));
  return results;
});
df.app.orchestration('sleeper', function* (c) {
  const t0 = c.df.currentUtcDateTime.getTime();
  yield c.df.createTimer(new Date(t0 + c.df.getInput()));
  return c.df.currentUtcDateTime.getTime() - t0;
});
df.app.orchestration('listener', function* (c) { return yield c.df.waitForExternalEvent('go'); });
df.app.orchestration('version', function* (c) {
  const kid = c.df.getInput() === 'kid' ? null : yield c.df.callSubOrchestrator('version', 'kid');
  return { v: c.df.version, kid };
});
df.app.orchestration('parent', function* (c) { return yield c.df.callSubOrchestrator('steps', c.df.getInput(), 'the-kid'); });
df.app.orchestration('everything', function* (c) {
  const { round } = c.df.getInput();
  const one = yield c.df.callActivity('step', 'r' + round + '-one');
  const [a, b] = yield c.df.Task.all([c.df.callActivity('step', 'r' + round + '-a'), c.df.callActivity('step', 'r' + round + '-b')]);
  yield c.df.createTimer(new Date(c.df.currentUtcDateTime.getTime() + 5000));
  const kid = yield c.df.callSubOrchestrator('steps', ['r' + round + '-kid']);
  if (round === 0) { c.df.continueAsNew({ round: 1 }); return; }
  return [one, a, b, kid];
});
`;

let written: TemporaryApp;
let app: LoadedApp;
beforeAll(async () => {
  written = writeApp(source);
  app = await loadApp({ appDir: written.appDir });
});
afterAll(() => written.remove());

let clock: ManualClock;
beforeEach(() => {
  clock = manualClock(Date.UTC(2040, 0, 1));
  probe.runs.length = 0;
  probe.gates.clear();
});

const engines: DurableEngine[] = [];
async function started(options: Partial<EngineOptions> = {}, hosts: readonly WorkerHost[] = [workerOf(app)]) {
  const engine = createEngine({ store: createMemoryStore(), clock, newId: randomUUID, hubName: 'Hub', ...options });
  engines.push(engine);
  for (const host of hosts) engine.attach(host);
  await engine.start();
  return engine;
}

async function start(engine: DurableEngine, name: string, input: unknown, instanceId: string, version?: string) {
  const result = await engine.client.startNew({ name, input: JSON.stringify(input), instanceId, version });
  expect(result).toEqual({ ok: true, instanceId });
}

const status = (engine: DurableEngine, id: string): InstanceRecord | undefined => engine.client.status(id);
const untilStatus = (engine: DurableEngine, id: string, wanted: string) =>
  until(
    () => status(engine, id)?.status === wanted,
    `${id} is ${wanted}, it is ${status(engine, id)?.status}: ${status(engine, id)?.output}`,
  );

/** Lets time pass, a second at a time, while `goesOn`. */
async function pass(goesOn: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && goesOn(); i++) {
    for (let j = 0; j < 5; j++) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_000);
  }
}

/** Closes the gate of a step; the function opens it. */
function hold(name: string): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  probe.gates.set(name, promise);
  return resolve;
}

describe('hosts', () => {
  it('share the work, and what one had in hand when it died is taken over: turns at once, activities after the lease', async () => {
    const engine = await started({ activityLeaseMs: 2_000 }, [workerOf(app, 'one'), workerOf(app, 'two')]);
    const open = hold('held');
    await start(engine, 'steps', ['held'], 'i');
    await until(() => probe.runs.length === 1, 'the step runs');
    engine.drop('one');
    engine.drop('two');
    open();
    engine.attach(workerOf(app, 'three'));
    clock.advance(1_999);
    await start(engine, 'steps', ['other'], 'j');
    await untilStatus(engine, 'j', 'Completed');
    expect(probe.runs).toEqual(['held', 'other']);
    clock.advance(1);
    await untilStatus(engine, 'i', 'Completed');
    expect(probe.runs).toEqual(['held', 'other', 'held']);
    expect(status(engine, 'i')?.output).toBe('["held done"]');
  });

  it('keep their activities for as long as they live: leases are renewed', async () => {
    const engine = await started({ activityLeaseMs: 2_000 });
    const open = hold('long');
    await start(engine, 'steps', ['long'], 'i');
    await until(() => probe.runs.length === 1, 'the step runs');
    clock.advance(60_000);
    open();
    await untilStatus(engine, 'i', 'Completed');
    expect(probe.runs).toEqual(['long']);
  });

  it('whose worker dies lose activities as failures, not run again', async () => {
    const engine = await started();
    hold('held');
    await start(engine, 'steps', ['held'], 'i');
    await until(() => probe.runs.length === 1, 'the step runs');
    engine.drop('worker-1', 'worker');
    engine.attach(workerOf(app, 'next'));
    await untilStatus(engine, 'i', 'Failed');
    expect(status(engine, 'i')?.output).toMatch(
      /^Orchestrator function 'steps' failed: Activity function 'step' failed:/,
    );
    expect(probe.runs).toEqual(['held']);
  });

  it('that die in a turn lose nothing but the turn, which another one takes', async () => {
    const dying = workerOf(app, 'dying');
    const turn = Promise.withResolvers<void>();
    const engine = await started({}, [{ ...dying, runOrchestrator: () => turn.promise.then(() => 'never heard') }]);
    await start(engine, 'steps', ['a'], 'i');
    await until(() => status(engine, 'i')?.status === 'Pending', 'it is there');
    await new Promise((resolve) => setImmediate(resolve));
    engine.drop('dying');
    turn.resolve();
    engine.attach(workerOf(app, 'next'));
    await untilStatus(engine, 'i', 'Completed');
  });

  it('may be absent: instances wait until one is attached', async () => {
    const engine = await started({}, []);
    await start(engine, 'steps', ['a'], 'i');
    expect(status(engine, 'i')?.status).toBe('Pending');
    engine.attach(workerOf(app));
    await untilStatus(engine, 'i', 'Completed');
  });

  it('have ids of their own', async () => {
    const engine = await started();
    expect(() => engine.attach(workerOf(app))).toThrow(/'worker-1' is attached already/);
  });
});

describe('faults', () => {
  it('reproduce a lost turn: Failed with the real text', async () => {
    let turns = 0;
    const engine = await started({ faults: { loseTurn: () => ++turns === 2 } });
    await start(engine, 'steps', ['a', 'b'], 'i');
    await untilStatus(engine, 'i', 'Failed');
    expect(status(engine, 'i')?.output).toMatch(
      /^Non-Deterministic workflow detected: A previous execution of this orchestration scheduled/,
    );
  });

  it('reproduce an activity in flight that is lost with its host: it runs again after the lease', async () => {
    let lost = 0;
    const engine = await started({
      activityLeaseMs: 300_000,
      faults: { loseActivity: () => (lost++ === 0 ? 'lost' : 'no') },
    });
    await start(engine, 'steps', ['a'], 'i');
    await until(() => lost === 1, 'the answer is lost');
    clock.advance(299_999);
    expect(probe.runs).toEqual(['a']);
    clock.advance(1);
    await untilStatus(engine, 'i', 'Completed');
    expect(probe.runs).toEqual(['a', 'a']);
  });

  it.each([
    [900, 0],
    [1_000, 0],
    [1_900, 1_000],
    [5_000, 4_000],
  ])('let a timer of %i ms fire after %i ms', async (timerMs, elapsedMs) => {
    const engine = await started({ faults: { earlyTimers: true } });
    await start(engine, 'sleeper', timerMs, 'i');
    if (elapsedMs > 0) {
      await until(() => clock.nextAt() !== undefined, 'the timer is armed');
      clock.advance(elapsedMs - 1);
      expect(status(engine, 'i')?.status).not.toBe('Completed');
      clock.advance(1);
    }
    await untilStatus(engine, 'i', 'Completed');
    expect(Number(status(engine, 'i')?.output)).toBe(elapsedMs);
  });

  it('are off by default: timers are never early', async () => {
    const engine = await started();
    await start(engine, 'sleeper', 1_900, 'i');
    await until(() => clock.nextAt() !== undefined, 'the timer is armed');
    clock.advance(1_899);
    await new Promise((resolve) => setImmediate(resolve));
    expect(status(engine, 'i')?.status).toBe('Running');
    clock.advance(1);
    await untilStatus(engine, 'i', 'Completed');
    expect(status(engine, 'i')?.output).toBe('1900');
  });
});

describe('timers', () => {
  it('of forty days are chains of three-day legs that the SDK accepts', async () => {
    const engine = await started();
    const days = 86_400_000;
    await start(engine, 'sleeper', 40 * days, 'i');
    for (let leg = 0; leg < 14; leg++) {
      await until(() => clock.nextAt() !== undefined, `leg ${leg} is armed`);
      clock.advance((clock.nextAt() ?? 0) - clock.now());
    }
    await untilStatus(engine, 'i', 'Completed');
    expect(status(engine, 'i')?.output).toBe(String(40 * days));
    const legs = engine.client.history('i').filter((e): e is TimerCreated => e.EventType === EventType.TimerCreated);
    expect(legs).toHaveLength(14);
  });
});

describe('sequence ids', () => {
  it.each([
    ['everything', { round: 0 }],
    ['retrying', null],
  ])('are the same for the engine and for the SDK in every turn of %s', async (name, input) => {
    const worker = workerOf(app);
    let compared = 0;
    const watched: WorkerHost = {
      ...worker,
      async runOrchestrator(orchestrator, payload, instanceId) {
        const returned = await worker.runOrchestrator(orchestrator, payload, instanceId);
        const { history } = JSON.parse(payload) as { history: HistoryEvent[] };
        const { ending, openIds } = replay({
          name: orchestrator,
          instanceId,
          executionId: 'x',
          parentInstanceId: undefined,
          history,
          answer: parseAnswer(returned),
          unknownFunction: () => undefined,
          limits: azureStorageLimits,
        });
        if (!ending) {
          expect(openIds.toSorted((a, b) => a - b)).toEqual(probe.sdkOpenIds);
          compared++;
        }
        return returned;
      },
    };
    const engine = await started({}, [watched]);
    await start(engine, name, input, 'i');
    await pass(() => status(engine, 'i')?.status !== 'Completed');
    expect(status(engine, 'i')).toMatchObject({ status: 'Completed' });
    expect(compared).toBeGreaterThan(5);
  });
});

describe('versions', () => {
  it('without a default leave an explicit version Pending', async () => {
    const engine = await started();
    await start(engine, 'version', null, 'none');
    await start(engine, 'version', null, 'one', '1.0.0');
    await untilStatus(engine, 'none', 'Completed');
    expect(JSON.parse(status(engine, 'none')?.output ?? '')).toEqual({ v: null, kid: { v: null, kid: null } });
    expect(status(engine, 'one')?.status).toBe('Pending');
  });

  it('with a default run what is current or older, and children get the default', async () => {
    const engine = await started({ defaultVersion: '2.1.0' });
    const kid = { v: '2.1.0', kid: null };
    for (const [version, expected] of [
      [undefined, '2.1.0'],
      ['2.1.0', '2.1.0'],
      ['1.0.0', '1.0.0'],
    ] as const) {
      await start(engine, 'version', null, `v${version}`, version);
      await untilStatus(engine, `v${version}`, 'Completed');
      expect(JSON.parse(status(engine, `v${version}`)?.output ?? '')).toEqual({ v: expected, kid });
    }
    await start(engine, 'version', null, 'newer', '3.0.0');
    expect(status(engine, 'newer')?.status).toBe('Pending');
  });
});

describe('instances', () => {
  it('are replaced silently when a sub-orchestration takes their id', async () => {
    const engine = await started();
    await start(engine, 'listener', null, 'the-kid');
    await untilStatus(engine, 'the-kid', 'Running');
    await start(engine, 'parent', ['a'], 'p');
    await untilStatus(engine, 'p', 'Completed');
    expect(status(engine, 'the-kid')).toMatchObject({ name: 'steps', status: 'Completed', output: '["a done"]' });
  });

  it('started at the same time under one id become one, with the first input', async () => {
    const engine = await started();
    const results = await Promise.all(['a', 'b', 'c'].map((s) => start(engine, 'steps', [s], 'i')));
    expect(results).toHaveLength(3);
    await untilStatus(engine, 'i', 'Completed');
    expect(probe.runs).toEqual(['a']);
  });

  it('that exist refuse another start with their status', async () => {
    const engine = await started();
    await start(engine, 'listener', null, 'i');
    await untilStatus(engine, 'i', 'Running');
    const again = await engine.client.startNew({ name: 'listener', input: null, instanceId: 'i' });
    expect(again).toEqual({ ok: false, reason: 'Conflict', status: 'Running' });
  });

  it.each(['@x', 'a/b', 'a\\b', 'a#b', 'a?b', 'a\nb', 'x'.repeat(257)])(
    'with the illegal id %j are refused with the rule',
    async (instanceId) => {
      const engine = await started();
      const refused = await engine.client.startNew({ name: 'listener', input: null, instanceId });
      expect(refused).toMatchObject({
        ok: false,
        reason: 'IllegalId',
        message: expect.stringContaining('must not contain'),
      });
    },
  );

  it('give every activity its own run when many complete together', async () => {
    const engine = await started({ maxConcurrentActivities: 3 });
    await Promise.all(Array.from({ length: 20 }, (_, i) => start(engine, 'steps', [`s${i}`, `t${i}`], `i${i}`)));
    for (let i = 0; i < 20; i++) await untilStatus(engine, `i${i}`, 'Completed');
    expect(new Set(probe.runs).size).toBe(40);
    expect(probe.runs).toHaveLength(40);
  });
});

/** The store with another way to commit. */
function withCommit(store: DurableStore, commit: DurableStore['commit']): DurableStore {
  const methods = ['lastId', 'instance', 'unfinished', 'history', 'messages', 'activities', 'query', 'close'] as const;
  const rest = Object.fromEntries(methods.map((m) => [m, (store[m] as (...args: unknown[]) => unknown).bind(store)]));
  return { ...rest, commit } as unknown as DurableStore;
}

/** Dies at the n-th commit that writes: before it is applied, or after it but before anybody hears of it. */
function mortal(
  store: DurableStore,
  commits: number,
  applied: boolean,
): { readonly store: DurableStore; readonly isDead: () => boolean } {
  let left = commits;
  let dead = false;
  const commit = async (writes: readonly Write[]) => {
    if (!dead && writes.length > 0 && left-- === 0) {
      dead = true;
      if (applied) await store.commit(writes);
    }
    if (dead) return await new Promise<never>(() => {});
    await store.commit(writes);
  };
  return { store: withCommit(store, commit), isDead: () => dead };
}

describe('an engine that is stopped', () => {
  it('lets activities under way end and keeps what they answered', async () => {
    const store = createMemoryStore();
    const engine = await started({ store });
    const open = hold('held');
    await start(engine, 'steps', ['held', 'next'], 'i');
    await until(() => probe.runs.length === 1, 'the step runs');
    const stopping = engine.stop(1_500);
    open();
    await stopping;
    expect(probe.runs).toEqual(['held']);
    const successor = await started({ store });
    await untilStatus(successor, 'i', 'Completed');
    expect(probe.runs).toEqual(['held', 'next']);
  });

  it('waits no longer than it is told, and what had not ended runs again at once', async () => {
    const store = createMemoryStore();
    const engine = await started({ store });
    const open = hold('held');
    await start(engine, 'steps', ['held'], 'i');
    await until(() => probe.runs.length === 1, 'the step runs');
    let isStopped = false;
    const stopping = engine.stop(1_500).then(() => {
      isStopped = true;
    });
    await until(() => clock.nextAt() === clock.now() + 1_500, 'it waits');
    clock.advance(1_499);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isStopped).toBe(false);
    clock.advance(1);
    await stopping;
    const successor = await started({ store });
    await until(() => probe.runs.length === 2, 'the step runs again');
    open();
    await untilStatus(successor, 'i', 'Completed');
  });
});

describe('an engine that is stopped while a turn is being committed', () => {
  it('leaves no lease behind on the activities of that turn', async () => {
    const store = createMemoryStore();
    let stopping: Promise<void> | undefined;
    const commit = (writes: readonly Write[]) => {
      if (writes.some(({ op }) => op === 'putActivity')) stopping ??= engine.stop();
      return store.commit(writes);
    };
    const engine = await started({ store: withCommit(store, commit) });
    await start(engine, 'steps', ['one'], 'i');
    await until(() => stopping !== undefined, 'the turn is committed');
    await stopping;
    expect(probe.runs).toEqual([]);
    const successor = await started({ store });
    await untilStatus(successor, 'i', 'Completed');
    expect(probe.runs).toEqual(['one']);
  });
});

describe('a process that dies at any commit', () => {
  const expected = JSON.stringify(['r1-one done', 'r1-a done', 'r1-b done', ['r1-kid done']]);
  const steps = [0, 1].flatMap((round) => ['one', 'a', 'b', 'kid'].map((step) => `r${round}-${step}`));

  /** @returns whether the process died; after its last commit it does not. */
  async function runWithCrash(commits: number, applied: boolean): Promise<boolean> {
    probe.runs.length = 0;
    const store = createMemoryStore();
    const first = mortal(store, commits, applied);
    const doomed = await started({ store: first.store, activityLeaseMs: 2_000 }, [workerOf(app, 'doomed')]);
    let acknowledged = false;
    void doomed.client.startNew({ name: 'everything', input: '{"round":0}', instanceId: 'i' }).then(() => {
      acknowledged = true;
    });
    await pass(() => !first.isDead() && status(doomed, 'i')?.status !== 'Completed');
    doomed.drop('doomed');
    const before = new Set(probe.runs);
    const engine = await started({ store, activityLeaseMs: 2_000 });
    // A start that was never answered is the caller's to repeat.
    if (!store.instance('i')) expect(acknowledged).toBe(false);
    else await pass(() => status(engine, 'i')?.status !== 'Completed');
    if (store.instance('i')) expectAllDone(engine, before);
    await engine.stop();
    return first.isDead();
  }

  function expectAllDone(engine: DurableEngine, before: ReadonlySet<string>): void {
    expect(status(engine, 'i')).toMatchObject({ status: 'Completed', output: expected });
    for (const step of steps) {
      const runs = probe.runs.filter((run) => run === step).length;
      expect(runs, `runs of ${step}`).toBeGreaterThanOrEqual(1);
      expect(runs, `runs of ${step}`).toBeLessThanOrEqual(before.has(step) ? 2 : 1);
    }
    expect(probe.runs.length - steps.length, 'repeated, of two in flight at most').toBeLessThanOrEqual(2);
  }

  it.each([
    ['before it is applied', false],
    ['after it is applied', true],
  ])('loses nothing and repeats only unfinished activities: %s', async (_when, applied) => {
    let points = 0;
    while (await runWithCrash(points, applied)) points++;
    expect(points).toBeGreaterThanOrEqual(15);
  });
});
