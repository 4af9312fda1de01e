import { describe, expect, it } from 'vitest';
import type { Amount, RolloutSpec } from '../../../src/model/rollout.ts';
import { parseApp } from '../../../src/spec/parse-app.ts';
import { documentOf } from '../../support/compose.ts';

const parsed = (service: string) => parseApp(documentOf(`name: shop\nservices: { web: { image: nginx, ${service} } }`));
const rollout = (service: string): RolloutSpec | undefined => {
  const result = parsed(service);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value.app.services[0]?.rollout;
};
const said = (service: string): readonly string[] => {
  const result = parsed(service);
  return (result.ok ? result.value.warnings : result.error).map(
    ({ severity, path, problem }) => `${severity} ${path} ${problem}`,
  );
};
const swarm = (text: string) => `deploy: { update_config: { ${text} } }`;
const own = (text: string) => `x-flotilla: { rollout: { ${text} } }`;

const inPlace = (maxUnavailable: Amount) => ({ strategy: 'rolling' as const, maxSurge: 0, maxUnavailable });
const beside = (maxSurge: Amount) => ({ strategy: 'rolling' as const, maxSurge, maxUnavailable: 0 });
/** What Swarm does unless it is told otherwise, its watch raised to what can be seen. */
const swarms = { onFailure: 'pause' as const, monitorMs: 30_000, maxFailureRatio: 0 };

