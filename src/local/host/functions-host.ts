/**
 * The embedded Functions host as a library: loads a function app, refuses what it cannot serve, then serves HTTP, timers, Service Bus queues and
 * durable functions. `main.ts` is the same as a process.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../model/clock.ts';
import { systemClock } from '../system-clock.ts';
import { createAdmin } from './admin.ts';
import { loadApp } from './core.ts';
import { clientInputs, createWorkerHost, usesDurable } from './durable.ts';
import { rpcPath, webhookPath } from './engine/binding.ts';
import { openRuntime, type Runtime } from './engine/runtime.ts';
import type { EngineFaults } from './engine/types.ts';
import { createEventGridWebhook } from './event-grid.ts';
import type { LoadedApp } from './functions-core.ts';
import { type HostJson, readHostJson } from './host-json.ts';
import { authorizeByKey, createHttpTriggers } from './http.ts';
import { type HttpHandler, type HttpServer, problem, startHttpServer } from './http-server.ts';
import { createInvoker, type LogSink } from './invoke.ts';
import { type HostKeys, openHostKeys } from './keys.ts';
import { type OutputInvoker, withOutputs } from './outputs.ts';
import { openScheduleMonitor, type ScheduleMonitor } from './schedule-monitor.ts';
import { type ServiceBusListener, startServiceBusListener } from './service-bus.ts';
import type { Settings } from './settings.ts';
import { HostStartError } from './start-error.ts';
import { type RunningTimer, startTimer } from './timers.ts';
import { planTriggers, type TriggerPlan } from './triggers.ts';

export interface FunctionsHostOptions {
  /** Directory with package.json and host.json of the app. */
  readonly appDir: string;
  /** Where durable state, timer status and keys are kept; created if absent. `undefined` keeps all in memory. */
  readonly dataDir?: string | undefined;
  /** 0 = any free port. */
  readonly port: number;
  /** App settings for `%NAME%` and connections; the app's own code reads `process.env`. Default: `process.env`. */
  readonly settings?: Settings;
  /** Default: the system's. Function timeouts and sockets always use the system's. */
  readonly clock?: Clock;
  /** Default: warnings and errors go to stderr. */
  readonly log?: LogSink;
  /** How long an activity whose host died is waited for. Default 5 min, as in the cloud. */
  readonly activityLeaseMs?: number;
  /** How the durable engine misbehaves, for drills. */
  readonly faults?: EngineFaults;
}

export interface FunctionsHost {
  readonly port: number;
  /** `http://127.0.0.1:<port>`, without the route prefix. */
  readonly url: string;
  readonly app: LoadedApp;
  readonly keys: HostKeys;
  /** Takes nothing new, gives what runs 2 s, then ends. Unfinished work goes on at the next start. */
  close(): Promise<void>;
}

const logToStderr: LogSink = ({ level, message, functionName, invocationId }) => {
  if (level !== 'warning' && level !== 'error' && level !== 'critical') return;
  const where = functionName === undefined ? '' : ` [${functionName}${invocationId ? ` ${invocationId}` : ''}]`;
  process.stderr.write(`${level}${where} ${message}\n`);
};

/** @throws HostStartError naming every problem of host.json, the app or its functions. */
export async function createFunctionsHost(options: FunctionsHostOptions): Promise<FunctionsHost> {
  const log = options.log ?? logToStderr;
  const hostJson = readHostJson(options.appDir);
  const app = await loadApp({
    appDir: options.appDir,
    log: (level, category, message) => log({ level, category, message }),
  });
  const planned = planTriggers(app, hostJson, options.settings ?? process.env);
  if (!planned.ok) throw new HostStartError(planned.problems);
  const running = new RunningHost({ ...options, log }, app, hostJson, planned.plan);
  try {
    await running.start();
  } catch (error) {
    await running.close();
    throw error;
  }
  return running;
}

const starting: HttpHandler = async () =>
  problem(503, 'The host is starting', 'Try again in a moment: the durable engine is being opened.');

const ending: HttpHandler = async () =>
  problem(503, 'The host is ending', 'Try again in a moment, should it be started again.');

