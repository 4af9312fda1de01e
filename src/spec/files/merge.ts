/**
 * How a later Compose file changes an earlier one, and a service the one it extends (Compose Specification, "Merge"): mappings by member,
 * lists one behind the other, each thing in them once, anything else by replacement. Some keys have rules of their own.
 */

import {
  isListNode,
  isMapNode,
  type ListNode,
  type MapNode,
  memberOf,
  type Node,
  textOf,
  withMembers,
} from './nodes.ts';

/** Told where two values cannot be merged; the later one is taken. */
export type Complain = (path: readonly string[], over: Node, problem: string) => void;

/** @param path where both stand; a service on its own is at `['services', '*']`. */
export function mergeNodes(base: Node | undefined, over: Node, path: readonly string[], complain: Complain): Node {
  if (base === undefined || over.tag !== undefined || base.tag === 'reset') return over;
  const rule = ruleAt(path);
  if (rule === 'replace') return over;
  if (over.value === null) return base;
  const left = prepare(base, rule);
  const right = prepare(over, rule);
  if (isMapNode(left) && isMapNode(right)) {
    if (rule === 'driver' && !isSameDriver(left, right)) return over;
    return mergeMembers(left, right, path, complain);
  }
  if (isListNode(left) && isListNode(right)) return mergeLists(left, right, path);
  if (isCollection(left) && right.value !== null) {
    complain(path, over, `is ${kindOf(over)} here and ${kindOf(base)} where it is merged into.`);
  }
  return over;
}

function mergeMembers(left: MapNode, right: MapNode, path: readonly string[], complain: Complain): MapNode {
  const members = new Map(left.value);
  for (const [key, member] of right.value) {
    members.set(key, mergeNodes(members.get(key), member, [...path, key], complain));
  }
  return withMembers({ ...left, place: right.place }, members);
}

/** A later item takes the place of an earlier one of the same identity. */
function mergeLists(left: ListNode, right: ListNode, path: readonly string[]): Node {
  const identify = identities[lastOf(path)] ?? ((): undefined => undefined);
  const items: Node[] = [];
  const positions = new Map<string, number>();
  for (const item of [...left.value, ...right.value]) {
    const identity = identify(item);
    const position = identity === undefined ? undefined : positions.get(identity);
    if (position !== undefined) {
      items[position] = item;
      continue;
    }
    if (identity !== undefined) positions.set(identity, items.length);
    items.push(item);
  }
  return { ...left, value: items, place: right.place };
}

/**
 * `replace`: the later value as it is · `pairs`: `[A=1]` and `{A: 1}` are the same · `names`: `[a]` and `{a: }` are the same · `waits`: as
 * `names`, for `depends_on` · `list`: a text is a list of one · `context`: a text is `{context: text}` · `driver`: merged only for one driver.
 */
type Rule = 'replace' | 'pairs' | 'names' | 'waits' | 'list' | 'context' | 'driver' | 'members';

/** By path within a service. */
const rules: Readonly<Record<string, Rule>> = {
  command: 'replace',
  entrypoint: 'replace',
  'healthcheck.test': 'replace',
  'ulimits.*': 'replace',
  environment: 'pairs',
  labels: 'pairs',
  annotations: 'pairs',
  sysctls: 'pairs',
  'deploy.labels': 'pairs',
  'build.args': 'pairs',
  'build.labels': 'pairs',
  'build.additional_contexts': 'pairs',
  networks: 'names',
  models: 'names',
  depends_on: 'waits',
  dns: 'list',
  dns_opt: 'list',
  dns_search: 'list',
  env_file: 'list',
  label_file: 'list',
  tmpfs: 'list',
  build: 'context',
  logging: 'driver',
};

function ruleAt(path: readonly string[]): Rule {
  if (path.length < 2 || path[0] !== 'services') return 'members';
  const keys = path.slice(2);
  const pattern = path.length === 4 && keys[0] === 'ulimits' ? 'ulimits.*' : keys.join('.');
  return Object.hasOwn(rules, pattern) ? (rules[pattern] ?? 'members') : 'members';
}

