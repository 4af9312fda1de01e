/** JSON as values: types, the canonical text that revisions and sizes are taken from, and the paths that problems carry. */

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One's own property only, so that a key such as `constructor` finds nothing; `undefined` where there is none. */
export const ownValue = (value: unknown, key: string): unknown =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;

/**
 * JSON with sorted keys and no spaces; `undefined` members are left out. Equal values give equal text. Works on a stack of its own, because
 * documents are hashed before anyone has counted their nesting.
 */
export function canonicalJson(value: unknown): string {
  let text = '';
  const rest: Part[] = [{ value }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (typeof next === 'string') text += next;
    else if (Array.isArray(next.value)) pushList(rest, next.value);
    else if (isObject(next.value)) pushMembers(rest, next.value);
    else text += JSON.stringify(next.value) ?? 'null';
  }
  return text;
}

/** Text that is final, or a value still to be written. */
type Part = string | { readonly value: unknown };

function pushList(rest: Part[], items: readonly unknown[]): void {
  rest.push(']');
  for (let index = items.length - 1; index >= 0; index -= 1) {
    rest.push({ value: items[index] });
    if (index > 0) rest.push(',');
  }
  rest.push('[');
}

function pushMembers(rest: Part[], object: Readonly<Record<string, unknown>>): void {
  const keys = Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort(compareText);
  rest.push('}');
  for (let index = keys.length - 1; index >= 0; index -= 1) {
    const key = keys[index] ?? '';
    rest.push({ value: object[key] }, `${index > 0 ? ',' : ''}${JSON.stringify(key)}:`);
  }
  rest.push('{');
}

/** Order by UTF-16 code units: the same on every machine, unlike locale order. */
export const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** Extends a problem path: `services.web` + `ports` + 0 → `services.web.ports[0]`; a key with dots or blanks as `["a.b"]`. */
export function joinPath(path: string, ...segments: readonly (string | number)[]): string {
  return segments.reduce<string>((joined, segment) => {
    if (typeof segment === 'number') return `${joined}[${segment}]`;
    if (!/^[A-Za-z0-9_-]+$/.test(segment)) return `${joined}[${JSON.stringify(segment)}]`;
    return joined === '' ? segment : `${joined}.${segment}`;
  }, path);
}

/** Is `path` the same place as `ancestor`, or inside it? */
export const isWithin = (path: string, ancestor: string): boolean =>
  ancestor === '' ||
  (path.startsWith(ancestor) && (path.length === ancestor.length || '.['.includes(path.charAt(ancestor.length))));

/** `a.b[0]` → `a.b` → `a` → `` → undefined. */
export function parentPath(path: string): string | undefined {
  if (path === '') return undefined;
  return path.replace(/(?:\["(?:[^"\\]|\\.)*"\]|\[\d+\]|\.?[A-Za-z0-9_-]+)$/, '');
}
