/** One run of a world: builds it, lets a workload and the faults loose on it, watches it through the oracles, and says what came of it. */
import { fileURLToPath } from 'node:url';
import { type ChoiceMap, createChoices } from '../choices/choices.ts';
import { type FaultPlan, noFaults } from '../faults/registry.ts';
import type { Patch } from '../loader/compile.ts';
import type { CommandRecord, Facts, Oracle, OrderRecord, SimEvent, Violation, Workload } from '../types.ts';
import { causes, clock, epoch } from '../virtual/clock.ts';
import { raiseFence } from '../virtual/fences.ts';
import { natives } from '../virtual/natives.ts';
import { reseed } from '../virtual/preload.ts';
import { createGenerator } from '../virtual/random.ts';
import { createTripwire } from '../virtual/tripwire.ts';
import { watch } from '../virtual/watchdog.ts';
import { createArm } from './arm.ts';
import { createBus } from './bus.ts';
import { createCalls } from './calls.ts';
import type { WorldCore } from './core.ts';
import { type Coverage, createCoverage } from './coverage.ts';
import { createDrive } from './drive.ts';
import { createDurable } from './durable.ts';
import { createEvents } from './events.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { type HostParts, type PoolFact, textOf } from './host.ts';
import { createTable, nested, type Table } from './table.ts';
import { createFunctionTimers } from './timers.ts';
import { createTrace } from './trace.ts';
import { createView } from './view.ts';
import { startWeather } from './weather.ts';

export interface RunOptions {
  readonly seed: number;
  /** Replays exactly these choices, everything else benign. */
  readonly choices?: ChoiceMap | undefined;
  readonly workload: Workload;
  readonly faults?: FaultPlan;
  /** How many hosts are kept alive. Default 1. */
  readonly hosts?: number;
  /** Length of the run, virtual ms. */
  readonly untilMs: number;
  /** Cuts the run off here, without judging its end. */
  readonly haltAtMs?: number;
  /** The last part of it, without faults. Default 20 min, but not more than half. */
  readonly calmMs?: number;
  readonly oracles: readonly Oracle[];
  readonly pools?: readonly PoolFact[];
  /** Planted bugs, by path relative to the repository. */
  readonly patches?: ReadonlyMap<string, readonly Patch[]>;
  /** Ends at the first violation. Default true. */
  readonly stopAtViolation?: boolean;
  /** Gets every line of the trace. */
  readonly sink?: (line: string) => void;
  /** Gets every event. */
  readonly onEvent?: (event: SimEvent) => void;
}

export interface RunResult {
  readonly seed: number;
  readonly hash: string;
  readonly lines: number;
  readonly violations: readonly Violation[];
  /** The largest of each that an oracle measured. */
  readonly measures: ReadonlyMap<string, number>;
  readonly coverage: Coverage;
  /** Non-zero choices. */
  readonly choices: ReadonlyMap<string, number>;
  readonly virtualMs: number;
  readonly realMs: number;
  /** Of this process, in the run: what a loaded machine does not falsify. */
  readonly cpuMs: number;
  readonly events: number;
  /** What runs in the end, as the rows say it: comparable between runs whose incarnations differ. */
  readonly final: string;
  /** Real asynchronous work that was seen. */
  readonly leaks: readonly string[];
}

export const root = fileURLToPath(new URL('../../../', import.meta.url));

export const defaultPools: readonly PoolFact[] = [
  { pool: 'eastus', region: 'eastus', quota: { groups: 100, cores: 100 } },
  { pool: 'westus2', region: 'westus2', quota: { groups: 100, cores: 100 } },
];

