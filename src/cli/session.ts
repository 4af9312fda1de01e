/** What the commands that talk to the API have in common: finding it, and saying why a call failed. */
import type { ApiError } from '../client/client.ts';
import type { ApiInfo } from '../model/api.ts';
import { err, ok, type Result } from '../model/result.ts';
import { findKey } from './api-key.ts';
import type { Session, Surroundings } from './context.ts';
import { type Contexts, contextNamed, readContexts } from './contexts.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type ApiOptions, defaultApi } from './invocation.ts';
import { renderProblems } from './render.ts';

/** Where the API is: as the command line says, else as the context in use says, else on this machine. */
export async function findApi(
  surroundings: Surroundings,
  { api, context }: Pick<ApiOptions, 'api' | 'context'>,
): Promise<Result<Pick<Session, 'api' | 'apiOption'> & { readonly contexts: Contexts }, string>> {
  const read = await readContexts(surroundings);
  // A broken file of contexts is in nobody's way who needs none.
  const contexts: Contexts = read.ok ? read.value : { current: null, contexts: {} };
  if (api !== null) {
    const isFromOption = surroundings.environment['FLOTILLA_API'] !== api && api !== defaultApi;
    return ok({ api, apiOption: isFromOption ? ` --api ${api}` : '', contexts });
  }
  if (!read.ok) return read;
  const chosen = contextNamed(contexts, context ?? contexts.current);
  if (chosen === null && context !== null) {
    const known = Object.keys(contexts.contexts).join(', ') || 'none';
    return err(`there is no context \`${context}\`; contexts: ${known}.`);
  }
  const apiOption = context === null ? '' : ` --context ${context}`;
  return ok({ api: chosen?.api ?? defaultApi, apiOption, contexts });
}

/** A session, once the address is known to be Flotilla's; an error is printed already. */
export async function openSession(
  surroundings: Surroundings,
  options: Pick<ApiOptions, 'api' | 'context'>,
): Promise<Result<Session & { readonly info: ApiInfo }, ExitCode>> {
  const { terminal } = surroundings;
  const place = await findApi(surroundings, options);
  const found = place.ok ? await findKey(surroundings, place.value.api, place.value.contexts) : place;
  if (!place.ok || !found.ok) {
    terminal.note(`error: ${!place.ok ? place.error : found.ok ? '' : found.error}`);
    return err(exitCodes.invalid);
  }
  const { api, apiOption } = place.value;
  const client = surroundings.connect(api, found.value?.key);
  const info = await client.info();
  if (!info.ok && info.error.kind === 'unauthorized' && found.value !== null) {
    terminal.note(`error: the API at ${api} does not accept the key from ${found.value.source}.`);
    terminal.note(`  ${keyRemedy}`);
    return err(exitCodes.unreachable);
  }
  if (!info.ok) return err(failWith({ terminal, api }, info.error));
  return ok({ ...surroundings, client, api, apiOption, info: info.value });
}

/** For completion: where anything is wrong there is no session, and nothing is said. */
export async function connectQuietly(surroundings: Surroundings): Promise<Pick<Session, 'client'> | null> {
  const api = surroundings.environment['FLOTILLA_API'] || null;
  const place = await findApi(surroundings, { api, context: null });
  if (!place.ok || !URL.canParse(place.value.api)) return null;
  const found = await findKey(surroundings, place.value.api, place.value.contexts);
  return found.ok ? { client: surroundings.connect(place.value.api, found.value?.key) } : null;
}

/** Prints why a call failed. */
export function failWith({ terminal, api }: Pick<Session, 'terminal' | 'api'>, error: ApiError): ExitCode {
  for (const line of explain(error, api)) terminal.note(line);
  if (error.kind !== 'refused') return exitCodes.unreachable;
  return error.problem.status === 422 ? exitCodes.invalid : exitCodes.failed;
}

const keyRemedy =
  'Put a function key of the app into FLOTILLA_KEY or into a context: `az functionapp keys list -g GROUP -n APP --query functionKeys.default -o tsv`.';

function explain(error: ApiError, api: string): readonly string[] {
  const remedy =
    'Start the embedded platform with `npm start`, or name the address with --api, FLOTILLA_API or a context.';
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
