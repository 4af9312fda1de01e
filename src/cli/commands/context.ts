/** `flotilla context ls|use|add|rm|show`: the installations that a user works with. Nothing is asked of any of them. */
import { nearestWord } from '../../spec/suggest.ts';
import type { Surroundings } from '../context.ts';
import { type Contexts, contextNamed, contextsPath, readContexts, writeContexts } from '../contexts.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { table } from '../table.ts';

type Options = InvocationOf<'context'>;

export async function context(surroundings: Surroundings, options: Options): Promise<ExitCode> {
  const read = await readContexts(surroundings);
  if (!read.ok) {
    surroundings.terminal.note(`error: ${read.error}`);
    return exitCodes.failed;
  }
  const contexts = read.value;
  switch (options.action) {
    case 'ls':
      return list(surroundings, contexts, options.json);
    case 'show':
      return show(surroundings, contexts, options);
    case 'add':
      return await add(surroundings, contexts, options);
    case 'use':
      return await change(
        surroundings,
        contexts,
        options.name ?? '',
        (name) => ({ ...contexts, current: name }),
        'used from now on',
      );
    case 'rm':
      return await change(surroundings, contexts, options.name ?? '', (name) => without(contexts, name), 'removed');
  }
}

/** Keys are never shown: the file has them. */
function list({ terminal }: Surroundings, { current, contexts }: Contexts, json: boolean): ExitCode {
  const rows = Object.entries(contexts).map(([name, { api, key }]) => ({
    name,
    api,
    hasKey: key !== null,
    current: name === current,
  }));
  if (json) terminal.line(JSON.stringify(rows, null, 2));
  else if (rows.length === 0) terminal.line('There are no contexts. `flotilla context add NAME --url URL` makes one.');
  else {
    const cells = rows.map((row) => [row.current ? '*' : '', row.name, row.api, row.hasKey ? 'yes' : 'no']);
    for (const line of table(['', 'NAME', 'URL', 'KEY'], cells)) terminal.line(line);
  }
  return exitCodes.ok;
}

function show(surroundings: Surroundings, contexts: Contexts, { name, json }: Options): ExitCode {
  const { terminal } = surroundings;
  const found = contextNamed(contexts, name ?? contexts.current);
  if (found === null) {
    if (name !== null) return unknown(surroundings, contexts, name);
    terminal.note('No context is in use: commands go to FLOTILLA_API, else to http://127.0.0.1:7071.');
    return exitCodes.failed;
  }
  const shown = { name: found.name, api: found.api, hasKey: found.key !== null, file: contextsPath(surroundings) };
  if (json) terminal.line(JSON.stringify(shown, null, 2));
  else {
    const key = shown.hasKey ? 'yes' : 'no';
    for (const line of [`name  ${shown.name}`, `url   ${shown.api}`, `key   ${key}`, `file  ${shown.file}`])
      terminal.line(line);
  }
  return exitCodes.ok;
}

async function add(surroundings: Surroundings, before: Contexts, { name, url, key }: Options): Promise<ExitCode> {
  const { terminal, readFile } = surroundings;
  if (name === null || url === null) return exitCodes.invalid;
  if (contextNamed(before, name) !== null) {
    terminal.note(`error: there is a context \`${name}\` already.`);
    terminal.note(`  Remove it first: \`flotilla context rm ${name}\`.`);
    return exitCodes.failed;
  }
  // On the command line a key would stand in the history of the shell and in the list of processes.
  const given = key === '-' ? ((await readFile('-')) ?? '').trim() : null;
  if (given === '') {
    terminal.note('error: standard input holds no key.');
    return exitCodes.invalid;
  }
  const contexts = { ...before.contexts, [name]: { api: url, key: given } };
  await writeContexts(surroundings, { current: before.current ?? name, contexts });
  terminal.line(`Context ${name} is added${before.current === null ? ' and in use' : ''}.`);
  if (before.current !== null)
    terminal.line(`  Use it with \`flotilla context use ${name}\`, or once with --context ${name}.`);
  return exitCodes.ok;
}

async function change(
  surroundings: Surroundings,
  contexts: Contexts,
  name: string,
  next: (name: string) => Contexts,
  done: string,
): Promise<ExitCode> {
  if (contextNamed(contexts, name) === null) return unknown(surroundings, contexts, name);
  await writeContexts(surroundings, next(name));
  surroundings.terminal.line(`Context ${name} is ${done}.`);
  return exitCodes.ok;
}

function without({ current, contexts }: Contexts, name: string): Contexts {
  const { [name]: _, ...rest } = contexts;
  return { current: current === name ? null : current, contexts: rest };
}

function unknown({ terminal }: Surroundings, { contexts }: Contexts, name: string): ExitCode {
  const known = Object.keys(contexts);
  const nearest = nearestWord(name, known);
  terminal.note(`error: there is no context \`${name}\`${nearest ? `; did you mean \`${nearest}\`?` : '.'}`);
  terminal.note(known.length === 0 ? '  There are none.' : `  Contexts: ${known.join(', ')}.`);
  return exitCodes.invalid;
}
