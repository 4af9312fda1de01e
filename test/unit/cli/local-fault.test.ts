/** `flotilla local fault` against a scripted fault console. */
import { describe, expect, it } from 'vitest';
import type { ConsoleView, FaultConsole } from '../../../src/client/fault-console.ts';
import { createFaultConsole } from '../../../src/client/fault-console.ts';
import { err, ok } from '../../../src/model/result.ts';
import { type RunOptions, runCli } from '../../support/cli-fixture.ts';

const view: ConsoleView = {
  catalogue: [
    {
      name: 'region-down',
      about: 'regions',
      does: 'nothing answers',
      lasts: 'until cleared',
      example: 'region-down eastus',
      arguments: [{ name: 'region', form: 'a region', help: 'such as eastus', choices: ['eastus', 'westus2'] }],
    },
    {
      name: 'throttle',
      about: 'requests to ARM',
      does: 'ARM answers 429',
      lasts: 'for so many requests',
      example: 'throttle create',
      arguments: [
        { name: 'act', form: 'one of', help: 'what is asked for', fallback: '', choices: ['create', 'get'] },
        { name: 'times', form: 'a number', help: 'how often', fallback: '1', choices: [] },
      ],
    },
  ],
  active: [{ id: 'eastus', what: 'region: {"arm":"unavailable"}' }],
};

/** A platform at the default port, whose console does what it is told and remembers it. */
function platform(over: Partial<FaultConsole> = {}) {
  const told: string[] = [];
  const options: RunOptions = {
    files: {
      '/home/me/.flotilla/loopback/7071.json': JSON.stringify({ api: 'a', key: 'k', console: 'http://127.0.0.1:9' }),
    },
    console: (baseUrl) => ({
      view: async () => ok(view),
      inject: async (words) => {
        told.push(`${baseUrl} add ${words.join(' ')}`);
        return ok('It is set.');
      },
      clear: async (id) => {
        told.push(`${baseUrl} clear ${id}`);
        return ok(`Cleared ${id}.`);
      },
      ...over,
    }),
  };
  return { told, options };
}

