import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { appSettings } from '../../src/local/platform.ts';
import { importMetas, mentionsOfPlace, topLevelAwaits, unreadSettings } from '../support/source-rules.ts';

const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
const sources = (pattern: string[]): { file: string; text: string }[] =>
  globSync(pattern).map((file) => ({ file, text: withoutComments(readFileSync(file, 'utf8')) }));

const loadedOncePerHost = sources(['functions/**/*.ts', 'src/**/*.ts']).filter(
  ({ file }) => !/^src[/](cli|local)[/]/.test(file),
);
const offenders = (rule: (text: string) => string[], allowed: readonly string[] = []) =>
  loadedOncePerHost
    .filter(({ file }) => !allowed.includes(file))
    .flatMap(({ file, text }) => rule(text).map((found) => `${file}: ${found}`));

describe('code that a simulator loads once per host', () => {
  it('is there to be looked at', () => {
    expect(loadedOncePerHost.length).toBeGreaterThan(30);
  });

  it('has no top-level await', () => {
    expect(offenders(topLevelAwaits)).toEqual([]);
  });

  it('does not use import.meta', () => {
    expect(offenders(importMetas)).toEqual([]);
  });

  it.each([
    'await start();',
    'export const config = await read();',
    'const all = [...(await read())];',
    'for await (const row of rows()) keep(row);',
    'if (ready) { await start(); }',
    'class A extends (await base()) {}',
    'await using file = open();',
  ])('would be seen to await at the top level: %s', (text) => {
    expect(topLevelAwaits(text)).not.toEqual([]);
  });

  it.each([
    'async function f() { await g(); }',
    'const f = async () => { for await (const a of b()) c(a); };',
    'class A { async f() { await g(); } }',
    'const o = { async f() { await g(); } };',
    "const text = 'await';",
  ])('may await inside a function: %s', (text) => {
    expect(topLevelAwaits(text)).toEqual([]);
  });

  it.each(['const here = import.meta.dirname;', 'function f() { return new URL(".", import.meta["url"]); }'])(
    'would be seen to use import.meta: %s',
    (text) => {
      expect(importMetas(text)).not.toEqual([]);
    },
  );
});

describe('production code', () => {
  it('has no branch for the embedded platform', () => {
    // Words of Compose, of images and of the inside of a container.
    const files = ['health', 'mount-path', 'registries', 'support', 'volumes'];
    const speaksOfContainers = [...files.map((name) => `src/spec/${name}.ts`), 'src/docker/images.ts'];
    expect(offenders(mentionsOfPlace, speaksOfContainers)).toEqual([]);
  });

  it.each([
    'const endpoint = isLocal ? a : b;',
    "if (env['FLOTILLA_LOCAL']) f();",
    'const LOCAL_MODE = true;',
    "import { startPlatform } from './local/platform.ts';",
    "const options = { allowInsecureConnection: url.includes('127.0.0.1') };",
    'const url = `http://localhost/api`;',
    "if (config.mode === 'embedded') f();",
    'if (runsOnStandin(config)) f();',
    "connect('UseDevelopmentStorage=true');",
    'if (/^https?:..127\\.0\\.0\\.1/.test(url)) f();',
  ])('would be seen to know where it runs: %s', (text) => {
    expect(mentionsOfPlace(text)).not.toEqual([]);
  });

  it.each([
    "const text = date.toLocaleString('en');",
    '// Only src/local knows that it is local.\nconst a = 1;',
    "const remedy = 'such as embedded files';",
  ])('may say: %s', (text) => {
    expect(mentionsOfPlace(text)).toEqual([]);
  });

  it('never asks whether an error is an instance of an SDK class, of which two copies can be loaded', () => {
    expect(loadedOncePerHost.filter(({ text }) => /instanceof RestError/.test(text)).map(({ file }) => file)).toEqual(
      [],
    );
  });

  it('reads the environment only in config and wiring', () => {
    const readers = loadedOncePerHost.filter(({ text }) => text.includes('process.env')).map(({ file }) => file);
    expect(readers.filter((file) => !['src/config.ts', 'src/wiring.ts'].includes(file))).toEqual([]);
  });
});

describe('the settings that the embedded platform writes', () => {
  const ready = new Proxy({}, { get: (_target, field) => `https://${String(field)}.test` });
  const written = appSettings(ready, ready, { identityHeader: 'header', secretsKey: 'key' });
  /** Read by `@azure/identity` (a managed identity of App Service) and by Node.js, in Azure as here. */
  const readByOthers = ['IDENTITY_ENDPOINT', 'IDENTITY_HEADER', 'NODE_EXTRA_CA_CERTS', 'NO_PROXY'];

  it('are all read by config, or belong to the identity or to Node.js', () => {
    expect(unreadSettings(written, readConfig, readByOthers)).toEqual([]);
  });

  it('would be seen to hold one that nobody reads in Azure', () => {
    expect(unreadSettings({ ...written, FLOTILLA_LOCAL: '1' }, readConfig, readByOthers)).toEqual(['FLOTILLA_LOCAL']);
  });

  it('are enough to start', () => {
    expect(() => readConfig(written)).not.toThrow();
  });
});

describe('functions/', () => {
  it('only registers: it holds no condition and no loop', () => {
    const conditional = sources(['functions/**/*.ts']).filter(({ text }) => /\b(if|for|while|switch)\s*\(/.test(text));
    expect(conditional.map(({ file }) => file)).toEqual([]);
  });
});
