/** `flotilla plan`: what `up` would change, and what becomes of the replicas. Nothing is changed. */
import { locateProblems } from '../../spec/files/resolve.ts';
import { loadComposeFile } from '../compose-file.ts';
import type { Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { hasChanges, renderPlan } from '../plan-lines.ts';
import { refuseFile } from '../refuse-file.ts';
import { renderProblems } from '../render.ts';
import { failWith, openSession } from '../session.ts';
import { storeValues } from '../stored-values.ts';

export async function plan(surroundings: Surroundings, options: InvocationOf<'plan'>): Promise<ExitCode> {
  const loaded = await loadComposeFile(surroundings, options);
  if (!loaded.ok) return refuseFile(surroundings, loaded.error, options.json);
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const session = opened.value;
  const { client, terminal, api } = session;
  const { app, locate, warnings } = loaded.value;
  const stored = await storeValues(session, loaded.value, true);
  if (!stored.ok) return stored.error;
  const preview = await client.preview(app.name, stored.value);
  if (!preview.ok) {
    const { error } = preview;
    if (error.kind !== 'refused' || !error.problem.problems) return failWith(session, error);
    return refuseFile(surroundings, locateProblems(error.problem.problems, locate), options.json);
  }
  // The API runs the same rules as the CLI, which knows the lines of the file; only what it alone knows is news.
  const known = new Set(warnings.map(({ path, problem }) => `${path}\n${problem}`));
  const news = preview.value.warnings.filter(({ path, problem }) => !known.has(`${path}\n${problem}`));
  for (const line of renderProblems([...warnings, ...locateProblems(news, locate)])) terminal.note(line);
  if (options.json) terminal.line(JSON.stringify(preview.value, null, 2));
  else for (const line of [`${app.name} → ${api}`, ...renderPlan(preview.value)]) terminal.line(line);
  return options.exitCode && hasChanges(preview.value) ? exitCodes.changes : exitCodes.ok;
}
