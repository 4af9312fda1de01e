/** `flotilla down [APP]`: tears an app down and waits until the last container group is gone. */
import type { AppResource } from '../../model/api.ts';
import { err, ok, type Result } from '../../model/result.ts';
import { readAppName } from '../compose-file.ts';
import { saidByJson, sayAccepted, sayUnfinished } from '../conclude.ts';
import type { Session, Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { teardownProgress } from '../progress.ts';
import { refuseFile } from '../refuse-file.ts';
import { elapsed, renderStatus, renderStory, teardown } from '../render.ts';
import { failWith, openSession } from '../session.ts';
import { columns } from '../table.ts';
import { isAbsent, waitFor } from '../wait.ts';

type Options = Extract<Invocation, { command: 'down' }>;

export async function down(surroundings: Surroundings, options: Options): Promise<ExitCode> {
  if (options.yes !== null && options.app !== null && options.yes !== options.app) {
    surroundings.terminal.note(`error: --yes ${options.yes} confirms another app than ${options.app}.`);
    return exitCodes.invalid;
  }
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const session = opened.value;
  const name = await chooseApp(session, options);
  if (!name.ok) return name.error;
  const before = await session.client.app(name.value);
  if (!before.ok) return await refuse(session, name.value, before.error);
  const said = saidByJson(session, options.json);
  said.terminal.line(`${name.value} → ${session.api}`);
  for (const line of renderGoing(before.value)) said.terminal.line(line);
  if (session.interrupted.aborted) return exitCodes.interrupted;
  const startedAt = session.now();
  const accepted = await session.client.remove(name.value, session.newKey(), options.yes ?? undefined);
  if (!accepted.ok) return await refuse(session, name.value, accepted.error);
  const operation = accepted.value;
  if (options.detach) return sayAccepted(session, operation, options.json);
  const ending = await waitFor(said, {
    operation,
    timeoutMs: options.timeoutMs,
    judge: teardownProgress,
    show(app, news) {
      for (const line of renderStory(news, operation.app, operation.acceptedAt)) said.terminal.line(line);
      const waitedMs = session.now() - startedAt;
      said.terminal.status(renderStatus(app, { waitedMs, isSupervised: session.isSupervised }));
    },
  });
  said.terminal.status([]);
  if (ending.kind !== 'converged') return sayUnfinished(session, ending, operation, options.json);
  if (options.json) session.terminal.line(JSON.stringify({ outcome: 'gone', operation: ending.operation }, null, 2));
  else session.terminal.line(`${name.value} is gone after ${elapsed(session.now() - startedAt)}.`);
  return exitCodes.ok;
}

/** The operand, else the app that the Compose file here names. Never guessed from what runs: this destroys. */
async function chooseApp(session: Session, options: Options): Promise<Result<string, ExitCode>> {
  if (options.app !== null) return ok(options.app);
  const read = await readAppName(session, options);
  if (!read.ok) return err(refuseFile(session, read.error, options.json));
  if (read.value !== null) return ok(read.value);
  const { terminal } = session;
  terminal.note('error: which app? There is no Compose file here that names one.');
  terminal.note(`  Write \`flotilla down APP\`. ${await knownApps(session)}`);
  return err(exitCodes.invalid);
}

async function refuse(session: Session, app: string, error: Parameters<typeof failWith>[1]): Promise<ExitCode> {
  const code = failWith(session, error);
  if (isAbsent(error)) session.terminal.note(`  Nothing of ${app} is left to tear down. ${await knownApps(session)}`);
  return code;
}

async function knownApps({ client }: Session): Promise<string> {
  const apps = await client.apps();
  if (!apps.ok) return '';
  return apps.value.length === 0 ? 'There are no apps.' : `Apps: ${apps.value.map(({ name }) => name).join(', ')}.`;
}

function renderGoing({ state, serviceList }: AppResource): readonly string[] {
  if (state === 'deleted') return ['  nothing is left'];
  return columns(serviceList.map(({ name, replicas }) => [`- ${name}`, teardown(replicas.length)])).map(
    (line) => `  ${line}`,
  );
}
