/** What makes a new revision, and so new container groups, and what does not (semantics, "Rollouts"). */
import { describe, expect, it } from 'vitest';
import type { AppSpec } from '../../../src/model/app-spec.ts';
import { diffApps } from '../../../src/spec/diff.ts';
import { revisionHash } from '../../../src/spec/revision.ts';
import { appOf, documentOf } from '../../support/compose.ts';

const base = `
image: a:1
entrypoint: [/bin/app]
command: [serve]
environment: {MODE: x, LEVEL: "1"}
ports: ["80"]
depends_on: [db]
healthcheck: {test: curl -f localhost, interval: 5s}
restart: on-failure
stop_grace_period: 20s
deploy: {replicas: 2, resources: {limits: {cpus: "2", memory: 2G}}}
`;
/** The app with `web` changed by replacing one line of it. */
function appWith(line?: string, change: (text: string) => string = (text) => text): AppSpec {
  const key = line?.split(':')[0];
  const lines = base
    .trim()
    .split('\n')
    .map((old) => (key !== undefined && old.startsWith(`${key}:`) ? (line ?? '') : old));
  const text = change(
    lines.includes(line ?? '') || line === undefined ? lines.join('\n') : [...lines, line].join('\n'),
  );
  return appOf(
    documentOf(`name: shop\nservices:\n  db: {image: b}\n  cache: {image: c}\n  web:\n${text.replace(/^/gm, '    ')}`),
  );
}
const web = (app: AppSpec) => app.services.find(({ name }) => name === 'web')!;
const changeOf = (after: AppSpec) => diffApps(appWith(), after).find(({ service }) => service === 'web')!;

describe('a new revision', () => {
  it.each([
    ['image: a:2', ['template.image']],
    ['entrypoint: [/bin/other]', ['template.command']],
    ['command: [serve, -v]', ['template.command']],
    ['environment: {MODE: y, LEVEL: "1"}', ['template.environment.MODE']],
    ['environment: {MODE: x}', ['template.environment.LEVEL']],
    ['environment: {MODE: x, LEVEL: "1", NEW: ""}', ['template.environment.NEW']],
    ['ports: ["80", "81"]', ['template.ports']],
    ['ports: ["80/udp", "80"]', ['template.ports']],
    ['restart: always', ['template.restartPolicy']],
    ['healthcheck: {test: curl -f localhost, interval: 6s}', ['template.liveness.periodSeconds']],
    ['healthcheck: {test: curl -f localhost/x, interval: 5s}', ['template.liveness.exec', 'template.readiness.path']],
    [
      'healthcheck: {disable: true}',
      [
        'template.liveness',
        'template.readiness.afterMs',
        'template.readiness.kind',
        'template.readiness.path',
        'template.readiness.port',
        'template.readiness.scheme',
        'template.readiness.timeoutMs',
      ],
    ],
    ['deploy: {replicas: 2, resources: {limits: {cpus: "3", memory: 2G}}}', ['template.cpuCores']],
    ['deploy: {replicas: 9, resources: {limits: {cpus: "2", memory: 3G}}}', ['replicas', 'template.memoryGiB']],
    [
      'x-flotilla: {probes: {readiness: {tcp: {port: 80}}}}',
      ['template.readiness.kind', 'template.readiness.path', 'template.readiness.scheme'],
    ],
  ])('is made by %s', (line, fields) => {
    const after = appWith(line);
    expect(changeOf(after)).toEqual({ service: 'web', kind: 'revised', fields });
    expect(revisionHash(web(after).template)).not.toBe(revisionHash(web(appWith()).template));
  });

  it.each([
    ['deploy: {replicas: 5, resources: {limits: {cpus: "2", memory: 2G}}}', 'scaled', ['replicas']],
    ['deploy: {replicas: 0, resources: {limits: {cpus: "2", memory: 2G}}}', 'scaled', ['replicas']],
    ['depends_on: [db, cache]', 'unchanged', ['dependsOn']],
    ['depends_on: {db: {condition: service_healthy}}', 'unchanged', ['dependsOn']],
    ['stop_grace_period: 30s', 'unchanged', ['drainMs']],
    ['labels: {a: b}', 'unchanged', []],
    ['tty: true', 'unchanged', []],
    ['x-other: {a: b}', 'unchanged', []],
    [
      'deploy: {replicas: 2, resources: {limits: {cpus: "2", memory: 2G}}, update_config: {parallelism: 1}}',
      'unchanged',
      ['rollout'],
    ],
  ])('is not made by %s', (line, kind, fields) => {
    const after = appWith(line);
    expect(changeOf(after)).toEqual({ service: 'web', kind, fields });
    expect(revisionHash(web(after).template)).toBe(revisionHash(web(appWith()).template));
  });

  it.each([
    ['the environment as a list', 'environment: [LEVEL=1, MODE=x]'],
    ['the environment in another order', 'environment: {LEVEL: 1, MODE: x}'],
    ['entrypoint and command as texts', 'command: "serve"'],
    ['a port in its long form', 'ports: [{target: 80, protocol: tcp}]'],
    [
      'a default stated',
      'healthcheck: {test: curl -f localhost, interval: 5s, retries: 3, timeout: 0s, start_period: 0s}',
    ],
    ['another unit', 'deploy: {replicas: 2, resources: {limits: {cpus: 2.0, memory: 2048m}}}'],
    [
      'another word for the same policy',
      'deploy: {replicas: 2, resources: {limits: {cpus: "2", memory: 2G}}, restart_policy: {condition: on-failure}}',
    ],
    ['dependencies in their long form', 'depends_on: {db: {condition: service_started}}'],
  ])('is not made by saying the same in another way: %s', (_, line) => {
    expect(changeOf(appWith(line))).toEqual({ service: 'web', kind: 'unchanged', fields: [] });
  });

  it('is not made by the order of keys', () => {
    expect(
      diffApps(
        appWith(),
        appWith(undefined, (text) => text.split('\n').reverse().join('\n')),
      ).every(({ fields }) => fields.length === 0),
    ).toBe(true);
  });

  it('has a hash of 12 hex digits that a rebuild of Flotilla does not change', () => {
    expect(revisionHash(web(appWith()).template)).toBe('24ee3c9a5d33');
  });
});

describe('the difference of two apps', () => {
  const app = (services: string) => appOf(documentOf(`name: shop\nservices: {${services}}`));

  it('names services that come and go, sorted', () => {
    expect(diffApps(app('b: {image: b}, c: {image: c}'), app('c: {image: c}, a: {image: a}'))).toEqual([
      { service: 'a', kind: 'added', fields: [] },
      { service: 'b', kind: 'removed', fields: [] },
      { service: 'c', kind: 'unchanged', fields: [] },
    ]);
  });

  it('from nothing everything is added, to nothing everything removed', () => {
    const some = app('b: {image: b}, a: {image: a}');
    expect(diffApps(undefined, some).map(({ service, kind }) => [service, kind])).toEqual([
      ['a', 'added'],
      ['b', 'added'],
    ]);
    expect(diffApps(some, undefined).map(({ service, kind }) => [service, kind])).toEqual([
      ['a', 'removed'],
      ['b', 'removed'],
    ]);
    expect(diffApps(undefined, undefined)).toEqual([]);
  });

  it('shows names with strange characters as paths do', () => {
    const before = app('web: {image: a, environment: {constructor: x}}');
    const after = app('web: {image: a, environment: {constructor: y, toString: z}}');
    expect(diffApps(before, after)[0]?.fields).toEqual([
      'template.environment.constructor',
      'template.environment.toString',
    ]);
  });
});
