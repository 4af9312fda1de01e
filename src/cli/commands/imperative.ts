/** `flotilla scale|restart|stop|start|freeze|thaw`: says what it will do, sends the command, and waits until it is so. */
import type { AppResource, Imperative, OperationResource, ServiceResource } from '../../model/api.ts';
import { err, ok, type Result } from '../../model/result.ts';
import { nearestWord } from '../../spec/suggest.ts';
import { saidByJson, sayAccepted, sayUnfinished } from '../conclude.ts';
import type { Session, Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf, WaitOptions } from '../invocation.ts';
import { type Progress, progressOf } from '../progress.ts';
import { count, elapsed, renderProblems, renderStatus, renderStory } from '../render.ts';
import { failWith, openSession } from '../session.ts';
import { columns } from '../table.ts';
import { waitFor } from '../wait.ts';

type Options = InvocationOf<'scale' | 'restart' | 'stop' | 'start' | 'freeze' | 'thaw'>;

export async function imperative(surroundings: Surroundings, options: Options): Promise<ExitCode> {
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const session = opened.value;
  const app = await session.client.app(options.app);
  if (!app.ok) return failWith(session, app.error);
  const body = bodyOf(options);
  const services = servicesOf(session, app.value, body);
  if (!services.ok) return services.error;
  return await carryOut(session, options, body, outlook(app.value, services.value, body));
}

/** Says what will be done, sends the command, and waits until it is so. */
export async function carryOut(
  session: Session,
  options: WaitOptions & { readonly app: string; readonly json: boolean },
  body: Imperative,
  lines: readonly string[],
): Promise<ExitCode> {
  const said = saidByJson(session, options.json);
  said.terminal.line(`${options.app} → ${session.api}`);
  for (const line of lines) said.terminal.line(line);
  if (session.interrupted.aborted) return exitCodes.interrupted;
  const startedAt = session.now();
  const accepted = await session.client.command(options.app, body, session.newKey());
  if (!accepted.ok) return failWith(session, accepted.error);
  if (options.detach) return sayAccepted(session, accepted.value, options.json);
  const ending = await waitFor(said, {
    operation: accepted.value,
    timeoutMs: options.timeoutMs,
    judge: (seen, operation, events) => judge(body, seen, operation, events),
    show(seen, news) {
      for (const line of renderStory(news, options.app, accepted.value.acceptedAt)) said.terminal.line(line);
      const waitedMs = session.now() - startedAt;
      said.terminal.status(renderStatus(seen, { waitedMs, isSupervised: session.isSupervised }));
    },
  });
  said.terminal.status([]);
  if (ending.kind !== 'converged') return sayUnfinished(session, ending, accepted.value, options.json);
  const { operation, app: after } = ending;
  if (options.json) session.terminal.line(JSON.stringify({ outcome: 'converged', operation, app: after }, null, 2));
  else session.terminal.line(`${done[body.command] ?? 'Done'} after ${elapsed(session.now() - startedAt)}.`);
  for (const line of renderProblems(operation.problems)) session.terminal.note(line);
  return exitCodes.ok;
}

const done: Readonly<Partial<Record<Imperative['command'], string>>> = {
  scale: 'Scaled',
  restart: 'Restarted',
  stop: 'Stopped',
  start: 'Started',
  freeze: 'Frozen',
  thaw: 'Thawed',
  replaceReplica: 'Replaced',
  forgetReplica: 'Forgotten',
};

function bodyOf(options: Options): Imperative {
  if ('replicas' in options) return { command: options.command, services: options.replicas };
  if (!('services' in options)) return { command: options.command };
  return { command: options.command, ...(options.services !== null && { services: options.services }) };
}

/** Freezing and thawing are done once they are applied: what waits may then take as long as it takes. */
function judge(
  { command }: Imperative,
  app: AppResource | null,
  { generation }: OperationResource,
  events: Parameters<typeof progressOf>[2],
): Progress {
  if (command === 'freeze' || command === 'thaw') return { state: 'converged' };
  return progressOf(app, generation ?? 0, events);
}

/** Those that are meant; one that the app does not have is refused before anything is sent. */
function servicesOf(
  { terminal }: Session,
  app: AppResource,
  body: Imperative,
): Result<readonly ServiceResource[], ExitCode> {
  const present = app.serviceList.filter(({ removed }) => !removed);
  if (!('services' in body) || body.services === undefined) return ok(present);
  const named = Array.isArray(body.services) ? body.services : Object.keys(body.services);
  const names = present.map(({ name }) => name);
  const unknown = named.filter((name) => !names.includes(name));
  for (const name of unknown) {
    const nearest = nearestWord(name, names);
    terminal.note(`error: ${app.name} has no service \`${name}\`${nearest ? `; did you mean \`${nearest}\`?` : '.'}`);
    terminal.note(`  Services: ${names.join(', ') || 'none'}.`);
  }
  return unknown.length === 0 ? ok(present.filter(({ name }) => named.includes(name))) : err(exitCodes.invalid);
}

/** One line per service, in the manner of `up`. */
function outlook(app: AppResource, services: readonly ServiceResource[], body: Imperative): readonly string[] {
  if (body.command === 'freeze') return ['  nothing is created or deleted until it is thawed'];
  if (body.command === 'thaw') return [app.frozen ? '  what was noted meanwhile goes on' : '  it is not frozen'];
  const rows = services.map((service) => [`~ ${service.name}`, wordsOf(service, body)]);
  return rows.length === 0 ? ['  it has no services'] : columns(rows).map((line) => `  ${line}`);
}

function wordsOf({ name, desired, stopped, replicas, scaledTo }: ServiceResource, body: Imperative): string {
  switch (body.command) {
    case 'scale':
      return `scale ${desired} → ${body.services[name]}${stopped ? ' once it is started' : ''}`;
    case 'restart':
      return stopped ? 'is stopped: nothing to restart' : `replace ${count(replicas.length, 'replica')}, one at a time`;
    case 'stop':
      return stopped ? 'is stopped already' : `stop: remove ${count(replicas.length, 'replica')}, keep the spec`;
    case 'start':
      return stopped ? `start${scaledTo === null ? '' : ` with ${scaledTo}`}` : 'is not stopped';
    default:
      return '';
  }
}
