/**
 * What the architecture tests look for in sources, by their syntax and not their text: comments may say what code may not do. Each rule takes
 * one source and answers with what it found, empty when it keeps the rule.
 */
import { parseSync } from '@swc/core';

interface Node {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** All nodes of the source; `inFunction` tells whether a function stands around the node. */
function* nodes(text: string): Generator<{ node: Node; inFunction: boolean }> {
  const program = parseSync(text, { syntax: 'typescript', target: 'es2024' }) as unknown as Node;
  yield* walk(program, false);
}

const functionTypes = new Set([
  'ArrowFunctionExpression',
  'FunctionDeclaration',
  'FunctionExpression',
  'ClassMethod',
  'PrivateMethod',
  'Constructor',
  'MethodProperty',
  'GetterProperty',
  'SetterProperty',
]);

function* walk(value: unknown, inFunction: boolean): Generator<{ node: Node; inFunction: boolean }> {
  if (Array.isArray(value)) for (const item of value) yield* walk(item, inFunction);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const node = value as Node;
  if (typeof node.type === 'string') yield { node, inFunction };
  const inside = inFunction || functionTypes.has(node.type);
  for (const member of Object.values(node)) yield* walk(member, inside);
}

/** `await` outside any function, in all its forms. */
export function topLevelAwaits(text: string): string[] {
  return [...nodes(text)]
    .filter(({ inFunction }) => !inFunction)
    .filter(({ node }) => isAwait(node))
    .map(({ node }) => node.type);
}

function isAwait(node: Node): boolean {
  if (node.type === 'AwaitExpression') return true;
  if (node.type === 'ForOfStatement') return Boolean(node['await'] ?? node['isAwait']);
  return node.type === 'UsingDeclaration' && node['isAwait'] === true;
}

/** `import.meta` in any use. */
export function importMetas(text: string): string[] {
  return [...nodes(text)]
    .filter(({ node }) => node.type === 'MetaProperty' && node['kind'] === 'import.meta')
    .map(() => 'import.meta');
}

const placeWords = new Set(['local', 'localhost', 'embedded', 'standin', 'emulator', 'azurite', 'devstoreaccount1']);
const placeTexts = /127[.]0[.]0[.]1|\[?::1\]?$|stand-in|UseDevelopment|AZURE_FUNCTIONS_ENVIRONMENT/i;

/** Names and texts by which code would tell that it does not run in Azure. */
export function mentionsOfPlace(text: string): string[] {
  return [...nodes(text)]
    .map(({ node }) => textOf(node))
    .filter((found) => placeTexts.test(found) || hasPlaceWord(found));
}

function textOf(node: Node): string {
  if (node.type === 'Identifier' || node.type === 'StringLiteral') return String(node['value']);
  if (node.type === 'TemplateElement') return String(node['raw']);
  return node.type === 'RegExpLiteral' ? String(node['pattern']).replaceAll(/[\\[\]]/g, '') : '';
}

/** Words of `isLocalHost`, `LOCAL_MODE` and `./local/host` alike; a sentence for people may use any word. */
const hasPlaceWord = (text: string): boolean =>
  !text.includes(' ') &&
  text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .some((word) => placeWords.has(word));

/** Settings that are written, but neither read by `read` nor by one of the `others`. */
export function unreadSettings(
  written: Readonly<Record<string, string>>,
  read: (environment: Readonly<Record<string, string | undefined>>) => unknown,
  others: readonly string[],
): string[] {
  const asked = new Set<string | symbol>(others);
  const environment = new Proxy(written, {
    get(target, name) {
      asked.add(name);
      return Reflect.get(target, name);
    },
  });
  read(environment);
  return Object.keys(written).filter((name) => !asked.has(name));
}
