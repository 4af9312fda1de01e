/** Which file is read, how the app is called, and what the document that is sent looks like. */
import { describe, expect, it } from 'vitest';
import { check, faultsOf, resolved } from '../../../support/compose.ts';

const web = 'services: {web: {image: a}}';

describe('the file', () => {
  it.each([
    ['compose.yaml before all others', ['compose.yaml', 'compose.yml', 'docker-compose.yaml'], 'compose.yaml'],
    ['compose.yml', ['docker-compose.yml', 'compose.yml'], 'compose.yml'],
    ['docker-compose.yaml', ['docker-compose.yaml', 'docker-compose.yml'], 'docker-compose.yaml'],
    ['docker-compose.yml', ['docker-compose.yml'], 'docker-compose.yml'],
  ])('%s is found', async (_, names, expected) => {
    const files = Object.fromEntries(names.map((name) => [name, `services: {web: {image: "from:${name}"}}`]));
    expect(await resolved(files)).toMatchObject({ services: { web: { image: `from:${expected}` } } });
  });

  it('that was named is read, wherever it lies', async () => {
    expect(await resolved({ '/elsewhere/my.yaml': web }, { path: '/elsewhere/my.yaml' })).toMatchObject({
      name: 'shop',
    });
  });

  it('that is missing is refused with what to do', async () => {
    expect(await faultsOf({})).toMatchObject([
      { problem: 'there is no Compose file in `shop`.', remedy: expect.stringContaining('compose.yaml') },
    ]);
    expect(await faultsOf({}, { path: 'x.yaml' })).toMatchObject([{ problem: 'there is no file `x.yaml`.' }]);
  });

  it('that cannot be read is refused with the cause', async () => {
    const readFile = async (path: string) => {
      if (path !== 'shop/compose.yaml') return undefined;
      throw new Error('EISDIR: illegal operation on a directory');
    };
    expect(await faultsOf('', { readFile })).toMatchObject([
      { file: 'shop/compose.yaml', problem: expect.stringContaining('EISDIR') },
    ]);
  });

  it('a mistake in `.env` is shown at its line', async () => {
    expect(await faultsOf({ 'compose.yaml': web, '.env': 'A=1\n???' })).toMatchObject([{ file: 'shop/.env', line: 2 }]);
  });
});

describe('the name of the app', () => {
  it.each([
    ['the flag', `name: file\n${web}`, { name: 'flag', environment: { COMPOSE_PROJECT_NAME: 'shell' } }, 'flag'],
    ['the shell', `name: file\n${web}`, { environment: { COMPOSE_PROJECT_NAME: 'shell' } }, 'shell'],
    ['the file', `name: file\n${web}`, { environment: { COMPOSE_PROJECT_NAME: '' } }, 'file'],
    ['the file, with a variable', `name: "\${X:-x}-app"\n${web}`, {}, 'x-app'],
    ['the directory', web, {}, 'shop'],
    [
      'the directory as it really is',
      web,
      { projectDirectory: '/home/me/project-1/../thing', path: 'shop/compose.yaml' },
      'thing',
    ],
  ])('comes from %s', async (_, text, overrides, expected) => {
    expect(await resolved(text, overrides)).toMatchObject({ name: expected });
  });

  it('may be used in the file', async () => {
    const text = 'services: {web: {image: a, environment: {APP: "$COMPOSE_PROJECT_NAME"}}}';
    expect(await resolved(text)).toMatchObject({ services: { web: { environment: { APP: 'shop' } } } });
  });

  it.each([
    ['in the file', `name: My_Shop\n${web}`, {}, /`my-shop`/],
    [
      'of the directory',
      web,
      { projectDirectory: '/srv/My Shop', path: 'shop/compose.yaml' },
      /`name: my-shop`.*--name my-shop/,
    ],
    ['of the flag', web, { name: 'My Shop' }, /`my-shop`/],
    ['of nothing legal', web, { name: '___' }, /another name/],
    ['that is no text', `name: [a]\n${web}`, {}, /string/],
    ['that is too long', `name: ${'x'.repeat(41)}\n${web}`, {}, new RegExp(`\`${'x'.repeat(40)}\``)],
  ])('is never mapped: an illegal one %s is refused with a proposal', async (_, text, overrides, remedy) => {
    const problems = await faultsOf(text, overrides);
    expect(problems).toMatchObject([{ severity: 'error', path: 'name', remedy: expect.stringMatching(remedy) }]);
  });
});

describe('the problems of a file', () => {
  it('are reported all at once, from every step, sorted by path, each with file, line and column', async () => {
    const text = `name: Shop
services:
  web:
    image: "a:$TAG"
    env_file: nope.env
    ports: ["99999"]
    depends_on: [wbe, db]
    privileged: true
  db:
    image: b
    comand: x
    depends_on: [web]
    deploy: {resources: {limits: {cpus: 64}}}
`;
    const problems = await faultsOf(text);
    expect(problems.map(({ path, line }) => [path, line])).toEqual([
      ['name', 1],
      ['services.db.comand', 11],
      ['services.db.depends_on', 12],
      ['services.db.deploy.resources.limits.cpus', 13],
      ['services.web.depends_on[0]', 7],
      ['services.web.env_file', 5],
      ['services.web.image', 4],
      ['services.web.ports[0]', 6],
      ['services.web.privileged', 8],
    ]);
    for (const { file, column, problem, remedy } of problems) {
      expect(file).toBe('shop/compose.yaml');
      expect(column).toBeGreaterThan(0);
      expect(problem).toMatch(/\.$/);
      expect(remedy).toMatch(/[.?]$/);
    }
  });

  it('are warnings when there is no error, and then come with the app', async () => {
    const result = await check(`version: "3"\n${web}`);
    expect(result.ok && result.value.warnings).toMatchObject([{ severity: 'warning', path: 'version', line: 1 }]);
  });
});
