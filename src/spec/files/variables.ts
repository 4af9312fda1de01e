/** Variables for interpolation from files of `NAME=value` lines, such as `.env`. */

import { join } from 'node:path';
import { parseEnvFile } from './env-file.ts';
import type { Lookup } from './interpolate.ts';
import type { Node } from './nodes.ts';
import type { ResolveOptions } from './options.ts';
import { complain, type Sources } from './source.ts';

/** @param asked who named the files; without it they need not exist. */
export async function readVariables(
  sources: Sources,
  files: readonly string[],
  lookup: Lookup,
  asked?: Node,
): Promise<Lookup> {
  const variables = new Map<string, string>();
  for (const file of files) await addVariables(variables, sources, file, lookup, asked);
  return (name) => variables.get(name);
}

async function addVariables(
  variables: Map<string, string>,
  sources: Sources,
  file: string,
  lookup: Lookup,
  asked: Node | undefined,
): Promise<void> {
  const read = await sources.readText(file);
  const place = { file, line: 1, column: 1 };
  if ('failure' in read) {
    complain(sources, '', `the file cannot be read: ${read.failure}.`, 'Check its permissions.', place);
    return;
  }
  if (read.text === undefined) {
    if (asked === undefined) return;
    const problem = `there is no file \`${file}\`.`;
    complain(sources, 'include', problem, 'Correct the path, or create the file.', asked.place);
    return;
  }
  const { entries, failures } = parseEnvFile(read.text, lookup, 'compose', variables);
  for (const { line, problem, remedy } of failures) complain(sources, '', problem, remedy, { ...place, line });
  for (const { name, value } of entries) if (value !== undefined) variables.set(name, value);
}

/** The shell over `.env` of the project directory. */
export async function readShell(
  { environment, projectDirectory }: Pick<ResolveOptions, 'environment' | 'projectDirectory'>,
  sources: Sources,
): Promise<Lookup> {
  const own: Lookup = (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined);
  const fromFile = await readVariables(sources, [join(projectDirectory, '.env')], own);
  return (name) => own(name) ?? fromFile(name);
}
