import { describe, expect, it } from 'vitest';
import { findKey } from '../../../src/cli/api-key.ts';
import { type Contexts, contextsPath } from '../../../src/cli/contexts.ts';
import { ok } from '../../../src/model/result.ts';
import { anApp, runCli, unreachable } from '../../support/cli-fixture.ts';

const path = '/home/me/.config/flotilla/contexts.json';
const two: Contexts = {
  current: 'prod',
  contexts: { prod: { api: 'https://prod.example', key: 'k-prod' }, test: { api: 'https://test.example', key: null } },
};
const files = { [path]: JSON.stringify(two) };
const run = (line: string, over: Parameters<typeof runCli>[1] = {}) => runCli(line.split(' '), { files, ...over });
const written = (ran: Awaited<ReturnType<typeof run>>): Contexts => JSON.parse(ran.written.get(path) ?? 'null');

describe('flotilla context', () => {
  it('lists them without their keys', async () => {
    const { out } = await run('context');
    expect(out).toEqual([
      '   NAME  URL                   KEY',
      '*  prod  https://prod.example  yes',
      '   test  https://test.example  no',
    ]);
    expect((await run('context ls --json')).out.join('')).not.toContain('k-prod');
    expect((await runCli(['context', 'ls'])).out[0]).toMatch(/^There are no contexts/);
  });

  it('adds one with a key from standard input, and uses the first', async () => {
    const given = { files: { '-': ' secret\n' } };
    const ran = await run('context add prod --url https://prod.example/api/v1/ --key -', given);
    expect(ran).toMatchObject({ code: 0, out: ['Context prod is added and in use.'], errors: [] });
    expect(written(ran)).toEqual({
      current: 'prod',
      contexts: { prod: { api: 'https://prod.example', key: 'secret' } },
    });
    const another = await run('context add third --url http://localhost:7072');
    expect(written(another).current).toBe('prod');
    expect(another.out[1]).toContain('--context third');
  });

  it('uses and removes one', async () => {
    expect(written(await run('context use test')).current).toBe('test');
    expect(written(await run('context rm prod'))).toEqual({ current: null, contexts: { test: two.contexts['test'] } });
    expect(written(await run('context rm test')).current).toBe('prod');
  });

  it('shows the one in use, or another', async () => {
    expect((await run('context show')).out.slice(0, 3)).toEqual([
      'name  prod',
      'url   https://prod.example',
      'key   yes',
    ]);
    expect((await run('context show test')).out[0]).toBe('name  test');
    expect((await runCli(['context', 'show'])).code).toBe(1);
  });

  it.each([
    ['context use prd', 2, 'error: there is no context `prd`; did you mean `prod`?'],
    ['context add prod --url https://x', 1, 'error: there is a context `prod` already.'],
    ['context add new --url https://x --key -', 2, 'error: standard input holds no key.'],
    ['context add new', 2, 'error: `context add` needs --url URL.'],
    [
      'context add new --url ftp://x',
      2,
      'error: --url ftp://x: give the address of the API, such as http://127.0.0.1:7071.',
    ],
    [
      'context add new --url https://x --key abc',
      2,
      'error: --key takes `-`: the key is read from standard input, not from the command line.',
    ],
    ['context add .new --url https://x', 2, 'error: `.new` is not a name: use letters, digits, . _ and -.'],
    ['context use', 2, 'error: `context use` needs NAME.'],
    ['context drop prod', 2, 'error: `context` has no `drop`: write ls, use, add, rm, show.'],
    ['context use prod --url https://x', 2, 'error: --url and --key belong to `context add`.'],
    ['ps --context nosuch', 2, 'error: there is no context `nosuch`; contexts: prod, test.'],
    ['ps --context prod --api https://x', 2, 'error: give --api or --context, not both.'],
  ])('`%s` is refused', async (line, code, message) => {
    const ran = await run(line);
    expect(ran).toMatchObject({ code });
    expect(ran.errors[0]).toBe(message);
    expect(ran.written.size).toBe(0);
  });

  it.each([
    ['{', 'is not JSON. Mend or remove it.'],
    ['{"current":null,"contexts":{"a":{"api":1}}}', 'is not a file of contexts: contexts.a.api'],
  ])('says what is wrong with a broken file: %s', async (text, message) => {
    const broken = { files: { [path]: text } };
    expect((await run('context ls', broken)).errors[0]).toContain(message);
    expect((await run('ps', broken)).errors[0]).toContain(message);
    // Who names the address needs none.
    expect((await run('ps --api http://localhost:1', broken)).code).toBe(0);
  });
});