/** Hops to a macrotask first: inside a promise job nothing would drain. */
export function runWorld(options: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    natives.setImmediate(() => {
      try {
        resolve(run(options));
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

function run(options: RunOptions): RunResult {
  const startedAt = natives.hrtimeMs();
  const cpuAt = process.cpuUsage();
  clock.reset();
  reseed(options.seed);
  const world = new RunningWorld(options);
  const tripwire = createTripwire();
  const onRejection = (error: unknown): void =>
    world.violate('UNHANDLED', '-', `unhandled rejection: ${String(error)}`);
  process.on('unhandledRejection', onRejection);
  try {
    watch(true);
    tripwire.arm();
    raiseFence(true);
    causes.run(undefined, () => world.run());
  } finally {
    watch(false);
    raiseFence(false);
    tripwire.disarm();
    process.off('unhandledRejection', onRejection);
  }
  if (tripwire.seen.length > 0)
    world.violate('TRIPWIRE', '-', `real asynchronous work: ${[...new Set(tripwire.seen)].join(', ')}`);
  const cpu = process.cpuUsage(cpuAt);
  return world.result(natives.hrtimeMs() - startedAt, (cpu.user + cpu.system) / 1000, tripwire.seen);
}

function drawFacts(choices: ReturnType<typeof createChoices>): Facts {
  const one = <T>(key: string, values: readonly T[]): T => values[choices.pick(`fact/${key}`, values.length)] as T;
  return {
    listPageSize: one('listPageSize', [50, 2, 7, 1000]),
    provisioningMs: one('provisioningMs', [1_500, 5_000, 20_000, 45_000]),
    deletionMs: one('deletionMs', [500, 0, 5_000, 30_000]),
    retryAfterSeconds: one('retryAfterSeconds', [1, 5, 15]),
    imageRefusedAtOnce: one('imageRefusedAtOnce', [false, true]),
    quotaGroups: one('quotaGroups', [100, 40, 60]),
    eventSchema: one('eventSchema', ['EventGridSchema', 'CloudEventSchemaV1_0'] as const),
  };
}

interface Watching {
  readonly oracle: Oracle;
  readonly watch: ReturnType<Oracle['create']>;
  readonly view: ReturnType<typeof createView>;
}

class RunningWorld {
  readonly #options: RunOptions;
  readonly #choices;
  readonly #trace;
  readonly #coverage = createCoverage();
  readonly #violations: Violation[] = [];
  readonly #measures = new Map<string, number>();
  readonly #commands: CommandRecord[] = [];
  readonly #orders: OrderRecord[] = [];
  readonly #watching: Watching[] = [];
  readonly #queue: SimEvent[] = [];
  readonly #table;
  readonly #fleet: Fleet;
  readonly #drive;
  #isTelling = false;
  #isWorkloadDone = false;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#choices = createChoices(options.seed, options.choices ?? null);
    this.#trace = createTrace(options.sink ?? null, (what) =>
      this.violate('REAL', '-', `the real world leaked: ${what}`),
    );
    const pools = options.pools ?? defaultPools;
    const calmMs = options.calmMs ?? Math.min(20 * 60_000, options.untilMs / 2);
    const world: WorldCore = {
      seed: options.seed,
      choices: this.#choices,
      plan: options.faults ?? noFaults,
      calmFrom: epoch + options.untilMs - calmMs,
      emit: (event) => this.#emit(event),
    };
    const facts = drawFacts(this.#choices);
    const ids = createGenerator(options.seed ^ 0x5eed);
    const newId = () => ids.uuid();
    const events = createEvents({ world, facts, deliver: (event) => this.#tell(event) });
    const arm = createArm(world, facts, events);
    const table = createTable(world);
    const durable = createDurable(world, newId);
    const calls = createCalls({ world, crash: (id, how, fault) => this.#fleet.end(id, how, fault) });
    const bus = createBus(world, (queue, message) => this.#deliver(queue, message));
    const timers = createFunctionTimers(world);
    const patches = new Map([...(options.patches ?? [])].map(([file, list]) => [root + file, list]));
    const parts: HostParts = { world, calls, arm, table, durable, bus, pools, root, patches, newId };
    const fleet = createFleet({
      world,
      parts: () => parts,
      engine: durable.engine,
      timers,
      bus,
      size: options.hosts ?? 1,
    });
    this.#fleet = fleet;
    this.#table = table;
    this.#drive = createDrive({
      world,
      hosts: fleet.hosts,
      bus,
      table,
      commands: this.#commands,
      orders: this.#orders,
    });
    const viewParts = {
      world,
      arm,
      table,
      durable,
      hosts: fleet.hosts,
      commands: this.#commands,
      orders: this.#orders,
      pools,
      facts,
    };
    for (const oracle of options.oracles) {
      const view = createView(viewParts, {
        fail: (message) => this.violate(oracle.name, oracle.invariant, message),
        measure: (name, value) =>
          void this.#measures.set(name, Math.max(value, this.#measures.get(name) ?? Number.NEGATIVE_INFINITY)),
      });
      this.#watching.push({ oracle, watch: oracle.create(), view });
    }
    clock.onQuiet = () => this.#checkStuck();
    this.#begin = () => {
      void durable.engine.start();
      for (let n = 0; n < (options.hosts ?? 1); n += 1) fleet.start();
      startWeather({ world, arm, table, fleet, pools, events });
      this.#tick();
    };
  }

  readonly #begin: () => void;

  run(): void {
    this.#begin();
    // Commands begin once the clock has moved, so that the hosts are up.
    clock.at(clock.now + 1_000, () => {
      void this.#options.workload.run(this.#drive).then(
        () => {
          this.#isWorkloadDone = true;
        },
        (error: unknown) => this.violate('WORKLOAD', '-', `the workload failed: ${String(error)}`),
      );
    });
    const { untilMs, haltAtMs = untilMs } = this.#options;
    clock.run(epoch + Math.min(untilMs, haltAtMs));
    if (clock.halted || haltAtMs < untilMs) return;
    if (!this.#isWorkloadDone) this.violate('WORKLOAD', '-', 'the workload was not done by the end of the run');
    for (const { watch, view } of this.#watching) watch.onEnd?.(view);
  }

  #tick(): void {
    this.#emit({ type: 'tick', at: clock.now });
    clock.at(clock.now + 10_000, () => this.#tick());
  }

  #deliver(
    queue: 'commands' | 'commandDeadLetters',
    message: Parameters<Fleet['hosts'][number]['message']>[1],
  ): Promise<boolean> | null {
    const serving = this.#fleet.hosts.filter(({ isServing }) => isServing);
    const host = serving[this.#choices.pick(`bus ${queue}/host`, Math.max(1, serving.length))];
    if (!host) return null;
    return new Promise((resolve) => {
      // A broken connection gives its lock back after a while.
      host.onDeath(() => clock.at(clock.now + 30_000, () => resolve(false)));
      void host.message(queue, message).then(
        (ok) => !host.owner.dead && resolve(ok),
        () => !host.owner.dead && resolve(false),
      );
    });
  }

  #tell(event: unknown): Promise<boolean> | null {
    const serving = this.#fleet.hosts.filter(({ isServing }) => isServing);
    const host = serving[this.#choices.pick('events/host', Math.max(1, serving.length))];
    return host?.event(event) ?? null;
  }

  #checkStuck(): void {
    for (const host of this.#fleet.hosts) {
      if (host.stuck.length === 0) continue;
      const owed = host.stuck.map(textOf).join(', ');
      this.violate('STUCK', '-', `host ${host.id} owes what nothing can settle any more: ${owed}`);
    }
  }

  /** Events caused by an oracle's own reading cannot overtake the one it is reading. */
  #emit(event: SimEvent): void {
    this.#queue.push(event);
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      this.#trace.add(next);
      this.#coverage.add(next);
      this.#options.onEvent?.(next);
      for (const { watch, view } of this.#watching) watch.onEvent?.(view, next);
    }
    this.#isTelling = false;
  }

  violate(oracle: string, invariant: string, message: string): void {
    this.#violations.push({ oracle, invariant, at: clock.now - epoch, message });
    if (this.#options.stopAtViolation ?? true) clock.halted = true;
  }

  result(realMs: number, cpuMs: number, leaks: readonly string[]): RunResult {
    const virtualMs = clock.now - epoch;
    // The last lines are judged here, while the clock still stands.
    const { hash } = this.#trace;
    const events = clock.fired;
    for (const host of [...this.#fleet.hosts]) host.die();
    const final = settledState(this.#table);
    clock.reset();
    return {
      seed: this.#options.seed,
      hash,
      lines: this.#trace.lines,
      violations: this.#violations,
      measures: this.#measures,
      coverage: this.#coverage,
      choices: this.#choices.made,
      virtualMs,
      realMs,
      cpuMs,
      events,
      final,
      leaks,
    };
  }
}

/** `shop active`, `shop/web 3 × flotilla/http:2, 3 ready`, one a line. */
function settledState(table: Table): string {
  const rows = table.rows();
  const lines = rows.flatMap((row) => {
    const { partitionKey: app } = row;
    if (row['kind'] === 'app') return [`${app} ${row['state']}`];
    if (row['kind'] !== 'service' || row['removed'] === true) return [];
    const service = String(row['service']);
    const own = rows.filter((other) => other.partitionKey === app && other['service'] === service);
    const revision = own.find((other) => other['kind'] === 'revision' && other['revision'] === row['revision']);
    const template = (revision ? nested(revision, 'template') : null) as { readonly image?: string } | null;
    const ready = own.filter((other) => other['kind'] === 'replica' && other['state'] === 'ready').length;
    return [`${app}/${service} ${row['desired']} × ${template?.image ?? 'nothing'}, ${ready} ready`];
  });
  return lines.join('\n');
}
