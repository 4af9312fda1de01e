/**
 * `flotilla local fault [ls|add|clear|help]`: makes the embedded platform behave badly, so that anybody can watch Flotilla repair it. What can go
 * wrong is asked of the platform: it alone knows.
 */
import type { CataloguedFault, ConsoleArgument, ConsoleError, FaultConsole } from '../../client/fault-console.ts';
import type { Result } from '../../model/result.ts';
import { nearestWord } from '../../spec/suggest.ts';
import { localAccess } from '../api-key.ts';
import type { Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { findApi } from '../session.ts';
import { columns, table } from '../table.ts';
import { faultWords } from './local-fault-words.ts';

type Options = InvocationOf<'local'>;

export async function localFault(surroundings: Surroundings, options: Options): Promise<ExitCode> {
  const { terminal } = surroundings;
  const place = await findApi(surroundings, options);
  if (!place.ok) {
    terminal.note(`error: ${place.error}`);
    return exitCodes.invalid;
  }
  const { api } = place.value;
  const at = await findConsole(surroundings, api);
  if (at === undefined) {
    terminal.note(`error: no embedded platform has its API at ${api} on this machine.`);
    terminal.note('  Start one with `npm start`; name another with --api, or its fault console with FLOTILLA_CONSOLE.');
    return exitCodes.unreachable;
  }
  const console = surroundings.connectConsole(at);
  switch (options.action) {
    case 'catalogue':
      return await showCatalogue(surroundings, console, options, at);
    case 'help':
      return await showFault(surroundings, console, options, at);
    case 'ls':
      return await list(surroundings, console, options, at);
    case 'add':
      return say(surroundings, await console.inject(options.words), at);
    case 'clear':
      return await clear(surroundings, console, options, at);
  }
}

/** Words that may follow; none where no platform answers. */
export async function faultCompletions(
  surroundings: Surroundings,
  before: readonly string[],
  typed: string,
): Promise<readonly string[]> {
  const place = await findApi(surroundings, { api: surroundings.environment['FLOTILLA_API'] || null, context: null });
  const at = place.ok && URL.canParse(place.value.api) ? await findConsole(surroundings, place.value.api) : undefined;
  const view = at === undefined ? undefined : await surroundings.connectConsole(at).view();
  return faultWords(view?.ok ? view.value : null, before, typed);
}

/** Given, or left by the platform for its user beside the key of its API. */
async function findConsole(surroundings: Surroundings, api: string): Promise<string | undefined> {
  const given = surroundings.environment['FLOTILLA_CONSOLE'];
  if (given) return given.replace(/\/+$/, '').replace(/\/control$/, '');
  return (await localAccess(surroundings, api))?.console;
}

async function showCatalogue(
  { terminal }: Surroundings,
  console: FaultConsole,
  { json }: Options,
  at: string,
): Promise<ExitCode> {
  const view = await console.view();
  if (!view.ok) return fail({ terminal }, view.error, at);
  const { catalogue } = view.value;
  if (json) {
    terminal.line(JSON.stringify(catalogue, null, 2));
    return exitCodes.ok;
  }
  for (const about of new Set(catalogue.map((fault) => fault.about))) {
    terminal.line(about.toUpperCase());
    const rows = catalogue.filter((fault) => fault.about === about).map((fault) => [`  ${usageOf(fault)}`, fault.does]);
    for (const line of columns(rows)) terminal.line(line);
  }
  terminal.line('');
  terminal.line('`flotilla local fault help NAME` tells more of one; `flotilla local fault ls` what is set.');
  return exitCodes.ok;
}

/** `capacity REGION [CORES]`: what must be given, then how many more there are. */
function usageOf({ name, arguments: taken }: CataloguedFault): string {
  const needed = taken.filter(({ fallback }) => fallback === undefined).map((one) => one.name.toUpperCase());
  const more = taken.length > needed.length ? ['[…]'] : [];
  return [name, ...needed, ...more].join(' ');
}

async function showFault(
  { terminal }: Surroundings,
  console: FaultConsole,
  { words, json }: Options,
  at: string,
): Promise<ExitCode> {
  const view = await console.view();
  if (!view.ok) return fail({ terminal }, view.error, at);
  const { catalogue } = view.value;
  const [name = ''] = words;
  const fault = catalogue.find((one) => one.name === name);
  if (!fault) {
    const names = catalogue.map((one) => one.name);
    const nearest = nearestWord(name, names);
    terminal.note(
      `error: there is no fault \`${name}\`; ${nearest ? `did you mean \`${nearest}\`?` : `there are ${names.join(', ')}.`}`,
    );
    return exitCodes.invalid;
  }
  for (const line of json ? [JSON.stringify(fault, null, 2)] : renderFault(fault)) terminal.line(line);
  return exitCodes.ok;
}

const renderFault = (fault: CataloguedFault): readonly string[] => [
  `${fault.name}: ${fault.does} (${fault.lasts}).`,
  '',
  ...columns(fault.arguments.map((argument) => [`  ${argument.name}`, argument.help, givenAs(argument)])),
  '',
  `Example: flotilla local fault add ${fault.example}`,
];

function givenAs({ form, fallback, choices }: ConsoleArgument): string {
  const there = choices.length > 0 ? `${form}: ${choices.join(', ')}` : form;
  if (fallback === undefined) return there;
  return `${there} (default: ${fallback === '' ? 'none' : fallback})`;
}

async function list(
  { terminal }: Surroundings,
  console: FaultConsole,
  { json }: Options,
  at: string,
): Promise<ExitCode> {
  const view = await console.view();
  if (!view.ok) return fail({ terminal }, view.error, at);
  const { active } = view.value;
  if (json) terminal.line(JSON.stringify(active, null, 2));
  else if (active.length === 0) terminal.line('No fault is set.');
  else {
    const rows = active.map(({ id, what }) => [id, what]);
    for (const line of table(['ID', 'WHAT'], rows)) terminal.line(line);
  }
  return exitCodes.ok;
}

async function clear(
  surroundings: Surroundings,
  console: FaultConsole,
  { words }: Options,
  at: string,
): Promise<ExitCode> {
  if (words.length === 0) return say(surroundings, await console.clear(null), at);
  for (const id of words) {
    const code = say(surroundings, await console.clear(id), at);
    if (code !== exitCodes.ok) return code;
  }
  return exitCodes.ok;
}

function say({ terminal }: Pick<Surroundings, 'terminal'>, told: Result<string, ConsoleError>, at: string): ExitCode {
  if (!told.ok) return fail({ terminal }, told.error, at);
  terminal.line(told.value);
  return exitCodes.ok;
}

function fail({ terminal }: Pick<Surroundings, 'terminal'>, error: ConsoleError, at: string): ExitCode {
  if (error.kind === 'refused') {
    terminal.note(`error: ${error.message}`);
    return exitCodes.invalid;
  }
  terminal.note(`error: the fault console at ${at} does not answer (${error.message}).`);
  return exitCodes.unreachable;
}
