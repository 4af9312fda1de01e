import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { commandNames } from '../../../src/cli/command-table.ts';
import { helpOf } from '../../../src/cli/help.ts';

const parse = (line: string, environment: Record<string, string> = {}) =>
  parseArguments(line === '' ? [] : line.split(' '), environment);

describe('the command line', () => {
  it.each([
    ['', { command: 'help', topic: null }],
    ['--help', { command: 'help', topic: null }],
    ['help down', { command: 'help', topic: 'down' }],
    ['up -h', { command: 'help', topic: 'up' }],
    ['--version', { command: 'version' }],
    ['up', { command: 'up', api: null, context: null, json: false, profiles: [], detach: false, timeoutMs: null }],
    [
      'up -f a.yaml --name shop --profile x --profile y --timeout 90s',
      { files: ['a.yaml'], name: 'shop', profiles: ['x', 'y'], timeoutMs: 90_000 },
    ],
    ['up -d', { detach: true }],
    ['ps', { command: 'ps', app: null }],
    ['ps shop --json', { command: 'ps', app: 'shop', json: true }],
    ['events shop -f', { command: 'events', app: 'shop', follow: true, limit: 50 }],
    ['events -n 5', { command: 'events', app: null, follow: false, limit: 5 }],
    ['down shop', { command: 'down', app: 'shop' }],
    ['scale shop.web=5 shop.api=0', { command: 'scale', app: 'shop', replicas: { web: 5, api: 0 }, detach: false }],
    ['restart shop', { command: 'restart', app: 'shop', services: null }],
    ['stop shop.web shop.api -d', { command: 'stop', app: 'shop', services: ['web', 'api'], detach: true }],
    ['start shop.web --timeout 90s', { command: 'start', services: ['web'], timeoutMs: 90_000 }],
    ['freeze shop', { command: 'freeze', app: 'shop' }],
    ['thaw shop', { command: 'thaw', app: 'shop' }],
    [
      'logs shop',
      { command: 'logs', target: { app: 'shop', service: null, slot: null }, follow: false, tail: 100, since: null },
    ],
    [
      'logs -f shop.web.3 -n 5 --since 90s -t -c side',
      {
        target: { app: 'shop', service: 'web', slot: 3 },
        follow: true,
        tail: 5,
        since: { ageMs: 90_000 },
        timestamps: true,
        container: 'side',
      },
    ],
    [
      'logs shop --since 2026-11-24T12:00:00Z -p',
      { since: { at: Date.parse('2026-11-24T12:00:00Z') }, previous: true },
    ],
    ['config -f -', { command: 'config', files: ['-'] }],
    ['up -f a -f b', { command: 'up', files: ['a', 'b'] }],
  ])('`%s` is understood', (line, expected) => {
    expect(parse(line)).toMatchObject({ ok: true, value: expected });
  });

  it.each([
    ['dwon shop', 'there is no command `dwon`; did you mean `down`?'],
    ['--api http://x ps', 'options follow the command: `flotilla COMMAND --api`.'],
    ['up --fiel x', 'there is no option `--fiel`; did you mean `--file`?'],
    ['up -x', 'there is no option `-x`.'],
    ['ps -f compose.yaml', 'there is no option `-f`.'],
    ['up web', '`up` takes no operand: `web` is too much; a file is named with -f.'],
    ['ps a b', 'one app at a time: `b` is too much.'],
    ['ps My_App', '`My_App` is not the name of an app.'],
    ['up --timeout', '--timeout needs a value.'],
    ['up --timeout soon', '--timeout soon: give a duration such as 90s or 5m.'],
    ['up --timeout 0', '--timeout 0: give a duration such as 90s or 5m.'],
    ['up -d --timeout 5m', '--detach does not wait: leave out --timeout.'],
    ['events -n 501', '--limit 501: give a whole number from 1 to 500.'],
    ['events -n 0', '--limit 0: give a whole number from 1 to 500.'],
    ['scale', '`scale` needs APP.SERVICE=N.'],
    ['scale shop.web', '`shop.web` does not say how many: write APP.SERVICE=N, such as shop.web=3.'],
    ['scale shop=3', '`shop` is no service: write APP.SERVICE=N, such as shop.web=3.'],
    ['scale shop.web=many', '`many` is not a number of replicas: give a whole one from 0 to 500.'],
    ['scale shop.web=501', '`501` is not a number of replicas: give a whole one from 0 to 500.'],
    ['scale shop.web=1 blog.web=2', 'one app at a time: `blog` is another than `shop`.'],
    ['scale shop.web=1 shop.web=2', '`web` is named twice.'],
    ['restart shop.web.0', '`shop.web.0` names one replica: name a service or an app.'],
    ['stop shop shop.web', 'name `shop` or services of it, not both.'],
    ['start shop.web blog.web', 'one app at a time: `blog` is another than `shop`.'],
    ['freeze', '`freeze` needs APP.'],
    ['thaw shop.web', '`shop.web` is not the name of an app.'],
    ['logs', '`logs` needs APP[.SERVICE[.SLOT]].'],
    ['logs shop.web.0.1', '`shop.web.0.1` has too many parts: write APP, APP.SERVICE or APP.SERVICE.SLOT.'],
    ['logs shop.Web', '`Web` is not the name of a service.'],
    ['logs shop.web.x', '`x` is not a slot: they are numbered from 0.'],
    ['logs shop --tail 5001', '--tail 5001: give a whole number from 1 to 5000.'],
    [
      'logs shop --since noon',
      '--since noon: give a duration such as 10m, or an instant such as 2026-11-24T12:00:00Z.',
    ],
    ['logs shop -f -p', '--previous is of a replica that is gone: there is nothing to follow.'],
    ['down shop -f compose.yaml', 'name the app, or the file that names it, not both.'],
    ['ps --api 127.0.0.1:7071', '--api 127.0.0.1:7071: give the address of the API, such as http://127.0.0.1:7071.'],
    ['ps --api http://h/?x=1', '--api http://h/?x=1: give the address of the API, such as http://127.0.0.1:7071.'],
  ])('`%s` is refused: %s', (line, message) => {
    expect(parse(line)).toMatchObject({ ok: false, error: { message } });
  });

  it.each([
    { given: '', variable: undefined, expected: null },
    { given: '', variable: '', expected: null },
    { given: '', variable: 'https://fleet.example', expected: 'https://fleet.example' },
    { given: ' --api http://localhost:8080/', variable: 'https://fleet.example', expected: 'http://localhost:8080' },
    { given: ' --api http://localhost:8080/api/v1/', variable: undefined, expected: 'http://localhost:8080' },
    { given: ' --api http://gate/fleet/api/v1', variable: undefined, expected: 'http://gate/fleet' },
  ])('takes the API from `$given` and FLOTILLA_API=$variable', ({ given, variable, expected }) => {
    const parsed = parse(`ps${given}`, variable === undefined ? {} : { FLOTILLA_API: variable });
    expect(parsed).toMatchObject({ ok: true, value: { api: expected } });
  });

  it.each([null, ...commandNames])('fits the help of %s into 80 columns', (topic) => {
    expect(
      helpOf(topic)
        .split('\n')
        .filter((line) => line.length > 80),
    ).toEqual([]);
  });

  it('names the variable when it is the variable that is wrong', () => {
    const message = 'FLOTILLA_API nonsense: give the address of the API, such as http://127.0.0.1:7071.';
    expect(parse('ps', { FLOTILLA_API: 'nonsense' })).toMatchObject({ ok: false, error: { message } });
  });
});
