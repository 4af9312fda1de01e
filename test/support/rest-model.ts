/**
 * The REST model of an Azure service as its SDK carries it (the mappers that AutoRest generates from the specification), and whether an answer keeps to
 * it. Microsoft's specifications are not copied here: the installed package is the copy.
 */
/** A mapper, as far as it is looked at. */
interface Mapper {
  readonly serializedName?: string;
  readonly type: {
    readonly name: string;
    readonly className?: string;
    readonly element?: Mapper;
    readonly value?: Mapper;
    readonly modelProperties?: Readonly<Record<string, Mapper>>;
  };
}

/** Every mapper of a package by the name of its class. */
export type Model = Readonly<Record<string, Mapper>>;

type Node =
  | { readonly kind: 'object'; readonly children: Map<string, Node> }
  | { readonly kind: 'list'; readonly item: () => Node }
  | { readonly kind: 'map'; readonly value: Node }
  | { readonly kind: 'leaf'; readonly type: 'string' | 'number' | 'boolean' }
  | { readonly kind: 'any' };

/** Paths of an answer that the model does not know, or knows with another type; empty = it keeps to the model. */
export function strangersIn(answer: unknown, model: Model, className: string): readonly string[] {
  return compare(answer, nodeOf({ type: { name: 'Composite', className } }, model), '');
}

function compare(value: unknown, node: Node, path: string): string[] {
  if (node.kind === 'any') return [];
  if (Array.isArray(value)) {
    return node.kind === 'list'
      ? value.flatMap((item) => compare(item, node.item(), `${path}[]`))
      : [`${path}: a list instead of ${node.kind}`];
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, field]) => {
      const at = path === '' ? name : `${path}.${name}`;
      if (node.kind === 'map') return compare(field, node.value, at);
      const child = node.kind === 'object' ? node.children.get(name) : undefined;
      return child ? compare(field, child, at) : [`${at}: unknown to the model`];
    });
  }
  const type = typeof value;
  return node.kind === 'leaf' && node.type === type ? [] : [`${path}: a ${type} where the model has ${nameOf(node)}`];
}

const nameOf = (node: Node): string => (node.kind === 'leaf' ? node.type : node.kind);

const LEAVES: Readonly<Record<string, 'string' | 'number' | 'boolean'>> = {
  String: 'string',
  Enum: 'string',
  DateTime: 'string',
  Date: 'string',
  ByteArray: 'string',
  Uuid: 'string',
  Number: 'number',
  Boolean: 'boolean',
};

function nodeOf(mapper: Mapper, model: Model): Node {
  const { type } = mapper;
  const { element } = type;
  // Lazy, because an error holds errors.
  if (type.name === 'Sequence' && element) return { kind: 'list', item: () => nodeOf(element, model) };
  if (type.name === 'Dictionary' && type.value) return { kind: 'map', value: nodeOf(type.value, model) };
  if (type.name === 'Composite') return composite(type.className ?? '', type.modelProperties, model);
  const leaf = LEAVES[type.name];
  return leaf ? { kind: 'leaf', type: leaf } : { kind: 'any' };
}

/** `properties.containers` is a field of a field. */
function composite(className: string, own: Mapper['type']['modelProperties'], model: Model): Node {
  const properties = own ?? model[className]?.type.modelProperties;
  if (!properties) throw new Error(`the model has no class ${className}`);
  const root = new Map<string, Node>();
  for (const property of Object.values(properties)) {
    const names = String(property.serializedName)
      .split(/(?<!\\)\./)
      .map((name) => name.replaceAll('\\.', '.'));
    const last = names.pop() ?? '';
    let children = root;
    for (const name of names) {
      const inner = children.get(name);
      const next: Node = inner?.kind === 'object' ? inner : { kind: 'object', children: new Map() };
      children.set(name, next);
      children = next.kind === 'object' ? next.children : children;
    }
    children.set(last, nodeOf(property, model));
  }
  return { kind: 'object', children: root };
}

/** `containers[].name: string`: every leaf of an answer. An empty list or map is a leaf of its own. */
export function leavesOf(value: unknown, path = ''): readonly string[] {
  const leaves = (): string[] => {
    if (Array.isArray(value))
      return value.length === 0 ? [`${path}: list`] : value.flatMap((item) => leavesOf(item, `${path}[]`));
    if (typeof value !== 'object' || value === null) return [`${path}: ${value === null ? 'null' : typeof value}`];
    const fields = Object.entries(value);
    if (fields.length === 0) return [`${path}: map`];
    return fields.flatMap(([name, field]) => leavesOf(field, path === '' ? name : `${path}.${name}`));
  };
  return [...new Set(leaves())].sort();
}
