/** `flotilla run APP.SERVICE [--] PROGRAM`: a command in a container of its own; what it prints, and its exit code. */
import type { ApiError } from '../../client/client.ts';
import type { OperationResource, RunResource } from '../../model/api.ts';
import { err, ok, type Result } from '../../model/result.ts';
import type { Session, Surroundings } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { type LogMemory, newsOf } from '../log-feed.ts';
import { renderProblems } from '../render.ts';
import { failWith, openSession } from '../session.ts';
import { isAbsent } from '../wait.ts';

type Options = InvocationOf<'run'>;

/** @returns the exit code of the program where it is known. */
export async function runCommand(surroundings: Surroundings, options: Options): Promise<number> {
  const environment = environmentOf(options, surroundings);
  if (!environment.ok) {
    surroundings.terminal.note(`error: ${environment.error}`);
    return exitCodes.invalid;
  }
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const session = opened.value;
  const { app, service, program, name, timeoutMs, detach } = options;
  const accepted = await session.client.command(
    app,
    {
      command: 'run',
      service,
      ...(program.length > 0 && { program }),
      ...(Object.keys(environment.value).length > 0 && { environment: environment.value }),
      ...(name !== null && { name }),
      ...(timeoutMs !== null && { timeoutMs }),
    },
    session.newKey(),
  );
  if (!accepted.ok) return failWith(session, accepted.error);
  const found = await begin(session, accepted.value);
  if (typeof found === 'number') return found;
  if (!detach) return await follow(session, app, found);
  session.terminal.line(found.id);
  return exitCodes.ok;
}

function environmentOf(
  { env }: Options,
  { environment }: Surroundings,
): Result<Readonly<Record<string, string>>, string> {
  const values: Record<string, string> = {};
  for (const one of env) {
    const at = one.indexOf('=');
    const name = at < 0 ? one : one.slice(0, at);
    const value = at < 0 ? environment[name] : one.slice(at + 1);
    if (value === undefined) return err(`--env ${name}: there is no such variable here; give ${name}=VALUE.`);
    values[name] = value;
  }
  return ok(values);
}

const pollMs = 500;
/** How long the API may be silent, and a command wait for its turn. */
const patienceMs = 60_000;

/** The run, once the command has taken effect; a number is an exit code. */
async function begin(session: Session, accepted: OperationResource): Promise<RunResource | number> {
  const { client, terminal, now } = session;
  const { app, id } = accepted;
  const until = now() + patienceMs;
  while (!session.interrupted.aborted && now() < until) {
    const read = await client.operation(app, id);
    const operation = read.ok ? read.value : accepted;
    if (operation.state === 'rejected' || operation.state === 'superseded') return sayRefused(session, operation);
    const runs = operation.state === 'applied' ? await client.runs(app, { operation: id }) : null;
    const run = runs?.ok ? runs.value.runs[0] : undefined;
    if (run !== undefined) {
      for (const line of renderProblems(operation.problems)) terminal.note(line);
      return run;
    }
    await session.sleep(pollMs);
  }
  terminal.note(`The run is accepted as operation ${id}, and was not seen to begin. See \`flotilla runs ${app}\`.`);
  return session.interrupted.aborted ? exitCodes.interrupted : exitCodes.unknown;
}

function sayRefused({ terminal }: Session, { state, reason, problems }: OperationResource): number {
  terminal.note(`error: the run was ${state}: ${reason ?? 'no reason given'}`);
  for (const line of renderProblems(problems)) terminal.note(line);
  return exitCodes.unknown;
}

/** Shows what it prints until nothing of it stands any more: then its last lines are kept. */
async function follow(session: Session, app: string, begun: RunResource): Promise<number> {
  const feed = createFeed(session, app, begun);
  let run = begun;
  let heardAt = session.now();
  let told: string | null = null;
  for (;;) {
    const { message } = run;
    if (run.endedAt === null && message !== null && message !== told) session.terminal.note(`${run.id}: ${message}`);
    told = message;
    if (run.state !== 'waiting') await feed();
    if (run.cleanedUp) return conclude(session, run);
    await session.sleep(pollMs);
    if (session.interrupted.aborted) return await cancel(session, app, run);
    const looked = await look(session, app, run);
    if (looked.ok) {
      heardAt = session.now();
      run = looked.value;
    } else if (looked.error.kind !== 'unreachable') {
      return Math.max(failWith(session, looked.error), exitCodes.unknown);
    } else if (session.now() - heardAt >= patienceMs) {
      return failWith(session, looked.error);
    }
  }
}

async function look({ client }: Session, app: string, run: RunResource): Promise<Result<RunResource, ApiError>> {
  const runs = await client.runs(app, { operation: run.operation });
  return runs.ok ? ok(runs.value.runs[0] ?? run) : runs;
}

/** Lines of one read; ACI has at most 4 MB. */
const tail = 5_000;

function createFeed({ client, terminal }: Session, app: string, { id, service }: RunResource): () => Promise<void> {
  let memory: LogMemory = { lines: [] };
  return async () => {
    const read = await client.logs(app, { service, run: Number(id.split('.')[1]), tail });
    if (!read.ok) {
      if (!isAbsent(read.error)) terminal.note(`${id}: its log cannot be read at the moment.`);
      return;
    }
    for (const log of read.value.logs) {
      const news = newsOf(memory, log);
      if (news.gap) terminal.note(`${id}: more was printed than ACI keeps; lines are missing here.`);
      for (const { text } of news.lines) terminal.line(text);
      memory = news.memory;
    }
  };
}

function conclude({ terminal }: Session, { id, exitCode, message, reason }: RunResource): number {
  if (exitCode !== null) return exitCode;
  terminal.note(`error: ${id} is over, and the exit code of its program is not known: ${message ?? reason ?? ''}`);
  return exitCodes.unknown;
}

async function cancel({ client, terminal, newKey }: Session, app: string, { id }: RunResource): Promise<number> {
  const canceled = await client.command(app, { command: 'cancel', run: id }, newKey());
  terminal.note(
    canceled.ok ? `${id} is being ended.` : `${id} could not be ended: try \`flotilla runs ${app} --cancel ${id}\`.`,
  );
  return exitCodes.interrupted;
}
