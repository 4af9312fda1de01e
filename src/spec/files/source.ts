/** Reads one file of Compose YAML into nodes, and remembers what was wrong on the way. */

import type { Problem } from '../../model/problem.ts';
import { isObject } from '../json.ts';
import type { Lookup } from './interpolate.ts';
import { annotate, isMapNode, type MapNode, type Node } from './nodes.ts';
import { readYaml } from './yaml-document.ts';
import type { Place, Values } from './yaml-values.ts';

/** Text, `undefined` where there is no such file, or why it cannot be read. */
export type ReadText = (path: string) => Promise<{ readonly text: string | undefined } | { readonly failure: string }>;

export interface Sources {
  readonly readText: ReadText;
  /** What was read, by file, so that each mistake in it is reported once; `undefined` = could not be read. */
  readonly files: Map<string, Values | undefined>;
  /** Problems whose place is known. */
  readonly problems: Problem[];
}

/** Who named a file that is read. */
export interface Asked {
  readonly path: string;
  readonly node: Node;
}

/** At most this many files make one app; it bounds what a circle of other means could read. */
export const filesMax = 100;

export function complain(
  { problems }: Sources,
  path: string,
  problem: string,
  remedy: string,
  place: Place | undefined,
): void {
  problems.push({ severity: 'error', path, problem, remedy, ...place });
}

/** `undefined` where the file is missing, no YAML or no mapping, which is then reported. */
export async function readSource(
  sources: Sources,
  file: string,
  lookup: Lookup,
  asked?: Asked,
): Promise<MapNode | undefined> {
  const values = await readValues(sources, file, asked);
  const root = values && annotate(values, file, lookup);
  return isMapNode(root) ? root : undefined;
}

export async function readValues(sources: Sources, file: string, asked?: Asked): Promise<Values | undefined> {
  if (!sources.files.has(file)) sources.files.set(file, await readFresh(sources, file, asked));
  return sources.files.get(file);
}

async function readFresh(sources: Sources, file: string, asked: Asked | undefined): Promise<Values | undefined> {
  const path = asked?.path ?? '';
  const start = { file, line: 1, column: 1 };
  const read = await sources.readText(file);
  if ('failure' in read) {
    const problem = `the file cannot be read: ${read.failure}.`;
    complain(sources, path, problem, 'Check its path and permissions.', asked?.node.place ?? start);
    return undefined;
  }
  if (read.text === undefined) {
    const remedy = asked === undefined ? 'Check the path given with -f.' : 'Correct the path, or create the file.';
    complain(sources, path, `there is no file \`${file}\`.`, remedy, asked?.node.place);
    return undefined;
  }
  const values = readYaml(read.text, file);
  sources.problems.push(...values.problems);
  if (values.problems.length > 0) return undefined;
  if (isObject(values.root)) return values;
  complain(sources, '', 'the file holds no mapping.', 'Write `services:` with at least one service below it.', start);
  return undefined;
}
