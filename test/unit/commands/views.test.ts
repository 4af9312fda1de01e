import { describe, expect, it } from 'vitest';
import { appOf, poolOf } from '../../../src/commands/http/views.ts';
import type { Port, ServiceTemplate } from '../../../src/model/app-spec.ts';
import { aGuard, anAppRow, aPool, aReplica, aRevision, aTemplate } from '../../support/rows.ts';

const probe = { timeoutMs: 1000 } as const;
const running = { kind: 'running', afterMs: 0 } as const;
const liveness = { initialDelaySeconds: 0, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 1 };

interface Row {
  readonly name: string;
  readonly ports: readonly Port[];
  readonly template?: Partial<ServiceTemplate>;
  readonly endpoint?: boolean;
  readonly expected: readonly string[];
}

describe('the addresses of a replica', () => {
  it.each<Row>([
    { name: 'a usual port of HTTP', ports: [{ port: 8080, protocol: 'TCP' }], expected: ['http://10.0.0.4:8080'] },
    { name: 'a usual port of HTTPS', ports: [{ port: 443, protocol: 'TCP' }], expected: ['https://10.0.0.4:443'] },
    { name: 'any other port', ports: [{ port: 5432, protocol: 'TCP' }], expected: ['tcp://10.0.0.4:5432'] },
    { name: 'a UDP port', ports: [{ port: 53, protocol: 'UDP' }], expected: [] },
    {
      name: 'a port that the readiness probe asks by HTTPS, beside one it does not ask',
      ports: [
        { port: 3000, protocol: 'TCP' },
        { port: 3001, protocol: 'TCP' },
      ],
      template: { readiness: { ...probe, kind: 'http', path: '/', port: 3000, scheme: 'https' } },
      expected: ['https://10.0.0.4:3000', 'tcp://10.0.0.4:3001'],
    },
    {
      name: 'a port that the liveness probe asks by HTTP',
      ports: [{ port: 3000, protocol: 'TCP' }],
      template: { liveness: { ...liveness, httpGet: { path: '/', port: 3000, scheme: 'http' } } },
      expected: ['http://10.0.0.4:3000'],
    },
    {
      name: 'a replica that is not in the endpoints',
      ports: [{ port: 80, protocol: 'TCP' }],
      endpoint: false,
      expected: [],
    },
  ])('of $name: $expected', ({ ports, template, endpoint = true, expected }) => {
    const view = {
      app: anAppRow(),
      guards: [aGuard()],
      revisions: [aRevision({ template: aTemplate({ readiness: running, ...template }) })],
      replicas: [aReplica({ ports, endpoint })],
      operations: [],
      rollouts: [],
    };
    expect(appOf(view, []).serviceList[0]?.replicas[0]?.addresses).toEqual(expected);
  });
});

describe('a pool that is to move', () => {
  it('says why it takes no new container groups, from where to where, and what to do', () => {
    const pending = { subscriptionId: 'sub', resourceGroup: 'rg', region: 'westus2' };
    const { region, reason, message } = poolOf(aPool({ pending }));
    expect([region, reason]).toEqual(['eastus', 'PoolMoving']);
    expect(message).toMatch(
      /^east is to move to westus2 \(.*\) once no container group of it is left in eastus \(.*remove them, or/,
    );
  });

  it('has nothing to say otherwise', () => {
    expect(poolOf(aPool())).toMatchObject({ reason: null, message: null });
  });
});
