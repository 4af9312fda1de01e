import { describe, expect, it } from 'vitest';
import { check, type Files, faultsOf, resolved } from '../../../support/compose.ts';

const webOf = async (files: Files) => ((await resolved(files)) as { services: { web: unknown } }).services.web;

describe('extends', () => {
  it.each([
    [
      'a service of the same file',
      'services: {base: {image: a, restart: always}, web: {extends: base, restart: "no"}}',
      { image: 'a', restart: 'no' },
    ],
    ['in its long form', 'services: {base: {image: a}, web: {extends: {service: base}}}', { image: 'a' }],
    [
      'one that extends another',
      'services: {a: {image: a, cpus: 1}, b: {extends: a, cpus: 2}, web: {extends: b, tty: true}}',
      { image: 'a', cpus: 2, tty: true },
    ],
    ['one that stands below it', 'services: {web: {extends: base}, base: {image: a}}', { image: 'a' }],
    [
      'with the rules of merging',
      'services: {base: {image: a, environment: [A=1], command: [x], ports: ["80"]}, web: {extends: base, environment: {B: "2"}, command: [y], ports: ["81"]}}',
      { image: 'a', environment: { A: '1', B: '2' }, command: ['y'], ports: ['80', '81'] },
    ],
    [
      'with a tag',
      'services: {base: {image: a, ports: ["80"]}, web: {extends: base, ports: !reset []}}',
      { image: 'a' },
    ],
    ['nothing', 'services: {web: {image: a, extends: }}', { image: 'a', extends: null }],
  ])('takes over %s', async (_, text, expected) => {
    expect(await webOf(text)).toEqual(expected);
  });

  it('takes over a service of another file, whose own mistakes and other services do not matter', async () => {
    const files = {
      'compose.yaml': 'services: {web: {extends: {file: base.yaml, service: app}, restart: always}}',
      'base.yaml':
        'name: other\nservices: {app: {extends: root}, root: {image: "a:${TAG:-1}"}, off: {image: "$NOPE", privileged: true}}',
    };
    expect(await resolved(files)).toEqual({ name: 'shop', services: { web: { image: 'a:1', restart: 'always' } } });
  });

  it('moves the env files of another directory', async () => {
    const files = {
      'compose.yaml': 'services: {web: {extends: {file: common/base.yaml, service: app}, env_file: own.env}}',
      'common/base.yaml':
        'services: {app: {image: a, env_file: [base.env, {path: ../up.env}, {path: no.env, required: false}]}}',
      'common/base.env': 'A=base\nB=base\nC=base',
      'up.env': 'B=up\nC=up',
      'own.env': 'C=own',
    };
    expect(await webOf(files)).toEqual({ image: 'a', environment: { A: 'base', B: 'up', C: 'own' } });
  });

  it('shows a mistake of the base where it stands', async () => {
    const files = {
      'compose.yaml': 'services: {web: {extends: {file: base.yaml, service: app}}}',
      'base.yaml': 'services:\n  app:\n    image: $NOPE\n    restart: sometimes\n',
    };
    expect(await faultsOf(files)).toMatchObject([
      { path: 'services.web.image', file: 'shop/base.yaml', line: 3 },
      { path: 'services.web.restart', file: 'shop/base.yaml', line: 4 },
    ]);
  });

  it('of a dependency that is not here is told', async () => {
    const files = {
      'compose.yaml': 'services: {web: {extends: {file: base.yaml, service: app}}}',
      'base.yaml': 'services: {app: {image: a, depends_on: [db]}, db: {image: b}}',
    };
    expect(await faultsOf(files)).toMatchObject([
      { path: 'services.web.depends_on[0]', problem: 'the app has no service `db`.', file: 'shop/base.yaml' },
    ]);
  });

  it.each([
    ['itself', 'web: {extends: web}', 'the services extend each other: web → web.'],
    ['each other', 'web: {extends: b}, b: {extends: c}, c: {extends: b}', 'the services extend each other: b → c → b.'],
    [
      'a service that is not there',
      'web: {extends: bse}, base: {image: a}',
      '`shop/compose.yaml` has no service `bse`.',
    ],
    [
      'one of a file that is not there',
      'web: {extends: {file: no.yaml, service: a}}',
      'there is no file `shop/no.yaml`.',
    ],
    ['one of a file that is broken', 'web: {extends: {file: broken.yaml, service: a}}', 'YAML: '],
    [
      'one of a file without services',
      'web: {extends: {file: empty.yaml, service: a}}',
      '`shop/empty.yaml` has no services.',
    ],
    ['no service', 'web: {extends: {file: empty.yaml}}', 'does not name a service.'],
    ['a list', 'web: {extends: [a]}', 'does not name a service.'],
    [
      'with an unknown key',
      'web: {extends: {service: base, fle: x}}, base: {image: a}',
      '`fle` is not a key that can stand here.',
    ],
    ['a variable that is not set', 'web: {extends: "$NOPE"}', 'the variable `NOPE` is not set and has no default.'],
  ])('%s is refused, and what is missing then is no news', async (_, services, problem) => {
    const files = { 'compose.yaml': `services: {${services}}`, 'broken.yaml': 'a: "', 'empty.yaml': 'x-a: b' };
    const result = await check(files);
    const said = result.ok ? [] : result.error.map((one) => one.problem);
    expect(said.some((text) => text.startsWith(problem))).toBe(true);
    expect(said).not.toContain('has no `image`.');
    for (const { line, remedy } of result.ok ? [] : result.error) {
      expect(line).toBeGreaterThan(0);
      expect(remedy).toMatch(/[.?]$/);
    }
  });

  it('of two files in a circle is refused', async () => {
    const files = {
      'compose.yaml': 'services: {web: {extends: {file: b.yaml, service: x}}}',
      'b.yaml': 'services: {x: {extends: {file: compose.yaml, service: web}}}',
    };
    expect((await faultsOf(files)).map(({ problem }) => problem)).toContainEqual(
      expect.stringContaining('extend each other'),
    );
  });
});
