import { describe, expect, it } from 'vitest';
import { webOf, webProblems } from '../../support/compose.ts';

const templateOf = (service: string) => webOf(service).template;
const check = (inner: string) => `healthcheck: {${inner}}`;
const errorsOf = (service: string) => webProblems(service).filter(({ severity }) => severity === 'error');

describe('a healthcheck becomes the liveness probe of Azure Container Instances', () => {
  it.each([
    ['CMD', 'test: ["CMD", "pg_isready", "-U", "me"]', ['pg_isready', '-U', 'me']],
    ['CMD-SHELL', 'test: ["CMD-SHELL", "a && b"]', ['/bin/sh', '-c', 'a && b']],
    ['a text', 'test: a && b', ['/bin/sh', '-c', 'a && b']],
    ['NONE', 'test: ["NONE"]', undefined],
    ['an empty list', 'test: []', undefined],
    ['an empty text', 'test: ""', undefined],
    ['disable', 'disable: true', undefined],
    ['disable wins over a test', 'test: a, disable: true', undefined],
    ['disable from a variable', 'test: a, disable: "true"', undefined],
    ['not disabled', 'test: a, disable: false', ['/bin/sh', '-c', 'a']],
  ])('%s', (_, inner, exec) => {
    expect(templateOf(check(inner)).liveness?.exec).toEqual(exec);
    expect(webProblems(check(inner))).toEqual([]);
  });

  it.each([
    [
      'the defaults of Docker',
      '',
      { initialDelaySeconds: 0, periodSeconds: 30, failureThreshold: 3, timeoutSeconds: 30 },
    ],
    ['0 is the default, as in Docker', ', interval: 0s, timeout: 0s', { periodSeconds: 30, timeoutSeconds: 30 }],
    [
      'stated',
      ', interval: 1m30s, timeout: 5s, retries: 7, start_period: 2m',
      { periodSeconds: 90, timeoutSeconds: 5, failureThreshold: 7, initialDelaySeconds: 120 },
    ],
    ['retries as text', ', retries: "4"', { failureThreshold: 4 }],
  ])('times: %s', (_, inner, expected) => {
    expect(templateOf(check(`test: a${inner}`)).liveness).toMatchObject(expected);
    expect(webProblems(check(`test: a${inner}`))).toEqual([]);
  });

  it.each([
    ['interval: 500ms', 'interval', { periodSeconds: 1 }],
    ['interval: 1500ms', 'interval', { periodSeconds: 2 }],
    ['timeout: 100ms', 'timeout', { timeoutSeconds: 1 }],
    ['start_period: 1ms', 'start_period', { initialDelaySeconds: 1 }],
  ])('%s is rounded up to whole seconds, aloud', (inner, key, expected) => {
    expect(templateOf(check(`test: a, ${inner}`)).liveness).toMatchObject(expected);
    expect(webProblems(check(`test: a, ${inner}`))).toMatchObject([
      { severity: 'warning', path: `services.web.healthcheck.${key}` },
    ]);
  });

  it.each([
    ['test: ["CMD"]', 'test'],
    ['test: ["CMD-SHELL"]', 'test'],
    ['test: ["CMD-SHELL", "a", "b"]', 'test'],
    ['test: ["curl", "localhost"]', 'test'],
    ['test: 1', 'test'],
    ['test: {a: b}', 'test'],
    ['test: a, interval: 10', 'interval'],
    ['test: a, interval: "10"', 'interval'],
    ['test: a, interval: soon', 'interval'],
    ['test: a, interval: -1s', 'interval'],
    ['test: a, interval: 9w', 'interval'],
    ['test: a, retries: 0', 'retries'],
    ['test: a, retries: 1.5', 'retries'],
    ['test: a, retries: many', 'retries'],
    ['test: a, disable: maybe', 'disable'],
  ])('%s is refused', (inner, key) => {
    expect(errorsOf(check(inner)).map(({ path }) => path)).toEqual([`services.web.healthcheck.${key}`]);
  });

  it('a number without a unit is answered with one', () => {
    expect(webProblems(check('test: a, interval: 10'))).toMatchObject([
      { problem: 'must be a string, not `10`.', remedy: 'Write it with a unit, such as `10s`.' },
    ]);
  });

  it('without a test there is none, aloud: the image’s own is not read', () => {
    expect(templateOf(check('interval: 5s')).liveness).toBeUndefined();
    expect(webProblems(check('interval: 5s'))).toMatchObject([
      { severity: 'warning', path: 'services.web.healthcheck.test' },
    ]);
  });
});

