/** `flotilla up`: Compose file → preview → apply → wait → the addresses that answer. */
import type { ApplyPreview, AppResource, OperationResource } from '../../model/api.ts';
import { err, ok, type Result } from '../../model/result.ts';
import { type CheckedFile, locateProblems } from '../../spec/files/resolve.ts';
import { loadComposeFile } from '../compose-file.ts';
import { saidByJson, sayAccepted, sayUnfinished } from '../conclude.ts';
import type { Session, Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { renderPreview } from '../preview.ts';
import { progressOf } from '../progress.ts';
import { refuseFile } from '../refuse-file.ts';
import {
  type AnsweredAddress,
  elapsed,
  renderAddresses,
  renderProblems,
  renderStatus,
  renderStory,
} from '../render.ts';
import { failWith, openSession } from '../session.ts';
import { storeValues } from '../stored-values.ts';
import { type Ending, isAbsent, waitFor } from '../wait.ts';

type Options = Extract<Invocation, { command: 'up' }>;

export async function up(surroundings: Surroundings, options: Options): Promise<ExitCode> {
  const loaded = await loadComposeFile(surroundings, options);
  if (!loaded.ok) return refuseFile(surroundings, loaded.error, options.json);
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const session = opened.value;
  const stored = await storeValues(session, loaded.value);
  if (!stored.ok) return stored.error;
  const file = { ...loaded.value, document: stored.value };
  const said = saidByJson(session, options.json);
  const shown = await showPreview(said, file, options);
  if (!shown.ok) return shown.error;
  if (session.interrupted.aborted) return exitCodes.interrupted;
  const startedAt = session.now();
  const accepted = await session.client.apply(file.app.name, file.document, session.newKey(), options.plan);
  if (!accepted.ok) return failWith(session, accepted.error);
  if (options.detach) return sayAccepted(session, accepted.value, options.json);
  const ending = await watch(said, options, accepted.value, startedAt);
  said.terminal.status([]);
  if (ending.kind !== 'converged') return sayUnfinished(session, ending, accepted.value, options.json);
  return await finish(session, options, ending, startedAt);
}

/** Prints what the file warns of and what will change. */
async function showPreview(session: Session, file: CheckedFile, options: Options): Promise<Result<null, ExitCode>> {
  const { client, terminal } = session;
  const { name } = file.app;
  const [preview, before] = await Promise.all([client.preview(name, file.document), client.app(name)]);
  if (!preview.ok) return err(refusePreview(session, file, preview.error, options));
  if (!before.ok && !isAbsent(before.error)) return err(failWith(session, before.error));
  const warnings = locateProblems(unsaid(preview.value, file), file.locate);
  for (const line of renderProblems([...file.warnings, ...warnings])) terminal.note(line);
  terminal.line(`${name} → ${session.api}`);
  const facts = { preview: preview.value, wanted: file.app, before: before.ok ? before.value : null };
  for (const line of renderPreview(facts)) terminal.line(line);
  return ok(null);
}

/** The API runs the same rules as the CLI; only what it alone knows is news. */
const unsaid = ({ warnings }: ApplyPreview, file: CheckedFile): ApplyPreview['warnings'] =>
  warnings.filter(({ path, problem }) => !file.warnings.some((own) => own.path === path && own.problem === problem));

function refusePreview(
  session: Session,
  file: CheckedFile,
  error: Parameters<typeof failWith>[1],
  options: Options,
): ExitCode {
  if (error.kind !== 'refused' || !error.problem.problems) return failWith(session, error);
  return refuseFile(session, locateProblems(error.problem.problems, file.locate), options.json);
}

async function watch(
  session: Session,
  options: Options,
  operation: OperationResource,
  startedAt: number,
): Promise<Ending> {
  const { terminal, now } = session;
  return await waitFor(session, {
    operation,
    timeoutMs: options.timeoutMs,
    judge: (app, { generation }, events) => progressOf(app, generation ?? 0, events),
    show(app, news) {
      for (const line of renderStory(news, operation.app, operation.acceptedAt)) terminal.line(line);
      terminal.status(renderStatus(app, { waitedMs: now() - startedAt, isSupervised: session.isSupervised }));
    },
  });
}

async function finish(
  session: Session,
  { json }: Options,
  { app, operation }: Extract<Ending, { kind: 'converged' }>,
  startedAt: number,
): Promise<ExitCode> {
  const { terminal, now, api } = session;
  // A script must not take a service that stays where it was for one that went along.
  const code = operation.problems.some(({ problem }) => problem.startsWith('RevisionRolledBack'))
    ? exitCodes.warned
    : exitCodes.ok;
  const took = elapsed(now() - startedAt);
  const addresses = app === null ? [] : await knockAtAll(session, app);
  if (json) {
    terminal.line(JSON.stringify({ outcome: 'converged', operation, app, addresses }, null, 2));
    return code;
  }
  const lines = app === null ? [] : [summary(app, took), '', ...renderAddresses(app, addresses)];
  for (const line of ['', ...lines, '', `API  ${api}/api/v1`]) terminal.line(line);
  return code;
}

const summary = ({ name, ready, desired }: AppResource, took: string): string =>
  `${name} is up: ${ready} of ${desired} replicas ready after ${took}.`;

const knocksAtOnce = 32;

/** "Ready" is what the prober of the pool saw; whether this machine reaches an address is another question. */
async function knockAtAll({ knock }: Session, app: AppResource): Promise<readonly AnsweredAddress[]> {
  const all = app.serviceList.flatMap(({ name, replicas }) =>
    replicas.flatMap(({ slot, addresses }) => addresses.map((address) => ({ service: name, slot, address }))),
  );
  const answered: AnsweredAddress[] = [];
  for (let n = 0; n < all.length; n += knocksAtOnce) {
    const batch = all.slice(n, n + knocksAtOnce);
    answered.push(
      ...(await Promise.all(batch.map(async (place) => ({ ...place, answer: await knock(place.address) })))),
    );
  }
  return answered;
}
