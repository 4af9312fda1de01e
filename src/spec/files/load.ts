/** Several Compose files → one: each with its `extends` and `include` resolved, merged in order. */

import { dirname } from 'node:path';
import { joinPath } from '../json.ts';
import { applyExtends } from './extends.ts';
import { applyIncludes } from './include.ts';
import type { Lookup } from './interpolate.ts';
import type { Loading } from './loading.ts';
import { mergeNodes } from './merge.ts';
import { isMapNode, type MapNode, type Node } from './nodes.ts';
import { type Asked, complain, filesMax, readSource, type Sources } from './source.ts';

export const startLoading = (sources: Sources, lookup: Lookup, file: string): Loading => ({
  sources,
  lookup,
  directory: dirname(file),
  trail: [],
  complainMerge: (path, over, problem) =>
    complain(
      sources,
      joinPath('', ...path),
      problem,
      'Write both in the same form, or tag this one `!override`.',
      over.place,
    ),
});

/** @param asked the `include` that names them. `undefined` where none of them could be read, which is then reported. */
export async function loadFiles(
  loading: Loading,
  files: readonly string[],
  asked?: Asked,
): Promise<MapNode | undefined> {
  const { sources, lookup, complainMerge, trail } = loading;
  const [main = ''] = files;
  let merged: Node | undefined;
  for (const file of files) {
    if (sources.files.size >= filesMax && !sources.files.has(file)) {
      complain(
        sources,
        asked?.path ?? '',
        `more than ${filesMax} files are involved.`,
        'Use fewer files.',
        asked?.node.place,
      );
      return undefined;
    }
    const root = await readSource(sources, file, lookup, asked);
    if (root === undefined) continue;
    // Paths in an overriding file are relative to the first one.
    const extended = await applyExtends({ sources, lookup, complainMerge }, root, file);
    const whole = await applyIncludes({ ...loading, trail: [...trail, file] }, extended, main, loadFiles);
    merged = mergeNodes(merged, whole, [], complainMerge);
  }
  return isMapNode(merged) ? merged : undefined;
}
