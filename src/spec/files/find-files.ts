/** Which Compose files are read when none is named. */

import { join } from 'node:path';
import type { ResolveOptions } from './options.ts';
import { complain, type Sources } from './source.ts';

/** In order of preference (Compose Specification, "Compose file"). */
export const defaultFileNames = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'] as const;

/** Merged over the default file where one lies beside it, as Docker Compose does. */
export const overrideFileNames = [
  'compose.override.yaml',
  'compose.override.yml',
  'docker-compose.override.yaml',
  'docker-compose.override.yml',
] as const;

/** None where there is no file at all, which is then reported. */
export async function findFiles(
  { path, projectDirectory }: Pick<ResolveOptions, 'path' | 'projectDirectory'>,
  sources: Sources,
): Promise<readonly string[]> {
  if (path !== undefined) return typeof path === 'string' ? [path] : path;
  const firstOf = async (names: readonly string[]): Promise<readonly string[]> => {
    for (const file of names.map((name) => join(projectDirectory, name))) {
      const read = await sources.readText(file);
      // A file that cannot be read is found: reading it again says why it cannot.
      if ('failure' in read || read.text !== undefined) return [file];
    }
    return [];
  };
  const found = await firstOf(defaultFileNames);
  if (found.length > 0) return [...found, ...(await firstOf(overrideFileNames))];
  complain(
    sources,
    '',
    `there is no Compose file in \`${projectDirectory}\`.`,
    `Create ${defaultFileNames[0]}, or name a file with -f.`,
    undefined,
  );
  return [];
}
