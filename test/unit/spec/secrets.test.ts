import { describe, expect, it } from 'vitest';
import { newestVersion } from '../../../src/model/app-spec.ts';
import { limits } from '../../../src/model/limits.ts';
import type { SecretFacts } from '../../../src/model/secrets.ts';
import { bindSecrets } from '../../../src/spec/bind-secrets.ts';
import { appOf, brief, check, documentOf, problemsOf } from '../../support/compose.ts';

const version = '0123456789abcdef';
const stored = (name: string) => `${name}: { x-flotilla: { secretRef: ${name}, version: ${version} } }`;
const document = (service: string, declared = `secrets: { ${stored('db')}, ${stored('tls')} }`) =>
  documentOf(`name: shop\nservices:\n  web: { image: "nginx:1.29", ${service} }\n${declared}`);
const templateOf = (service: string, declared?: string) => appOf(document(service, declared)).services[0]?.template;
const ref = (secretRef: string, of = version) => ({ secretRef, version: of });

describe('secrets of a service', () => {
  it('lie in /run/secrets, all of one directory in one volume', () => {
    expect(templateOf('secrets: [tls, { source: db, target: password }]')).toMatchObject({
      volumes: [{ kind: 'secret', name: 'secrets-run-secrets', files: { password: ref('db'), tls: ref('tls') } }],
      mounts: [{ volume: 'secrets-run-secrets', path: '/run/secrets', readOnly: true }],
    });
  });

  it('lie where `target` says, each directory in a volume of its own', () => {
    const template = templateOf('secrets: [db, { source: tls, target: /etc/web/tls/key.pem }]');
    expect(template?.mounts?.map(({ path }) => path)).toEqual(['/etc/web/tls', '/run/secrets']);
    expect(template?.volumes).toHaveLength(2);
  });

  it('are in the environment where `secretEnvironment` says, never among the plain values', () => {
    const template = templateOf('environment: { A: b }, x-flotilla: { secretEnvironment: { PASSWORD: db } }');
    expect(template).toMatchObject({ environment: { A: 'b' }, secretEnvironment: { PASSWORD: ref('db') } });
  });

  it('that nobody asks for leave no trace: older revisions keep their hash', () => {
    expect(Object.keys(templateOf('') ?? {})).not.toEqual(expect.arrayContaining(['volumes', 'mounts']));
  });

  it.each<[string, string, RegExp]>([
    ['secrets: [dbb]', 'secrets[0]', /declares no secret `dbb`.*Did you mean `db`/],
    ['secrets: [db, { source: tls, target: db }]', 'secrets[1]', /is a file at `\/run\/secrets\/db` already/],
    [
      'secrets: [{ source: db, target: /etc/passwd }]',
      'secrets[0]',
      /over `\/etc` it would hide what every image needs/,
    ],
    ['secrets: [{ source: db, target: /db }]', 'secrets[0]', /over `\/` it would hide/],
    ['secrets: [{ source: db, target: "/run/a b" }]', 'secrets[0]', /hide|does not end in a name/],
    ['secrets: [{ source: db, target: "../../etc/x/y" }]', 'secrets[0]', /^$/],
    ['x-flotilla: { secretEnvironment: [db] }', 'x-flotilla.secretEnvironment', /must be a mapping/],
    ['x-flotilla: { secretEnvironment: { A: nope } }', 'x-flotilla.secretEnvironment.A', /declares no secret `nope`/],
    ['x-flotilla: { secretEnvironment: { "a-b": db } }', 'x-flotilla.secretEnvironment.a-b', /not a name/],
    [
      'x-flotilla: { secretEnvironment: { FLOTILLA_SLOT: db } }',
      'x-flotilla.secretEnvironment.FLOTILLA_SLOT',
      /set by/,
    ],
    [
      'environment: { A: b }, x-flotilla: { secretEnvironment: { A: db } }',
      'x-flotilla.secretEnvironment.A',
      /as well/,
    ],
  ])('%s is judged', (service, path, text) => {
    const errors = problemsOf(document(service)).filter(({ severity }) => severity === 'error');
    if (text.source === '^$') return expect(errors).toEqual([]);
    expect(errors.map((problem) => problem.path)).toEqual([`services.web.${path}`]);
    expect(`${errors[0]?.problem} ${errors[0]?.remedy}`).toMatch(text);
  });

  it('warns where ACI cannot set owner and mode, and where a directory of the image is hidden', () => {
    expect(problemsOf(document('secrets: [{ source: db, mode: 0400, uid: "1" }]'))).toMatchObject([
      { severity: 'warning', path: 'services.web.secrets[0]', problem: expect.stringContaining('`uid`, `mode`') },
    ]);
    expect(problemsOf(document('secrets: [{ source: db, target: /etc/nginx/db }]'))).toMatchObject([
      { severity: 'warning', problem: expect.stringContaining('hides everything that the image has in `/etc/nginx`') },
    ]);
  });
});

