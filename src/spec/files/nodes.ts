/**
 * Values of a Compose file that remember where they were written, through interpolation and merging: a problem in the document that comes out
 * points at the line that is to blame, in whichever file.
 */

import { isObject, type Json, type JsonObject, joinPath } from '../json.ts';
import { type Failure, interpolate, type Lookup } from './interpolate.ts';
import type { MergeTag, Place, Values } from './yaml-values.ts';

export interface Node {
  readonly value: string | number | boolean | null | readonly Node[] | ReadonlyMap<string, Node>;
  readonly place: Place;
  /** A number as it was written, where JSON would write it differently. */
  readonly source?: string;
  readonly tag?: MergeTag;
  /** Variables without a value. Reported only if the node ends up in the document. */
  readonly failures?: readonly Failure[];
}

export interface MapNode extends Omit<Node, 'value'> {
  readonly value: ReadonlyMap<string, Node>;
}
export interface ListNode extends Omit<Node, 'value'> {
  readonly value: readonly Node[];
}

export const isMapNode = (node: Node | undefined): node is MapNode => node?.value instanceof Map;
export const isListNode = (node: Node | undefined): node is ListNode => Array.isArray(node?.value);

/** The member of a mapping; `undefined` where there is none. */
export const memberOf = (node: Node | undefined, key: string): Node | undefined =>
  isMapNode(node) ? node.value.get(key) : undefined;

/** The text of a node; numbers as they were written. `undefined` for anything else. */
export const textOf = (node: Node | undefined): string | undefined => {
  if (typeof node?.value === 'number') return node.source ?? String(node.value);
  return typeof node?.value === 'string' ? node.value : undefined;
};

export const withMembers = (node: Node, members: Iterable<readonly [string, Node]>): MapNode => ({
  ...node,
  value: new Map(members),
});

/** Values only are interpolated, never keys; extensions of other tools are left as they are, except where an alias uses them. */
export function annotate({ root, places, sources, tags }: Values, file: string, lookup: Lookup): Node {
  const build = (value: Json, path: string, find: Lookup | undefined): Node => {
    const place = places.get(path) ?? { file, line: 1, column: 1 };
    const source = sources.get(path);
    const tag = tags.get(path);
    const rest = { place, ...(source !== undefined && { source }), ...(tag !== undefined && { tag }) };
    if (typeof value === 'string' && find !== undefined) {
      const { text, failures } = interpolate(value, find);
      return { ...rest, value: text, ...(failures.length > 0 && { failures }) };
    }
    if (Array.isArray(value)) {
      return { ...rest, value: value.map((item: Json, index) => build(item, joinPath(path, index), find)) };
    }
    if (!isObject(value)) return { ...rest, value: value as string | number | boolean | null };
    const members = Object.entries(value).map(([key, member]) => {
      const isForeign = path === '' && key.startsWith('x-') && key !== 'x-flotilla';
      return [key, build(member, joinPath(path, key), isForeign ? undefined : find)] as const;
    });
    return { ...rest, value: new Map(members) };
  };
  return build(root, '', lookup);
}

export interface Flat {
  readonly document: JsonObject;
  readonly places: Map<string, Place>;
  readonly sources: ReadonlyMap<string, string>;
  readonly failures: readonly (Failure & { readonly path: string })[];
}

/** The document without its annotations, which are then found by path. What is tagged `!reset` is gone. */
export function flatten(root: MapNode): Flat {
  const places = new Map<string, Place>();
  const sources = new Map<string, string>();
  const failures: (Failure & { path: string })[] = [];
  const write = (node: Node, path: string): Json => {
    places.set(path, node.place);
    if (node.source !== undefined) sources.set(path, node.source);
    for (const failure of node.failures ?? []) failures.push({ ...failure, path });
    if (isListNode(node)) {
      return node.value.filter((item) => item.tag !== 'reset').map((item, index) => write(item, joinPath(path, index)));
    }
    if (!isMapNode(node)) return node.value as Json;
    const members = [...node.value].filter(([, member]) => member.tag !== 'reset');
    return Object.fromEntries(
      members.map(([key, member]) => [key, write(member, joinPath(path, key))]),
    ) satisfies JsonObject;
  };
  return { document: write(root, '') as JsonObject, places, sources, failures };
}
