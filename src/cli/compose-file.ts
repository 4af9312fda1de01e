/** Finds and resolves the Compose file that a command line means. */
import { dirname, join, relative, resolve } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { Result } from '../model/result.ts';
import { defaultFileNames } from '../spec/files/find-files.ts';
import {
  type CheckedFile,
  checkComposeFile,
  type ResolvedFile,
  type ResolveOptions,
  resolveComposeFile,
} from '../spec/files/resolve.ts';
import type { FileOptions } from './arguments.ts';
import type { Surroundings } from './context.ts';

type Files = Pick<Surroundings, 'environment' | 'workingDirectory' | 'readFile'>;

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

/** As Docker Compose looks for it: here, then in the directories above. The project directory is the file's own. */
async function resolveOptions(files: Files, { file, name, profiles }: FileOptions): Promise<ResolveOptions> {
  const path = file ?? (await findDefaultFile(files));
  return {
    ...(path !== undefined && { path }),
    ...(name !== undefined && { name }),
    profiles,
    projectDirectory:
      path === undefined || path === '-' ? files.workingDirectory : dirname(resolve(files.workingDirectory, path)),
    environment: files.environment,
    readFile: files.readFile,
  };
}

async function findDefaultFile({ workingDirectory, readFile }: Files): Promise<string | undefined> {
  for (let directory = workingDirectory; ; directory = dirname(directory)) {
    for (const fileName of defaultFileNames) {
      const path = relative(workingDirectory, join(directory, fileName));
      // A file that cannot be read is found: reading it again says why it cannot.
      if ((await readFile(path).catch(() => '')) !== undefined) return path;
    }
    if (dirname(directory) === directory) return undefined;
  }
}
