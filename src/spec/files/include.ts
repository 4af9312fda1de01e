/** `include`: parts of an app kept in other files, each with a directory and variables of its own (Compose Specification, "Include"). */

import { dirname, isAbsolute, join, relative } from 'node:path';
import { joinPath } from '../json.ts';
import { rebase } from './extends.ts';
import type { Lookup } from './interpolate.ts';
import type { LoadFiles, Loading } from './loading.ts';
import { mergeNodes } from './merge.ts';
import { isListNode, isMapNode, type MapNode, memberOf, type Node, textOf, withMembers } from './nodes.ts';
import { complain } from './source.ts';
import { readVariables } from './variables.ts';

/**
 * The file with the included parts in it. What it says itself about one of their services is merged over them.
 * @param load reads the files of one part; handed in, because they may include others
 */
export async function applyIncludes(loading: Loading, root: MapNode, file: string, load: LoadFiles): Promise<MapNode> {
  const include = memberOf(root, 'include');
  if (include === undefined) return root;
  let result = withMembers(
    root,
    [...root.value].filter(([key]) => key !== 'include'),
  );
  if (include.value === null) return result;
  if (!isListNode(include)) {
    complain(loading.sources, 'include', 'must be a list of files.', 'Write `include: [FILE]`.', include.place);
    return result;
  }
  for (const [index, item] of include.value.entries()) {
    const entry = readEntry(loading, item, joinPath('include', index));
    const included = entry && (await loadEntry(loading, entry, file, joinPath('include', index), load));
    if (included !== undefined) result = importParts(loading, included, result);
  }
  return result;
}

interface Entry {
  readonly node: Node;
  readonly paths: readonly Node[];
  readonly projectDirectory: Node | undefined;
  readonly envFiles: readonly Node[] | undefined;
}

function readEntry({ sources }: Loading, node: Node, path: string): Entry | undefined {
  const listOf = (value: Node | undefined): readonly Node[] =>
    isListNode(value) ? value.value : value === undefined || value.value === null ? [] : [value];
  const paths = listOf(isMapNode(node) ? memberOf(node, 'path') : node);
  const projectDirectory = memberOf(node, 'project_directory');
  const envFile = memberOf(node, 'env_file');
  const texts = [...paths, ...listOf(projectDirectory), ...listOf(envFile)];
  for (const { failures = [], place } of texts) {
    for (const { problem, remedy } of failures) complain(sources, path, problem, remedy, place);
  }
  const unknown = isMapNode(node)
    ? [...node.value.keys()].filter((key) => !['path', 'project_directory', 'env_file'].includes(key))
    : [];
  for (const key of unknown) {
    const remedy = 'Write `path`, `project_directory` or `env_file`.';
    complain(sources, joinPath(path, key), `\`${key}\` is not a key that can stand here.`, remedy, node.place);
  }
  if (paths.length === 0 || texts.some((text) => textOf(text) === undefined)) {
    complain(sources, path, 'does not name a file.', 'Write the path of a file, or `{path: FILE}`.', node.place);
    return undefined;
  }
  if (unknown.length > 0 || texts.some(({ failures }) => failures !== undefined)) return undefined;
  return { node, paths, projectDirectory, envFiles: envFile === undefined ? undefined : listOf(envFile) };
}

async function loadEntry(
  loading: Loading,
  entry: Entry,
  file: string,
  path: string,
  load: LoadFiles,
): Promise<MapNode | undefined> {
  const { sources, lookup, trail } = loading;
  const from = (node: Node | undefined): string => {
    const text = textOf(node) ?? '';
    return isAbsolute(text) ? text : join(loading.directory, text);
  };
  const files = entry.paths.map(from);
  const [main = ''] = files;
  if (/^[a-z+]+:\/\/|^git@/.test(textOf(entry.paths[0]) ?? '')) {
    complain(sources, path, 'names a remote file.', 'Fetch it first, and include the copy.', entry.node.place);
    return undefined;
  }
  if (trail.includes(main)) {
    const circle = [...trail.slice(trail.indexOf(main)), main].join(' → ');
    complain(sources, path, `the files include each other: ${circle}.`, 'Remove one `include`.', entry.node.place);
    return undefined;
  }
  const directory = entry.projectDirectory === undefined ? dirname(main) : from(entry.projectDirectory);
  const envFiles = entry.envFiles?.map(from) ?? [join(directory, '.env')];
  const own: Lookup = await readVariables(sources, envFiles, lookup, entry.envFiles && entry.node);
  const inner: Loading = { ...loading, lookup: (name) => lookup(name) ?? own(name), directory };
  const root = await load(inner, files, { path, node: entry.node });
  if (root === undefined) return undefined;
  const inside = join(directory, 'x');
  return rebaseFiles(rebaseServices(root, inside, file), inside, file);
}

function rebaseServices(root: MapNode, from: string, to: string): MapNode {
  const services = memberOf(root, 'services');
  if (!isMapNode(services)) return root;
  const moved = [...services.value].map(([name, service]) => [name, rebase(service, from, to)] as const);
  return withMembers(root, new Map([...root.value, ['services', withMembers(services, moved)]]));
}

/** `file` of secrets and configs is relative to the project directory of the part. */
function rebaseFiles(root: MapNode, from: string, to: string): MapNode {
  const members = new Map(root.value);
  for (const key of ['secrets', 'configs']) {
    const definitions = memberOf(root, key);
    if (!isMapNode(definitions)) continue;
    const moved = [...definitions.value].map(([name, definition]): [string, Node] => {
      const path = memberOf(definition, 'file');
      const text = textOf(path);
      if (!isMapNode(definition) || path === undefined || text === undefined || isAbsolute(text))
        return [name, definition];
      const value = relative(dirname(to), join(dirname(from), text));
      return [name, withMembers(definition, new Map([...definition.value, ['file', { ...path, value }]]))];
    });
    members.set(key, withMembers(definitions, moved));
  }
  return withMembers(root, members);
}

const importedKeys = ['services', 'volumes', 'networks', 'secrets', 'configs', 'models'] as const;

function importParts({ complainMerge }: Loading, included: MapNode, root: MapNode): MapNode {
  const members = new Map(root.value);
  for (const key of importedKeys) {
    const part = memberOf(included, key);
    if (part === undefined || part.value === null) continue;
    const own = members.get(key);
    members.set(key, own === undefined || own.value === null ? part : mergeNodes(part, own, [key], complainMerge));
  }
  return withMembers(root, members);
}