describe('configs of a service', () => {
  const declared = 'configs: { web: { x-flotilla: { secretRef: config~web } } }';

  it('are stored apart from secrets of the same name, and share the volume of their directory', () => {
    const both = `secrets: { web: { external: true } }\n${declared}`;
    const template = templateOf('secrets: [web], configs: [{ source: web, target: /run/secrets/conf }]', both);
    expect(template?.volumes).toEqual([
      {
        kind: 'secret',
        name: 'secrets-run-secrets',
        files: { conf: ref('config~web', newestVersion), web: ref('web', newestVersion) },
      },
    ]);
  });

  it('without a target would lie in `/`: refused with a path to use', () => {
    const [problem] = problemsOf(document('configs: [web]', declared));
    expect(problem).toMatchObject({ severity: 'error', path: 'services.web.configs[0]' });
    expect(problem?.remedy).toContain('{source: web, target: /run/configs/web}');
  });
});

describe('a declared secret', () => {
  it.each([
    ['{ external: true }', ref('a', newestVersion)],
    ['{ external: "true", name: other }', ref('other', newestVersion)],
    ['{ external: { name: other } }', ref('other', newestVersion)],
    ['{ x-flotilla: { secretRef: other } }', ref('other', newestVersion)],
    [`{ x-flotilla: { secretRef: other, version: ${version} } }`, ref('other')],
  ])('%s stands for a stored value', (definition, expected) => {
    expect(templateOf('secrets: [a]', `secrets: { a: ${definition} }`)?.volumes).toMatchObject([
      { files: { a: expected } },
    ]);
  });

  it.each([
    ['{ file: ./a }', 'secrets.a.file', /only the CLI can store/],
    ['{ environment: A }', 'secrets.a.environment', /only the CLI can store/],
    ['{}', 'secrets.a', /says nowhere where its value is/],
    ['{ external: false }', 'secrets.a', /says nowhere/],
    ['{ x-flotilla: { secretRef: "a|b" } }', 'secrets.a.x-flotilla.secretRef', /name of a stored value/],
    ['{ x-flotilla: { secretRef: a, version: "1" } }', 'secrets.a.x-flotilla.version', /secrets ls/],
    ['{ x-flotilla: { secretRef: a, value: x } }', 'secrets.a.x-flotilla.value', /not a key/],
    ['{ driver: vault, external: true }', 'secrets.a.driver', /by Flotilla itself/],
  ])('%s is refused, and only there', (definition, path, text) => {
    const problems = problemsOf(document('secrets: [a]', `secrets: { a: ${definition} }`));
    expect(problems.map(brief)).toHaveLength(1);
    expect(problems[0]).toMatchObject({ severity: 'error', path });
    expect(`${problems[0]?.problem} ${problems[0]?.remedy}`).toMatch(text);
  });
});

