/** `flotilla rollout …`: what becomes of a new revision, what became of earlier ones, and how to steer it. */
import type { ApiError } from '../../client/client.ts';
import type { Imperative, OperationResource, RolloutSummary } from '../../model/api.ts';
import { ok, type Result } from '../../model/result.ts';
import { sayUnfinished } from '../conclude.ts';
import type { Session, Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { renderProblems } from '../render.ts';
import { renderDifference, renderHistory, renderRollout, renderStatus } from '../render-rollout.ts';
import { failWith, openSession } from '../session.ts';
import { waitFor } from '../wait.ts';

type Options = InvocationOf<'rollout'>;

export async function rollout(surroundings: Surroundings, options: Options): Promise<ExitCode> {
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const session = opened.value;
  switch (options.action) {
    case 'status':
      return await status(session, options);
    case 'history':
      return await history(session, options);
    case 'show':
      return await show(session, options);
    case 'diff':
      return await diff(session, options);
    default:
      return await steer(session, options, bodyOf(options));
  }
}

function bodyOf({ action, service, to }: Options): Imperative {
  const services = service === null ? {} : { services: [service] };
  if (action === 'undo') return { command: action, ...services, ...(to !== null && { to }) };
  return { command: action as 'pause' | 'resume' | 'promote' | 'abort' | 'restart', ...services };
}

/** Prints and says how the command ends. */
function print<T>(
  session: Session,
  json: boolean,
  read: Result<T, ApiError>,
  linesOf: (value: T) => readonly string[],
): ExitCode {
  if (!read.ok) return failWith(session, read.error);
  const lines = json ? [JSON.stringify(read.value, null, 2)] : linesOf(read.value);
  for (const line of lines) session.terminal.line(line);
  return exitCodes.ok;
}

const historyMax = 500;

/** The newest rollout of each service. */
async function latest(
  { client }: Session,
  { app, service }: Options,
): Promise<Result<readonly RolloutSummary[], ApiError>> {
  const listed = await client.rollouts(app, { limit: historyMax, ...(service !== null && { service }) });
  if (!listed.ok) return listed;
  const { rollouts } = listed.value;
  return ok(rollouts.filter((one, n) => rollouts.findIndex((other) => other.service === one.service) === n));
}

const active: ReadonlySet<string> = new Set(['progressing', 'baking']);
const pollMs = 1_000;

async function status(session: Session, options: Options): Promise<ExitCode> {
  const { terminal, now, sleep, interrupted } = session;
  let read = await latest(session, options);
  let shown = '';
  while (options.watch && read.ok && read.value.some(({ phase }) => active.has(phase)) && !interrupted.aborted) {
    const lines = renderStatus(read.value, now());
    // Only what is new: the age of a rollout is no news.
    const news = JSON.stringify(read.value);
    if (news !== shown && !options.json) for (const line of [...lines, '']) terminal.line(line);
    shown = news;
    await sleep(pollMs);
    read = await latest(session, options);
  }
  if (interrupted.aborted) return exitCodes.interrupted;
  const code = print(session, options.json, read, (rollouts) => renderStatus(rollouts, now()));
  return code === exitCodes.ok && read.ok ? codeOf(read.value) : code;
}

/** For scripts: paused is a warning that matters, and failed is failed. */
function codeOf(rollouts: readonly RolloutSummary[]): ExitCode {
  if (rollouts.some(({ purpose, phase }) => phase === 'failed' || purpose === 'rollback')) return exitCodes.failed;
  return rollouts.some(({ phase }) => phase === 'paused') ? exitCodes.warned : exitCodes.ok;
}

const history = async (session: Session, { app, service, json }: Options): Promise<ExitCode> =>
  print(
    session,
    json,
    await session.client.rollouts(app, { limit: historyMax, ...(service !== null && { service }) }),
    ({ rollouts }) => renderHistory(rollouts),
  );

const show = async (session: Session, { app, service, number, json }: Options): Promise<ExitCode> =>
  print(session, json, await session.client.rollout(app, `${service}.${number}`), renderRollout);

async function diff(session: Session, { app, service, revisions, json }: Options): Promise<ExitCode> {
  const read = await session.client.revisions(app, service === null ? {} : { service });
  if (!read.ok) return failWith(session, read.error);
  const [from, to] = revisions.map((number) => read.value.revisions.find(({ revision }) => revision === number));
  if (from === undefined || to === undefined) {
    const known = read.value.revisions.map(({ revision }) => revision).join(', ') || 'none';
    session.terminal.note(`error: ${app}.${service} has no such revision; stored are: ${known}.`);
    return exitCodes.invalid;
  }
  return print(session, json, ok({ from, to }), () => renderDifference(from, to));
}

/** Sends the command and waits until it is applied, not until what follows from it has happened. */
async function steer(session: Session, options: Options, body: Imperative): Promise<ExitCode> {
  const { terminal } = session;
  const accepted = await session.client.command(options.app, body, session.newKey());
  if (!accepted.ok) return failWith(session, accepted.error);
  const ending = await waitFor(session, {
    operation: accepted.value,
    timeoutMs: null,
    judge: () => ({ state: 'converged' }),
    show() {},
  });
  if (ending.kind !== 'converged') return sayUnfinished(session, ending, accepted.value, options.json);
  return concluded(session, options, ending.operation, terminal.line);
}

function concluded(
  { terminal, apiOption }: Session,
  { action, app, service, json }: Options,
  operation: OperationResource,
  line: (text: string) => void,
): ExitCode {
  if (json) line(JSON.stringify({ outcome: 'applied', operation }, null, 2));
  else {
    const target = service === null ? app : `${app}.${service}`;
    line(`${target}: ${action} is applied. Follow it with \`flotilla rollout status ${target} -w${apiOption}\`.`);
  }
  for (const text of renderProblems(operation.problems)) terminal.note(text);
  return exitCodes.ok;
}