describe('where a command goes', () => {
  const goes = async (line: string, environment: Record<string, string> = {}) => {
    let place: unknown;
    await run(line, { environment, onConnect: (...args) => (place = args) });
    return place;
  };

  it.each([
    { line: 'ps', environment: {}, place: ['https://prod.example', 'k-prod'] },
    { line: 'ps --context test', environment: {}, place: ['https://test.example', undefined] },
    {
      line: 'ps --context test',
      environment: { FLOTILLA_API: 'https://env.example' },
      place: ['https://test.example', undefined],
    },
    { line: 'ps', environment: { FLOTILLA_API: 'https://env.example' }, place: ['https://env.example', undefined] },
    { line: 'ps --api https://else.example', environment: {}, place: ['https://else.example', undefined] },
    { line: 'ps --api https://prod.example', environment: {}, place: ['https://prod.example', 'k-prod'] },
    { line: 'ps', environment: { FLOTILLA_KEY: 'mine' }, place: ['https://prod.example', 'mine'] },
  ])('$line with $environment: to $place', async ({ line, environment, place }) => {
    expect(await goes(line, environment)).toEqual(place);
  });

  it('is looked up below XDG_CONFIG_HOME, if that is an absolute path', () => {
    const at = (directory: string) =>
      contextsPath({ environment: { XDG_CONFIG_HOME: directory }, homeDirectory: '/home/me' });
    expect([at('/etc/xdg'), at('relative'), at('')]).toEqual(['/etc/xdg/flotilla/contexts.json', path, path]);
  });

  it('never carries the key of a context in the clear', async () => {
    const needs = { environment: {}, homeDirectory: '/home/me', readFile: async () => undefined };
    const plain: Contexts = { current: null, contexts: { a: { api: 'http://far.example', key: 'k' } } };
    const found = await findKey(needs, 'http://far.example', plain);
    expect(found).toMatchObject({ ok: false, error: expect.stringContaining('the key from context a would travel') });
  });
});

describe('flotilla version', () => {
  it('tells both, and warns where they differ', async () => {
    const { code, out, errors } = await runCli(['version']);
    expect({ code, out, errors }).toEqual({
      code: 0,
      out: ['client  0.1.0', 'server  0.1.0  http://127.0.0.1:7071  installation test'],
      errors: [],
    });
    const info = async () => ok({ name: 'flotilla' as const, version: '0.2.0', installation: 'test' });
    expect((await runCli(['version'], { overrides: { info } })).errors).toEqual([
      'warning: client and server are of different versions.',
    ]);
  });

  it('tells its own where nobody answers, and asks nobody with --client', async () => {
    const info = async () => ({ ok: false as const, error: unreachable });
    expect(await runCli(['version'], { overrides: { info } })).toMatchObject({ code: 5, out: ['client  0.1.0'] });
    expect(await runCli(['version', '--client'], { overrides: { info } })).toMatchObject({ code: 0, out: ['0.1.0'] });
    expect(await runCli(['--version'], { overrides: { info } })).toMatchObject({ code: 0, out: ['0.1.0'] });
  });
});

describe('completion', () => {
  const complete = async (...words: readonly string[]) =>
    (await runCli(['__complete', '--', ...words], { apps: [anApp()] })).out;

  it.each([
    { words: ['re'], found: ['restart', 'replica'] },
    { words: ['ev'], found: ['events'] },
    { words: ['logs', '--t'], found: ['--tail', '--timestamps'] },
    { words: ['logs', ''], found: ['shop'] },
    { words: ['logs', 'shop.'], found: ['shop.web'] },
    { words: ['logs', '-n', '5', 'sh'], found: ['shop'] },
    { words: ['logs', 'shop', ''], found: [] },
    { words: ['logs', '--tail', ''], found: [] },
    { words: ['scale', 'shop.w'], found: ['shop.web='] },
    { words: ['scale', 'shop.web=2', 'shop.'], found: ['shop.web='] },
    { words: ['freeze', 'x'], found: [] },
    { words: ['context', 'u'], found: ['use'] },
    { words: ['completion', ''], found: ['bash', 'zsh', 'fish'] },
    { words: ['nosuch', ''], found: [] },
  ])('of $words is $found', async ({ words, found }) => {
    expect(await complete(...words)).toEqual(found);
  });

  it('is silent where the API is', async () => {
    const apps = async () => ({ ok: false as const, error: unreachable });
    expect(await runCli(['__complete', '--', 'ps', ''], { overrides: { apps } })).toMatchObject({
      code: 0,
      out: [],
      errors: [],
    });
  });

  it.each(['bash', 'zsh', 'fish'])('has a script for %s that asks for everything', async (shell) => {
    const { code, out } = await runCli(['completion', shell]);
    expect(code).toBe(0);
    expect(out.join('\n')).toContain('flotilla __complete --');
    expect((await runCli(['completion', 'tcsh'])).errors[0]).toBe('error: `tcsh` is none of bash, zsh, fish.');
  });
});
