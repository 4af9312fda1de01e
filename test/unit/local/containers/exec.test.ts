/** Health-check commands against a group in which 8080 serves, 8081 fails, 8082 hangs, 6379 speaks TCP and nothing else listens. */
import { describe, expect, it } from 'vitest';
import type { Inside, Reached } from '../../../../src/local/aci/containers-port.ts';
import { execute } from '../../../../src/local/containers/exec.ts';

const ports: Readonly<Record<number, Reached>> = {
  80: { kind: 'http', status: 200, delayMs: 0 },
  8080: { kind: 'http', status: 200, delayMs: 5 },
  8081: { kind: 'http', status: 500, delayMs: 0 },
  8082: { kind: 'silent' },
  6379: { kind: 'tcp', banner: '' },
  5432: { kind: 'tcp', banner: '' },
};
const inside: Inside = {
  reach: (port) => ports[port] ?? { kind: 'refused' },
  files: ['/tmp/healthy'],
  hostname: 'host-1',
  environment: { GREETING: 'hello' },
};
const code = (command: readonly string[]): number | 'too slow' => {
  const { exitCode, tookMs } = execute(command, inside, 1_000);
  return tookMs > 1_000 ? 'too slow' : exitCode;
};
const sh = (script: string) => code(['sh', '-c', script]);

describe('programs', () => {
  it.each<[string, number | 'too slow']>([
    ['true', 0],
    ['false', 1],
    ['/bin/true', 0],
    ['printenv GREETING', 0],
    ['printenv OTHER', 1],
    ['hostname', 0],
    ['toString', 127],
    ['cat /tmp/healthy', 0],
    ['cat /tmp/other', 1],
    ['test -f /tmp/healthy', 0],
    ['[ -e /tmp/other ]', 1],
    ['wget -qO- http://localhost:8080/healthz', 0],
    ['wget --spider -q localhost', 0],
    ['wget -T 3 -O /dev/null http://127.0.0.1:8081/', 8],
    ['wget -q localhost:9999', 4],
    ['wget -q localhost:8082', 'too slow'],
    ['wget -q localhost:6379', 1],
    ['wget -q example.com', 4],
    ['curl -f http://localhost:8080/', 0],
    ['curl http://localhost:8081/', 0],
    ['curl -fsS http://localhost:8081/', 22],
    ['curl --fail --max-time 2 http://localhost:8081/', 22],
    ['curl localhost:9999', 7],
    ['nc -z localhost 6379', 0],
    ['nc -z -w 2 127.0.0.1 9999', 1],
    ['redis-cli ping', 0],
    ['redis-cli -p 9999 ping', 1],
    ['pg_isready -U postgres', 0],
    ['pg_isready -p 9999', 2],
    ['mysqladmin ping', 1],
    ['sleep 5', 'too slow'],
    ['python -c pass', 127],
  ])('%s → %s', (command, expected) => {
    expect(code(command.split(' '))).toBe(expected);
  });
});

describe('scripts', () => {
  it.each<[string, number | 'too slow']>([
    ['exit 3', 3],
    ['exit 256', 0],
    ['false; exit', 1],
    ['true && false', 1],
    ['false || true', 0],
    ['false && false || true', 0],
    ['true || exit 1', 0],
    ['wget -q localhost:9999 || exit 1', 1],
    ['wget -qO- localhost:8080 >/dev/null 2>&1 || exit 1', 0],
    ['curl -s http://localhost:8080 > /dev/null', 0],
    ['redis-cli ping | grep PONG', 0],
    ['redis-cli ping | grep -q "NOPE"', 1],
    ["redis-cli ping | grep -i 'pong'", 0],
    ['! test -f /tmp/other', 0],
    ['test -f "/tmp/healthy" && curl -f localhost:8080', 0],
    ['sleep 2; true', 'too slow'],
    ['[ "$(redis-cli ping)" = PONG ]', 127],
    ['for i in 1 2', 127],
    ['', 0],
  ])('%s → %s', (script, expected) => {
    expect(sh(script)).toBe(expected);
  });

  it('finds the script behind combined flags', () => {
    expect(code(['/bin/bash', '-ec', 'exit 4'])).toBe(4);
  });

  it('says which command is missing', () => {
    expect(execute(['sh', '-c', 'node -v'], inside, 1_000).output).toBe('node: command not found');
  });
});
