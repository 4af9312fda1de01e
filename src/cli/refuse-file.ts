/** How a Compose file with faults is refused: every problem at once. */
import { isError, type Problem } from '../model/problem.ts';
import type { Surroundings } from './context.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { count, renderProblems } from './render.ts';

export function refuseFile(
  { terminal }: Pick<Surroundings, 'terminal'>,
  problems: readonly Problem[],
  json: boolean,
): ExitCode {
  if (json) terminal.line(JSON.stringify({ outcome: 'invalid', problems }, null, 2));
  else for (const line of renderProblems(problems)) terminal.note(line);
  terminal.note(`${count(problems.filter(isError).length, 'error')}; nothing was sent.`);
  return exitCodes.invalid;
}
