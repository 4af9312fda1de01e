/**
 * Decides what the host does with each registered function, or why it cannot: everything the embedded host does not offer is refused by the
 * function's name before anything starts. Pure, except that it reads the settings it is given.
 */
import type { EventGridPlan } from './event-grid.ts';
import type { LoadedApp, RegisteredFunction } from './functions-core.ts';
import type { HostJson } from './host-json.ts';
import { routeFunctions } from './http.ts';
import { type OutputPlan, planOutput } from './outputs.ts';
import type { Router } from './routes.ts';
import type { RpcBinding } from './rpc.ts';
import { parseSchedule, type Schedule } from './schedule.ts';
import { type ClientFactory, resolveConnection } from './service-bus-connection.ts';
import { resolveSettings, type Settings } from './settings.ts';
import type { StartProblem } from './start-error.ts';

interface TimerPlan {
  readonly fn: RegisteredFunction;
  readonly schedule: Schedule;
  readonly runOnStartup: boolean;
  readonly useMonitor: boolean;
}

interface QueuePlan {
  readonly fn: RegisteredFunction;
  readonly connect: ClientFactory;
  readonly queueName: string;
  readonly sessions: boolean;
  readonly autoComplete: boolean;
}

/** The functions of an app by what starts them. */
export interface TriggerPlan {
  readonly router: Router<RegisteredFunction>;
  readonly timers: readonly TimerPlan[];
  readonly queues: readonly QueuePlan[];
  readonly events: readonly EventGridPlan[];
  readonly outputs: readonly OutputPlan[];
  readonly orchestrators: readonly RegisteredFunction[];
  readonly activities: readonly RegisteredFunction[];
  /** Accepted so that one app runs here and in Azure; each use is refused. */
  readonly entities: readonly RegisteredFunction[];
}

const supported =
  'the embedded host serves HTTP, timer, Service Bus queue and Event Grid triggers, and durable orchestrations, activities and clients';

/** All problems of all functions at once. */
export function planTriggers(
  app: LoadedApp,
  hostJson: HostJson,
  settings: Settings,
):
  | { readonly ok: true; readonly plan: TriggerPlan }
  | { readonly ok: false; readonly problems: readonly StartProblem[] } {
  const problems = app.functions.flatMap((fn) => [...bindingProblems(fn), ...retryProblems(fn)]);
  const ofType = (type: string) => app.functions.filter((fn) => typeOf(fn.trigger) === type);

  const timers: TimerPlan[] = [];
  for (const fn of ofType('timertrigger')) {
    const plan = planTimer(fn, settings);
    if ('problem' in plan) problems.push(plan);
    else timers.push(plan);
  }
  const queues: QueuePlan[] = [];
  for (const fn of ofType('servicebustrigger')) {
    const plan = planQueue(fn, hostJson, settings);
    if (Array.isArray(plan)) problems.push(...plan);
    else queues.push(plan);
  }
  const outputs: OutputPlan[] = [];
  for (const planned of app.functions.flatMap((fn) => outputsOf(fn, settings))) {
    if ('problem' in planned) problems.push(planned);
    else outputs.push(planned);
  }
  const routed = routeFunctions(ofType('httptrigger'), hostJson.extensions.http.routePrefix);
  if (!routed.ok) problems.push(...routed.problems);
  if (problems.length > 0 || !routed.ok) return { ok: false, problems };
  return {
    ok: true,
    plan: {
      router: routed.router,
      timers,
      queues,
      events: ofType('eventgridtrigger').map((fn) => ({ fn, many: fn.trigger['cardinality'] === 'many' })),
      outputs,
      orchestrators: ofType('orchestrationtrigger'),
      activities: ofType('activitytrigger'),
      entities: ofType('entitytrigger'),
    },
  };
}

const typeOf = (binding: RpcBinding) => binding.type.toLowerCase();

const about = (fn: RegisteredFunction, problem: string, remedy: string): StartProblem => ({
  path: `function "${fn.name}"`,
  problem,
  remedy,
});

const servedTriggers = [
  'httptrigger',
  'timertrigger',
  'servicebustrigger',
  'eventgridtrigger',
  'orchestrationtrigger',
  'activitytrigger',
  'entitytrigger',
];

