/**
 * The keys of the host, as Azure Functions has them: a master key, host keys that open every function, system keys that open the webhook of one
 * extension, and keys of single functions. Kept in one file of the data directory, readable by its owner only.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

/** Whose a key is: of all functions, of extensions, or of the one function that is named. */
export type KeyScope = 'host' | 'system' | { readonly function: string };

/** What a request may do: call a function, call the webhook of the extension that is named, or everything. */
export type Access =
  | { readonly level: 'anonymous' | 'function' | 'admin' }
  | { readonly level: 'system'; readonly extension: string };

export interface HostKeys {
  readonly master: string;
  /** Name → value. A function that has none gets one named `default`, as in Azure. */
  list(scope: KeyScope): Readonly<Record<string, string>>;
  /** Without a value a fresh one is made. */
  set(scope: KeyScope, name: string, value?: string): { readonly value: string; readonly created: boolean };
  setMaster(value?: string): string;
  /** False when there is none of that name. */
  remove(scope: KeyScope, name: string): boolean;
  /** The system key of an extension's webhook; made at its first use. */
  extension(name: string): string;
  /** What the request's key allows; to a function that is named, its own keys count as well. */
  accessOf(request: KeyedRequest, functionName?: string): Access;
}

export interface KeyedRequest {
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

const named = z.record(z.string(), z.string().min(1));
const schema = z.strictObject({
  masterKey: z.string().min(1),
  functionKeys: named,
  systemKeys: named,
  /** By function name in lower case. */
  functions: z.record(z.string(), named),
});
type Stored = z.output<typeof schema>;

/** The name that Azure gives the first key of the host and of each function. */
export const defaultKeyName = 'default';
const extensionSuffix = '_extension';

/**
 * @param path created if absent; `undefined` keeps the keys in memory.
 * @throws Error that names the file when it is not one of keys; nothing is overwritten.
 */
export function openHostKeys(path: string | undefined): HostKeys {
  let stored: Stored = (path === undefined ? undefined : read(path)) ?? {
    masterKey: freshKey(),
    functionKeys: { [defaultKeyName]: freshKey() },
    systemKeys: {},
    functions: {},
  };
  const save = (next: Stored) => {
    stored = next;
    if (path !== undefined) write(path, next);
  };
  if (path !== undefined && !existsSync(path)) save(stored);
  const keysOf = (scope: KeyScope): Readonly<Record<string, string>> => {
    if (scope === 'host') return stored.functionKeys;
    if (scope === 'system') return stored.systemKeys;
    return stored.functions[scope.function.toLowerCase()] ?? {};
  };
  const replace = (scope: KeyScope, keys: Record<string, string>) => {
    if (scope === 'host') return save({ ...stored, functionKeys: keys });
    if (scope === 'system') return save({ ...stored, systemKeys: keys });
    return save({ ...stored, functions: { ...stored.functions, [scope.function.toLowerCase()]: keys } });
  };
  const set: HostKeys['set'] = (scope, name, value = freshKey()) => {
    const keys = keysOf(scope);
    replace(scope, { ...keys, [name]: value });
    return { value, created: keys[name] === undefined };
  };
  return {
    get master() {
      return stored.masterKey;
    },
    list(scope) {
      if (typeof scope === 'object' && Object.keys(keysOf(scope)).length === 0) set(scope, defaultKeyName);
      return keysOf(scope);
    },
    set,
    setMaster(value = freshKey()) {
      save({ ...stored, masterKey: value });
      return value;
    },
    remove(scope, name) {
      const { [name]: removed, ...rest } = keysOf(scope);
      if (removed !== undefined) replace(scope, rest);
      return removed !== undefined;
    },
    extension: (name) => keysOf('system')[name + extensionSuffix] ?? set('system', name + extensionSuffix).value,
    accessOf: (request, functionName) => accessOf(stored, keyOf(request), functionName),
  };
}

/** The header wins over the query. */
function keyOf({ url, headers }: KeyedRequest): string {
  const search = url.split('#', 1)[0]?.split('?').slice(1).join('?') ?? '';
  return headers['x-functions-key'] ?? new URLSearchParams(search).get('code') ?? '';
}

function accessOf(stored: Stored, key: string, functionName: string | undefined): Access {
  if (key === '') return { level: 'anonymous' };
  if (isSame(key, stored.masterKey)) return { level: 'admin' };
  const own = functionName === undefined ? {} : (stored.functions[functionName.toLowerCase()] ?? {});
  const opens = [...Object.values(stored.functionKeys), ...Object.values(own)];
  if (opens.some((value) => isSame(key, value))) return { level: 'function' };
  const system = Object.entries(stored.systemKeys).find(([, value]) => isSame(key, value));
  if (!system) return { level: 'anonymous' };
  return { level: 'system', extension: system[0].slice(0, -extensionSuffix.length) };
}

/** In constant time for keys of any length. */
function isSame(given: string, kept: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(kept));
}

/** Goes into URLs as it is. */
const freshKey = () => randomBytes(32).toString('base64url');

function read(path: string): Stored | undefined {
  if (!existsSync(path)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    json = undefined;
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Error(
    `${path} holds no keys of the host. Move or remove it (new keys are made), or choose another data directory.`,
  );
}

/** Whole or not at all: a host that is killed while it writes finds the old file. */
function write(path: string, stored: Stored): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.new`;
  writeFileSync(draft, `${JSON.stringify(stored, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}
