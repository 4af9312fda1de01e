/** What the commands that talk to the API have in common: finding it, and saying why a call failed. */
import type { ApiError } from '../client/client.ts';
import type { ApiInfo } from '../model/api.ts';
import { err, ok, type Result } from '../model/result.ts';
import { findKey } from './api-key.ts';
import type { Session, Surroundings } from './context.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { renderProblems } from './render.ts';

/** A session, once the address is known to be Flotilla's; an error is printed already. */
export async function openSession(
  surroundings: Surroundings,
  api: string,
): Promise<Result<Session & { readonly info: ApiInfo }, ExitCode>> {
  const found = await findKey(surroundings, api);
  if (!found.ok) {
    surroundings.terminal.note(`error: ${found.error}`);
    return err(exitCodes.invalid);
  }
  const client = surroundings.connect(api, found.value?.key);
  const info = await client.info();
  if (!info.ok && info.error.kind === 'unauthorized' && found.value !== null) {
    surroundings.terminal.note(`error: the API at ${api} does not accept the key from ${found.value.source}.`);
    surroundings.terminal.note(`  ${keyRemedy}`);
    return err(exitCodes.unreachable);
  }
  if (!info.ok) return err(failWith(surroundings, info.error, api));
  return ok({ ...surroundings, client, api, info: info.value });
}

/** Prints why a call failed. */
export function failWith({ terminal }: Pick<Surroundings, 'terminal'>, error: ApiError, api: string): ExitCode {
  for (const line of explain(error, api)) terminal.note(line);
  if (error.kind !== 'refused') return exitCodes.unreachable;
  return error.problem.status === 422 ? exitCodes.invalid : exitCodes.failed;
}

const keyRemedy =
  'Put a function key of the app into FLOTILLA_KEY: `az functionapp keys list -g GROUP -n APP --query functionKeys.default -o tsv`.';

function explain(error: ApiError, api: string): readonly string[] {
  const remedy = 'Start the embedded platform with `npm start`, or name the address with --api or FLOTILLA_API.';
  switch (error.kind) {
    case 'unreachable':
      return [`error: the API at ${api} does not answer (${causeOf(error.message)}).`, `  ${remedy}`];
    case 'foreign':
      return [`error: something else is listening at ${api}: ${error.message}.`, `  ${remedy}`];
    case 'unauthorized':
      return [`error: the API at ${api} wants a key.`, `  ${keyRemedy}`];
    case 'refused': {
      const { title, detail, problems = [] } = error.problem;
      return problems.length > 0 ? renderProblems(problems) : [`error: ${detail || title}`];
    }
  }
}

/** The client names the whole URL first; the address is said already. */
const causeOf = (message: string): string => message.replace(/^\S+: /, '');