describe('flotilla local fault', () => {
  it('lists what the platform can do, by subject', async () => {
    const { code, out } = await runCli(['local', 'fault'], platform().options);
    expect({ code, out: out.slice(0, 4) }).toEqual({
      code: 0,
      out: ['REGIONS', '  region-down REGION  nothing answers', 'REQUESTS TO ARM', '  throttle […]  ARM answers 429'],
    });
  });

  it('helps with one of them: arguments, what there is to choose from, an example', async () => {
    const { out } = await runCli(['local', 'fault', 'help', 'throttle'], platform().options);
    expect(out).toEqual([
      'throttle: ARM answers 429 (for so many requests).',
      '',
      '  act    what is asked for  one of: create, get (default: none)',
      '  times  how often          a number (default: 1)',
      '',
      'Example: flotilla local fault add throttle create',
    ]);
  });

  it('adds what is named, at the platform whose API it is', async () => {
    const { options, told } = platform();
    const { code, out } = await runCli(['local', 'fault', 'add', 'throttle', 'create', 'times=3'], options);
    expect({ code, out, told }).toEqual({
      code: 0,
      out: ['It is set.'],
      told: ['http://127.0.0.1:9 add throttle create times=3'],
    });
  });

  it('shows what is set, and clears all or what is named', async () => {
    const { options, told } = platform();
    expect((await runCli(['local', 'fault', 'ls'], options)).out).toEqual([
      'ID      WHAT',
      'eastus  region: {"arm":"unavailable"}',
    ]);
    await runCli(['local', 'fault', 'clear'], options);
    await runCli(['local', 'fault', 'clear', 'eastus', '3'], options);
    expect(told.map((line) => line.replace(/^\S+ /, ''))).toEqual(['clear null', 'clear eastus', 'clear 3']);
  });

  it('gives JSON to programs', async () => {
    const { options } = platform();
    expect(JSON.parse((await runCli(['local', 'fault', 'ls', '--json'], options)).out.join('\n'))).toEqual(view.active);
    expect(JSON.parse((await runCli(['local', 'fault', '--json'], options)).out.join('\n'))).toEqual(view.catalogue);
  });

  it('goes to the console that FLOTILLA_CONSOLE names, as it is printed or without its path', async () => {
    for (const address of ['http://127.0.0.1:8', 'http://127.0.0.1:8/control', 'http://127.0.0.1:8/control/']) {
      const { options, told } = platform();
      await runCli(['local', 'fault', 'clear'], { ...options, environment: { FLOTILLA_CONSOLE: address } });
      expect(told).toEqual(['http://127.0.0.1:8 clear null']);
    }
  });

  it.each<[string, readonly string[], RegExp]>([
    ['another subject', ['local', 'weather'], /^error: there is no `local weather`: write `flotilla local fault`\.$/],
    ['no subject', ['local'], /^error: `local` needs fault\.$/],
    ['another action', ['local', 'fault', 'dance'], /^error: `dance`: give one of ls, add, clear, help\.$/],
    ['nothing to add', ['local', 'fault', 'add'], /^error: `add` needs the name of a fault/],
    ['too much to list', ['local', 'fault', 'ls', 'x'], /^error: `ls` takes no operand/],
    ['no fault to help with', ['local', 'fault', 'help'], /^error: `help` needs the name of one fault/],
    ['help with what is not there', ['local', 'fault', 'help', 'throtle'], /^error: .* did you mean `throttle`\?$/],
    ['help with what is like nothing', ['local', 'fault', 'help', 'xyzzy'], /there are region-down, throttle\.$/],
  ])('refuses %s', async (_what, argv, message) => {
    const { code, errors } = await runCli(argv, platform().options);
    expect({ code, error: errors[0] }).toEqual({ code: 2, error: expect.stringMatching(message) });
  });

  it('says what the platform refuses, and ends with 2', async () => {
    const refused = { inject: async () => err({ kind: 'refused' as const, message: 'There is no fault `x`.' }) };
    const { code, errors } = await runCli(['local', 'fault', 'add', 'x'], platform(refused).options);
    expect({ code, errors }).toEqual({ code: 2, errors: ['error: There is no fault `x`.'] });
  });

  it('never takes a platform of this machine for an API elsewhere', async () => {
    const { options, told } = platform();
    const { code } = await runCli(['local', 'fault', 'clear', '--api', 'https://flotilla.example:7071'], options);
    expect({ code, told }).toEqual({ code: 5, told: [] });
  });

  it('says that no platform is there, or that its console does not answer, and ends with 5', async () => {
    const none = await runCli(['local', 'fault', 'ls']);
    expect({ code: none.code, error: none.errors[0] }).toEqual({
      code: 5,
      error: 'error: no embedded platform has its API at http://127.0.0.1:7071 on this machine.',
    });
    const { files } = platform().options;
    const silent = await runCli(['local', 'fault', 'ls'], files ? { files } : {});
    expect(silent).toMatchObject({ code: 5, errors: [/does not answer \(connect ECONNREFUSED\)/] });
  });
});

describe('completion', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['the subject', [''], ['fault']],
    ['the action', ['fault', ''], ['ls', 'add', 'clear', 'help']],
    ['a fault', ['fault', 'add', 'thr'], ['throttle']],
    [
      'an argument in its turn, and the names of all',
      ['fault', 'add', 'throttle', ''],
      ['create', 'get', 'act=', 'times='],
    ],
    ['the next argument', ['fault', 'add', 'throttle', 'create', ''], ['times=']],
    ['a value by name', ['fault', 'add', 'region-down', 'region=w'], ['region=westus2']],
    ['nothing twice', ['fault', 'add', 'region-down', 'region=eastus', ''], []],
    ['what is set', ['fault', 'clear', ''], ['eastus']],
    ['nothing after a fault that is explained', ['fault', 'help', 'throttle', ''], []],
  ])('offers %s', async (_what, words, offered) => {
    expect((await runCli(['__complete', '--', 'local', ...words], platform().options)).out).toEqual(offered);
  });

  it('offers what needs no platform without one', async () => {
    expect((await runCli(['__complete', '--', 'local', 'fault', 'a'])).out).toEqual(['add']);
    expect((await runCli(['__complete', '--', 'local', 'fault', 'add', ''])).out).toEqual([]);
  });
});

describe('the client of the console', () => {
  it.each([
    [{ done: 'Yes.' }, { ok: true, value: 'Yes.' }],
    [{ error: 'No.' }, { ok: false, error: { kind: 'refused', message: 'No.' } }],
    ['a web page', { ok: false, error: { kind: 'unreachable', message: 'something else answers there' } }],
  ])('reads %j', async (body, result) => {
    const asked: string[] = [];
    const client = createFaultConsole({
      baseUrl: 'http://here',
      fetch: async (url, init) => {
        asked.push(`${init?.method} ${url}`);
        return Response.json(body);
      },
    });
    expect(await client.clear('a b')).toEqual(result);
    expect(asked).toEqual(['DELETE http://here/control/console/a%20b']);
  });
});
