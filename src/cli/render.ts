/** What the CLI shows of the API's resources, as lines of text. Pure; `now` in epoch ms. */
import type {
  AppResource,
  AppSummary,
  EventResource,
  ReplicaResource,
  RolloutSummary,
  ServiceResource,
} from '../model/api.ts';
import type { Problem } from '../model/problem.ts';
import { formatDuration } from '../model/units.ts';
import { compareText } from '../spec/json.ts';
import type { Answer } from './context.ts';
import { columns, table } from './table.ts';

export function renderProblems(problems: readonly Problem[]): string[] {
  return problems.flatMap(({ severity, file, line, column, path, problem, remedy }) => {
    const source = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}:${column ?? 1}`}`;
    const place = [source, path].filter((part) => part !== '').join(' ');
    return [`${severity}: ${place === '' ? '' : `${place}: `}${problem}`, `  ${remedy}`];
  });
}

/** One line: when (UTC), what, of whom, and why. */
export function renderEvent(event: EventResource, app?: string): string {
  const time = `${event.at.slice(0, 10)} ${event.at.slice(11, 19)}Z`;
  const subject = subjectOf(event);
  return [
    time,
    ...(app === undefined ? [] : [app]),
    event.type.padEnd(19),
    subject.padEnd(12),
    withReason(event.message, event.reason),
  ]
    .join('  ')
    .trimEnd();
}

/** Events that tell nothing beyond the preview, or beyond the event that follows at once. `flotilla events` has them all. */
const untold: ReadonlySet<EventResource['type']> = new Set([
  'OperationAccepted',
  'ServiceAdded',
  'ServiceRevised',
  'ServiceScaled',
  'ServiceRestarted',
  'ServiceStopped',
  'ServiceStarted',
  'ServiceRemoved',
  'AppFrozen',
  'AppThawed',
  'WorkflowStarted',
  'WorkflowEnded',
  'WorkflowReplaced',
  'GroupCreating',
  'GroupDeleting',
]);

/**
 * Events as the lines of `up` and `down`: time since `since` (ISO), of whom, and what. What happened to one replica in one instant is one line,
 * and comes before what follows from it for its service and its app.
 * @param events oldest first.
 */
export function renderStory(events: readonly EventResource[], app: string, since: string): string[] {
  const lines = new Map<string, { readonly head: string; readonly sentences: Set<string>; reason: string | null }>();
  for (const event of [...events].sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || scopeOf(a) - scopeOf(b))) {
    if (untold.has(event.type)) continue;
    const subject = subjectOf(event) || app;
    const key = JSON.stringify([event.at, subject]);
    const seconds = Math.max(0, Date.parse(event.at) - Date.parse(since)) / 1000;
    const line = lines.get(key) ?? {
      head: `${`+${seconds.toFixed(1)}s`.padStart(8)}  ${subject.padEnd(14)}`,
      sentences: new Set<string>(),
      reason: null,
    };
    line.sentences.add(event.message);
    lines.set(key, { ...line, reason: event.reason ?? line.reason });
  }
  return [...lines.values()].map(
    ({ head, sentences, reason }) => `${head}  ${withReason([...sentences].join(' '), reason)}`,
  );
}

const scopeOf = ({ replica, service }: EventResource): number => (replica !== null ? 0 : service !== null ? 1 : 2);

const subjectOf = (event: EventResource): string => event.replica ?? event.service ?? '';

const withReason = (message: string, reason: string | null): string =>
  reason === null || message.includes(reason) ? message : `${message} (${reason})`;

/** One line per service: what is ready, what the others are at, and why. */
function renderServices(app: AppResource): string[] {
  return columns(
    app.serviceList.map((service) => [
      `${service.converged ? '✓' : '…'} ${service.name}`,
      service.removed ? `${service.replicas.length} left` : `${service.ready}/${service.desired} ready`,
      service.converged ? '' : [statesOf(service), service.message ?? service.reason ?? ''].filter(Boolean).join(' · '),
    ]),
  );
}

/** What is seen on a terminal while the app is waited for. `null` = there is no app (any more). */
export function renderStatus(
  app: AppResource | null,
  { waitedMs, isSupervised }: { readonly waitedMs: number; readonly isSupervised: boolean },
): string[] {
  const services = app === null ? [] : renderServices(app);
  const hint = isSupervised ? [] : ['Ctrl-C stops waiting, not the operation'];
  return ['', ...[...services, [elapsed(waitedMs), ...hint].join(' · ')].map((line) => `  ${line}`)];
}

/** `2 creating, 1 draining`. */
function statesOf({ replicas }: ServiceResource): string {
  const counts = new Map<string, number>();
  for (const { state } of replicas) if (state !== 'ready') counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
}

export function renderApps(apps: readonly AppSummary[]): string[] {
  if (apps.length === 0) return ['There are no apps. `flotilla up` brings one up.'];
  return table(
    ['APP', 'STATE', 'GENERATION', 'SERVICES', 'READY'],
    apps.map((app) => [
      app.name,
      stateOf(app),
      app.observedGeneration === app.generation
        ? String(app.generation)
        : `${app.observedGeneration} → ${app.generation}`,
      String(app.services),
      `${app.ready}/${app.desired}`,
    ]),
  );
}

