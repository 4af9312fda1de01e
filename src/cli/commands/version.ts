/** `flotilla version`: of this program, and of the API that it would talk to. */
import { version as own } from '../../model/version.ts';
import type { Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { openSession } from '../session.ts';

export async function version(surroundings: Surroundings, options: InvocationOf<'version'>): Promise<ExitCode> {
  const { terminal } = surroundings;
  if (options.client) {
    terminal.line(options.json ? JSON.stringify({ client: own }, null, 2) : own);
    return exitCodes.ok;
  }
  if (!options.json) terminal.line(`client  ${own}`);
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const { info, api } = opened.value;
  if (options.json) {
    terminal.line(JSON.stringify({ client: own, server: { api, ...info } }, null, 2));
    return exitCodes.ok;
  }
  terminal.line(`server  ${info.version}  ${api}  installation ${info.installation}`);
  if (info.version !== own) terminal.note('warning: client and server are of different versions.');
  return exitCodes.ok;
}
