/**
 * One instance of the Functions host: a module registry of its own with the real app in it, served by the embedded platform's own dispatch. It can
 * die (its timers, promises and pending answers with it) or become a zombie (the platform has given it up, its calls still count).
 */
import { join } from 'node:path';
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { clientInputs, createWorkerHost } from '../../../src/local/host/durable.ts';
import type { WorkerHost } from '../../../src/local/host/engine/types.ts';
import { toEventInvocation } from '../../../src/local/host/event-grid.ts';
import {
  type CoreState,
  createFunctionsCore,
  newLoading,
  toLoadedApp,
} from '../../../src/local/host/functions-core.ts';
import { parseHostJson } from '../../../src/local/host/host-json.ts';
import { createHttpTriggers } from '../../../src/local/host/http.ts';
import type { HttpHandler, HttpRequest } from '../../../src/local/host/http-server.ts';
import { createInvoker, type Invoker } from '../../../src/local/host/invoke.ts';
import { toInvocation } from '../../../src/local/host/service-bus-message.ts';
import { planTriggers, type TriggerPlan } from '../../../src/local/host/triggers.ts';
import type { Patch } from '../loader/compile.ts';
import { createRegistry, type Registry } from '../loader/registry.ts';
import type { Cause, ReplyRecord } from '../types.ts';
import { causes, clock, newOwner, type Owner } from '../virtual/clock.ts';
import { unfenced } from '../virtual/fences.ts';
import { natives } from '../virtual/natives.ts';
import { createTimeKit } from '../virtual/timers.ts';
import { begins } from '../virtual/watchdog.ts';
import { resourceGroup, subscriptionId } from './arm.ts';
import { type Bus, replyQueue } from './bus.ts';
import type { Caller } from './calls.ts';
import { addresses, causeNow, installation, secrets, strikes, type WorldCore } from './core.ts';
import { createAxiosAdapter, type Durable } from './durable.ts';
import { createHttpClient, type PipelineModule, type Services } from './http-client.ts';
import { createProber } from './probe.ts';

export interface PoolFact {
  readonly pool: string;
  readonly region: string;
  readonly quota: { readonly groups: number; readonly cores: number };
}

export interface HostParts extends Services {
  readonly world: WorldCore;
  readonly durable: Durable;
  readonly bus: Bus;
  readonly pools: readonly PoolFact[];
  /** Root of the repository whose `functions/` and `src/` the host runs. */
  readonly root: string;
  readonly patches: ReadonlyMap<string, readonly Patch[]>;
  readonly newId: () => string;
}

/** What a host runs: the repository's code under a version of its own, changed in places. */
export interface Build {
  /** null = the repository's own. */
  readonly version: string | null;
  /** By path relative to the repository. */
  readonly patches: ReadonlyMap<string, readonly Patch[]>;
}

export class SimHost implements Caller {
  readonly id: string;
  readonly owner: Owner;
  outstanding = 0;
  /** Gives new work to it. */
  isServing = false;
  readonly #parts: HostParts;
  readonly #build: Build;
  /** What each function that runs here was called for, oldest first. */
  readonly #running = new Set<Cause>();
  readonly #deaths: (() => void)[] = [];
  #invoker: Invoker | null = null;
  #plan: TriggerPlan | null = null;
  #http: HttpHandler | null = null;

  constructor(id: string, skewMs: number, build: Build, parts: HostParts) {
    this.#build = build;
    this.id = id;
    this.owner = newOwner(id);
    this.owner.skewMs = skewMs;
    this.#parts = parts;
  }

