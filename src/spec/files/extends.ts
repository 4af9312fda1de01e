/** `extends`: a service takes over what another says, of this file or of another one (Compose Specification, "Extends"). */

import { dirname, isAbsolute, join, relative } from 'node:path';
import { joinPath } from '../json.ts';
import { nearestWord } from '../suggest.ts';
import type { Lookup } from './interpolate.ts';
import { type Complain, mergeNodes } from './merge.ts';
import { isListNode, isMapNode, type MapNode, memberOf, type Node, textOf, withMembers } from './nodes.ts';
import { complain, filesMax, readSource, type Sources } from './source.ts';

export interface ExtendsContext {
  readonly sources: Sources;
  readonly lookup: Lookup;
  readonly complainMerge: Complain;
}

/** The file with every `extends` replaced by what it stands for. */
export async function applyExtends(context: ExtendsContext, root: MapNode, file: string): Promise<MapNode> {
  const services = memberOf(root, 'services');
  if (!isMapNode(services)) return root;
  const extended: [string, Node][] = [];
  for (const name of services.value.keys()) {
    extended.push([name, await extendService(context, services, name, file, [])]);
  }
  return withMembers(root, new Map([...root.value, ['services', withMembers(services, extended)]]));
}

/**
 * The service as it is, `extends` included, where that cannot be resolved: what is missing in it is then no news.
 * @param trail the services that extend this one, as `file name`: one that comes twice is a circle
 */
async function extendService(
  context: ExtendsContext,
  services: MapNode,
  name: string,
  file: string,
  trail: readonly string[],
): Promise<Node> {
  const service = services.value.get(name) as Node;
  const reference = memberOf(service, 'extends');
  if (!isMapNode(service) || reference === undefined || reference.value === null) return service;
  const own = withMembers(
    service,
    [...service.value].filter(([key]) => key !== 'extends'),
  );
  const path = joinPath('services', name, 'extends');
  const here = `${file} ${name}`;
  if (trail.includes(here)) {
    const circle = [...trail.slice(trail.indexOf(here)), here].map((step) => step.split(' ').at(-1)).join(' → ');
    complain(
      context.sources,
      path,
      `the services extend each other: ${circle}.`,
      'Remove one `extends`.',
      reference.place,
    );
    return service;
  }
  const target = readReference(context, reference, path);
  if (target === undefined) return service;
  const from = target.file === undefined ? { services, file } : await readBase(context, file, target.file, path);
  if (from === undefined) return service;
  if (!from.services.value.has(target.service)) {
    const nearest = nearestWord(target.service, from.services.value.keys());
    const remedy = nearest === undefined ? 'Name a service that is there.' : `Did you mean \`${nearest}\`?`;
    complain(context.sources, path, `\`${from.file}\` has no service \`${target.service}\`.`, remedy, reference.place);
    return service;
  }
  const base = await extendService(context, from.services, target.service, from.file, [...trail, here]);
  return mergeNodes(rebase(base, from.file, file), own, ['services', name], context.complainMerge);
}

interface Target {
  readonly service: string;
  readonly file: Node | undefined;
}

function readReference({ sources }: ExtendsContext, reference: Node, path: string): Target | undefined {
  const named = isMapNode(reference) ? memberOf(reference, 'service') : reference;
  const service = textOf(named);
  const file = memberOf(reference, 'file');
  const failures = [reference, named, file].flatMap((node) => node?.failures ?? []);
  for (const { problem, remedy } of failures) complain(sources, path, problem, remedy, reference.place);
  if (failures.length > 0) return undefined;
  const unknown =
    isMapNode(reference) && [...reference.value.keys()].find((key) => key !== 'service' && key !== 'file');
  if (typeof unknown === 'string') {
    complain(
      sources,
      joinPath(path, unknown),
      `\`${unknown}\` is not a key that can stand here.`,
      'Write `service` and `file`.',
      reference.place,
    );
    return undefined;
  }
  if (service !== undefined && service !== '' && (file === undefined || textOf(file) !== undefined))
    return { service, file };
  complain(
    sources,
    path,
    'does not name a service.',
    'Write `extends: NAME` or `extends: {service: NAME, file: FILE}`.',
    reference.place,
  );
  return undefined;
}

async function readBase(
  { sources, lookup }: ExtendsContext,
  from: string,
  named: Node,
  path: string,
): Promise<{ readonly services: MapNode; readonly file: string } | undefined> {
  const text = textOf(named) ?? '';
  const file = isAbsolute(text) ? text : join(dirname(from), text);
  if (sources.files.size >= filesMax && !sources.files.has(file)) {
    complain(sources, path, `more than ${filesMax} files are involved.`, 'Use fewer files.', named.place);
    return undefined;
  }
  const root = await readSource(sources, file, lookup, { path, node: named });
  if (root === undefined) return undefined;
  const services = memberOf(root, 'services');
  if (isMapNode(services)) return { services, file };
  complain(sources, path, `\`${file}\` has no services.`, 'Name a file that has the service.', named.place);
  return undefined;
}

/** Paths of `env_file` are relative to the file that holds them: written as from `to`'s directory. */
export function rebase(service: Node, from: string, to: string): Node {
  const envFile = memberOf(service, 'env_file');
  if (!isMapNode(service) || envFile === undefined || dirname(from) === dirname(to)) return service;
  const move = (node: Node | undefined): Node | undefined => {
    const text = node?.value;
    if (node === undefined || typeof text !== 'string' || isAbsolute(text)) return node;
    return { ...node, value: relative(dirname(to), join(dirname(from), text)) };
  };
  const moveItem = (item: Node): Node => {
    const path = memberOf(item, 'path');
    if (!isMapNode(item) || path === undefined) return move(item) ?? item;
    return withMembers(item, new Map([...item.value, ['path', move(path) ?? path]]));
  };
  const moved = isListNode(envFile) ? { ...envFile, value: envFile.value.map(moveItem) } : moveItem(envFile);
  return withMembers(service, new Map([...service.value, ['env_file', moved]]));
}