describe('the CLI', () => {
  const compose = 'name: shop\nservices: { web: { image: nginx, secrets: [a] } }\n';

  it('takes values out of the document, wherever they come from', async () => {
    const read = await check(
      {
        'compose.yaml': `${compose.replace('[a]', '[a, b], configs: [{ source: c, target: /run/c/c }]')}secrets: { a: { file: ./a.txt }, b: { environment: B } }\nconfigs: { c: { content: "hello $B" } }`,
        'a.txt': 'from a file',
      },
      { environment: { B: 'canary' } },
    );
    if (!read.ok) throw new Error(JSON.stringify(read.error));
    const values = read.value.values.map(({ name, value }) => [name, Buffer.from(value).toString()]);
    expect(values).toEqual([
      ['a', 'from a file'],
      ['b', 'canary'],
      ['config~c', 'hello canary'],
    ]);
    expect(JSON.stringify(read.value.document)).not.toMatch(/canary|from a file/);
  });

  it('sends nothing that no service needs', async () => {
    const read = await check({
      'compose.yaml': `${compose}secrets: { a: { file: ./a.txt }, spare: { file: ./a.txt } }`,
      'a.txt': 'x',
    });
    expect(read.ok && read.value.values.map(({ name }) => name)).toEqual(['a']);
  });

  it('finds files of an included part in its own directory', async () => {
    const read = await check({
      'compose.yaml': `include: [part/compose.yaml]\n${compose}secrets: { a: { file: ./a.txt } }`,
      'part/compose.yaml': 'services: { job: { image: nginx, secrets: [p] } }\nsecrets: { p: { file: ./p.txt } }',
      'a.txt': 'outer',
      'part/p.txt': 'inner',
    });
    expect(read.ok && read.value.values.map(({ value }) => Buffer.from(value).toString()).sort()).toEqual([
      'inner',
      'outer',
    ]);
  });

  it.each([
    ['{ file: ./missing.txt }', 'secrets.a.file', /there is no file `shop\/missing.txt`/],
    ['{ environment: NOT_SET }', 'secrets.a.environment', /`NOT_SET` is not set/],
    ['{ file: ./a.txt, environment: HOME }', 'secrets.a', /both `file` and `environment`/],
    ['{ file: ./large.bin }', 'secrets.a.file', /has 512 KiB, but|has 512.\d+ KiB, but .* at most 512 KiB/],
  ])('refuses %s with its line', async (definition, path, text) => {
    const read = await check({
      'compose.yaml': `${compose}secrets: { a: ${definition} }`,
      'a.txt': 'x',
      'large.bin': 'x'.repeat(limits.secretBytes + 100),
    });
    expect(read.ok).toBe(false);
    const [problem] = read.ok ? [] : read.error;
    expect(problem).toMatchObject({ path, line: 3 });
    expect(problem?.problem).toMatch(text);
  });
});

describe('looking up versions', () => {
  const fact = (over: Partial<SecretFacts> = {}): SecretFacts => ({
    name: 'a',
    version,
    sizeBytes: 10,
    isText: true,
    managed: true,
    setAt: 1,
    ...over,
  });
  const newer = { version: 'f'.repeat(16), setAt: 2 };
  const app = (service = 'secrets: [a]', definition = '{ external: true }') =>
    appOf(document(service, `secrets: { a: ${definition} }`));

  it('takes the newest where none is named, and the named one where one is', () => {
    const files = (bound: ReturnType<typeof bindSecrets>) =>
      bound.ok ? bound.value.services[0]?.template.volumes?.[0] : bound.error;
    expect(files(bindSecrets(app(), [fact(newer), fact()], false))).toMatchObject({
      files: { a: ref('a', newer.version) },
    });
    const named = app(undefined, `{ x-flotilla: { secretRef: a, version: ${version} } }`);
    expect(files(bindSecrets(named, [fact(newer), fact()], false))).toMatchObject({ files: { a: ref('a') } });
  });

  it.each<[string, ReturnType<typeof app>, readonly SecretFacts[], RegExp]>([
    ['a value that is not stored', app(), [], /the secret `a` is not stored.*flotilla secrets set shop a/],
    [
      'a version that is not stored',
      app(undefined, `{ x-flotilla: { secretRef: a, version: ${version} } }`),
      [fact(newer)],
      /version 0123456789abcdef of the secret `a` is not stored/,
    ],
    [
      'bytes as a variable',
      app('x-flotilla: { secretEnvironment: { A: a } }'),
      [fact({ isText: false })],
      /not UTF-8 text/,
    ],
    [
      'a variable that is too long, with both numbers',
      app('x-flotilla: { secretEnvironment: { A: a } }'),
      [fact({ sizeBytes: limits.environmentVariableBytes })],
      /would be 128 KiB, but Linux takes at most 128 KiB|at most 128 KiB for one variable/,
    ],
    [
      'a directory that is too large, with both numbers',
      appOf(
        document(
          'secrets: [a, b, c]',
          'secrets: { a: { external: true }, b: { external: true }, c: { external: true } }',
        ),
      ),
      ['a', 'b', 'c'].map((name) => fact({ name, sizeBytes: 400 * 1024 })),
      /`\/run\/secrets` have 1.17 MiB together, but a secret volume may have at most 1 MiB/,
    ],
  ])('refuses %s', (_, spec, facts, text) => {
    const bound = bindSecrets(spec, facts, false);
    expect(bound.ok ? [] : bound.error.map(({ problem, remedy }) => `${problem} ${remedy}`)).toEqual([
      expect.stringMatching(text),
    ]);
  });

  it('of a preview lets versions pass that are about to be stored', () => {
    const named = app(undefined, `{ x-flotilla: { secretRef: a, version: ${version} } }`);
    expect(bindSecrets(named, [], true).ok).toBe(true);
    expect(bindSecrets(app(), [], true).ok).toBe(false);
  });
});
