import { describe, expect, it } from 'vitest';
import { check, faultsOf, resolved } from '../../../support/compose.ts';

const web = 'services: {web: {image: a}}';
const main = (include: string, rest = web) => `include: ${include}\n${rest}`;

describe('include', () => {
  it.each([
    ['a path', '[part.yaml]', { 'part.yaml': 'services: {db: {image: b}}' }],
    ['a long form', '[{path: part.yaml}]', { 'part.yaml': 'services: {db: {image: b}}' }],
    [
      'several files that are merged',
      '[{path: [part.yaml, over.yaml]}]',
      { 'part.yaml': 'services: {db: {image: x}}', 'over.yaml': 'services: {db: {image: b}}' },
    ],
    [
      'a file that includes another',
      '[deep/part.yaml]',
      { 'deep/part.yaml': 'include: [more/part.yaml]', 'deep/more/part.yaml': 'services: {db: {image: b}}' },
    ],
    [
      'a service that extends',
      '[part.yaml]',
      {
        'part.yaml': 'services: {db: {extends: {file: base.yaml, service: x}}}',
        'base.yaml': 'services: {x: {image: b}}',
      },
    ],
    ['a path with a variable', '["${PART:-part}.yaml"]', { 'part.yaml': 'services: {db: {image: b}}' }],
  ])('brings the services of %s', async (_, include, files) => {
    expect(await resolved({ 'compose.yaml': main(include), ...files })).toEqual({
      name: 'shop',
      services: { db: { image: 'b' }, web: { image: 'a' } },
    });
  });

  it('nothing is nothing', async () => {
    expect(await resolved(main(''))).toEqual({ name: 'shop', services: { web: { image: 'a' } } });
    expect(await resolved(main('[]'))).toEqual({ name: 'shop', services: { web: { image: 'a' } } });
  });

  it('may be all there is', async () => {
    expect(
      await resolved({
        'compose.yaml': 'include: [part.yaml]',
        'part.yaml': 'name: other\nservices: {db: {image: b}}',
      }),
    ).toEqual({
      name: 'shop',
      services: { db: { image: 'b' } },
    });
  });

  it('lets a dependency point into the part', async () => {
    const files = {
      'compose.yaml': main('[part.yaml]', 'services: {web: {image: a, depends_on: [db]}}'),
      'part.yaml': 'services: {db: {image: b}}',
    };
    const result = await check(files);
    expect(result.ok && result.value.app.services[1]?.dependsOn).toEqual([{ service: 'db', condition: 'started' }]);
  });

  it('has the `.env` and the env files of its own directory, below the shell and our own `.env`', async () => {
    const files = {
      'compose.yaml': main('[part/part.yaml]'),
      '.env': 'BOTH=ours',
      'part/.env': 'BOTH=theirs\nONLY=theirs\nSHELL_TOO=theirs',
      'part/part.yaml': 'services: {db: {image: "b:$BOTH-$ONLY-$SHELL_TOO", env_file: db.env}}',
      'part/db.env': 'A=1',
    };
    expect(await resolved(files, { environment: { SHELL_TOO: 'shell' } })).toMatchObject({
      services: { db: { image: 'b:ours-theirs-shell', environment: { A: '1' } } },
    });
  });

  it('may be given another directory and other variables', async () => {
    const files = {
      'compose.yaml': main('[{path: part/part.yaml, project_directory: other, env_file: [my.env]}]'),
      'my.env': 'TAG=mine',
      'other/.env': 'TAG=not-read',
      'part/part.yaml': 'services: {db: {image: "b:$TAG", env_file: db.env}}',
      'other/db.env': 'A=other',
    };
    expect(await resolved(files)).toMatchObject({ services: { db: { image: 'b:mine', environment: { A: 'other' } } } });
  });

  it('variables of the part do not reach ours', async () => {
    const files = {
      'compose.yaml': main('[part/part.yaml]', 'services: {web: {image: "a:$ONLY"}}'),
      'part/.env': 'ONLY=x',
      'part/part.yaml': 'services: {db: {image: b}}',
    };
    expect(await faultsOf(files)).toMatchObject([
      { path: 'services.web.image', problem: expect.stringContaining('`ONLY`') },
    ]);
  });

  it('what the file says itself about one of their services is merged over it', async () => {
    const files = {
      'compose.yaml': main('[part.yaml]', 'services: {db: {deploy: {replicas: 2}, image: c}}'),
      'part.yaml': 'services: {db: {image: b, ports: ["80"]}}',
    };
    expect(await resolved(files)).toMatchObject({
      services: { db: { image: 'c', ports: ['80'], deploy: { replicas: 2 } } },
    });
  });

  it('shows a mistake where it stands', async () => {
    const files = {
      'compose.yaml': main('[part.yaml]'),
      'part.yaml': 'services:\n  db:\n    image: b\n    restart: sometimes\n',
    };
    expect(await faultsOf(files)).toMatchObject([{ path: 'services.db.restart', file: 'shop/part.yaml', line: 4 }]);
  });

  it.each([
    ['part.yaml', 'include', 'must be a list of files.'],
    ['[{}]', 'include[0]', 'does not name a file.'],
    ['[{path: [[a]]}]', 'include[0]', 'does not name a file.'],
    ['[{path: part.yaml, pth: x}]', 'include[0].pth', '`pth` is not a key that can stand here.'],
    ['[no.yaml]', 'include[0]', 'there is no file `shop/no.yaml`.'],
    ['[{path: part.yaml, env_file: no.env}]', 'include', 'there is no file `shop/no.env`.'],
    ['["$NOPE"]', 'include[0]', 'the variable `NOPE` is not set and has no default.'],
    ['["https://example.org/compose.yaml"]', 'include[0]', 'names a remote file.'],
    ['["oci://example.org/app"]', 'include[0]', 'names a remote file.'],
    ['[me.yaml]', 'include[0]', 'the files include each other: shop/me.yaml → shop/me.yaml.'],
    ['[compose.yaml]', 'include[0]', 'the files include each other: shop/compose.yaml → shop/compose.yaml.'],
  ])('%s is refused', async (include, path, problem) => {
    const files = {
      'compose.yaml': main(include),
      'part.yaml': 'services: {db: {image: b}}',
      'me.yaml': 'include: [me.yaml]',
    };
    const problems = await faultsOf(files);
    expect(problems).toMatchObject([
      { severity: 'error', path, problem, file: expect.stringMatching(/^shop\//), line: 1 },
    ]);
  });

  it('ends for any number of files', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 200 }, (_, n) => [`p${n}.yaml`, `include: [p${n + 1}.yaml]`]),
    );
    expect(await faultsOf({ 'compose.yaml': main('[p0.yaml]'), ...files })).toMatchObject([
      { problem: 'more than 100 files are involved.' },
    ]);
  });
});