describe('how a replica is found ready', () => {
  const http = (path: string, port: number, timeoutMs = 2000) => ({
    kind: 'http',
    path,
    port,
    scheme: 'http',
    timeoutMs,
  });
  const running = (afterMs: number) => ({ kind: 'running', afterMs });

  it.each([
    ['nothing stated: Running for minReady', '{}', running(10_000)],
    ['ports alone promise nothing', 'ports: ["80"]', running(10_000)],
    [
      'a healthcheck: start_period + retries × interval',
      check('test: a, interval: 5s, retries: 4, start_period: 10s'),
      running(30_000),
    ],
    ['a healthcheck with defaults', check('test: a'), running(90_000)],
    ['a disabled healthcheck', check('disable: true'), running(10_000)],
  ])('%s', (_, service, readiness) => {
    expect(templateOf(service).readiness).toEqual(readiness);
  });

  it.each([
    ['["CMD", "wget", "-qO-", "localhost"]', http('/', 80)],
    ['["CMD", "wget", "-q", "--spider", "http://localhost:8080/health"]', http('/health', 8080)],
    ['["CMD", "wget", "--no-verbose", "--tries=1", "--spider", "http://127.0.0.1:8080/a?b=c"]', http('/a?b=c', 8080)],
    ['["CMD", "curl", "-f", "http://localhost:8080/health"]', http('/health', 8080)],
    ['["CMD", "curl", "-fsS", "-o", "/dev/null", "http://localhost"]', http('/', 80)],
    ['["CMD", "/usr/bin/curl", "--fail", "--silent", "--max-time", "2", "localhost:8080"]', http('/', 8080)],
    ['["CMD-SHELL", "curl -f http://localhost:8080/ || exit 1"]', http('/', 8080)],
    ['curl --fail http://localhost:8080/x > /dev/null 2>&1 || false', http('/x', 8080)],
    ['"wget -qO- http://0.0.0.0/ || exit 1"', http('/', 80)],
    ['["CMD", "curl", "-f", "http://[::1]:8080/"]', http('/', 8080)],
  ])('an HTTP healthcheck of a declared port is probed over the network too: %s', (test, readiness) => {
    expect(
      templateOf(
        `ports: ["80", "8080"]\nhealthcheck: {test: ${test.startsWith('[') || test.startsWith('"') ? test : JSON.stringify(test)}}`,
      ).readiness,
    ).toEqual(readiness);
  });

  it.each([
    ['of a port that is not declared', '["CMD", "curl", "-f", "http://localhost:9090/"]'],
    ['of a port declared for UDP only', '["CMD", "curl", "-f", "http://localhost:53/"]'],
    ['of another host', '["CMD", "curl", "-f", "http://db:8080/"]'],
    ['without --fail, which any answer satisfies', '["CMD", "curl", "http://localhost:8080/"]'],
    ['by https', '["CMD", "curl", "-f", "https://localhost:8080/"]'],
    ['with a header', '["CMD", "curl", "-f", "-H", "Host: x", "http://localhost:8080/"]'],
    ['with a body', '["CMD", "curl", "-f", "-d", "x", "http://localhost:8080/"]'],
    ['that reads the answer', '["CMD-SHELL", "curl -f http://localhost:8080/ | grep ok"]'],
    ['that does more', '["CMD-SHELL", "curl -f http://localhost:8080/ && test -f /ok"]'],
    ['with a variable', '["CMD-SHELL", "curl -f http://localhost:$PORT/"]'],
    ['of two addresses', '["CMD", "curl", "-f", "http://localhost:8080/", "http://localhost/"]'],
    ['of no address', '["CMD", "curl", "-f"]'],
    ['by another program', '["CMD", "httpie", "http://localhost:8080/"]'],
  ])('nothing is derived from a healthcheck %s', (_, test) => {
    expect(templateOf(`ports: ["80", "8080", "53/udp"]\nhealthcheck: {test: ${test}}`).readiness.kind).toBe('running');
  });

  it('the patience of a derived probe is the timeout of the healthcheck, at most 10 s', () => {
    const withTimeout = (timeout: string) =>
      templateOf(`ports: ["80"]\nhealthcheck: {test: curl -f localhost, timeout: ${timeout}}`).readiness;
    expect(withTimeout('5s')).toMatchObject({ timeoutMs: 5_000 });
    expect(withTimeout('1m')).toMatchObject({ timeoutMs: 10_000 });
  });

  const probes = (inner: string) => `ports: ["80", "5432", "53/udp"]\nx-flotilla: {probes: {readiness: {${inner}}}}`;
  it.each([
    ['http: {path: /healthz, port: 80}', http('/healthz', 80)],
    ['http: {port: "80"}', http('/', 80)],
    ['http: {path: "/a?b=1", port: 80, scheme: https}', { ...http('/a?b=1', 80), scheme: 'https' }],
    ['http: {port: 80, status: 204}', { ...http('/', 80), status: { min: 204, max: 204 } }],
    ['http: {port: 80, status: "200-299"}', { ...http('/', 80), status: { min: 200, max: 299 } }],
    ['http: {port: 80, body: ready}', { ...http('/', 80), body: 'ready' }],
    [
      'http: {port: 80, headers: {X-Probe: "1", Host: shop.test}}',
      { ...http('/', 80), headers: { host: 'shop.test', 'x-probe': '1' } },
    ],
    ['http: {port: 80, headers: {}}', http('/', 80)],
    ['tcp: {port: 5432}', { kind: 'tcp', port: 5432, timeoutMs: 2000 }],
    ['tcp: {port: 5432}, timeout: 500ms', { kind: 'tcp', port: 5432, timeoutMs: 500 }],
  ])('x-flotilla states it: %s', (inner, readiness) => {
    expect(templateOf(probes(inner)).readiness).toEqual(readiness);
    expect(webProblems(probes(inner))).toEqual([]);
  });

  it('a stated probe wins over what a healthcheck would give', () => {
    const service =
      'ports: ["80"]\nhealthcheck: {test: curl -f localhost}\nx-flotilla: {probes: {readiness: {tcp: {port: 80}}}}';
    expect(templateOf(service)).toMatchObject({
      liveness: { exec: ['/bin/sh', '-c', 'curl -f localhost'] },
      readiness: { kind: 'tcp' },
    });
  });

  it('a longer patience than 10 s is cut, aloud', () => {
    expect(templateOf(probes('tcp: {port: 80}, timeout: 1m')).readiness).toMatchObject({ timeoutMs: 10_000 });
    expect(webProblems(probes('tcp: {port: 80}, timeout: 1m'))).toMatchObject([
      { severity: 'warning', path: 'services.web.x-flotilla.probes.readiness.timeout' },
    ]);
  });

  it.each([
    ['', ''],
    ['http: {port: 80}, tcp: {port: 80}', ''],
    ['http: {path: /}', '.http.port'],
    ['http: {port: 81}', '.http.port'],
    ['http: {port: 53}', '.http.port'],
    ['http: {port: 0}', '.http.port'],
    ['http: {port: web}', '.http.port'],
    ['http: {port: [80]}', '.http.port'],
    ['http: {port: 80, path: healthz}', '.http.path'],
    ['http: {port: 80, path: "/a b"}', '.http.path'],
    ['http: {port: 80, path: 1}', '.http.path'],
    ['http: {port: 80, scheme: gopher}', '.http.scheme'],
    ['http: {port: 80, status: 299-200}', '.http.status'],
    ['http: {port: 80, status: 99}', '.http.status'],
    ['http: {port: 80, status: ok}', '.http.status'],
    ['http: {port: 80, body: ""}', '.http.body'],
    ['http: {port: 80, body: 1}', '.http.body'],
    ['http: {port: 80, headers: [a]}', '.http.headers'],
    ['http: {port: 80, headers: {a: 1}}', '.http.headers'],
    ['http: {port: 80, headers: {"a b": x}}', '.http.headers'],
    ['http: {port: 80, headers: {Content-Length: "5"}}', '.http.headers'],
    ['http: 80', '.http'],
    ['http: ', '.http.port'],
    ['tcp: [80]', '.tcp'],
    ['tcp: {port: 9}', '.tcp.port'],
    ['tcp: {port: 80}, timeout: 2', '.timeout'],
    ['tcp: {port: 80}, timeout: soon', '.timeout'],
    ['exec: {command: a}', '.exec'],
  ])('x-flotilla.probes.readiness: {%s} is refused', (inner, path) => {
    const paths = errorsOf(probes(inner)).map((problem) => problem.path);
    expect(paths).toContain(`services.web.x-flotilla.probes.readiness${path}`);
  });

  it.each(['x-flotilla: {probes: [a]}', 'x-flotilla: {probes: {readiness: a}}', 'x-flotilla: a'])(
    '%s is refused',
    (service) => {
      expect(errorsOf(service)).toMatchObject([{ problem: 'must be a mapping.' }]);
    },
  );
});

describe('a dependency on a healthy service without a healthcheck', () => {
  it('is warned about: it waits for time only', () => {
    const service = 'depends_on: {web: {condition: service_healthy}}';
    expect(webProblems(service).map(({ path }) => path)).toContain('services.web.depends_on.web.condition');
  });
});
