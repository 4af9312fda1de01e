/** `environment` and `env_file` of a service together: who wins, what may be missing, and where a mistake is. */
import { describe, expect, it } from 'vitest';
import { check, environmentOf, faultsOf, resolved, show } from '../../../support/compose.ts';

const web = (keys: string) => `services:\n  web:\n    image: a\n${keys.replace(/^/gm, '    ')}\n`;

describe('environment', () => {
  it.each([
    ['a mapping', 'environment: {A: x, B: 1, C: true, D: ""}', { A: 'x', B: 1, C: true, D: '' }],
    ['a list', 'environment: [A=x, B=1, "C=a=b", "D="]', { A: 'x', B: '1', C: 'a=b', D: '' }],
    ['a list with a name twice: the last wins', 'environment: [A=1, A=2]', { A: '2' }],
    ['names alone, from the shell', 'environment: [FROM_SHELL]', { FROM_SHELL: 'shell' }],
    ['names without a value, from the shell', 'environment: {FROM_SHELL: , B: }', { FROM_SHELL: 'shell', B: 'dotenv' }],
    ['an empty list', 'environment: []', {}],
  ])('%s', async (_, keys, expected) => {
    const files = { 'compose.yaml': web(keys), '.env': 'B=dotenv' };
    expect(await environmentOf(files, { environment: { FROM_SHELL: 'shell' } })).toEqual(expected);
  });

  it('a name that has no value anywhere is left out, aloud', async () => {
    const files = web('environment: [NOWHERE, A=1]');
    expect(await environmentOf(files)).toEqual({ A: '1' });
    expect(await faultsOf(files)).toMatchObject([
      {
        severity: 'warning',
        path: 'services.web.environment.NOWHERE',
        line: 4,
        problem: expect.stringContaining('left out'),
      },
    ]);
  });

  it.each([['environment: text'], ['environment: [1]'], ['environment: [{A: 1}]'], ['environment: {A: [1]}']])(
    '%s is refused with its line',
    async (keys) => {
      const result = await check(web(keys));
      expect(
        result.ok ? [] : result.error.map(({ path, line }) => [path.startsWith('services.web.environment'), line]),
      ).toEqual([[true, 4]]);
    },
  );
});

describe('precedence', () => {
  const files = (environment: string, envFile: string) => ({
    'compose.yaml': web(`env_file: ${envFile}\n${environment}`),
    'one.env': 'A=one\nB=one\nC=one',
    'two.env': 'B=two\nC=two',
    '.env': 'A=dotenv\nC=dotenv',
  });

  it('`.env` never reaches a replica by itself', async () => {
    expect(await environmentOf({ 'compose.yaml': web('environment: {X: "1"}'), '.env': 'A=dotenv' })).toEqual({
      X: '1',
    });
  });

  it('a later env file wins over an earlier one, and `environment` over both', async () => {
    expect(await environmentOf(files('environment: {C: stated}', '[one.env, two.env]'))).toEqual({
      A: 'one',
      B: 'two',
      C: 'stated',
    });
  });

  it('a name without a value in `environment` takes the shell, even over an env file', async () => {
    expect(await environmentOf(files('environment: {A: , B: }', 'one.env'))).toEqual({ A: 'dotenv', C: 'one' });
  });

  it('the shell does not win over an env file by itself', async () => {
    expect(await environmentOf(files('', 'one.env'), { environment: { A: 'shell' } })).toMatchObject({ A: 'one' });
  });

  it('an env file may use the shell, `environment`, earlier files and its own lines, in this order', async () => {
    const text = {
      'compose.yaml': web('env_file: [one.env, two.env]\nenvironment: {STATED: stated, SHELL_TOO: stated}'),
      'one.env': 'EARLIER=one\nBOTH=one',
      'two.env': 'BOTH=two\nR1=$STATED\nR2=$SHELL_TOO\nR3=$EARLIER\nR4=$BOTH\nR5=$DOT',
      '.env': 'DOT=dotenv',
    };
    expect(await environmentOf(text, { environment: { SHELL_TOO: 'shell' } })).toMatchObject({
      R1: 'stated',
      R2: 'shell',
      R3: 'one',
      R4: 'two',
      R5: 'dotenv',
    });
  });

  it('a value of an env file is not interpolated a second time', async () => {
    expect(await environmentOf({ 'compose.yaml': web('env_file: one.env'), 'one.env': "A='$B ${C}'\nD=$$E" })).toEqual({
      A: '$B ${C}',
      D: '$E',
    });
  });
});

