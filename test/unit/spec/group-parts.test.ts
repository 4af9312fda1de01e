import { describe, expect, it } from 'vitest';
import { appOf, documentOf, problemsOf } from '../../support/compose.ts';

const identity = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/pull';

describe('registries', () => {
  const document = (registries: string, image = 'acme.azurecr.io/web:1') =>
    documentOf(
      `name: shop\nx-flotilla: { registries: ${registries} }\nservices: { web: { image: "${image}" } }\nsecrets: { pw: { external: true } }`,
    );
  const ofWeb = (registries: string, image?: string) =>
    appOf(document(registries, image)).services[0]?.template.registries;

  it('give a service the credentials of the registries that its images come from, and no others', () => {
    const both = `[{ server: ghcr.io, username: ci, passwordSecret: pw }, { server: acme.azurecr.io, identity: ${identity} }]`;
    expect(ofWeb(both)).toEqual([{ server: 'acme.azurecr.io', identity }]);
    expect(ofWeb(both, 'ghcr.io/acme/web')).toMatchObject([
      { server: 'ghcr.io', username: 'ci', password: { secretRef: 'pw' } },
    ]);
    expect(ofWeb(both, 'nginx')).toBeUndefined();
  });

  it.each(['docker.io', 'index.docker.io'])('know Docker Hub as %s, for images without a host', (server) => {
    expect(ofWeb(`[{ server: ${server}, username: u, passwordSecret: pw }]`, 'acme/web:1')).toHaveLength(1);
  });

  it('are warned about where no image comes from them', () => {
    expect(problemsOf(document(`[{ server: ghcr.io, identity: ${identity} }]`))).toMatchObject([
      { severity: 'warning', path: 'x-flotilla.registries', problem: expect.stringContaining('`ghcr.io`') },
    ]);
  });

  it.each([
    ['ghcr.io', '', /must be a list/],
    ['[ghcr.io]', '[0]', /must be a mapping/],
    ['[{ server: "https://ghcr.io", username: u, passwordSecret: pw }]', '[0].server', /host name of a registry/],
    ['[{ server: ghcr.io/acme, username: u, passwordSecret: pw }]', '[0].server', /host name of a registry/],
    ['[{ server: ghcr.io }]', '[0]', /says nowhere how to sign in/],
    [`[{ server: ghcr.io, identity: ${identity}, username: u }]`, '[0]', /both an identity and a password/],
    ['[{ server: ghcr.io, identity: pull }]', '[0].identity', /resource id/],
    ['[{ server: ghcr.io, passwordSecret: pw }]', '[0].username', /name to sign in with/],
    ['[{ server: ghcr.io, username: u }]', '[0].passwordSecret', /secret that holds the password/],
    ['[{ server: ghcr.io, username: u, passwordSecret: nope }]', '[0].passwordSecret', /declares no secret `nope`/],
    ['[{ server: ghcr.io, username: u, password: hunter2 }]', '[0].password', /not a key/],
    [
      '[{ server: ghcr.io, username: u, passwordSecret: pw }, { server: ghcr.io, username: v, passwordSecret: pw }]',
      '[1].server',
      /twice/,
    ],
  ])('%s is refused', (registries, path, text) => {
    const [problem] = problemsOf(document(registries)).filter(({ severity }) => severity === 'error');
    expect(problem?.path).toBe(`x-flotilla.registries${path}`);
    expect(problem?.problem).toMatch(text);
    expect(`${problem?.problem}`).not.toContain('hunter2');
  });
});

describe('init containers', () => {
  const document = (init: string, more = '') =>
    documentOf(`
name: shop
services:
  web:
    image: nginx:1.29
    depends_on: { seed: { condition: service_completed_successfully }, migrate: { condition: service_completed_successfully } }
    volumes: ["shared:/srv/shared"]
  seed: { image: "acme/seed:1", x-flotilla: { colocateWith: web }, volumes: ["shared:/out"] }
  migrate: { image: "acme/tools:1", entrypoint: [migrate], environment: { A: b }, x-flotilla: { colocateWith: web }, ${init} }
  ${more}
volumes: { shared: { x-flotilla: { emptyDir: true } } }
`);

  it('are one-shot services in the group of the one that waits for them, in its order, sharing its volumes', () => {
    const app = appOf(document(''));
    expect(app.services.map(({ name }) => name)).toEqual(['web']);
    expect(app.services[0]).toMatchObject({
      dependsOn: [],
      template: {
        volumes: [{ kind: 'emptyDir', name: 'volume-shared' }],
        initContainers: [
          { name: 'seed', image: 'acme/seed:1', mounts: [{ volume: 'volume-shared', path: '/out' }] },
          { name: 'migrate', image: 'acme/tools:1', command: ['migrate'], environment: { A: 'b' } },
        ],
      },
    });
  });

  it.each(['ports: ["80"]', 'healthcheck: { test: "true" }', 'deploy: { replicas: 2 }', 'depends_on: [web]'])(
    'have nothing of their own: %s is refused',
    (init) => {
      const [problem] = problemsOf(document(init)).filter(({ severity }) => severity === 'error');
      expect(problem?.path).toBe(`services.migrate.${init.split(':')[0]}`);
      expect(problem?.problem).toMatch(/init container has no/);
    },
  );

  it('serve one owner: another service that waits for them is refused', () => {
    const other = 'api: { image: nginx, depends_on: { seed: { condition: service_completed_successfully } } }';
    expect(problemsOf(document('', other)).filter(({ severity }) => severity === 'error')).toMatchObject([
      { path: 'services.api.depends_on.seed.condition', remedy: expect.stringContaining('colocateWith: OWNER') },
    ]);
  });
});

it('a protected app says so in its spec, and only then', () => {
  const spec = (extension: string) =>
    appOf(documentOf(`name: shop\nx-flotilla: ${extension}\nservices: { web: { image: nginx } }`));
  expect(spec('{ protected: true }').protected).toBe(true);
  expect(spec('{ protected: "false" }')).not.toHaveProperty('protected');
});

describe('networks', () => {
  const said = (service: string, networks: string) =>
    problemsOf(
      documentOf(`name: shop\nservices: { web: { image: nginx, networks: ${service} } }\nnetworks: ${networks}`),
    ).map(({ severity, path }) => `${severity} ${path}`);

  it.each([
    ['[default]', '{}', []],
    ['[a]', '{ a: {} }', ['warning networks', 'warning services.web.networks']],
    [
      '{ a: { aliases: [www] } }',
      '{ a: {} }',
      ['warning networks', 'warning services.web.networks', 'error services.web.networks.a.aliases'],
    ],
    ['{ a: { priority: 5 } }', '{ a: { driver: overlay } }', ['warning networks', 'warning services.web.networks']],
    [
      '[a]',
      '{ a: { internal: true } }',
      ['warning networks', 'error networks.a.internal', 'warning services.web.networks'],
    ],
  ])('%s of %s gives %j', (service, networks, expected) => {
    expect(said(service, networks)).toEqual(expected);
  });
});