class RunningHost implements FunctionsHost {
  readonly app: LoadedApp;
  readonly keys: HostKeys;
  readonly #options: FunctionsHostOptions & { readonly log: LogSink };
  readonly #hostJson: HostJson;
  readonly #plan: TriggerPlan;
  readonly #clock: Clock;
  readonly #invoker: OutputInvoker;
  readonly #instanceId = randomUUID();
  readonly #timers: RunningTimer[] = [];
  readonly #listeners: ServiceBusListener[] = [];
  #handler: HttpHandler = starting;
  #clientBinding = '{}';
  #http: HttpServer | undefined;
  #durable: Runtime | undefined;
  #monitor: ScheduleMonitor | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    options: FunctionsHostOptions & { readonly log: LogSink },
    app: LoadedApp,
    hostJson: HostJson,
    plan: TriggerPlan,
  ) {
    this.#options = options;
    this.app = app;
    this.keys = openHostKeys(options.dataDir === undefined ? undefined : join(options.dataDir, 'host-keys.json'));
    this.#hostJson = hostJson;
    this.#plan = plan;
    this.#clock = options.clock ?? systemClock;
    const inner = createInvoker({
      app,
      log: options.log,
      timeoutMs: hostJson.functionTimeout,
      newId: randomUUID,
      extraInputs: (fn) => clientInputs(fn, this.#clientBinding),
    });
    this.#invoker = withOutputs(inner, plan.outputs, options.log);
  }

  get port(): number {
    return this.#http?.port ?? 0;
  }

  get url(): string {
    return this.#http?.url ?? '';
  }

  /** The engine needs the port for its addresses, so the door is opened first and answers 503 until everything runs. */
  async start(): Promise<void> {
    const { dataDir, log, port } = this.#options;
    if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
    this.#http = await startHttpServer({
      port,
      handler: (request) => this.#handler(request),
      onError: (error) => log({ level: 'error', category: 'host', message: `HTTP: ${error}` }),
    });
    const durable = await this.#startDurable();
    this.#handler = this.#doors(durable);
    // Only now: work that waited for this start may call the durable client, and with it this host, at once.
    durable?.engine.attach(createWorkerHost(randomUUID(), this.#plan, this.#invoker));
    this.#startTimers();
    this.#startListeners();
  }

  /** In the order in which they are asked; the functions of the app come last. */
  #doors(durable: Runtime | undefined): HttpHandler {
    const invoker = this.#invoker;
    const functions = createHttpTriggers(this.#plan.router, invoker, authorizeByKey(this.keys));
    const { keys } = this;
    const events = createEventGridWebhook({ plans: this.#plan.events, invoker, keys, log: this.#options.log });
    const durableFunctions = new Set([...this.#plan.orchestrators, ...this.#plan.activities, ...this.#plan.entities]);
    const startedAt = performance.now();
    const admin = createAdmin({
      app: this.app,
      keys,
      invoker,
      isDurable: (fn) => durableFunctions.has(fn),
      routePrefix: this.#hostJson.extensions.http.routePrefix,
      instanceId: this.#instanceId,
      uptimeMs: () => Math.round(performance.now() - startedAt),
    });
    return async (request) => {
      const body = durable && isManagement(request.url) ? request.body.toString('utf8') : undefined;
      const managed = body === undefined ? undefined : await durable?.management({ ...request, body });
      return managed ?? admin(request) ?? (await events(request)) ?? (await functions(request));
    };
  }

  async #startDurable(): Promise<Runtime | undefined> {
    if (!usesDurable(this.app.functions)) return undefined;
    const { log, dataDir } = this.#options;
    for (const fn of this.#plan.entities) {
      const message = 'Entities are not supported by the embedded host: each call or signal to this one is refused.';
      log({ level: 'warning', category: 'host', message, functionName: fn.name });
    }
    // The SDK takes `localhost:7071` for the host unless this is set, and axios would ask a proxy for loopback addresses.
    process.env['WEBSITE_HOSTNAME'] = `localhost:${this.port}`;
    process.env['NO_PROXY'] ??= '127.0.0.1,localhost';
    this.#durable = await openRuntime({
      settings: this.#hostJson.extensions.durableTask,
      storePath: dataDir === undefined ? ':memory:' : join(dataDir, 'durable.db'),
      workers: [],
      clock: this.#clock,
      port: this.port,
      systemKey: this.keys.extension('durabletask'),
      activityLeaseMs: this.#options.activityLeaseMs,
      faults: this.#options.faults,
      log: (level, message) => log({ level, category: 'host', message }),
    });
    this.#clientBinding = this.#durable.clientBinding;
    return this.#durable;
  }

  #startTimers(): void {
    if (this.#plan.timers.length === 0) return;
    const { dataDir, log } = this.#options;
    const monitor = openScheduleMonitor(dataDir === undefined ? ':memory:' : join(dataDir, 'timers.db'));
    this.#monitor = monitor;
    for (const plan of this.#plan.timers) {
      this.#timers.push(startTimer({ ...plan, monitor, invoker: this.#invoker, log, clock: this.#clock }));
    }
  }

  #startListeners(): void {
    const { maxConcurrentCalls, maxConcurrentSessions, maxAutoLockRenewalDuration, sessionIdleTimeout } =
      this.#hostJson.extensions.serviceBus;
    for (const plan of this.#plan.queues) {
      const listener = startServiceBusListener({
        ...plan,
        maxConcurrentCalls,
        maxConcurrentSessions,
        maxAutoLockRenewalMs: maxAutoLockRenewalDuration,
        sessionIdleMs: sessionIdleTimeout,
        invoker: this.#invoker,
        log: this.#options.log,
      });
      this.#listeners.push(listener);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** What is under way may need the door for its durable client; everybody else is shut out first. */
  async #close(): Promise<void> {
    const answer = this.#handler;
    this.#handler = async (request) => (isManagement(request.url) ? await answer(request) : await ending(request));
    const timers = Promise.all(this.#timers.map((timer) => timer.stop()));
    await Promise.all([...this.#listeners.map((listener) => listener.stop()), endsWithin(timers, closingGraceMs)]);
    if (this.#durable) await endsWithin(this.#durable.close(activityGraceMs), closingGraceMs);
    await endsWithin(this.#invoker.close(), closingGraceMs);
    await this.#http?.close(requestGraceMs);
    await this.app.terminate();
    this.#monitor?.close();
  }
}

const isManagement = (url: string) => url.startsWith(webhookPath) || url.startsWith(rpcPath);

/** What runs longer is left to itself; its process is about to end. */
const closingGraceMs = 2_000;
/** Most of it, so that the engine can still put its leases right. */
const activityGraceMs = 1_500;
/** Requests had all that time before. */
const requestGraceMs = 500;

async function endsWithin(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
