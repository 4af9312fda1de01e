/**
 * Compose file on disk → one self-contained JSON document for the API, with the place of everything in it. The only part of `src/spec` that
 * reads files, through a reader it is given; what the document means is decided in `parse-app.ts`.
 */

import { basename, join, resolve } from 'node:path';
import type { AppSpec } from '../../model/app-spec.ts';
import { namePattern } from '../../model/limits.ts';
import { isError, type Problem } from '../../model/problem.ts';
import { err, ok, type Result } from '../../model/result.ts';
import { isObject, isWithin, type Json, type JsonObject, joinPath, parentPath } from '../json.ts';
import { parseApp } from '../parse-app.ts';
import { compareProblems, createReport, type Report } from '../report.ts';
import { proposeName } from '../suggest.ts';
import { parseEnvFile } from './env-file.ts';
import { resolveEnvironment, type Surroundings } from './environments.ts';
import { interpolate, type Lookup } from './interpolate.ts';
import { enableServices } from './profiles.ts';
import { readYaml } from './yaml-document.ts';
import type { Place } from './yaml-values.ts';

export interface ResolveOptions {
  /** The Compose file, relative to the working directory; default: the first of {@link defaultFileNames} in the project directory. */
  readonly path?: string;
  /** Where `.env` lies, and what an app without a name is called after. */
  readonly projectDirectory: string;
  /** The shell's variables; they win over `.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `--profile`; where empty, `COMPOSE_PROFILES` counts. */
  readonly profiles: readonly string[];
  /** `--name`; wins over `COMPOSE_PROJECT_NAME`, which wins over `name:` in the file. */
  readonly name?: string;
  /** Text of a file, `undefined` where there is none; may reject for any other reason. */
  readonly readFile: (path: string) => Promise<string | undefined>;
}

export type Locate = (path: string) => Place | undefined;

export interface ResolvedFile {
  readonly document: JsonObject;
  /** Place of the value at a problem path, or of the nearest value around it. */
  readonly locate: Locate;
  readonly warnings: readonly Problem[];
}

export interface CheckedFile extends ResolvedFile {
  readonly app: AppSpec;
}

/** In order of preference (Compose Specification, "Compose file"). */
export const defaultFileNames = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'] as const;

/** Reads, expands and interpolates the file. An error holds all problems of these steps; what the document means is not looked at. */
export async function resolveComposeFile(options: ResolveOptions): Promise<Result<ResolvedFile, readonly Problem[]>> {
  const draft = await draftDocument(options);
  if (draft.document === undefined || draft.problems.some(isError)) return err(draft.problems);
  return ok({ document: draft.document, locate: draft.locate, warnings: draft.problems });
}

/** Resolves the file and parses the document: all problems of both at once, each with file, line and column. */
export async function checkComposeFile(options: ResolveOptions): Promise<Result<CheckedFile, readonly Problem[]>> {
  const draft = await draftDocument(options);
  if (draft.document === undefined) return err(draft.problems);
  const parsed = parseApp(draft.document);
  // What could not be resolved has a stand-in for a value, about which the rules must not complain as well.
  const unresolved = draft.problems
    .filter((problem) => isError(problem) && problem.path !== '')
    .map(({ path }) => path);
  const found = parsed.ok ? parsed.value.warnings : parsed.error;
  const meant = found.filter(({ path }) => !unresolved.some((place) => isWithin(path, place)));
  const problems = [...draft.problems, ...locateProblems(meant, draft.locate)].sort(compareProblems);
  if (!parsed.ok || problems.some(isError)) return err(problems);
  return ok({ document: draft.document, locate: draft.locate, warnings: problems, app: parsed.value.app });
}

/** Adds file, line and column to problems that came without, such as those of the API. */
export const locateProblems = (problems: readonly Problem[], locate: Locate): readonly Problem[] =>
  problems.map((problem) => (problem.file === undefined ? { ...problem, ...locate(problem.path) } : problem));

interface Draft {
  /** Missing where the file is missing or no YAML. */
  readonly document?: JsonObject;
  readonly locate: Locate;
  readonly problems: readonly Problem[];
}

async function draftDocument(options: ResolveOptions): Promise<Draft> {
  const report = createReport();
  const source = await findFile(options, report);
  if (source === undefined) return { locate: () => undefined, problems: report.problems() };
  const yaml = readYaml(source.text, source.file);
  const places = new Map(yaml.places);
  const locate: Locate = (path) => locateIn(places, path);
  if (yaml.problems.length > 0) return { locate, problems: [...yaml.problems].sort(compareProblems) };
  if (!isObject(yaml.root)) {
    const place = { file: source.file, line: 1, column: 1 };
    report.errorAt('', 'the file holds no mapping.', 'Write `services:` with at least one service below it.', place);
    return { locate, problems: report.problems() };
  }
  const shell = await readVariables(options, report);
  const written = yaml.root['name'];
  const name = chooseName(
    typeof written === 'string' ? interpolate(written, shell).text : written,
    options.name ?? (shell('COMPOSE_PROJECT_NAME') || undefined),
    options,
    report,
  );
  const lookup: Lookup = (variable) => shell(variable) ?? (variable === 'COMPOSE_PROJECT_NAME' ? name : undefined);
  const surroundings = { file: source.file, lookup, readText: readerOf(options), places, sources: yaml.sources };
  const draft = await resolveServices(interpolateTree(yaml.root, lookup), options, surroundings, report);
  const problems = report.problems().filter(({ path }) => !draft.disabledPaths.some((place) => isWithin(path, place)));
  return { document: nameDocument(draft.document, name), locate, problems: locateProblems(problems, locate) };

  /** Values only, never keys. Extensions of other tools are interpolated where an alias uses them, and are nobody's problem else. */
  function interpolateTree(root: JsonObject, find: Lookup): JsonObject {
    return Object.fromEntries(
      Object.entries(root).map(([key, value]) => {
        const isForeign = key.startsWith('x-') && key !== 'x-flotilla';
        return [key, isForeign ? value : interpolateJson(value, joinPath('', key), find, report)];
      }),
    );
  }
}

