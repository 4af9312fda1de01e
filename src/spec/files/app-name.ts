/** How an app is called that comes from files. */

import { basename, resolve } from 'node:path';
import { namePattern } from '../../model/limits.ts';
import { ownValue } from '../json.ts';
import type { Report } from '../report.ts';
import { proposeName } from '../suggest.ts';
import { interpolate, type Lookup } from './interpolate.ts';
import type { ResolveOptions } from './options.ts';
import { readValues, type Sources } from './source.ts';

/** `name:` of the last file that has one; `undefined` where none has. */
export async function readWrittenName(sources: Sources, files: readonly string[], shell: Lookup): Promise<unknown> {
  let name: unknown;
  for (const file of files) {
    const values = await readValues(sources, file);
    name = ownValue(values?.root, 'name') ?? name;
  }
  return typeof name === 'string' ? interpolate(name, shell).text : name;
}

/**
 * `--name` or `COMPOSE_PROJECT_NAME`, `name:`, the directory: the first that is stated. Never mapped: an illegal one is refused with a
 * proposal.
 */
export function chooseName(
  written: unknown,
  shell: Lookup,
  options: Pick<ResolveOptions, 'name' | 'projectDirectory'>,
  report: Report,
): string | undefined {
  // A chosen one is not in the file, but what is said of it there is said of the document that is sent.
  const chosen = options.name ?? (shell('COMPOSE_PROJECT_NAME') || undefined);
  if (chosen !== undefined) return chosen;
  // Whatever stands in the file is judged with the document.
  if (written !== undefined && written !== null) return typeof written === 'string' ? written : undefined;
  const directory = basename(resolve(options.projectDirectory));
  if (!namePattern.test(directory)) {
    const proposal = proposeName(directory) ?? 'my-app';
    report.error(
      'name',
      `the app has no name, and that of its directory, ${JSON.stringify(directory)}, is not a legal one.`,
      `Add \`name: ${proposal}\` at the top of the file, or use --name ${proposal}.`,
    );
  }
  return directory;
}
