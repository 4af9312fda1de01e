/**
 * Compiles source files to CommonJS wrappers, each once per process whatever the number of hosts. TypeScript and ES modules are transformed by
 * swc, CommonJS is taken as it is. A wrapper has two levels: the outer takes a host's own globals, the inner is Node's module wrapper.
 */
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import vm from 'node:vm';
import { type Options, transformSync } from '@swc/core';
import { unfenced } from '../virtual/fences.ts';
import { natives } from '../virtual/natives.ts';

/** A host's own globals, by name, in the order of the outer wrapper's parameters. */
export const shadowed = [
  'Date',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'performance',
  'AbortSignal',
  'process',
  'console',
] as const;

export type Wrapper = (
  this: unknown,
  exports: unknown,
  require: (id: string) => unknown,
  module: { exports: unknown },
  filename: string,
  directory: string,
) => void;
export type Make = (...globals: unknown[]) => Wrapper;

export interface Patch {
  readonly find: string;
  readonly replace: string;
}

const compiled = new Map<string, Make>();
const resolved = new Map<string, string>();

/** @throws when a patch does not apply exactly once: a planted bug that no longer fits must be rewritten, not skipped. */
export function compile(file: string, patches: readonly Patch[] = []): Make {
  const id = patches.length === 0 ? file : `${file}\n${JSON.stringify(patches)}`;
  const known = compiled.get(id);
  if (known) return known;
  const make = unfenced(() => build(file, patches));
  compiled.set(id, make);
  return make;
}

function build(file: string, patches: readonly Patch[]): Make {
  let source = natives.readFileSync(file, 'utf8');
  for (const { find, replace } of patches) {
    const parts = source.split(find);
    if (parts.length !== 2) throw new Error(`${file}: the text to replace occurs ${parts.length - 1} times:\n${find}`);
    source = parts.join(replace);
  }
  const body = isEsModule(file) ? toCommonJs(source, file) : source.replace(/^#!.*/, '');
  const parameters = shadowed.join(',');
  const text = `(function(${parameters}){return function(exports,require,module,__filename,__dirname){${body}\n}})`;
  return new vm.Script(text, { filename: file }).runInThisContext() as Make;
}

const isTypeScript = (file: string): boolean => /\.[cm]?ts$/.test(file);

function isEsModule(file: string): boolean {
  if (isTypeScript(file) || extname(file) === '.mjs') return true;
  if (extname(file) === '.cjs') return false;
  for (let dir = dirname(file); ; dir = dirname(dir)) {
    const manifest = join(dir, 'package.json');
    if (natives.existsSync(manifest)) {
      return (JSON.parse(natives.readFileSync(manifest, 'utf8')) as { type?: unknown }).type === 'module';
    }
    if (dir === dirname(dir)) return false;
  }
}

function toCommonJs(source: string, filename: string): string {
  const options: Options = {
    filename,
    swcrc: false,
    configFile: false,
    sourceMaps: false,
    jsc: {
      parser: isTypeScript(filename) ? { syntax: 'typescript' } : { syntax: 'ecmascript', importAttributes: true },
      target: 'es2022',
      keepClassNames: true,
    },
    // `node`: a default import of CommonJS is its whole `module.exports`, as in Node.
    module: { type: 'commonjs', importInterop: isTypeScript(filename) ? 'node' : 'swc' },
  };
  return transformSync(source, options).code;
}

/** Node's own resolution, remembered: it depends on the directory and the request only. */
export function resolveFrom(from: string, request: string): string {
  const directory = dirname(from);
  const id = `${directory}\n${request}`;
  let found = resolved.get(id);
  if (found === undefined) {
    found = unfenced(() =>
      /^\.\.?\//.test(request) && isTypeScript(request)
        ? join(directory, request)
        : createRequire(from).resolve(request),
    );
    resolved.set(id, found);
  }
  return found;
}
