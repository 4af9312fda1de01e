/** `flotilla why APP.SERVICE.SLOT`: what is known of a replica, the rule, and what comes next. */
import type { Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { renderWhy } from '../render-why.ts';
import { failWith, openSession } from '../session.ts';

export async function why(surroundings: Surroundings, options: InvocationOf<'why'>): Promise<ExitCode> {
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const { client, terminal, now } = opened.value;
  const told = await client.why(options.app, options.service, options.slot);
  if (!told.ok) return failWith(opened.value, told.error);
  if (options.json) terminal.line(JSON.stringify(told.value, null, 2));
  else for (const line of told.value.flatMap((one) => renderWhy(one, now()))) terminal.line(line);
  return exitCodes.ok;
}