describe('env_file', () => {
  it.each([
    ['a path', 'env_file: a.env'],
    ['a list', 'env_file: [a.env]'],
    ['a long form', 'env_file: [{path: a.env}]'],
    ['a long form that is required', 'env_file: [{path: ./a.env, required: true}]'],
    ['a variable', 'env_file: ${NAME:-a}.env'],
  ])('may be %s', async (_, keys) => {
    expect(await environmentOf({ 'compose.yaml': web(keys), 'a.env': 'A=1' })).toEqual({ A: '1' });
  });

  it('lies beside the Compose file, wherever one calls from', async () => {
    const files = { '../sub/compose.yaml': web('env_file: ../a.env'), '../a.env': 'A=1' };
    const readFile = async (path: string) =>
      ({ 'sub/compose.yaml': files['../sub/compose.yaml'], 'a.env': 'A=1' })[path];
    expect(await environmentOf('', { path: 'sub/compose.yaml', projectDirectory: 'sub', readFile })).toEqual({
      A: '1',
    });
  });

  it('may be an absolute path', async () => {
    expect(await environmentOf({ 'compose.yaml': web('env_file: /etc/a.env'), '/etc/a.env': 'A=1' })).toEqual({
      A: '1',
    });
  });

  it('raw keeps everything behind `=`', async () => {
    expect(
      await environmentOf({ 'compose.yaml': web('env_file: [{path: a.env, format: raw}]'), 'a.env': 'A="$X" # y' }),
    ).toEqual({ A: '"$X" # y' });
  });

  it('that is missing is refused, unless it need not be there', async () => {
    expect(await faultsOf(web('env_file: [a.env, {path: b.env, required: false}]'))).toMatchObject([
      { severity: 'error', path: 'services.web.env_file[0]', line: 4, problem: 'there is no file `shop/a.env`.' },
    ]);
  });

  it('that cannot be read is refused with the cause', async () => {
    const readFile = async (path: string) => {
      if (path.endsWith('.env')) throw new Error('EACCES: permission denied');
      return path.endsWith('compose.yaml') ? web('env_file: a.env') : undefined;
    };
    const problems = await faultsOf('', { readFile });
    expect(show(problems)).toContain('EACCES');
    expect(problems.map(({ path }) => path)).toContain('services.web.env_file');
  });

  it('shows a mistake at its own line', async () => {
    const files = { 'compose.yaml': web('env_file: a.env'), 'a.env': 'A=1\n!nonsense\nB=$MISSING' };
    expect(await faultsOf(files)).toMatchObject([
      { path: 'services.web.env_file', file: 'shop/a.env', line: 2 },
      { path: 'services.web.env_file', file: 'shop/a.env', line: 3 },
    ]);
  });

  it('shows a value that the rules refuse at its line too', async () => {
    const files = { 'compose.yaml': web('env_file: a.env'), 'a.env': 'A=1\nFLOTILLA_SLOT=3\ndotted.name=1' };
    expect(await faultsOf(files)).toMatchObject([
      { path: 'services.web.environment.FLOTILLA_SLOT', file: 'shop/a.env', line: 2 },
      { path: 'services.web.environment["dotted.name"]', file: 'shop/a.env', line: 3 },
    ]);
  });

  it.each([
    ['env_file: 1', 'services.web.env_file'],
    ['env_file: {path: a.env}', 'services.web.env_file'],
    ['env_file: [{required: true}]', 'services.web.env_file[0]'],
    ['env_file: [{path: a.env, formt: raw}]', 'services.web.env_file[0].formt'],
    ['env_file: [{path: a.env, format: json}]', 'services.web.env_file[0].format'],
  ])('%s is refused', async (keys, path) => {
    expect(await faultsOf({ 'compose.yaml': web(keys), 'a.env': 'A=1' })).toMatchObject([
      { severity: 'error', path, line: 4 },
    ]);
  });

  it('leaves no trace in the document', async () => {
    const document = await resolved({ 'compose.yaml': web('env_file: a.env'), 'a.env': 'A=1' });
    expect(document).toEqual({ name: 'shop', services: { web: { image: 'a', environment: { A: '1' } } } });
  });
});