function interpolateJson(value: Json, path: string, lookup: Lookup, report: Report): Json {
  if (typeof value === 'string') {
    const { text, failures } = interpolate(value, lookup);
    for (const { problem, remedy } of failures) report.error(path, problem, remedy);
    return text;
  }
  if (Array.isArray(value)) {
    return value.map((item: Json, index) => interpolateJson(item, joinPath(path, index), lookup, report));
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, interpolateJson(member, joinPath(path, key), lookup, report)]),
  );
}

async function resolveServices(
  document: JsonObject,
  options: ResolveOptions,
  surroundings: Surroundings,
  report: Report,
): Promise<{ readonly document: JsonObject; readonly disabledPaths: readonly string[] }> {
  const { services } = document;
  if (!isObject(services)) return { document, disabledPaths: [] };
  const fromShell = (surroundings.lookup('COMPOSE_PROFILES') ?? '').split(',').map((profile) => profile.trim());
  const active = new Set(
    (options.profiles.length > 0 ? options.profiles : fromShell).filter((profile) => profile !== ''),
  );
  const enabled = enableServices(services, active, report);
  const resolved: [string, Json][] = [];
  for (const [name, service] of Object.entries(enabled.services)) {
    const path = joinPath('services', name);
    resolved.push([name, isObject(service) ? await resolveEnvironment(service, path, surroundings, report) : service]);
  }
  return { document: { ...document, services: Object.fromEntries(resolved) }, disabledPaths: enabled.disabledPaths };
}

async function findFile(
  options: ResolveOptions,
  report: Report,
): Promise<{ readonly file: string; readonly text: string } | undefined> {
  const readText = readerOf(options);
  const names =
    options.path === undefined ? defaultFileNames.map((name) => join(options.projectDirectory, name)) : [options.path];
  for (const file of names) {
    const read = await readText(file);
    if ('failure' in read) {
      report.errorAt('', `cannot be read: ${read.failure}.`, 'Check its path and permissions.', {
        file,
        line: 1,
        column: 1,
      });
      return undefined;
    }
    if (read.text !== undefined) return { file, text: read.text };
  }
  report.error(
    '',
    options.path === undefined
      ? `there is no Compose file in \`${options.projectDirectory}\`.`
      : `there is no file \`${options.path}\`.`,
    options.path === undefined
      ? `Create ${defaultFileNames[0]}, or name a file with -f.`
      : 'Check the path given with -f.',
  );
  return undefined;
}

const readerOf =
  ({ readFile }: ResolveOptions): Surroundings['readText'] =>
  async (path) => {
    try {
      return { text: await readFile(path) };
    } catch (error) {
      return { failure: error instanceof Error ? error.message : String(error) };
    }
  };

/** The shell over `.env` of the project directory. */
async function readVariables(options: ResolveOptions, report: Report): Promise<Lookup> {
  const own: Lookup = (name) => (Object.hasOwn(options.environment, name) ? options.environment[name] : undefined);
  const file = join(options.projectDirectory, '.env');
  const read = await readerOf(options)(file);
  const variables = new Map<string, string>();
  if ('failure' in read) {
    report.errorAt('', `cannot be read: ${read.failure}.`, 'Check its permissions.', { file, line: 1, column: 1 });
  } else if (read.text !== undefined) {
    const { entries, failures } = parseEnvFile(read.text, own);
    for (const { line, problem, remedy } of failures) report.errorAt('', problem, remedy, { file, line, column: 1 });
    for (const { name, value } of entries) if (value !== undefined) variables.set(name, value);
  }
  return (name) => own(name) ?? variables.get(name);
}

/**
 * `--name` or `COMPOSE_PROJECT_NAME`, `name:`, the directory: the first that is stated. Never mapped: an illegal one is refused with a
 * proposal.
 */
function chooseName(
  written: Json | undefined,
  chosen: string | undefined,
  options: ResolveOptions,
  report: Report,
): string | undefined {
  // A chosen one is not in the file, but what is said of it there is said of the document that is sent.
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

const nameDocument = (document: JsonObject, name: string | undefined): JsonObject =>
  name === undefined ? document : { ...document, name };

function locateIn(places: ReadonlyMap<string, Place>, path: string): Place | undefined {
  for (let at: string | undefined = path; at !== undefined; at = parentPath(at)) {
    const place = places.get(at);
    if (place !== undefined) return place;
  }
  return undefined;
}
