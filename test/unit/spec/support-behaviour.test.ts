/** What a user hears about keys that are not used, and about keys that do not exist. */
import { describe, expect, it } from 'vitest';
import { supportTable } from '../../../src/spec/support.ts';
import { brief, documentOf, problemsOf, webProblems } from '../../support/compose.ts';

describe('every key of a service that is not used', () => {
  const rows = Object.entries(supportTable['services.*'] ?? {}).flatMap(([key, row]) =>
    row.use === 'used' ? [] : [{ key, use: row.use, why: row.why, unless: row.unless ?? [] }],
  );

  it.each(rows)('$key is $use by its path', ({ key, use, why }) => {
    const said = webProblems(`${key}: [something]`).filter(({ path }) => path.startsWith(`services.web.${key}`));
    const severity = use === 'refused' ? 'error' : 'warning';
    expect(said.map(brief)).toContain(`${severity} services.web.${key}: \`${key}\` ${why}.`);
  });

  it.each(rows)('$key may ask for nothing in silence', ({ key }) => {
    for (const nothing of ['[]', '""', 'false', '{}']) {
      expect(webProblems(`${key}: ${nothing}`).filter(({ problem }) => problem.startsWith(`\`${key}\``))).toEqual([]);
    }
  });

  it.each(rows.filter(({ unless }) => unless.length > 0))('$key may ask for what happens anyway', ({ key, unless }) => {
    for (const value of unless) {
      expect(
        webProblems(`${key}: ${JSON.stringify(value)}`)
          .map(brief)
          .join(),
      ).not.toContain(`\`${key}\``);
    }
  });
});

describe('a key that does not exist', () => {
  it.each([
    ['evironment: {}', 'services.web.evironment', 'Did you mean `environment`?'],
    ['replicas: 3', 'services.web.replicas', 'It belongs under `deploy`.'],
    ['limits: {}', 'services.web.limits', 'It belongs under `deploy.resources`.'],
    ['deploy: { replicsa: 2 }', 'services.web.deploy.replicsa', 'Did you mean `replicas`?'],
    ['healthcheck: { test: a, retrys: 2 }', 'services.web.healthcheck.retrys', 'Did you mean `retries`?'],
    ['x-flotila: {}', 'services.web.x-flotila', 'Did you mean `x-flotilla`?'],
    ['x-flotilla: { scal: {} }', 'services.web.x-flotilla.scal', 'Did you mean `scale`?'],
    ['x-flotilla: { probes: { liveness: {} } }', 'services.web.x-flotilla.probes.liveness', /readiness/],
    [
      'x-flotilla: { probes: { readiness: { http: { port: 80, pth: / } } } }',
      'services.web.x-flotilla.probes.readiness.http.pth',
      'Did you mean `path`?',
    ],
    [
      'x-flotilla: { antiAffinity: [{ servce: web }] }',
      'services.web.x-flotilla.antiAffinity[0].servce',
      'Did you mean `service`?',
    ],
    ['deploy: { x-flotilla: {} }', 'services.web.deploy.x-flotilla', 'Move it there.'],
    [
      'depends_on: { web: { conditon: service_started } }',
      'services.web.depends_on.web.conditon',
      'Did you mean `condition`?',
    ],
    ['constructor: 1', 'services.web.constructor', /./],
  ])('%s is refused with a proposal', (service, path, remedy) => {
    const said = webProblems(service).filter((problem) => problem.path === path);
    expect(said).toMatchObject([
      { severity: 'error', remedy: remedy instanceof RegExp ? expect.stringMatching(remedy) : remedy },
    ]);
  });

  it.each([
    ['servces: {}', 'servces', 'Did you mean `services`?'],
    ['service: {}', 'service', 'Did you mean `services`?'],
    ['x-flotilla: { pool: [a] }', 'x-flotilla.pool', 'Did you mean `pools`?'],
    ['__proto__: {}', '__proto__', /./],
  ])('%s at the top is refused with a proposal', (line, path, remedy) => {
    const document = JSON.parse(JSON.stringify(documentOf(`name: shop\nservices: { web: { image: a } }\n`)));
    const [key, value] = Object.entries(documentOf(line) as object)[0] ?? ['__proto__', {}];
    Object.defineProperty(document, key, { value, enumerable: true, configurable: true, writable: true });
    const said = problemsOf(document).filter((problem) => problem.path === path);
    expect(said).toMatchObject([
      { severity: 'error', remedy: remedy instanceof RegExp ? expect.stringMatching(remedy) : remedy },
    ]);
  });

  it('leaves the extensions of other tools alone, wherever they stand', () => {
    const document = documentOf(`
      name: shop
      x-common: { anything: [1, { x-y: 2 }] }
      services: { web: { image: a, x-aws-role: r, deploy: { x-other: 1 }, healthcheck: { test: a, x-note: n } } }
    `);
    expect(problemsOf(document)).toEqual([]);
  });
});

describe('placement', () => {
  it.each([
    ['constraints: ["pool.kind != aci-spot"]', []],
    ['constraints: []', []],
    ['constraints: ["node.role == manager"]', ['error services.web.deploy.placement.constraints[0]']],
    ['constraints: ["pool.kind != aci-spot", "pool.region == eastus"]', []],
    ['preferences: [{ spread: pool.region }]', []],
    ['preferences: [{ spread: node.hostname }]', ['warning services.web.deploy.placement.preferences[0].spread']],
    ['max_replicas_per_node: 1', ['warning services.web.deploy.placement.max_replicas_per_node']],
  ])('a demand that nothing meets is refused, a wish is not granted aloud: %s', (placement, expected) => {
    const said = webProblems(`deploy: { placement: { ${placement} } }`);
    expect(said.map(({ severity, path }) => `${severity} ${path}`)).toEqual(expected);
  });

  it.each([
    ['antiAffinity: [{ service: web, topology: region }]', []],
    [
      'antiAffinity: [{ service: web, topology: host, required: false }]',
      ['warning services.web.x-flotilla.antiAffinity[0].topology'],
    ],
    ['antiAffinity: [{ service: web, topology: zone }]', ['error services.web.x-flotilla.antiAffinity[0].topology']],
    ['antiAffinity: [{ service: web, required: true }]', ['error services.web.x-flotilla.antiAffinity[0].topology']],
    ['antiAffinity: web', ['error services.web.x-flotilla.antiAffinity']],
    ['antiAffinity: [web]', ['error services.web.x-flotilla.antiAffinity[0]']],
    ['antiAffinity:', []],
  ])('so with x-flotilla: %s', (extension, expected) => {
    const said = webProblems(`x-flotilla: { ${extension} }`);
    expect(said.map(({ severity, path }) => `${severity} ${path}`)).toEqual(expected);
  });
});