  get plan(): TriggerPlan {
    if (!this.#plan) throw new Error(`host ${this.id} has not started`);
    return this.#plan;
  }

  get invoker(): Invoker {
    if (!this.#invoker) throw new Error(`host ${this.id} has not started`);
    return this.#invoker;
  }

  /** Loads the app. */
  start(): void {
    const { root, durable, world, newId } = this.#parts;
    const core: CoreState = {
      loading: newLoading((level, _, message) => this.#print(level, [message])),
      programmingModel: undefined,
    };
    const registry = this.#registry(core);
    for (const file of functionFiles(root)) registry.load(file);
    this.#useVirtualAxios(registry, root);
    const { loading, programmingModel } = core;
    if (!loading || !programmingModel) throw new Error('the app announced no programming model');
    loading.locked = true;
    const app = toLoadedApp(root, loading, programmingModel);
    const hostJson = hostJsonOf(root);
    const planned = planTriggers(app, hostJson, environment);
    if (!planned.ok) throw new Error(JSON.stringify(planned.problems));
    this.#plan = planned.plan;
    const inner = createInvoker({
      app,
      log: ({ level, category, message }) => {
        if (category === 'host') world.emit({ type: 'log', at: clock.now, host: this.id, level, message });
      },
      timeoutMs: hostJson.functionTimeout,
      newId,
      extraInputs: (fn) => clientInputs(fn, durable.binding),
    });
    this.#invoker = this.#caused(inner);
    this.#http = createHttpTriggers(this.#plan.router, this.#invoker, () => true);
    this.isServing = true;
  }

  #print(level: string, values: readonly unknown[]): void {
    const message = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' ');
    this.#parts.world.emit({ type: 'log', at: clock.now, host: this.id, level, message });
  }

  #registry(core: CoreState): Registry {
    const { root, calls, arm, bus } = this.#parts;
    const patches = new Map(this.#parts.patches);
    for (const [file, list] of this.#build.patches)
      patches.set(join(root, file), [...(patches.get(join(root, file)) ?? []), ...list]);
    const { version } = this.#build;
    const time = createTimeKit(this.owner);
    const noDebug = Object.assign(() => undefined, { enabled: false });
    const registry: Registry = createRegistry({
      time,
      environment,
      patches,
      print: (level, values) => this.#print(level, values),
      provided: new Map<string, (original: () => unknown) => unknown>([
        ['@azure/functions-core', () => createFunctionsCore(core)],
        ['debug', () => Object.assign(() => noDebug, { enable() {}, disable() {}, log() {} })],
        [join(root, 'src/azure/credential.ts'), () => ({ createCredential: () => anyToken })],
        [join(root, 'src/azure/command-bus.ts'), () => ({ createCommandBus: () => this.#commandBus(bus) })],
        [
          join(root, 'src/activities/network-prober.ts'),
          () => ({
            networkProber: createProber(calls, arm, this, (fn, ms) => clock.at(clock.now + ms, fn, this.owner)),
          }),
        ],
        ...(version === null
          ? []
          : [
              [
                join(root, 'src/model/version.ts'),
                (original: () => unknown) => ({ ...(original() as object), version }),
              ] as const,
            ]),
        [join(root, 'src/wiring.ts'), (original) => this.#wiring(registry, original())],
      ]),
    });
    return registry;
  }

  /** The real wiring, with what a process would read from its machine given instead: transport and pools. */
  #wiring(registry: Registry, original: unknown): unknown {
    const { root, pools } = this.#parts;
    const real = original as { wiring(config: unknown, overrides: object): unknown };
    const { readConfig } = registry.load(join(root, 'src/config.ts')) as { readConfig(environment: object): unknown };
    const from = registry.require(
      join(root, 'src/azure/table-store.ts'),
      '@azure/core-rest-pipeline',
    ) as PipelineModule;
    let built: unknown;
    return {
      ...(original as object),
      flotilla: () => {
        built ??= real.wiring(readConfig(environment), {
          httpClient: createHttpClient(this.#parts, this, from),
          pools: pools.map((pool) => ({ ...pool, type: 'aci', subscriptionId, resourceGroup })),
        });
        return built;
      },
    };
  }

  #commandBus(bus: Bus): unknown {
    const unknown = (message: string) => ({
      ok: false,
      error: { kind: 'Unknown', code: null, message, retryAfterMs: null },
    });
    const exchange = async (key: string, method: string, apply: () => boolean) => {
      try {
        return await this.#parts.calls.exchange<unknown>(this, {
          target: 'bus',
          key,
          method,
          writes: true,
          apply: () => (apply() ? { ok: true, value: undefined } : unknown('the queue is not there')),
          status: (code) => unknown(`status ${code}`),
          broken: (code) => new Error(code),
          statusOf: () => null as unknown as number,
          signal: createTimeKit(this.owner).AbortSignal.timeout(30_000),
        });
      } catch (error) {
        return unknown((error as Error).message);
      }
    };
    return {
      send: ({ app, operationId, attempt }: { app: string; operationId: string; attempt: number }) =>
        exchange(`bus send ${app}`, 'send', () => {
          bus.send({ id: `${operationId}:${attempt}`, session: app, body: JSON.stringify({ app, operationId }) });
          return true;
        }),
      reply: (reply: ReplyRecord) => {
        const cause = causeNow();
        return exchange(`bus reply ${reply.to}`, 'reply', () =>
          bus.reply(JSON.parse(JSON.stringify(reply)) as ReplyRecord, cause),
        );
      },
    };
  }

  #useVirtualAxios(registry: Registry, root: string): void {
    const durableFunctions = join(root, 'node_modules/durable-functions/package.json');
    const axios = registry.require(durableFunctions, 'axios') as { defaults: { adapter: unknown } };
    const { world, calls, durable } = this.#parts;
    axios.defaults.adapter = createAxiosAdapter(world, calls, durable, this);
  }

  /** Everything an invocation does carries its name. */
  #caused(inner: Invoker): Invoker {
    const { world } = this.#parts;
    return {
      inFlight: () => inner.inFlight(),
      invoke: (fn, invocation) => {
        const trigger = invocation.inputData[0]?.data;
        const input = trigger?.json ?? trigger?.string ?? '';
        const instance = invocation.triggerMetadata?.['instanceId'];
        const cause: Cause = {
          host: this.id,
          fn: fn.name,
          instance: instance?.string ?? instance?.json ?? null,
          about:
            fn.trigger.type === 'eventGridTrigger'
              ? subjectOf(input)
              : aboutOf(fn.trigger.type === 'activityTrigger' ? input : ''),
        };
        const isActivity = fn.trigger.type === 'activityTrigger';
        world.emit({ type: 'run', at: clock.now, moment: 'begun', cause, detail: isActivity ? input : '' });
        this.#running.add(cause);
        begins(textOf(cause));
        return causes.run(cause, async () => {
          const outcome = await inner.invoke(fn, invocation);
          this.#running.delete(cause);
          const value = outcome.ok ? outcome.returnValue : undefined;
          const detail = outcome.ok ? (isActivity ? (value?.json ?? value?.string ?? '') : '') : outcome.error.message;
          const moment = outcome.ok ? 'ended' : 'failed';
          if (!this.owner.dead) world.emit({ type: 'run', at: clock.now, moment, cause, detail: String(detail) });
          return outcome;
        });
      },
    };
  }

  // --- work given to it

  /** The host as a worker of the durable engine. */
  worker(): WorkerHost {
    const { world } = this.#parts;
    const inner = createWorkerHost(this.id, this.plan, this.invoker);
    const delay = (key: string) => 1 + world.choices.pick(`${key}/ms`, 30);
    return {
      ...inner,
      runOrchestrator: (name, payload, instanceId) =>
        this.#reply(delay(`turn ${instanceId}`), () => inner.runOrchestrator(name, payload, instanceId), 'rejects'),
      runActivity: (name, input, metadata) => {
        const key = `run ${name} ${aboutOf(input.json ?? input.string ?? '')}`;
        const run = () => inner.runActivity(name, input, metadata);
        if (strikes(world, 'activityTwice', key, 0.01)) this.#repeat(5, run);
        if (strikes(world, 'activityAgain', key, 0.01)) this.#repeat(150_000, run);
        return this.#reply(delay(key), run, 'hangs');
      },
    };
  }

  /** The same activity once more, whose outcome nobody waits for. */
  #repeat(afterMs: number, run: () => Promise<unknown>): void {
    clock.at(clock.now + afterMs, () => void run().catch(() => undefined), this.owner);
  }

