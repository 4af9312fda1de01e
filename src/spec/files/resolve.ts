/**
 * Compose file on disk → one self-contained JSON document for the API, with the place of everything in it. The only part of `src/spec` that
 * reads files, through a reader it is given; what the document means is decided in `parse-app.ts`.
 */

import type { AppSpec } from '../../model/app-spec.ts';
import { isError, type Problem } from '../../model/problem.ts';
import { err, ok, type Result } from '../../model/result.ts';
import { isObject, isWithin, type Json, type JsonObject, joinPath, parentPath } from '../json.ts';
import { parseApp } from '../parse-app.ts';
import { referencesOf } from '../references.ts';
import { compareProblems, createReport, type Report } from '../report.ts';
import { chooseName, readWrittenName } from './app-name.ts';
import { resolveEnvironment, type Surroundings } from './environments.ts';
import { findFiles } from './find-files.ts';
import type { Lookup } from './interpolate.ts';
import { loadFiles, startLoading } from './load.ts';
import { flatten } from './nodes.ts';
import type { ResolveOptions } from './options.ts';
import { enableServices } from './profiles.ts';
import type { ReadText, Sources } from './source.ts';
import { extractValues, type StoredValue, type ValueSources } from './stored-values.ts';
import { readShell } from './variables.ts';
import type { Place } from './yaml-values.ts';

export type Locate = (path: string) => Place | undefined;

export interface ResolvedFile {
  readonly document: JsonObject;
  /** Place of the value at a problem path, or of the nearest value around it. */
  readonly locate: Locate;
  readonly warnings: readonly Problem[];
  /** What must be stored before the document is applied. */
  readonly values: readonly StoredValue[];
}

export interface CheckedFile extends ResolvedFile {
  readonly app: AppSpec;
}

/** Reads, expands and interpolates the file. An error holds all problems of these steps; what the document means is not looked at. */
export async function resolveComposeFile(options: ResolveOptions): Promise<Result<ResolvedFile, readonly Problem[]>> {
  const draft = await draftDocument(options);
  if (draft.document === undefined || draft.problems.some(isError)) return err(draft.problems);
  const { document, locate, values } = draft;
  return ok({ document, locate, values, warnings: draft.problems });
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
  const { app } = parsed.value;
  const named = new Set(referencesOf(app).map(({ secretRef }) => secretRef));
  const values = draft.values.filter(({ name }) => named.has(name));
  return ok({ document: draft.document, locate: draft.locate, warnings: problems, values, app });
}

/** Adds file, line and column to problems that came without, such as those of the API. */
export const locateProblems = (problems: readonly Problem[], locate: Locate): readonly Problem[] =>
  problems.map((problem) => (problem.file === undefined ? { ...problem, ...locate(problem.path) } : problem));

interface Draft {
  /** Missing where a file is missing or no YAML. */
  readonly document?: JsonObject;
  readonly locate: Locate;
  readonly problems: readonly Problem[];
  readonly values: readonly StoredValue[];
}

async function draftDocument(options: ResolveOptions): Promise<Draft> {
  const sources: Sources = { readText: readerOf(options), files: new Map(), problems: [] };
  const nowhere = (): Draft => ({
    locate: () => undefined,
    problems: sources.problems.toSorted(compareProblems),
    values: [],
  });
  const files = await findFiles(options, sources);
  const [main] = files;
  if (main === undefined) return nowhere();
  const report = createReport();
  const shell = await readShell(options, sources);
  const name = chooseName(await readWrittenName(sources, files, shell), shell, options, report);
  const lookup: Lookup = (variable) => shell(variable) ?? (variable === 'COMPOSE_PROJECT_NAME' ? name : undefined);
  const root = await loadFiles(startLoading(sources, lookup, main), files);
  if (root === undefined || files.some((file) => sources.files.get(file) === undefined)) return nowhere();
  const { document, places, sources: numbers, failures } = flatten(root);
  for (const { path, problem, remedy } of failures) report.error(path, problem, remedy);
  const locate: Locate = (path) => locateIn(places, path);
  const surroundings = { file: main, lookup, readText: sources.readText, places, sources: numbers };
  const draft = await resolveServices(document, options, surroundings, report);
  const stored = await extractValues(draft.document, { file: main, lookup, readBytes: bytesReaderOf(options) }, report);
  const problems = [...sources.problems, ...locateProblems(report.problems(), locate)]
    .filter(({ path }) => !draft.disabledPaths.some((place) => isWithin(path, place)))
    .sort(compareProblems);
  return { document: nameDocument(stored.document, name), locate, problems, values: stored.values };
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

const readerOf =
  ({ readFile }: ResolveOptions): ReadText =>
  async (path) => {
    try {
      return { text: await readFile(path) };
    } catch (error) {
      return { failure: error instanceof Error ? error.message : String(error) };
    }
  };

const bytesReaderOf =
  ({ readFile, readBytes }: ResolveOptions): ValueSources['readBytes'] =>
  async (path) => {
    try {
      if (readBytes !== undefined) return { bytes: await readBytes(path) };
      const text = await readFile(path);
      return { bytes: text === undefined ? undefined : Buffer.from(text) };
    } catch (error) {
      return { failure: error instanceof Error ? error.message : String(error) };
    }
  };

const nameDocument = (document: JsonObject, name: string | undefined): JsonObject =>
  name === undefined ? document : { ...document, name };

function locateIn(places: ReadonlyMap<string, Place>, path: string): Place | undefined {
  for (let at: string | undefined = path; at !== undefined; at = parentPath(at)) {
    const place = places.get(at);
    if (place !== undefined) return place;
  }
  return undefined;
}
