/** What else one service may say: image, replicas, restart, grace, environment. */
import { describe, expect, it } from 'vitest';
import { brief, problemsOf, webDocument, webOf, webProblems } from '../../support/compose.ts';

const errorsOf = (service: string) =>
  webProblems(service)
    .filter(({ severity }) => severity === 'error')
    .map(({ path }) => path);

describe('image', () => {
  it.each([
    'nginx',
    'nginx:1.29',
    'library/nginx:1.29-alpine',
    'ghcr.io/acme/web:1.4',
    'localhost:5000/a/b/c:latest',
    'example.azurecr.io/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    'app:v1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    'a_b/c__d/e-f:T.a-g_1',
  ])('%s', (image) => {
    expect(webOf(`image: ${image}`).template.image).toBe(image);
  });

  it.each([
    'Nginx',
    'nginx:',
    'nginx:a b',
    'http://x/y',
    'a//b',
    ':1',
    '-a',
    'a@sha256:1',
    'a:b:c',
    `a:${'x'.repeat(129)}`,
    'a'.repeat(600),
  ])('%s is refused', (image) => {
    expect(errorsOf(`image: ${JSON.stringify(image)}`)).toEqual(['services.web.image']);
  });

  it('none is refused; with `build`, the remedy is to push it', () => {
    expect(problemsOf({ name: 'shop', services: { web: {} } })).toMatchObject([
      { path: 'services.web', problem: 'has no `image`.' },
    ]);
    expect(webProblems('build: .')).toMatchObject([
      { severity: 'error', path: 'services.web.build', remedy: expect.stringContaining('docker compose build') },
    ]);
    expect(errorsOf('image: ""')).toEqual(['services.web.image']);
    expect(errorsOf('image: 1')).toEqual(['services.web.image']);
  });

  it('next to `build` is run as the registry has it, aloud', () => {
    expect(webProblems('image: a\nbuild: {context: ., args: {X: 1}}').map(brief)).toEqual([
      'warning services.web.build: is ignored: Flotilla builds nothing and runs `a` as the registry has it.',
    ]);
  });
});

describe('replicas', () => {
  it.each([
    ['-1', 'asks for -1 replicas, but the least is 0.'],
    ['501', 'asks for 501 replicas, but at most 500 can be had.'],
  ])('%s is refused with the bound that it breaks', (replicas, problem) => {
    expect(webProblems(`deploy: {replicas: ${replicas}}`)).toMatchObject([{ problem }]);
  });

  it.each([
    ['{}', 1],
    ['deploy: {replicas: 6}', 6],
    ['deploy: {replicas: 0}', 0],
    ['deploy: {replicas: "3"}', 3],
    ['scale: 4', 4],
    ['scale: 4\ndeploy: {replicas: 4}', 4],
    ['deploy: {replicas: 500}', 500],
    ['deploy: {mode: replicated, replicas: 2}', 2],
  ])('%s', (service, replicas) => {
    expect(webOf(service).replicas).toBe(replicas);
    expect(webProblems(service)).toEqual([]);
  });

  it.each([
    ['deploy: {replicas: 501}', 'services.web.deploy.replicas'],
    ['deploy: {replicas: -1}', 'services.web.deploy.replicas'],
    ['deploy: {replicas: 1.5}', 'services.web.deploy.replicas'],
    ['deploy: {replicas: many}', 'services.web.deploy.replicas'],
    ['deploy: {replicas: [1]}', 'services.web.deploy.replicas'],
    ['scale: -1', 'services.web.scale'],
    ['scale: 2\ndeploy: {replicas: 3}', 'services.web.scale'],
    ['deploy: {mode: global}', 'services.web.deploy.mode'],
    ['deploy: {mode: replicated-job}', 'services.web.deploy.mode'],
    ['deploy: 3', 'services.web.deploy'],
  ])('%s is refused', (service, path) => {
    expect(errorsOf(service)).toEqual([path]);
  });
});

