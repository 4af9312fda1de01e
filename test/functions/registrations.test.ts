/**
 * What the built function app registers, to the letter: an app whose entry file does not load, or is not matched, or whose function is
 * renamed offers less in Azure without any error. A wanted change is made in `registrations.txt` by hand; names are never changed, only added.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const golden = readFileSync(join(import.meta.dirname, 'registrations.txt'), 'utf8');
let built: string;
/** An earlier build made it. */
const staleFile = () => join(built, 'dist/functions/renamed.js');
const directories: string[] = [];

const directory = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'flotilla-functions-'));
  directories.push(made);
  cpSync(join(root, 'package.json'), join(made, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(made, 'node_modules'));
  return made;
};

beforeAll(() => {
  built = directory();
  mkdirSync(join(built, 'dist/functions'), { recursive: true });
  writeFileSync(staleFile(), "throw new Error('the source of this file is gone');");
  const tool = ['--disable-warning=ExperimentalWarning', 'tools/build.ts', join(built, 'dist')];
  execFileSync(process.execPath, tool, { cwd: root });
});
afterAll(() => {
  for (const made of directories) rmSync(made, { recursive: true, force: true });
});

/** Registers in a process of its own, as a worker that starts. */
const register = (appDir: string) =>
  spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', 'tools/registrations.ts', appDir], {
    cwd: root,
    encoding: 'utf8',
  });

function copyWith(file: string, change: (text: string) => string): string {
  const copy = directory();
  cpSync(join(built, 'dist'), join(copy, 'dist'), { recursive: true });
  const path = join(copy, 'dist/functions', file);
  const text = readFileSync(path, 'utf8');
  expect(change(text)).not.toBe(text);
  writeFileSync(path, change(text));
  return copy;
}

describe('the function app', () => {
  it('registers exactly the golden list', () => {
    const { stdout, stderr, status } = register(built);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout.split('\n')).toEqual(golden.split('\n'));
    expect(existsSync(staleFile())).toBe(false);
  });

  it.each([
    { name: 'a schedule', file: 'timers.js', from: '*/30', to: '*/31' },
    { name: 'a route', file: 'http.js', from: 'v1/pools', to: 'v1/pool' },
    {
      name: 'the session flag',
      file: 'servicebus.js',
      from: 'isSessionsEnabled: true',
      to: 'isSessionsEnabled: false',
    },
    { name: 'the durable client', file: 'timers.js', from: 'extraInputs,', to: '' },
    { name: 'a level of access', file: 'http.js', from: "'function'", to: "'anonymous'" },
  ])('does not pass with another value for $name', ({ file, from, to }) => {
    const { stdout, status } = register(copyWith(file, (text) => text.replace(from, to)));
    expect(status).toBe(0);
    expect(stdout).not.toBe(golden);
  });

  it('does not pass when a file fails to load, and names it', () => {
    const { stderr, status } = register(copyWith('timers.js', (text) => `${text}\nthrow new Error('planted');`));
    expect(status).not.toBe(0);
    expect(stderr).toContain('dist/functions/timers.js');
    expect(stderr).toContain('planted');
  });
});