  /** Dispatch takes a moment; the answer of a dead host never comes, or comes as a broken connection. */
  #reply<T>(delayMs: number, work: () => Promise<T>, onDeath: 'rejects' | 'hangs'): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (onDeath === 'rejects') this.onDeath(() => reject(new Error('the host is gone')));
      clock.at(
        clock.now + delayMs,
        () =>
          void work().then(
            (value) => !this.owner.dead && resolve(value),
            (error: unknown) => !this.owner.dead && reject(error),
          ),
        this.owner,
      );
    });
  }

  async message(queue: 'commands' | 'commandDeadLetters', message: ServiceBusReceivedMessage): Promise<boolean> {
    const plan = this.plan.queues.find(({ fn }) => fn.name === queue);
    if (!plan) throw new Error(`the app has no function ${queue}`);
    const { ok } = await this.invoker.invoke(plan.fn, toInvocation(plan.fn, message));
    return ok;
  }

  /** As the webhook of the host would; a dead host never answers. */
  async event(event: unknown): Promise<boolean> {
    const [plan] = this.plan.events;
    if (!plan) throw new Error('the app takes no events');
    const { ok } = await this.invoker.invoke(plan.fn, toEventInvocation(plan.fn, event));
    return this.owner.dead ? await new Promise<boolean>(() => undefined) : ok;
  }

  async request(request: HttpRequest): Promise<{ status: number; body: string }> {
    if (!this.#http) throw new Error(`host ${this.id} has not started`);
    const { status, body } = await this.#http(request);
    return { status, body: typeof body === 'string' ? body : Buffer.from(body).toString('utf8') };
  }

  // --- its end

  onDeath(callback: () => void): void {
    if (this.owner.dead) callback();
    else this.#deaths.push(callback);
  }

  die(): void {
    if (this.owner.dead) return;
    this.owner.dead = true;
    this.isServing = false;
    for (const callback of this.#deaths.splice(0)) callback();
    // The registry is freed with these.
    this.#invoker = null;
    this.#plan = null;
    this.#http = null;
  }

  /** The functions that owe an answer which nothing can ever settle any more; empty = all is well. */
  get stuck(): readonly Cause[] {
    if (this.owner.dead || this.outstanding > 0 || this.owner.pending > 0) return [];
    return [...this.#running];
  }
}

const environment: Readonly<Record<string, string>> = {
  FLOTILLA_INSTALLATION: installation,
  FLOTILLA_TABLES_ENDPOINT: addresses.tables,
  FLOTILLA_ARM_ENDPOINT: addresses.arm,
  FLOTILLA_SERVICEBUS: `Endpoint=sb://bus.invalid/;SharedAccessKeyName=sim;SharedAccessKey=${secrets.busKey}`,
  FLOTILLA_REPLY_QUEUES: replyQueue,
  FLOTILLA_SECRETS_KEY: secrets.secretsKey,
  WEBSITE_HOSTNAME: 'localhost:7071',
  NO_PROXY: '*',
};

const anyToken = { getToken: async () => ({ token: secrets.token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };

const functionFiles = (root: string): readonly string[] =>
  unfenced(() =>
    natives
      .readdirSync(join(root, 'functions'))
      .filter((name) => name.endsWith('.ts'))
      .sort()
      .map((name) => join(root, 'functions', name)),
  );

const hostJsonOf = (root: string) =>
  parseHostJson(JSON.parse(unfenced(() => natives.readFileSync(join(root, 'host.json'), 'utf8'))));

/** `finish deployment:shop.web:1 shop/web`. */
export const textOf = ({ fn, instance, about }: Cause): string => [fn, instance, about].filter(Boolean).join(' ');

function subjectOf(event: string): string {
  const { subject } = JSON.parse(event) as { readonly subject?: unknown };
  return typeof subject === 'string' ? subject : '';
}

/** What an activity is about, as far as its input says. */
export function aboutOf(input: unknown): string {
  let value: unknown = input;
  if (typeof input === 'string') {
    if (!input.startsWith('{')) return '';
    try {
      value = JSON.parse(input);
    } catch {
      return '';
    }
  }
  const { app, service, slot, incarnation } = value as Readonly<Record<string, unknown>>;
  return [app, service, slot, incarnation].filter((part) => part !== undefined).join('/');
}