describe('restart', () => {
  it.each([
    ['{}', 'Always'],
    ['restart: always', 'Always'],
    ['restart: unless-stopped', 'Always'],
    ['restart: on-failure', 'OnFailure'],
    ['restart: no', 'Never'],
    ['restart: "no"', 'Never'],
    ['deploy: {restart_policy: {condition: any}}', 'Always'],
    ['deploy: {restart_policy: {condition: on-failure}}', 'OnFailure'],
    ['deploy: {restart_policy: {condition: none}}', 'Never'],
    ['deploy: {restart_policy: {}}', 'Always'],
    ['restart: "no"\ndeploy: {restart_policy: {condition: none}}', 'Never'],
  ])('%s → %s', (service, policy) => {
    expect(webOf(service).template.restartPolicy).toBe(policy);
    expect(webProblems(service)).toEqual([]);
  });

  it.each([
    ['restart: on-failure:3', 'OnFailure', 'services.web.restart'],
    ['restart: "no"\ndeploy: {restart_policy: {condition: any}}', 'Always', 'services.web.restart'],
    [
      'deploy: {restart_policy: {condition: any, max_attempts: 3}}',
      'Always',
      'services.web.deploy.restart_policy.max_attempts',
    ],
    ['deploy: {restart_policy: {delay: 5s}}', 'Always', 'services.web.deploy.restart_policy.delay'],
    ['deploy: {restart_policy: {window: 5s}}', 'Always', 'services.web.deploy.restart_policy.window'],
  ])('%s → %s with a warning', (service, policy, path) => {
    expect(webOf(service).template.restartPolicy).toBe(policy);
    expect(webProblems(service).map((problem) => [problem.severity, problem.path])).toEqual([['warning', path]]);
  });

  it.each([
    ['restart: sometimes', 'services.web.restart'],
    ['restart: alway', 'services.web.restart'],
    ['restart: always:3', 'services.web.restart'],
    ['restart: false', 'services.web.restart'],
    ['restart: toString', 'services.web.restart'],
    ['deploy: {restart_policy: {condition: always}}', 'services.web.deploy.restart_policy.condition'],
  ])('%s is refused', (service, path) => {
    expect(errorsOf(service)).toEqual([path]);
  });
});

describe('stop_grace_period becomes the drain', () => {
  it.each([
    ['{}', 10_000],
    ['stop_grace_period: 1s', 10_000],
    ['stop_grace_period: 1m30s', 90_000],
    ['stop_grace_period: 1.5h', 5_400_000],
    ['stop_grace_period: 20000ms', 20_000],
    ['stop_grace_period: 2d', 172_800_000],
    ['stop_grace_period: 30000000us', 30_000],
    ['stop_grace_period: 30000000000ns', 30_000],
    ['stop_grace_period: .5m', 30_000],
  ])('%s', (service, drainMs) => {
    expect(webOf(service).drainMs).toBe(drainMs);
  });

  it.each([
    'stop_grace_period: 10',
    'stop_grace_period: "10"',
    'stop_grace_period: -1s',
    'stop_grace_period: 8d',
    'stop_grace_period: soon',
    'stop_grace_period: 1m 30s',
  ])('%s is refused', (service) => {
    expect(errorsOf(service)).toEqual(['services.web.stop_grace_period']);
  });
});

describe('environment', () => {
  it.each([
    ['environment: {B: x, A: 1, C: true}', { A: '1', B: 'x', C: 'true' }],
    ['environment: [B=x, A=1, "C="]', { A: '1', B: 'x', C: '' }],
    ['environment: [A=1, A=2]', { A: '2' }],
    ['environment: {_a1: "x=y $z"}', { _a1: 'x=y $z' }],
    ['environment: {A: 1.50}', { A: '1.5' }],
    ['environment: []', {}],
    ['environment: {}', {}],
  ])('%s', (service, environment) => {
    const read = webOf(service).template.environment;
    expect(read).toEqual(environment);
    expect(Object.keys(read)).toEqual(Object.keys(read).sort());
  });

  it.each([
    ['environment: [A]', '[0]', 'has no value'],
    ['environment: {A: }', '.A', 'has no value'],
    ['environment: {FLOTILLA_SLOT: "1"}', '.FLOTILLA_SLOT', 'set by Flotilla'],
    ['environment: [FLOTILLA_APP=x]', '[0]', 'set by Flotilla'],
    ['environment: {1A: x}', '.1A', 'not a name'],
    ['environment: {discovery.type: single-node}', '["discovery.type"]', 'not a name'],
    ['environment: {a-b: x}', '.a-b', 'not a name'],
    ['environment: {"A B": x}', '["A B"]', 'not a name'],
    ['environment: {"": x}', '[""]', 'not a key'],
    ['environment: ["=x"]', '[0]', 'not a name'],
    ['environment: {A: {b: c}}', '.A', 'must be'],
    ['environment: {A: {secretRef: db-password}}', '.A', 'holds plain values only'],
    ['environment: {A: {secretRef: [1]}}', '.A', 'holds plain values only'],
    ['environment: [1]', '[0]', 'must be'],
    ['environment: x', '', 'must be'],
    ['environment: ', '', 'must be'],
  ])('%s is refused', (service, path, problem) => {
    expect(problemsOf(webDocument(service))).toMatchObject([
      { severity: 'error', path: `services.web.environment${path}`, problem: expect.stringContaining(problem) },
    ]);
  });
});
