/** Compose files in memory: what the CLI makes of them, and what the rules make of a document. */
import { parse as parseYaml } from 'yaml';
import type { AppSpec, ServiceSpec } from '../../src/model/app-spec.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { ResolveOptions } from '../../src/spec/files/options.ts';
import { checkComposeFile, resolveComposeFile } from '../../src/spec/files/resolve.ts';
import { parseApp } from '../../src/spec/parse-app.ts';

/** Files by name; a text alone is `compose.yaml`. Everything lies in the directory `shop`. */
export type Files = string | Readonly<Record<string, string>>;

export function optionsFor(files: Files, overrides: Partial<ResolveOptions> = {}): ResolveOptions {
  const byName: Readonly<Record<string, string>> = typeof files === 'string' ? { 'compose.yaml': files } : files;
  const contents = new Map(
    Object.entries(byName).map(([name, text]) => [name.startsWith('/') ? name : `shop/${name}`, text]),
  );
  return {
    projectDirectory: 'shop',
    environment: {},
    profiles: [],
    readFile: async (path) => contents.get(path),
    ...overrides,
  };
}

export const check = (files: Files, overrides?: Partial<ResolveOptions>) =>
  checkComposeFile(optionsFor(files, overrides));

/** The document that the CLI sends, for files without a fault. */
export async function resolved(files: Files, overrides?: Partial<ResolveOptions>) {
  const result = await resolveComposeFile(optionsFor(files, overrides));
  if (!result.ok) throw new Error(show(result.error));
  return result.value.document;
}

/** All problems of files, warnings included, as `line path: problem`. */
export async function faultsOf(files: Files, overrides?: Partial<ResolveOptions>): Promise<readonly Problem[]> {
  const result = await check(files, overrides);
  return result.ok ? result.value.warnings : result.error;
}

/** The `environment` of the service `web`. */
export async function environmentOf(files: Files, overrides?: Partial<ResolveOptions>) {
  const { services } = (await resolved(files, overrides)) as { services: { web: { environment?: unknown } } };
  return services.web.environment;
}

/** A document from YAML, as JSON that no file step has touched. */
export const documentOf = (yaml: string): unknown => parseYaml(yaml, { merge: true });

/** A document with the one service `web` made of `service` (YAML in one or more lines, not indented), with an image if it states none. */
export function webDocument(service: string): { name: string; services: Record<string, unknown> } {
  const web = (parseYaml(service) ?? {}) as Record<string, unknown>;
  return { name: 'shop', services: { web: 'image' in web || 'build' in web ? web : { image: 'nginx:1.29', ...web } } };
}

export function appOf(document: unknown): AppSpec {
  const parsed = parseApp(document);
  if (!parsed.ok) throw new Error(show(parsed.error));
  return parsed.value.app;
}

/** The service `web` as Flotilla understands it. */
export const webOf = (service: string): ServiceSpec => appOf(webDocument(service)).services[0]!;

/** All problems of a document, warnings included. */
export function problemsOf(document: unknown): readonly Problem[] {
  const parsed = parseApp(document);
  return parsed.ok ? parsed.value.warnings : parsed.error;
}

export const webProblems = (service: string): readonly Problem[] => problemsOf(webDocument(service));

/** `error services.web.image: `x` is …` — short enough to compare in tables. */
export const brief = ({ severity, path, problem }: Problem): string => `${severity} ${path}: ${problem}`;

export const show = (problems: readonly Problem[]): string =>
  problems.map((problem) => `${brief(problem)} ${problem.remedy}`).join('\n');
