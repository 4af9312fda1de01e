/** Finds and resolves the Compose file that a command line means. */
import { dirname, join, relative, resolve } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { Result } from '../model/result.ts';
import { defaultFileNames, overrideFileNames } from '../spec/files/find-files.ts';
import type { ResolveOptions } from '../spec/files/options.ts';
import { type CheckedFile, checkComposeFile, type ResolvedFile, resolveComposeFile } from '../spec/files/resolve.ts';
import type { Surroundings } from './context.ts';
import type { FileOptions } from './invocation.ts';

type Files = Pick<Surroundings, 'environment' | 'workingDirectory' | 'readFile' | 'readBytes'>;

/** The file, resolved and judged; an error holds all its problems. */
export const loadComposeFile = async (
  files: Files,
  options: FileOptions,
): Promise<Result<CheckedFile, readonly Problem[]>> => checkComposeFile(await resolveOptions(files, options));

/** Name of the app that the file here is about; what else the file says is not judged. `null` = there is no file. */
export async function readAppName(
  files: Files,
  options: FileOptions,
): Promise<Result<string | null, readonly Problem[]>> {
  const resolving = await resolveOptions(files, options);
  if (resolving.path === undefined) return { ok: true, value: options.name ?? null };
  const resolved: Result<ResolvedFile, readonly Problem[]> = await resolveComposeFile(resolving);
  if (!resolved.ok) return resolved;
  const { name } = resolved.value.document;
  return { ok: true, value: typeof name === 'string' ? name : null };
}

/**
 * As Docker Compose looks for it: here, then in the directories above, with the override file beside it. The project directory is that of the
 * first file.
 */
async function resolveOptions(files: Files, { files: named, name, profiles }: FileOptions): Promise<ResolveOptions> {
  const path = named.length > 0 ? named : await findDefaultFiles(files);
  const [main] = path;
  return {
    ...(main !== undefined && { path }),
    ...(name !== undefined && { name }),
    profiles,
    projectDirectory:
      main === undefined || main === '-' ? files.workingDirectory : dirname(resolve(files.workingDirectory, main)),
    environment: files.environment,
    readFile: files.readFile,
    readBytes: files.readBytes,
  };
}

async function findDefaultFiles(files: Files): Promise<readonly string[]> {
  for (let directory = files.workingDirectory; ; directory = dirname(directory)) {
    const found = await findFirst(files, directory, defaultFileNames);
    if (found.length > 0) return [...found, ...(await findFirst(files, directory, overrideFileNames))];
    if (dirname(directory) === directory) return [];
  }
}

async function findFirst(
  { workingDirectory, readFile }: Files,
  directory: string,
  names: readonly string[],
): Promise<readonly string[]> {
  for (const name of names) {
    const path = relative(workingDirectory, join(directory, name));
    // A file that cannot be read is found: reading it again says why it cannot.
    if ((await readFile(path).catch(() => '')) !== undefined) return [path];
  }
  return [];
}
