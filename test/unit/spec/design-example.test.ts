/** The example of the design ("What users write"), word for word: what of it is used, and the exact answer to everything that is not. */
import { describe, expect, it } from 'vitest';
import { brief, check, documentOf, problemsOf } from '../../support/compose.ts';

const example = `
name: shop
x-flotilla:
  pools: [eastus, westus2]
services:
  web:
    image: ghcr.io/acme/web:1.4
    ports: ["80"]
    depends_on: { api: { condition: service_healthy } }
    healthcheck: { test: ["CMD", "wget", "-qO-", "localhost"], interval: 10s, retries: 3, start_period: 20s }
    deploy:
      replicas: 6
      resources: { limits: { cpus: "1", memory: 1G } }
      placement: { constraints: ["pool.kind != aci-spot"], preferences: [ { spread: pool.region } ] }
      update_config: { parallelism: 2, order: start-first, failure_action: rollback, monitor: 30s, max_failure_ratio: 0.1 }
    x-flotilla:
      scale: { min: 2, max: 20, metrics: [ { cpu: 60% } ] }
      rollout: { strategy: canary, steps: [ { replicas: 1, bake: 5m } ], progressDeadline: 10m }
      probes: { readiness: { http: { path: /healthz, port: 80 } } }
      antiAffinity: [ { service: web, topology: zone, required: false } ]
  log:
    image: ghcr.io/acme/logship:2
    x-flotilla: { colocateWith: web }   # same container group: shares lifecycle, localhost and volumes
`;

describe('the example of the design', () => {
  it('is refused for what would make another app of it, and warned about for what does not act yet', () => {
    expect(problemsOf(documentOf(example)).map(brief)).toEqual([
      'error services.log.x-flotilla.colocateWith: services that run side by side do not share a container group yet; only what runs to its end before another starts can.',
      'error services.web.depends_on.api: the app has no service `api`.',
      'warning services.web.x-flotilla.antiAffinity[0].topology: this preference is ignored: `zone` is not supported yet: pools have no zones.',
      'warning services.web.x-flotilla.scale: `scale` is ignored: not used yet; the number of replicas is `deploy.replicas`.',
    ]);
  });

  it('names the line of each in the file, and says what to do', async () => {
    const result = await check(example);
    const problems = result.ok ? [] : result.error;
    expect(problems.map(({ line }) => line)).toEqual([23, 9, 20, 17]);
    for (const { file, remedy } of problems) {
      expect(file).toBe('shop/compose.yaml');
      expect(remedy.length).toBeGreaterThan(10);
    }
  });

  it('becomes the app it describes once the two refused things are gone', async () => {
    const accepted = example
      .replace('colocateWith: web', '')
      .replace('{ api: { condition: service_healthy } }', '[log]');
    const result = await check(accepted);
    expect(result.ok && result.value.app).toEqual({
      name: 'shop',
      pools: ['eastus', 'westus2'],
      services: [
        {
          name: 'log',
          replicas: 1,
          replicasByDefault: true,
          dependsOn: [],
          drainMs: 10_000,
          template: {
            image: 'ghcr.io/acme/logship:2',
            command: [],
            environment: {},
            cpuCores: 1,
            memoryGiB: 1,
            ports: [],
            restartPolicy: 'Always',
            readiness: { kind: 'running', afterMs: 10_000 },
          },
        },
        {
          name: 'web',
          replicas: 6,
          dependsOn: [{ service: 'log', condition: 'started' }],
          drainMs: 10_000,
          rollout: {
            strategy: 'canary',
            maxSurge: 2,
            maxUnavailable: 0,
            steps: [{ replicas: 1, bakeMs: 300_000 }],
            onFailure: 'rollback',
            maxFailureRatio: 0.1,
            monitorMs: 30_000,
            progressDeadlineMs: 600_000,
          },
          placement: {
            constraints: [
              { attribute: 'pool.kind', operator: '!=', values: ['aci-spot'], text: 'pool.kind != aci-spot' },
            ],
            spread: [{ topology: 'region', maxSkew: null }],
            affinity: [],
            limits: [],
          },
          template: {
            image: 'ghcr.io/acme/web:1.4',
            command: [],
            environment: {},
            cpuCores: 1,
            memoryGiB: 1,
            ports: [{ port: 80, protocol: 'TCP' }],
            restartPolicy: 'Always',
            liveness: {
              exec: ['wget', '-qO-', 'localhost'],
              initialDelaySeconds: 20,
              periodSeconds: 10,
              failureThreshold: 3,
              timeoutSeconds: 30,
            },
            readiness: { kind: 'http', path: '/healthz', port: 80, scheme: 'http', timeoutMs: 2_000 },
          },
        },
      ],
    });
  });
});
