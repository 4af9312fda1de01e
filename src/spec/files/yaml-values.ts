/**
 * A parsed YAML document → JSON values. Aliases and merge keys are expanded here under a limit, because a few lines of them can mean billions
 * of values.
 */

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Pair,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import type { Problem } from '../../model/problem.ts';
import { type Json, joinPath } from '../json.ts';

export interface Place {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

/** `!reset` removes what other files say, `!override` replaces it (Compose Specification, "Merge"). */
export type MergeTag = 'reset' | 'override';

export interface Values {
  readonly root: Json;
  /** By problem path: the key of a member, the item of a list. */
  readonly places: ReadonlyMap<string, Place>;
  /** Compose's own tags, which say how a value is merged with that of another file. */
  readonly tags: ReadonlyMap<string, MergeTag>;
  /** Numbers as they were written, where JSON would write them differently: `1.10`. */
  readonly sources: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

const valuesMax = 50_000;
const depthMax = 64;

interface Conversion {
  readonly targets: AliasTargets;
  readonly places: Map<string, Place>;
  readonly sources: Map<string, string>;
  readonly tags: Map<string, MergeTag>;
  readonly problems: Problem[];
  readonly placeOf: (node: unknown) => Place;
  produced: number;
}

export type AliasTargets = ReadonlyMap<Alias, unknown>;

/** What each alias stands for: the nearest anchor of its name above it. One walk; the library would walk the document once per alias. */
export function findAliasTargets(document: Document): AliasTargets {
  const anchors = new Map<string, unknown>();
  const targets = new Map<Alias, unknown>();
  visit(document, {
    Alias: (_, alias) => {
      targets.set(alias, anchors.get(alias.source));
    },
    Value: (_, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

/** @param contents the document's root node */
export function convertValues(
  contents: unknown,
  targets: AliasTargets,
  file: string,
  linePos: (offset: number) => { readonly line: number; readonly col: number },
): Values {
  const placeOf = (node: unknown): Place => {
    const { line, col } = linePos((isNode(node) ? node.range?.[0] : undefined) ?? 0);
    return { file, line, column: col };
  };
  const conversion: Conversion = {
    targets,
    places: new Map(),
    sources: new Map(),
    tags: new Map(),
    problems: [],
    placeOf,
    produced: 0,
  };
  const root = convert(conversion, contents, '', 0);
  const { places, sources, tags, problems } = conversion;
  return { root, places, sources, tags, problems };
}

function fail(conversion: Conversion, path: string, node: unknown, problem: string, remedy: string): null {
  conversion.problems.push({ severity: 'error', path, problem, remedy, ...conversion.placeOf(node) });
  return null;
}

/** Counts what is produced, and stops for good once it is too much. */
function isExhausted(conversion: Conversion, path: string, node: unknown, depth: number): boolean {
  if (conversion.produced > valuesMax) return true;
  conversion.produced += 1;
  if (conversion.produced <= valuesMax && depth <= depthMax) return false;
  conversion.produced = valuesMax + 1;
  const what = depth > depthMax ? `more than ${depthMax} levels` : `more than ${valuesMax} values`;
  fail(
    conversion,
    path,
    node,
    `the file means ${what}, aliases and merge keys written out.`,
    'Use fewer aliases; an anchor must not contain itself.',
  );
  return true;
}

function convert(conversion: Conversion, node: unknown, path: string, depth: number): Json {
  if (isExhausted(conversion, path, node, depth)) return null;
  if (!conversion.places.has(path)) conversion.places.set(path, conversion.placeOf(node));
  if (isAlias(node)) return convertAlias(conversion, node, path, depth);
  noteTag(conversion, node, path);
  if (isMap(node)) return convertMap(conversion, node, path, depth);
  if (isSeq(node)) return node.items.map((item, index) => convert(conversion, item, joinPath(path, index), depth + 1));
  return isScalar(node) ? convertScalar(conversion, node, path) : null;
}

function noteTag({ tags }: Conversion, node: unknown, path: string): void {
  if (isNode(node) && node.tag === '!reset') tags.set(path, 'reset');
  if (isNode(node) && node.tag === '!override') tags.set(path, 'override');
}

function convertScalar(conversion: Conversion, node: Scalar, path: string): Json {
  const { value, source } = node;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) {
      return fail(
        conversion,
        path,
        node,
        `\`${source}\` is not a finite number.`,
        'Write a finite number, or quote it.',
      );
    }
    if (source !== undefined && source !== String(value)) conversion.sources.set(path, source);
    return value;
  }
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') {
    return value ?? null;
  }
  return fail(conversion, path, node, `\`${node.tag ?? ''}\` gives no text, number or boolean.`, 'Remove the tag.');
}

function convertAlias(conversion: Conversion, alias: Alias, path: string, depth: number): Json {
  const target = conversion.targets.get(alias);
  return target === undefined ? failAlias(conversion, alias, path) : convert(conversion, target, path, depth + 1);
}

const failAlias = (conversion: Conversion, alias: Alias, path: string): null =>
  fail(
    conversion,
    path,
    alias,
    `there is no anchor \`&${alias.source}\` above this alias.`,
    'Define the anchor above its first use, or quote the text.',
  );

function convertMap(conversion: Conversion, map: YAMLMap, path: string, depth: number): Json {
  const members = new Map<string, Json>();
  for (const [key, pair] of collectPairs(conversion, map, path, depth)) {
    const memberPath = joinPath(path, key);
    conversion.places.set(memberPath, conversion.placeOf(pair.key));
    members.set(key, convert(conversion, pair.value, memberPath, depth + 1));
  }
  return Object.fromEntries(members);
}

/** Own pairs win over merged ones, an earlier merged mapping over a later. */
function collectPairs(conversion: Conversion, map: YAMLMap, path: string, depth: number): ReadonlyMap<string, Pair> {
  const pairs = new Map<string, Pair>();
  if (isExhausted(conversion, path, map, depth)) return pairs;
  for (const pair of map.items) if (!isMerge(pair)) addPair(conversion, pairs, pair, path);
  for (const { value } of map.items.filter(isMerge)) {
    for (const source of mergedMaps(conversion, value, path)) {
      for (const [key, merged] of collectPairs(conversion, source, path, depth + 1)) {
        if (!pairs.has(key)) pairs.set(key, merged);
      }
    }
  }
  return pairs;
}

function addPair(conversion: Conversion, pairs: Map<string, Pair>, pair: Pair, path: string): void {
  const key = keyOf(pair);
  if (key === undefined) {
    fail(conversion, path, pair.key, 'a key must be a text.', 'Write a plain word, or quote it.');
  } else if (pairs.has(key)) {
    const problem = `the key \`${key}\` stands twice in one mapping.`;
    fail(conversion, joinPath(path, key), pair.key, problem, 'Remove one of the two.');
  } else {
    pairs.set(key, pair);
  }
}

function mergedMaps(conversion: Conversion, value: unknown, path: string): readonly YAMLMap[] {
  const mergePath = joinPath(path, '<<');
  const resolve = (node: unknown): unknown => {
    if (!isAlias(node)) return node;
    const target = conversion.targets.get(node);
    if (target === undefined) failAlias(conversion, node, mergePath);
    return target;
  };
  const resolved = resolve(value);
  const sources = (isSeq(resolved) ? resolved.items.map(resolve) : [resolved]).filter((source) => source !== undefined);
  const maps = sources.filter((source): source is YAMLMap => isMap(source));
  if (maps.length !== sources.length) {
    const remedy = 'Let it name an anchor of a mapping, or a list of such.';
    fail(conversion, mergePath, value, '`<<` can merge mappings only.', remedy);
  }
  return maps;
}

const isMerge = (pair: Pair): boolean => isScalar(pair.key) && pair.key.value === '<<' && pair.key.type === 'PLAIN';

/** Numbers and booleans as they are written; mappings, lists and nothing are no keys. */
function keyOf(pair: Pair): string | undefined {
  if (!isScalar(pair.key) || pair.key.value === null) return undefined;
  return typeof pair.key.value === 'string' ? pair.key.value : (pair.key.source ?? String(pair.key.value));
}
