/** What the CLI shows of the API's resources, as lines of text. Pure; `now` in epoch ms. */
import type { ApplyPreview, AppResource, EventResource, ReplicaResource, ServiceResource } from '../model/api.ts';
import type { Problem } from '../model/problem.ts';
import { table } from './table.ts';

export function renderProblems(problems: readonly Problem[]): string[] {
  return problems.flatMap(({ severity, file, line, column, path, problem, remedy }) => {
    const place =
      file === undefined
        ? path
        : `${file}${line === undefined ? '' : `:${line}:${column ?? 1}`}${path === '' ? '' : ` ${path}`}`;
    return [`${severity}: ${place === '' ? '' : `${place}: `}${problem}`, `  ${remedy}`];
  });
}

const changeWords = {
  added: '+ add',
  removed: '- tear down',
  revised: '~ new revision',
  scaled: '~ scale',
  unchanged: '',
} as const;

/** One line per service that changes; "no change" when none does. */
export function renderPreview(preview: ApplyPreview): string[] {
  const changed = preview.changes.filter(({ change }) => change !== 'unchanged');
  if (changed.length === 0) return [`${preview.app}: no change`];
  const rows = changed.map(({ service, change, fields }) => [changeWords[change], service, fields.join(', ')]);
  return [
    `${preview.app}:`,
    ...table(['', '', ''], rows)
      .slice(1)
      .map((line) => `  ${line}`),
  ];
}

export function renderEvent(event: EventResource, app?: string): string {
  const time = event.at.slice(11, 19);
  const subject = event.replica ?? event.service ?? '';
  const reason = event.reason === null ? '' : ` (${event.reason})`;
  return [time, app ?? '', event.type.padEnd(19), subject.padEnd(14), `${event.message}${reason}`]
    .filter((part) => part !== '')
    .join('  ')
    .trimEnd();
}

/** One line per service: what is ready, and why not more. */
export function renderServices(app: AppResource): string[] {
  const rows = app.serviceList.map((service) => [
    service.converged ? '✓' : '…',
    service.name,
    `${service.ready}/${service.desired} ready`,
    service.converged ? '' : [service.reason ?? '', service.message ?? ''].filter((text) => text !== '').join(': '),
  ]);
  return table(['', '', '', ''], rows).slice(1);
}

/** The replicas of an app; gone ones are not shown. Failed and crashing ones come with their last log lines. */
export function renderReplicas(app: AppResource, now: number): string[] {
  const shown = app.serviceList.flatMap((service) =>
    service.replicas.filter(({ state }) => state !== 'gone').map((replica) => ({ service, replica })),
  );
  const state = app.state === 'active' ? (app.converged ? 'converged' : 'converging') : app.state;
  const head = `${app.name}: ${state}, generation ${app.generation}, ${app.ready}/${app.desired} replicas ready`;
  const pending = app.pendingOperations.length === 0 ? [] : [`  waiting: ${app.pendingOperations.join(', ')}`];
  if (shown.length === 0) return [head, ...pending, ...notes(app)];
  const rows = shown.map(({ service, replica }) => [
    service.name,
    String(replica.slot),
    replica.state,
    `r${replica.revision}`,
    replica.pool,
    age(replica.since, now),
    String(replica.restartCount),
    replica.addresses.join(' ') || '-',
  ]);
  return [
    head,
    ...pending,
    '',
    ...table(['SERVICE', 'SLOT', 'STATE', 'REV', 'POOL', 'SINCE', 'RESTARTS', 'ADDRESS'], rows),
    ...notes(app),
    ...shown.flatMap(({ service, replica }) => trouble(service, replica)),
  ];
}

function notes(app: AppResource): string[] {
  const waiting = app.serviceList.filter(({ converged, reason }) => !converged && reason !== null);
  if (waiting.length === 0) return [];
  return ['', ...waiting.map(({ name, reason, message }) => `${name}: ${reason}${message ? `: ${message}` : ''}`)];
}

function trouble(service: ServiceResource, replica: ReplicaResource): string[] {
  if (replica.reason === null) return [];
  const head = `${service.name}/${replica.slot}: ${replica.reason}${replica.message ? `: ${replica.message}` : ''}`;
  const tail =
    replica.logTail === null
      ? []
      : replica.logTail
          .trimEnd()
          .split('\n')
          .map((line) => `  | ${line}`);
  return ['', head, ...tail];
}

function age(since: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)}h` : `${Math.round(seconds / 86_400)}d`;
}
