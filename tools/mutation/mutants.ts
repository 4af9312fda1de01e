/**
 * Small changes to a TypeScript module, each of which a good test suite should notice. The syntax tree of swc says where; the text is spliced, so that
 * everything else stays as it was written.
 */
import { parseSync } from '@swc/core';

export interface Mutant {
  /** Path as given. */
  readonly file: string;
  readonly line: number;
  /** What was done, e.g. `<= → <`. */
  readonly change: string;
  /** The line as it was, trimmed; with file and change it names the mutant across edits elsewhere. */
  readonly text: string;
  readonly source: string;
}

interface Node {
  readonly type: string;
  readonly span: { readonly start: number; readonly end: number };
  readonly [key: string]: unknown;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly change: string;
}

const swaps: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '**': ['*'],
  '&&': ['||'],
  '||': ['&&'],
};

const methods: Readonly<Record<string, string>> = {
  some: 'every',
  every: 'some',
  min: 'max',
  max: 'min',
};
/** Calls that a mutant leaves out: `rows.filter(f)` becomes `rows`. */
const dropped = new Set(['filter', 'sort', 'toSorted', 'slice', 'reverse', 'toReversed']);

/** Text for people is not what the tests of decisions are about; types do not run. */
const skipped = (node: Node): boolean =>
  node.type === 'TemplateLiteral' || node.type.startsWith('Ts') || node.type === 'ImportDeclaration';

export function mutantsOf(file: string, source: string): readonly Mutant[] {
  const bytes = Buffer.from(source, 'utf8');
  // A leading statement makes the tree begin at the first byte, whatever comments the file begins with.
  const prefix = ';';
  const tree = parseSync(prefix + source, { syntax: 'typescript', target: 'es2024' }) as unknown as Node;
  const base = tree.span.start + prefix.length;
  const slice = (start: number, end: number): string => bytes.subarray(start, end).toString('utf8');
  const edits: Edit[] = [];
  visit(tree, (node) => edits.push(...editsOf(node, base, slice)));
  return edits.map(({ start, end, text, change }) => {
    const before = slice(0, start);
    // A cut may begin behind the element before it: the first line with something in it is meant.
    const lead = slice(start, end).match(/^[\s,]*/)?.[0] ?? '';
    const line = `${before}${lead}`.split('\n').length;
    return {
      file,
      line,
      change,
      text: (source.split('\n')[line - 1] ?? '').trim(),
      source: before + text + slice(end, bytes.length),
    };
  });
}

function visit(value: unknown, see: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, see);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const node = value as Node;
  if (typeof node.type === 'string') {
    if (skipped(node)) return;
    if (node.span !== undefined) see(node);
  }
  for (const [key, inner] of Object.entries(node)) if (key !== 'span') visit(inner, see);
}

type Slice = (start: number, end: number) => string;

function editsOf(node: Node, base: number, slice: Slice): readonly Edit[] {
  const at = (inner: unknown): { readonly start: number; readonly end: number } => {
    const { span } = inner as Node;
    return { start: span.start - base, end: span.end - base };
  };
  const text = (inner: unknown): string => slice(at(inner).start, at(inner).end);
  const whole = (replacement: string, change: string): Edit => ({ ...at(node), text: replacement, change });
  const short = (inner: unknown): string => text(inner).replace(/\s+/g, ' ').slice(0, 60);
  switch (node.type) {
    case 'BinaryExpression':
      return binary(node, { at, text, short, whole, slice });
    case 'UnaryExpression':
      return node['operator'] === '!' ? [whole(text(node['argument']), `!x → x: ${short(node)}`)] : [];
    case 'BooleanLiteral':
      return [whole(String(!node['value']), `${node['value']} → ${!node['value']}`)];
    case 'NumericLiteral': {
      const value = Number(node['value']);
      return [value + 1, ...(value > 0 ? [value - 1] : [])].map((n) => whole(String(n), `${value} → ${n}`));
    }
    case 'ConditionalExpression': {
      const [yes, no] = [text(node['consequent']), text(node['alternate'])];
      return [
        whole(`(${yes})`, `condition → true: ${short(node)}`),
        whole(`(${no})`, `condition → false: ${short(node)}`),
      ];
    }
    case 'IfStatement':
      return ['true', 'false'].map((constant) => ({
        ...at(node['test']),
        text: constant,
        change: `if (${short(node['test'])}) → if (${constant})`,
      }));
    case 'ArrayExpression':
      return without(
        node,
        (node['elements'] as readonly { expression: Node; spread: unknown }[]).map((element) => element.expression),
        at,
        short,
        slice,
      );
    case 'ObjectExpression':
      return overrides(node, at, short, slice);
    case 'CallExpression':
      return calls(node, { at, text, short, whole, slice });
    case 'ContinueStatement':
    case 'BreakStatement':
    case 'ExpressionStatement':
      return [whole(';', `left out: ${short(node)}`)];
    case 'AssignmentExpression':
      return node['operator'] === '+=' ? [whole(text(node).replace('+=', '-='), '+= → -=')] : [];
    default:
      return [];
  }
}