function bindingProblems(fn: RegisteredFunction): StartProblem[] {
  const problems: StartProblem[] = [];
  for (const binding of Object.values(fn.metadata.bindings)) {
    const type = typeOf(binding);
    if (binding === fn.trigger) {
      if (!servedTriggers.includes(type))
        problems.push(about(fn, `trigger "${binding.type}" is not supported`, supported));
    } else if (binding.direction === 'in') {
      if (type !== 'durableclient')
        problems.push(about(fn, `input "${binding.type}" is not supported`, 'read it with a client of your own'));
    }
    if (binding['sdkBinding'] === true) problems.push(about(fn, 'sdkBinding is not supported', 'leave it off'));
    if (binding['durableRequiresGrpc'] === true) {
      problems.push(about(fn, 'durable-functions 4 (gRPC) is not supported', 'stay with durable-functions 3.5'));
    }
  }
  return problems;
}

/** HTTP's own output is the answer to the request. */
function outputsOf(fn: RegisteredFunction, settings: Settings): readonly (OutputPlan | StartProblem)[] {
  return Object.entries(fn.metadata.bindings)
    .filter(([key, binding]) => binding.direction === 'out' && !(key === '$return' && typeOf(binding) === 'http'))
    .map(([key, binding]) => planOutput(fn, key, binding, settings));
}

function retryProblems(fn: RegisteredFunction): StartProblem[] {
  if (!fn.metadata.retryOptions) return [];
  if (typeOf(fn.trigger) === 'servicebustrigger') {
    const problem = 'a retry policy on a Service Bus trigger is not supported (by Azure neither)';
    return [
      about(
        fn,
        problem,
        'let the function throw: the message is delivered again up to the queue’s maximum delivery count',
      ),
    ];
  }
  return [
    about(
      fn,
      'a retry policy is not supported',
      'repeat inside the function, or use an orchestration with retry options',
    ),
  ];
}

function planTimer(fn: RegisteredFunction, settings: Settings): TimerPlan | StartProblem {
  const parsed = parseSchedule(fn.trigger['schedule'], settings);
  if (!parsed.ok) return about(fn, parsed.problem, parsed.remedy);
  const zone = settings['WEBSITE_TIME_ZONE'];
  if (zone !== undefined && zone !== '' && zone.toUpperCase() !== 'UTC') {
    return about(fn, `WEBSITE_TIME_ZONE "${zone}" is not supported`, 'remove it and write the schedule in UTC');
  }
  return {
    fn,
    schedule: parsed.schedule,
    runOnStartup: fn.trigger['runOnStartup'] === true,
    useMonitor: fn.trigger['useMonitor'] !== false,
  };
}

function planQueue(fn: RegisteredFunction, hostJson: HostJson, settings: Settings): QueuePlan | StartProblem[] {
  const { queueName, topicName, cardinality, isSessionsEnabled, autoCompleteMessages, connection } = fn.trigger;
  const problems: StartProblem[] = [];
  if (topicName !== undefined) problems.push(about(fn, 'topics are not supported', 'use a queue'));
  if (cardinality === 'many') problems.push(about(fn, 'cardinality "many" is not supported', `use cardinality: 'one'`));
  const queue = resolveSettings(String(queueName ?? ''), settings);
  if (!queue.ok) {
    const problem = `queueName refers to the setting %${queue.missing}%, which has no value`;
    problems.push(about(fn, problem, `set ${queue.missing} in the environment of the host`));
  } else if (queue.value === '' && topicName === undefined) {
    problems.push(about(fn, 'queueName is missing', 'name the queue'));
  }
  const sessions = isSessionsEnabled === true;
  if (sessions && queue.ok && /\/\$deadletterqueue$/i.test(queue.value)) {
    problems.push(about(fn, 'a dead-letter queue has no sessions', 'leave isSessionsEnabled off'));
  }
  const name = typeof connection === 'string' && connection !== '' ? connection : 'AzureWebJobsServiceBus';
  const resolved = resolveConnection(name, settings);
  if (!resolved.ok) problems.push(about(fn, resolved.problem, resolved.remedy));
  if (problems.length > 0 || !resolved.ok || !queue.ok) return problems;
  const autoComplete =
    typeof autoCompleteMessages === 'boolean'
      ? autoCompleteMessages
      : hostJson.extensions.serviceBus.autoCompleteMessages;
  return { fn, connect: resolved.connect, queueName: queue.value, sessions, autoComplete };
}