/** An app stays converged when a replica fails later, until its next generation: that is told by the numbers. */
function stateOf({ state, converged, ready, desired, frozen, stopped }: AppSummary): string {
  if (state !== 'active') return frozen ? `${state}, frozen` : state;
  if (frozen) return 'frozen';
  if (converged && stopped) return 'stopped';
  if (!converged) return 'converging';
  return ready < desired ? 'degraded' : 'converged';
}

/** The replicas of an app; failed and crashing ones come with their last log lines. */
export function renderReplicas(app: AppResource, now: number): string[] {
  const shown = app.serviceList.flatMap((service) => service.replicas.map((replica) => ({ service, replica })));
  const empty = app.serviceList.filter(({ replicas, removed }) => replicas.length === 0 && !removed);
  const head = `${app.name}: ${stateOf(app)}, generation ${app.generation}, ${app.ready}/${app.desired} replicas ready`;
  const pending = app.pendingOperations.map((id) => `Not yet applied: operation ${id}`);
  const present = shown.map(({ service, replica }) => [
    service.name,
    String(replica.slot),
    replica.reason === null ? replica.state : `${replica.state} (${replica.reason})`,
    `r${replica.revision}`,
    replica.pool,
    age(replica.since, now),
    String(replica.restartCount),
    replica.addresses.join(' ') || '-',
  ]);
  const absent = empty.map(({ name, stopped, revision }) => [
    name,
    '-',
    stopped ? 'stopped' : 'no replicas',
    `r${revision}`,
    '-',
    '-',
    '-',
    '-',
  ]);
  const rows = [...present, ...absent].sort((a, b) => compareText(a[0] ?? '', b[0] ?? ''));
  const frozen = app.frozen ? [`Frozen: nothing is created or deleted until \`flotilla thaw ${app.name}\`.`] : [];
  const rollouts = app.serviceList.flatMap(({ rollout }) => rollout ?? []).map(rolloutLine);
  const titles = ['SERVICE', 'SLOT', 'STATE', 'REV', 'POOL', 'SINCE', 'RESTARTS', 'ADDRESS'];
  return [
    head,
    ...frozen,
    ...pending,
    ...rollouts,
    ...(rows.length === 0 ? [] : ['', ...table(titles, rows)]),
    ...renderTrouble(app),
  ];
}

const rolloutLine = ({ id, purpose, from, to, phase, reason, ready, desired }: RolloutSummary): string =>
  `Rollout ${id}: ${purpose} ${from === null ? '' : `r${from} → `}r${to}, ${phase}${reason === null || reason === 'Baking' ? '' : ` (${reason})`}, ${ready}/${desired} new ready`;

/** Why services are not converged, and what their replicas died of; a service that only repeats its replica is left out. */
export function renderTrouble(app: AppResource): string[] {
  const waiting = app.serviceList.filter(
    ({ converged, reason, message, replicas }) =>
      !converged &&
      reason !== null &&
      !replicas.some((replica) => replica.message !== null && message?.includes(replica.message)),
  );
  return [
    ...(waiting.length === 0 ? [] : ['']),
    ...waiting.map(({ name, reason, message }) => `${name}: ${reason}${message ? `: ${message}` : ''}`),
    ...app.serviceList.flatMap((service) => service.replicas.flatMap((replica) => trouble(service, replica))),
  ];
}

/** The API keeps 2 KiB; the end tells most. */
const logLinesMax = 12;

function trouble(service: ServiceResource, replica: ReplicaResource): string[] {
  const log = replica.logTail?.trimEnd() ?? '';
  if (replica.message === null && log === '') return [];
  const why = [replica.reason, replica.message].filter((part) => part !== null).join(': ');
  const head = `${service.name}/${replica.slot}: ${why || replica.state}`;
  return [
    '',
    head,
    ...(log === ''
      ? []
      : log
          .split('\n')
          .slice(-logLinesMax)
          .map((line) => `  | ${line}`)),
  ];
}

export interface AnsweredAddress {
  readonly service: string;
  readonly slot: number;
  readonly address: string;
  readonly answer: Answer;
}

/** Services, replicas, pools, and for every address whether it answers from here. */
export function renderAddresses(app: AppResource, answered: readonly AnsweredAddress[]): string[] {
  const rows = app.serviceList.flatMap(({ name, replicas }) =>
    replicas.flatMap(({ slot, state, pool, addresses }) => {
      const places = addresses.map((address) => {
        const answer = answered.find((known) => known.address === address)?.answer;
        return [
          address,
          answer === undefined ? '' : answer.answers ? answer.detail : `not reachable from here: ${answer.detail}`,
        ];
      });
      const [first = ['-', 'no port'], ...others] = places;
      return [[name, String(slot), state, pool, ...first], ...others.map((place) => ['', '', '', '', ...place])];
    }),
  );
  return table(['SERVICE', 'SLOT', 'STATE', 'POOL', 'ADDRESS', 'ANSWER'], rows);
}

function age(since: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)}h` : `${Math.round(seconds / 86_400)}d`;
}

/** `6.9s`, `1m12s`: exact below a minute, whole seconds above. */
export const elapsed = (durationMs: number): string =>
  durationMs < 60_000 ? `${(durationMs / 1000).toFixed(1)}s` : formatDuration(Math.round(durationMs / 1000) * 1000);

/** What becomes of a service with so many replicas. */
export const teardown = (replicas: number): string =>
  replicas === 0 ? 'remove; it has no replicas' : `tear down ${count(replicas, 'replica')}`;

export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