interface Tools {
  readonly at: (inner: unknown) => { readonly start: number; readonly end: number };
  readonly text: (inner: unknown) => string;
  readonly short: (inner: unknown) => string;
  readonly whole: (replacement: string, change: string) => Edit;
  readonly slice: Slice;
}

function binary(node: Node, { at, text, short, whole, slice }: Tools): readonly Edit[] {
  const operator = String(node['operator']);
  const { left, right } = node;
  const between = { start: at(left).end, end: at(right).start };
  const gap = slice(between.start, between.end);
  const swapped = (swaps[operator] ?? []).map((other) => ({
    ...between,
    text: gap.replace(operator, other),
    change: `${operator} → ${other}: ${short(node)}`,
  }));
  if (operator !== '&&' && operator !== '||' && operator !== '??') return swapped;
  return [
    ...(operator === '??' ? [] : swapped.slice(0, 1)),
    whole(`(${text(left)})`, `right of ${operator} left out: ${short(right)}`),
    whole(`(${text(right)})`, `left of ${operator} left out: ${short(left)}`),
  ];
}

function calls(node: Node, { at, text, short, whole, slice }: Tools): readonly Edit[] {
  const callee = node['callee'] as Node;
  if (callee.type !== 'MemberExpression') return [];
  const property = callee['property'] as Node;
  const name = String(property['value']);
  const other = methods[name];
  const edits: Edit[] = [];
  if (other !== undefined) edits.push({ ...at(property), text: other, change: `.${name} → .${other}: ${short(node)}` });
  if (dropped.has(name)) edits.push(whole(text(callee['object']), `.${name}(…) left out: ${short(node)}`));
  return edits.filter(({ start, end }) => slice(start, end) !== '');
}

/** An array or a set with one element fewer. */
function without(
  node: Node,
  elements: readonly Node[],
  at: Tools['at'],
  short: Tools['short'],
  slice: Slice,
): readonly Edit[] {
  return elements.map((element, index) => {
    // A spread's dots stand before the expression; cutting from the previous element takes them along.
    const previous = elements[index - 1];
    const next = elements[index + 1];
    const inside = { start: at(node).start + 1, end: at(node).end - 1 };
    const start = previous === undefined ? inside.start : at(previous).end;
    let end = previous === undefined && next !== undefined ? at(next).start : at(element).end;
    if (previous === undefined && next !== undefined) {
      const gap = slice(at(element).end, end);
      end = at(element).end + gap.indexOf(',') + 1;
    }
    return { start, end, text: '', change: `left out of the array: ${short(element)}` };
  });
}

/** `{ ...row, state }` without `state`: only where a spread gives the property another value. */
function overrides(node: Node, at: Tools['at'], short: Tools['short'], slice: Slice): readonly Edit[] {
  const properties = node['properties'] as readonly Node[];
  const first = properties.findIndex(({ type }) => type === 'SpreadElement');
  if (first < 0) return [];
  return properties.slice(first + 1).flatMap((property, index) => {
    const before = properties[first + index];
    if (before === undefined) return [];
    const span = property.type === 'SpreadElement' ? (property['arguments'] as Node) : spanOf(property);
    const start = endOf(before, at);
    const end = at(span).end;
    return slice(start, end).includes(',')
      ? [{ start, end, text: '', change: `left out of the object: ${short(span)}` }]
      : [];
  });
}

/** Properties of swc's tree carry no span of their own. */
function spanOf(property: Node): Node {
  if (property.type === 'Identifier') return property;
  const key = property['key'] as Node;
  const value = property['value'] as Node;
  return { type: property.type, span: { start: key.span.start, end: value.span.end } };
}

const endOf = (property: Node, at: Tools['at']): number =>
  at(property.type === 'SpreadElement' ? property['arguments'] : spanOf(property)).end;
