/** Images and environment to behaviour, and the page that tells people about it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { behaviourOf } from '../../../../src/local/containers/catalogue.ts';
import { KNOWN_IMAGES, repositoryOf } from '../../../../src/local/containers/images.ts';

const nothing = {
  environment: {},
  secureEnvironment: {},
  secretFiles: [],
  command: [],
  ports: [],
  mounts: [],
  registries: [],
};
const of = (
  image: string,
  environment: Record<string, string> = {},
  command: readonly string[] = [],
  ports: readonly number[] = [],
) => behaviourOf({ ...nothing, image, environment, command, ports });

describe('image references', () => {
  it.each([
    ['nginx', 'nginx'],
    ['nginx:1.29-alpine', 'nginx'],
    ['docker.io/library/nginx:1', 'nginx'],
    ['nginx@sha256:abc', 'nginx'],
    ['localhost:5000/flotilla/http:2', 'flotilla/http'],
    ['mcr.microsoft.com/azuredocs/aci-helloworld:latest', 'azuredocs/aci-helloworld'],
  ])('%s is %s', (image, repository) => {
    expect(repositoryOf(image)).toBe(repository);
  });
});

describe('a private image', () => {
  const image = 'acme.azurecr.io/flotilla/private:1';
  it.each([
    ['without credentials', [], 'inaccessible'],
    ['with those of another registry', ['ghcr.io'], 'inaccessible'],
    ['with those of its own', ['ghcr.io', 'acme.azurecr.io'], 'ok'],
  ])('%s is %s', (_, registries, pull) => {
    const spec = { ...nothing, image, registries };
    expect(behaviourOf(spec).pull).toBe(pull);
  });
});

describe('secure values', () => {
  const behaviour = behaviourOf({
    ...nothing,
    image: 'flotilla/http',
    environment: { STANDIN_BANNER: 'plain' },
    secureEnvironment: {
      STANDIN_HTTP_STATUS: '207',
      STANDIN_CRASH_AFTER_S: '3',
      STANDIN_LOG: 'hunter2',
      STANDIN_FILES: '/hunter2',
    },
    secretFiles: ['/run/secrets/db'],
  });

  it('choose what a stand-in does, and are never what it says or shows', () => {
    expect(behaviour).toMatchObject({ httpStatus: 207, exitAfterMs: 3_000, banner: 'plain' });
    expect(JSON.stringify(behaviour)).not.toContain('hunter2');
  });

  it('bring files by name', () => {
    expect(behaviour.files).toEqual(['/run/secrets/db']);
  });
});

describe('behaviour', () => {
  it.each([
    { what: 'an unknown image cannot be pulled', image: 'ghcr.io/acme/web:1', expect: { pull: 'notFound' } },
    {
      what: "an image of one's own can stand in as a known one",
      image: 'ghcr.io/acme/web:1',
      env: { STANDIN_AS: 'nginx' },
      expect: { pull: 'ok', protocol: 'http' },
    },
    {
      what: "declared ports win over the image's",
      image: 'redis:7',
      ports: [7000],
      expect: { protocol: 'tcp', ports: [7000] },
    },
    { what: "without declared ports it listens on the image's", image: 'redis:7', expect: { ports: [6379] } },
    {
      what: 'a worker listens nowhere',
      image: 'flotilla/worker',
      ports: [80],
      expect: { protocol: 'none', ports: [] },
    },
    {
      what: 'flotilla/crash ends after 3 s with 1',
      image: 'flotilla/crash',
      expect: { exitAfterMs: 3_000, exitCode: 1 },
    },
    {
      what: 'a crash asked for has code 1',
      image: 'nginx',
      env: { STANDIN_CRASH_AFTER_S: '0.5' },
      expect: { exitAfterMs: 500, exitCode: 1 },
    },
    {
      what: 'or the code asked for',
      image: 'nginx',
      env: { STANDIN_CRASH_AFTER_S: '2', STANDIN_EXIT_CODE: '0' },
      expect: { exitAfterMs: 2_000, exitCode: 0 },
    },
    {
      what: 'a knob that is no number is ignored',
      image: 'nginx',
      env: { STANDIN_HTTP_STATUS: 'many' },
      expect: { httpStatus: 200 },
    },
    { what: 'a shell without a command is done at once', image: 'busybox', expect: { exitAfterMs: 0, exitCode: 0 } },
  ])('$what', ({ image, env, ports, expect: wanted }) => {
    expect(of(image, env, [], ports)).toMatchObject(wanted);
  });

  it.each<[readonly string[], number | undefined, number]>([
    [['sleep', '30'], 30_000, 0],
    [['sh', '-c', 'sleep 2; exit 5'], 2_000, 5],
    [['/bin/sh', '-c', 'echo hello && sleep 1 && false'], 1_000, 1],
    [['sleep', 'infinity'], undefined, 0],
    [['/bin/sh', '-c', 'while true; do sleep 1; done'], undefined, 0],
    [['tail', '-f', '/dev/null'], undefined, 0],
  ])('busybox %j ends after %s ms with %s', (command, exitAfterMs, exitCode) => {
    const { exitAfterMs: after, exitCode: code } = of('busybox', {}, command);
    expect([after, after === undefined ? 0 : code]).toEqual([exitAfterMs, exitCode]);
  });

  it('runs on whatever the command of an image that is no shell', () => {
    expect(of('nginx', {}, ['sleep', '1']).exitAfterMs).toBeUndefined();
  });
});

describe('CATALOGUE.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../src/local/containers/CATALOGUE.md'), 'utf8');

  it('names every image, and none that is not known', () => {
    const named = [...page.matchAll(/^\| `([a-z0-9/_-]+)`/gm)].map((match) => match[1]);
    expect(named.toSorted()).toEqual(Object.keys(KNOWN_IMAGES).toSorted());
  });

  it('names every knob, and each does something', () => {
    const source = readFileSync(join(import.meta.dirname, '../../../../src/local/containers/catalogue.ts'), 'utf8');
    const inCode = new Set([...source.matchAll(/STANDIN_\w+/g)].map(String));
    const inPage = new Set([...page.matchAll(/^\| `(STANDIN_\w+)`/gm)].map((match) => match[1]));
    expect([...inPage].toSorted()).toEqual([...inCode].toSorted());
  });
});
