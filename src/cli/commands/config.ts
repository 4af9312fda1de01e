/** `flotilla config`: the document that `up` would send. */

import { printDocument } from '../../spec/files/print.ts';
import { loadComposeFile } from '../compose-file.ts';
import type { Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { refuseFile } from '../refuse-file.ts';
import { renderProblems } from '../render.ts';

export async function config(
  surroundings: Surroundings,
  invocation: Extract<Invocation, { command: 'config' }>,
): Promise<ExitCode> {
  const { terminal } = surroundings;
  const loaded = await loadComposeFile(surroundings, invocation);
  if (!loaded.ok) return refuseFile(surroundings, loaded.error, invocation.json);
  for (const line of renderProblems(loaded.value.warnings)) terminal.note(line);
  const { document } = loaded.value;
  terminal.line(invocation.json ? JSON.stringify(document, null, 2) : printDocument(document).trimEnd());
  return exitCodes.ok;
}
