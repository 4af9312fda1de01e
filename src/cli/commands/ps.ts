/** `flotilla ps [APP]`: the apps, or the replicas of one. */

import type { Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { renderApps, renderReplicas } from '../render.ts';
import { failWith, openSession } from '../session.ts';

export async function ps(
  surroundings: Surroundings,
  options: Extract<Invocation, { command: 'ps' }>,
): Promise<ExitCode> {
  const session = await openSession(surroundings, options);
  if (!session.ok) return session.error;
  const { client, terminal, now } = session.value;
  const { app, json } = options;
  const shown = app === null ? await client.apps() : await client.app(app);
  if (!shown.ok) return failWith(session.value, shown.error);
  if (json) terminal.line(JSON.stringify(shown.value, null, 2));
  else {
    const lines = 'serviceList' in shown.value ? renderReplicas(shown.value, now()) : renderApps(shown.value);
    for (const line of lines) terminal.line(line);
  }
  return exitCodes.ok;
}