/** The node in the form that its rule merges. */
function prepare(node: Node, rule: Rule): Node {
  switch (rule) {
    case 'pairs':
      return isListNode(node) ? withMembers(node, node.value.flatMap(pairOf)) : node;
    case 'names':
      return isListNode(node)
        ? withMembers(
            node,
            node.value.flatMap((item) => named(item, [])),
          )
        : node;
    case 'waits':
      return isListNode(node)
        ? withMembers(
            node,
            node.value.flatMap((item) => named(item, waitMembers(item))),
          )
        : node;
    case 'list':
      return isListNode(node) ? node : { ...node, value: [node] };
    case 'context':
      return typeof node.value === 'string' ? withMembers(node, [['context', node]]) : node;
    default:
      return node;
  }
}

function pairOf(item: Node): [string, Node][] {
  if (typeof item.value !== 'string') return [];
  const equals = item.value.indexOf('=');
  if (equals < 0) return [[item.value, { ...item, value: null }]];
  return [[item.value.slice(0, equals), { ...item, value: item.value.slice(equals + 1) }]];
}

function named(item: Node, members: readonly (readonly [string, Node])[]): [string, Node][] {
  const name = textOf(item);
  if (name === undefined) return [];
  const { place } = item;
  return [[name, members.length === 0 ? { value: null, place } : withMembers({ value: null, place }, members)]];
}

const waitMembers = ({ place }: Node): readonly (readonly [string, Node])[] => [
  ['condition', { value: 'service_started', place }],
  ['required', { value: true, place }],
];

const isSameDriver = (left: Node, right: Node): boolean => {
  const drivers = [left, right].map((node) => textOf(memberOf(node, 'driver')));
  return drivers[0] === undefined || drivers[1] === undefined || drivers[0] === drivers[1];
};

/** What makes two items of a list the same thing, by the key of the list; `undefined` = nothing. */
const identities: Readonly<Record<string, (item: Node) => string | undefined>> = {
  ...Object.fromEntries(
    ['expose', 'profiles', 'links', 'cap_add', 'cap_drop', 'dns', 'dns_opt', 'dns_search', 'tmpfs'].map((key) => [
      key,
      (item: Node) => textOf(item)?.split('=')[0],
    ]),
  ),
  ports: (item) => textOf(item) ?? portIdentity(item),
  env_file: (item) => textOf(item) ?? textOf(memberOf(item, 'path')),
  secrets: mountIdentity,
  configs: mountIdentity,
  volumes: (item) => textOf(memberOf(item, 'target')) ?? targetOf(textOf(item)),
  devices: (item) => textOf(memberOf(item, 'target')) ?? targetOf(textOf(item)),
};

function portIdentity(item: Node): string | undefined {
  const part = (key: string, otherwise: string): string => textOf(memberOf(item, key)) ?? otherwise;
  const target = textOf(memberOf(item, 'target'));
  if (target === undefined) return undefined;
  return `${part('host_ip', '0.0.0.0')}:${part('published', '')}:${target}/${part('protocol', 'tcp')}`;
}

function mountIdentity(item: Node): string | undefined {
  return textOf(item) ?? textOf(memberOf(item, 'target')) ?? textOf(memberOf(item, 'source'));
}

/** `SOURCE:TARGET[:MODE]` or `TARGET`. */
const targetOf = (text: string | undefined): string | undefined => {
  const parts = text?.split(':') ?? [];
  return parts[1] ?? parts[0];
};

const lastOf = (path: readonly string[]): string => path.at(-1) ?? '';
const isCollection = (node: Node): boolean => isMapNode(node) || isListNode(node);
const kindOf = (node: Node): string => (isMapNode(node) ? 'a mapping' : isListNode(node) ? 'a list' : 'a single value');