describe('how a service is rolled out', () => {
  it.each<[string, RolloutSpec | undefined]>([
    ['restart: always', undefined],
    [swarm('order: stop-first'), { ...inPlace(1), ...swarms }],
    [swarm('parallelism: 2, order: stop-first'), { ...inPlace(2), ...swarms }],
    [swarm('parallelism: 2, order: start-first'), { ...beside(2), ...swarms }],
    [swarm('parallelism: 0, order: start-first'), { ...beside('100%'), ...swarms }],
    [swarm('parallelism: 3'), { ...inPlace(3), ...swarms }],
    [swarm('order: start-first, failure_action: rollback'), { ...beside(1), ...swarms, onFailure: 'rollback' }],
    [swarm('order: start-first, failure_action: continue'), { ...beside(1), ...swarms, onFailure: 'continue' }],
    [
      swarm('order: start-first, monitor: 2m, max_failure_ratio: 0.2'),
      { ...beside(1), onFailure: 'pause', monitorMs: 120_000, maxFailureRatio: 0.2 },
    ],
    [`${swarm('failure_action: rollback')}, ${own('maxSurge: 2')}`, { ...beside(2), ...swarms, onFailure: 'rollback' }],
    [
      `${swarm('order: start-first')}, ${own('bake: 1m, minReady: 5s')}`,
      { ...beside(1), ...swarms, bakeMs: 60_000, minReadyMs: 5_000 },
    ],
    [
      'deploy: { rollback_config: { parallelism: 0, order: start-first } }',
      { ...beside('25%'), rollback: { maxSurge: '100%', maxUnavailable: 0, maxFailureRatio: 0, monitorMs: 30_000 } },
    ],
    [own('progressDeadline: 5m'), { ...beside('25%'), progressDeadlineMs: 300_000 }],
    [own('whenNoSurge: stopFirst'), { ...beside('25%'), whenNoSurge: 'stopFirst' }],
    [
      own('strategy: canary, steps: [ { replicas: 1, bake: 2m }, { replicas: "50%", gate: manual } ]'),
      {
        ...beside('25%'),
        strategy: 'canary',
        steps: [
          { replicas: 1, bakeMs: 120_000 },
          { replicas: '50%', bakeMs: 300_000, gate: 'manual' },
        ],
      },
    ],
    [own('strategy: blueGreen, gate: manual'), { ...beside('100%'), strategy: 'blueGreen', gate: 'manual' }],
    [own('strategy: recreate'), { strategy: 'recreate', maxSurge: 0, maxUnavailable: '100%' }],
    [own('maxSurge: 2'), { strategy: 'rolling', maxSurge: 2, maxUnavailable: 0 }],
    [own('maxSurge: "50%", maxUnavailable: 1'), { strategy: 'rolling', maxSurge: '50%', maxUnavailable: 1 }],
  ])('%s', (service, expected) => {
    expect(rollout(service)).toEqual(expected);
  });

  it.each<[string, string]>([
    [swarm('parallelism: 1'), 'warning services.web.deploy.update_config has no `order`'],
    [
      swarm('order: start-first, monitor: 5s'),
      'warning services.web.deploy.update_config.monitor 5s becomes 30s: what is ready is looked at that often.',
    ],
    [swarm('order: start-first, max_failure_ratio: 2'), 'error services.web.deploy.update_config.max_failure_ratio'],
    [swarm('order: start-first, delay: 5s'), 'warning services.web.deploy.update_config.delay `delay` is ignored'],
    [
      'deploy: { rollback_config: { order: start-first, failure_action: continue } }',
      'warning services.web.deploy.rollback_config.failure_action `failure_action` is ignored: a rollback is never',
    ],
    [own('strategy: canary'), 'error services.web.x-flotilla.rollout.steps a canary needs at least one step.'],
    [own('steps: [ { replicas: 1 } ]'), 'error services.web.x-flotilla.rollout.steps belong to `strategy: canary`.'],
    ...[
      ['{ replicas: 2 }, { replicas: 2 }', 'steps[1].replicas 2 is not more than the step before has'],
      ['{ replicas: "20%" }, { replicas: 3 }, { replicas: "10%" }', 'steps[2].replicas 10% is not more'],
      ['{ replicas: 0 }', 'steps[0].replicas a step without a replica tries nothing.'],
      ['{ replicas: "101%" }', 'steps[0].replicas must be a number of replicas or a share'],
      ['{ bake: 1m }', 'steps[0] says nothing about how many replicas try the new revision.'],
      ['{ weight: 5 }', 'steps[0].weight a share of the traffic needs an ingress'],
      ['{ weight: 120 }', 'steps[0].weight is no share of the traffic, 1 to 100 %.'],
      ['{ replicas: 1, gate: robot }', 'steps[0].gate is not a gate.'],
      ['1', 'steps[0] must be a mapping.'],
    ].map(([steps, fault]): [string, string] => [
      own(`strategy: canary, steps: [ ${steps} ]`),
      `error services.web.x-flotilla.rollout.${fault}`,
    ]),
    [own('gate: manual'), 'error services.web.x-flotilla.rollout.gate belongs to `strategy: blueGreen`.'],
    [own('strategy: blueGreen, maxSurge: 1'), 'error services.web.x-flotilla.rollout.maxSurge has no meaning'],
    [
      own('progressDeadline: 10s'),
      'error services.web.x-flotilla.rollout.progressDeadline 10s is over before a replica counts as ready, after 10s.',
    ],
    [own('progressDeadline: 1m, minReady: 2m'), 'error services.web.x-flotilla.rollout.progressDeadline 1m is over'],
    [own('whenNoSurge: cry'), 'error services.web.x-flotilla.rollout.whenNoSurge is not a way to make room.'],
    [own('strategy: slow'), 'error services.web.x-flotilla.rollout.strategy is not a strategy.'],
    [
      own('maxSurge: 0, maxUnavailable: 0'),
      'error services.web.x-flotilla.rollout with `maxSurge` and `maxUnavailable` both 0',
    ],
    [own('maxSurge: "0%"'), 'error services.web.x-flotilla.rollout with `maxSurge` and `maxUnavailable` both 0'],
    [own('maxSurge: "120%"'), 'error services.web.x-flotilla.rollout.maxSurge must be a number of replicas or a share'],
    [own('maxSurge: 1.5'), 'error services.web.x-flotilla.rollout.maxSurge'],
    [
      own('strategy: recreate, maxSurge: 1'),
      'error services.web.x-flotilla.rollout.maxSurge has no meaning in a `recreate`',
    ],
    [
      `${swarm('parallelism: 2, order: start-first')}, ${own('maxSurge: 1')}`,
      'error services.web.x-flotilla.rollout.maxSurge says how replicas are replaced, and so does `services.web.deploy.update_config.parallelism`.',
    ],
  ])('%s is told about', (service, expected) => {
    expect(said(service).join('\n')).toContain(expected);
  });

  it('says nothing about what Swarm and Flotilla both do', () => {
    expect(said(swarm('parallelism: 1, order: start-first, failure_action: pause'))).toEqual([]);
  });
});
