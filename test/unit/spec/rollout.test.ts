import { describe, expect, it } from 'vitest';
import type { RolloutSpec } from '../../../src/model/rollout.ts';
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

describe('how a service is rolled out', () => {
  it.each<[string, RolloutSpec | undefined]>([
    ['restart: always', undefined],
    [swarm('order: stop-first'), { strategy: 'rolling', maxSurge: 0, maxUnavailable: 1 }],
    [swarm('parallelism: 2, order: stop-first'), { strategy: 'rolling', maxSurge: 0, maxUnavailable: 2 }],
    [swarm('parallelism: 2, order: start-first'), { strategy: 'rolling', maxSurge: 2, maxUnavailable: 0 }],
    [swarm('parallelism: 0, order: start-first'), { strategy: 'rolling', maxSurge: '100%', maxUnavailable: 0 }],
    [swarm('parallelism: 3'), { strategy: 'rolling', maxSurge: 0, maxUnavailable: 3 }],
    [own('strategy: recreate'), { strategy: 'recreate', maxSurge: 0, maxUnavailable: '100%' }],
    [own('maxSurge: 2'), { strategy: 'rolling', maxSurge: 2, maxUnavailable: 0 }],
    [own('maxSurge: "50%", maxUnavailable: 1'), { strategy: 'rolling', maxSurge: '50%', maxUnavailable: 1 }],
    [own('progressDeadline: 5m'), undefined],
  ])('%s', (service, expected) => {
    expect(rollout(service)).toEqual(expected);
  });

  it.each<[string, string]>([
    [swarm('parallelism: 1'), 'warning services.web.deploy.update_config has no `order`'],
    [swarm('order: start-first, failure_action: rollback'), 'warning services.web.deploy.update_config.failure_action'],
    [
      own('strategy: canary'),
      'warning services.web.x-flotilla.rollout.strategy `canary` is not there yet: the service is rolled',
    ],
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
