/** `flotilla runs APP [--cancel ID]`: one-off commands, and how they ended. */
import type { RunResource } from '../../model/api.ts';
import type { Session, Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { elapsed } from '../render.ts';
import { failWith, openSession } from '../session.ts';
import { table } from '../table.ts';

export async function runs(surroundings: Surroundings, options: InvocationOf<'runs'>): Promise<ExitCode> {
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const session = opened.value;
  const { app, cancel, json } = options;
  if (cancel !== null) return await end(session, app, cancel);
  const listed = await session.client.runs(app);
  if (!listed.ok) return failWith(session, listed.error);
  if (json) session.terminal.line(JSON.stringify(listed.value, null, 2));
  else for (const line of render(app, listed.value.runs, session.now())) session.terminal.line(line);
  return exitCodes.ok;
}

async function end(session: Session, app: string, run: string): Promise<ExitCode> {
  const { client, terminal } = session;
  const listed = await client.runs(app);
  if (!listed.ok) return failWith(session, listed.error);
  const found = listed.value.runs.find(({ id }) => id === run);
  if (found === undefined) {
    terminal.note(`error: ${app} has no run ${run}. See \`flotilla runs ${app}\`.`);
    return exitCodes.invalid;
  }
  if (found.endedAt !== null) {
    terminal.line(`${run} is over already.`);
    return exitCodes.ok;
  }
  const accepted = await client.command(app, { command: 'cancel', run }, session.newKey());
  if (!accepted.ok) return failWith(session, accepted.error);
  terminal.line(`${run} is being ended.`);
  return exitCodes.ok;
}

function render(app: string, listed: readonly RunResource[], now: number): readonly string[] {
  if (listed.length === 0) return [`${app} has no runs.`];
  const rows = listed.map((run) => [
    run.id,
    run.name ?? '-',
    run.state,
    run.exitCode === null ? '-' : String(run.exitCode),
    `${elapsed(Math.max(0, now - Date.parse(run.createdAt)))} ago`,
    tookOf(run, now),
    run.message ?? run.reason ?? '',
  ]);
  return table(['RUN', 'NAME', 'STATE', 'EXIT', 'ASKED', 'TOOK', 'MESSAGE'], rows);
}

const tookOf = ({ startedAt, endedAt }: RunResource, now: number): string =>
  startedAt === null
    ? '-'
    : elapsed(Math.max(0, (endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt)));
