import { describe, expect, it } from 'vitest';
import { check, faultsOf } from '../../../support/compose.ts';

const text = `
services:
  web: {image: a}
  debug: {image: b, profiles: [debug]}
  both: {image: c, profiles: [debug, test]}
`;
const servicesOf = async (files: Parameters<typeof check>[0], overrides?: Parameters<typeof check>[1]) => {
  const result = await check(files, overrides);
  return result.ok ? result.value.app.services.map(({ name }) => name) : result.error;
};

describe('profiles', () => {
  it.each([
    ['none active: only services without profiles', [], {}, ['web']],
    ['one active', ['debug'], {}, ['both', 'debug', 'web']],
    ['another active', ['test'], {}, ['both', 'web']],
    ['all active', ['*'], {}, ['both', 'debug', 'web']],
    ['one that nobody has', ['nobody'], {}, ['web']],
    ['from the shell', [], { COMPOSE_PROFILES: 'x, test' }, ['both', 'web']],
    ['flags replace those of the shell', ['x'], { COMPOSE_PROFILES: 'debug' }, ['web']],
  ])('%s', async (_, profiles, environment, expected) => {
    expect(await servicesOf(text, { profiles, environment })).toEqual(expected);
  });

  it('may be named in `.env`', async () => {
    expect(await servicesOf({ 'compose.yaml': text, '.env': 'COMPOSE_PROFILES=debug' })).toEqual([
      'both',
      'debug',
      'web',
    ]);
  });

  it('what is wrong in a disabled service does not matter', async () => {
    const broken = `${text}  off: {image: "$NOPE", env_file: nope.env, privileged: true, profiles: [x]}\n`;
    expect(await servicesOf(broken)).toEqual(['web']);
    expect(await faultsOf(broken, { profiles: ['x'] })).toMatchObject([
      { path: 'services.off.env_file' },
      { path: 'services.off.image' },
      { path: 'services.off.privileged' },
    ]);
  });

  it.each([
    ['depends_on: [debug]', 'services.api.depends_on[0]'],
    ['depends_on: {debug: {condition: service_started}}', 'services.api.depends_on.debug'],
  ])('%s on a disabled service is refused, with the profile to activate', async (dependency, path) => {
    expect(await faultsOf(`${text}  api: {image: d, ${dependency}}\n`)).toMatchObject([
      {
        severity: 'error',
        path,
        line: 6,
        problem: '`debug` is disabled: it belongs to the profile debug.',
        remedy: 'Activate it with --profile debug, or give `api` the same profile.',
      },
    ]);
  });

  it('a dependency that is not required is left out', async () => {
    const optional = `${text}  api: {image: d, depends_on: {debug: {condition: service_started, required: false}}}\n`;
    expect(await servicesOf(optional)).toEqual(['api', 'web']);
    expect(await faultsOf(optional)).toMatchObject([{ severity: 'warning', path: 'services.api.depends_on.debug' }]);
  });

  it('no service enabled at all is refused, with all profiles', async () => {
    expect(await faultsOf('services: {a: {image: a, profiles: [y]}, b: {image: b, profiles: [x, y]}}')).toMatchObject([
      { path: 'services', remedy: 'Activate one: --profile x or --profile y.' },
    ]);
  });

  it.each(['profiles: debug', 'profiles: [1]', 'profiles: {a: b}'])('%s is refused', async (profiles) => {
    expect(await faultsOf(`services: {web: {image: a, ${profiles}}}`)).toMatchObject([
      { severity: 'error', path: 'services.web.profiles' },
    ]);
  });
});
