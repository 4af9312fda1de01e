/** The app that the README starts must be exactly what its file says, and earn no warning. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { check } from '../../support/compose.ts';

const text = readFileSync('examples/voting/compose.yaml', 'utf8');
const small = { cpuCores: 1, memoryGiB: 1, restartPolicy: 'Always' } as const;
const probed = { initialDelaySeconds: 0, periodSeconds: 5, failureThreshold: 3, timeoutSeconds: 2 };
const backends = [
  { service: 'queue', condition: 'healthy' },
  { service: 'store', condition: 'healthy' },
];

describe('the voting example', () => {
  it('becomes four services without a warning', async () => {
    const result = await check(text);
    expect(result.ok && result.value.warnings).toEqual([]);
    expect(result.ok && result.value.app).toEqual({
      name: 'voting',
      pools: [],
      services: [
        {
          name: 'queue',
          replicas: 1,
          replicasByDefault: true,
          dependsOn: [],
          drainMs: 10_000,
          template: {
            ...small,
            image: 'redis:7',
            command: [],
            environment: {},
            ports: [{ port: 6379, protocol: 'TCP' }],
            liveness: { exec: ['redis-cli', 'ping'], ...probed },
            readiness: { kind: 'tcp', port: 6379, timeoutMs: 2000 },
          },
        },
        {
          name: 'store',
          replicas: 1,
          replicasByDefault: true,
          dependsOn: [],
          drainMs: 10_000,
          template: {
            ...small,
            image: 'postgres:16',
            command: [],
            environment: { POSTGRES_DB: 'votes', POSTGRES_HOST_AUTH_METHOD: 'trust' },
            ports: [{ port: 5432, protocol: 'TCP' }],
            liveness: { exec: ['/bin/sh', '-c', 'pg_isready --username postgres --dbname votes'], ...probed },
            readiness: { kind: 'tcp', port: 5432, timeoutMs: 2000 },
          },
        },
        {
          name: 'web',
          replicas: 3,
          dependsOn: backends,
          drainMs: 10_000,
          template: {
            ...small,
            image: 'nginxinc/nginx-unprivileged:1.29-alpine',
            command: [],
            environment: { OPTION_A: 'Cats', OPTION_B: 'Dogs', STANDIN_AS: 'nginx' },
            ports: [{ port: 8080, protocol: 'TCP' }],
            liveness: { exec: ['wget', '-qO-', 'http://localhost:8080/'], ...probed },
            readiness: { kind: 'http', path: '/', port: 8080, scheme: 'http', timeoutMs: 2000 },
          },
        },
        {
          name: 'worker',
          replicas: 1,
          replicasByDefault: true,
          dependsOn: backends,
          drainMs: 10_000,
          template: {
            ...small,
            image: 'busybox:1.37',
            command: ['/bin/sh', '-c', 'while true; do touch /tmp/alive; echo "counting votes"; sleep 1; done'],
            environment: { STANDIN_FILES: '/tmp/alive' },
            ports: [],
            liveness: {
              exec: ['test', '-f', '/tmp/alive'],
              initialDelaySeconds: 0,
              periodSeconds: 1,
              failureThreshold: 2,
              timeoutSeconds: 1,
            },
            readiness: { kind: 'running', afterMs: 2000 },
          },
        },
      ],
    });
  });

  it('lets the shell choose what is voted on', async () => {
    const result = await check(text, { environment: { OPTION_A: 'Tea', OPTION_B: '' } });
    const web = result.ok ? result.value.app.services.find(({ name }) => name === 'web') : undefined;
    expect(web?.template.environment).toMatchObject({ OPTION_A: 'Tea', OPTION_B: 'Dogs' });
  });
});
