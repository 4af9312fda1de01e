/**
 * Loads TypeScript modules from the disk into a registry of their own, some of them replaced by other text: how a planted bug or a mutant gets to run
 * without a build and without touching the sources. Each graph evaluates its modules anew; what is compiled once stays compiled.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { compileFunction } from 'node:vm';
import { transformSync } from '@swc/core';

type Body = (module: { exports: unknown }, exports: unknown, require: (name: string) => unknown) => void;

const compiled = new Map<string, Body>();
const native = createRequire(import.meta.url);

function compile(path: string, source: string): Body {
  const { code } = transformSync(source, {
    filename: path,
    configFile: false,
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
    module: { type: 'commonjs' },
  });
  return compileFunction(code, ['module', 'exports', 'require'], { filename: path }) as Body;
}

function compileFile(path: string): Body {
  const known = compiled.get(path);
  if (known !== undefined) return known;
  const body = compile(path, readFileSync(path, 'utf8'));
  compiled.set(path, body);
  return body;
}

export class ModuleGraph {
  readonly #modules = new Map<string, { exports: unknown }>();
  readonly #replaced: ReadonlyMap<string, string>;
  readonly #standIns: ReadonlyMap<string, unknown>;

  /** `replaced`: source text by absolute path. `standIns`: exports by the name of a package. */
  constructor(replaced: ReadonlyMap<string, string> = new Map(), standIns: ReadonlyMap<string, unknown> = new Map()) {
    this.#replaced = replaced;
    this.#standIns = standIns;
  }

  /** Absolute paths of the modules that were loaded so far. */
  get paths(): ReadonlySet<string> {
    return new Set(this.#modules.keys());
  }

  /** The exports of the module at an absolute path. */
  load<T>(path: string): T {
    const known = this.#modules.get(path);
    if (known !== undefined) return known.exports as T;
    const module = { exports: {} };
    this.#modules.set(path, module);
    const replacement = this.#replaced.get(path);
    const body = replacement === undefined ? compileFile(path) : compile(path, replacement);
    body(module, module.exports, (name) => {
      if (this.#standIns.has(name)) return this.#standIns.get(name);
      const target = name.startsWith('.') ? resolve(dirname(path), name) : name;
      return target.endsWith('.ts') ? this.load(target) : native(target);
    });
    return module.exports as T;
  }
}
