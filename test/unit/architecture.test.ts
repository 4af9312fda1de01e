import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
const sources = (pattern: string[]): { file: string; text: string }[] =>
  globSync(pattern).map((file) => ({ file, text: withoutComments(readFileSync(file, 'utf8')) }));

const loadedOncePerHost = sources(['functions/**/*.ts', 'src/**/*.ts']).filter(
  ({ file }) => !/^src[/](cli|local)[/]/.test(file),
);

describe('code that a simulator loads once per host', () => {
  it('is there to be looked at', () => {
    expect(loadedOncePerHost.length).toBeGreaterThan(30);
  });

  it('has no top-level await', () => {
    const offenders = loadedOncePerHost.filter(({ text }) => /^(?:export )?(?:const .*= )?await /m.test(text));
    expect(offenders.map(({ file }) => file)).toEqual([]);
  });

  it('does not use import.meta', () => {
    expect(loadedOncePerHost.filter(({ text }) => text.includes('import.meta')).map(({ file }) => file)).toEqual([]);
  });
});

describe('production code', () => {
  it('has no branch for the embedded platform', () => {
    const offenders = loadedOncePerHost.filter(({ text }) =>
      /\b(isLocal|localhost|127[.]0[.]0[.]1|standin|UseDevelopment\w*|AZURE_FUNCTIONS_ENVIRONMENT)\b/i.test(text),
    );
    expect(offenders.map(({ file }) => file).filter((file) => !/^src[/](spec)[/]/.test(file))).toEqual([]);
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

describe('functions/', () => {
  it('only registers: it holds no condition and no loop', () => {
    const offenders = sources(['functions/**/*.ts']).filter(({ text }) => /\b(if|for|while|switch)\s*\(/.test(text));
    expect(offenders.map(({ file }) => file)).toEqual([]);
  });
});
