import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { PlacementSpec } from '../../../src/model/placement.ts';
import { parseApp } from '../../../src/spec/parse-app.ts';

const parsed = (service: string) =>
  parseApp(parse(`name: shop\nservices:\n  store: { image: redis }\n  web:\n    image: nginx\n${service}`));
const placement = (service: string): PlacementSpec | undefined => {
  const result = parsed(service);
  if (!result.ok) throw new Error(result.error.map(({ path, problem }) => `${path} ${problem}`).join('\n'));
  return result.value.app.services.find(({ name }) => name === 'web')?.placement;
};
const problems = (service: string): readonly string[] => {
  const result = parsed(service);
  const found = result.ok ? result.value.warnings : result.error;
  return found.map(({ severity, path, problem }) => `${severity} ${path} ${problem}`);
};
const constraints = (...list: string[]) => `    deploy: { placement: { constraints: ${JSON.stringify(list)} } }`;
const extension = (text: string) => `    x-flotilla: { ${text} }`;

describe('placement of a service', () => {
  it('without rules is absent', () => {
    expect(placement('')).toBeUndefined();
    expect(placement('    deploy: { placement: {} }')).toBeUndefined();
  });

  it.each<[string, object | null]>([
    ['pool.region == eastus', { attribute: 'pool.region', operator: '==', values: ['eastus'] }],
    ['pool.region==eastus', { attribute: 'pool.region', operator: '==', values: ['eastus'] }],
    ['pool.kind != aci-spot', { attribute: 'pool.kind', operator: '!=', values: ['aci-spot'] }],
    ['pool.name in (one, two)', { attribute: 'pool.name', operator: 'in', values: ['one', 'two'] }],
    ['pool.labels.tier == gold', { attribute: 'pool.labels.tier', operator: '==', values: ['gold'] }],
    ['node.platform.os == linux', null],
  ])('reads the constraint %s', (text, expected) => {
    expect(placement(constraints(text))?.constraints).toEqual(expected === null ? undefined : [{ ...expected, text }]);
  });

  it.each<[string, string]>([
    ['pool.colour == red', 'there is no attribute `pool.colour`'],
    ['node.role == manager', 'there are no nodes, only pools'],
    ['node.hostname == one', '`node.hostname` is not supported yet: pools have no hosts'],
    ['pool.zone == 1', '`pool.zone` is not supported yet: pools have no zones'],
    ['pool.region = eastus', 'is not a constraint'],
    ['pool.region in eastus', 'is not a constraint'],
    ['pool.region in ()', 'is not a constraint'],
    ['pool.region', 'is not a constraint'],
  ])('refuses the constraint %s', (text, problem) => {
    expect(problems(constraints(text)).join('\n')).toContain(`error services.web.deploy.placement.constraints[0]`);
    expect(problems(constraints(text)).join('\n')).toContain(problem);
  });

  it.each<[string, string, boolean]>([
    ['pool.region == a', 'pool.region == b', true],
    ['pool.region == a', 'pool.region != a', true],
    ['pool.region in (a, b)', 'pool.region in (c, d)', true],
    ['pool.region in (a, b)', 'pool.region in (b, c)', false],
    ['pool.region in (a, b)', 'pool.region != a', false],
    ['pool.region != a', 'pool.region != b', false],
    ['pool.region == a', 'pool.name == b', false],
  ])('%s and %s clash: %3$s', (first, second, clash) => {
    const found = problems(constraints(first, second));
    expect(found.some((text) => text.includes(`can never hold together with \`${first}\``))).toBe(clash);
  });

  it('names both of two constraints that clash', () => {
    expect(problems(constraints('pool.region == a', 'pool.name == x', 'pool.region != a'))).toEqual([
      'error services.web.deploy.placement.constraints[2] `pool.region != a` can never hold together with `pool.region == a` (`services.web.deploy.placement.constraints[0]`).',
    ]);
  });

  it('reads preferences as spreads that may give way, and ignores those that nothing can meet', () => {
    const text = '    deploy: { placement: { preferences: [{ spread: pool.region }, { spread: pool.labels.rack }] } }';
    expect(placement(text)?.spread).toEqual([
      { topology: 'region', maxSkew: null },
      { topology: 'labels.rack', maxSkew: null },
    ]);
    expect(problems('    deploy: { placement: { preferences: [{ spread: node.labels.zone }] } }')).toEqual([
      'warning services.web.deploy.placement.preferences[0].spread this preference is ignored: there is no attribute `node.labels.zone`: there are no nodes, only pools.',
    ]);
  });

  it('reads spreads, required unless they say otherwise', () => {
    expect(
      placement(extension('spread: [{ topology: region, maxSkew: 2 }, { topology: pool, required: false }]'))?.spread,
    ).toEqual([
      { topology: 'region', maxSkew: 2 },
      { topology: 'pool', maxSkew: null },
    ]);
  });

  it('reads affinities, required unless they say otherwise, to services of the app', () => {
    const text = extension(
      'affinity: [{ service: store, topology: pool }], antiAffinity: [{ service: web, topology: region, required: false, weight: 10 }]',
    );
    expect(placement(text)?.affinity).toEqual([
      { service: 'store', topology: 'pool', anti: false, required: true, weight: 100 },
      { service: 'web', topology: 'region', anti: true, required: false, weight: 10 },
    ]);
  });

  it.each<[string, string]>([
    [
      'affinity: [{ service: stor, topology: pool }]',
      'error services.web.x-flotilla.affinity[0].service there is no service `stor`.',
    ],
    [
      'affinity: [{ service: store, topology: zone }]',
      'error services.web.x-flotilla.affinity[0].topology `zone` is not supported yet: pools have no zones.',
    ],
    [
      'affinity: [{ service: store, topology: zone, required: false }]',
      'warning services.web.x-flotilla.affinity[0].topology this preference is ignored: `zone` is not supported yet: pools have no zones.',
    ],
    ['spread: [{ topology: colour }]', 'error services.web.x-flotilla.spread[0].topology must be a topology.'],
    [
      'spread: [{ topology: region, maxSkew: 0 }]',
      'error services.web.x-flotilla.spread[0].maxSkew asks for 0 replicas, but the least is 1.',
    ],
    ['spread: { topology: region }', 'error services.web.x-flotilla.spread must be a list.'],
    [
      'spread: [{ topology: region, maxSkw: 1 }]',
      'error services.web.x-flotilla.spread[0].maxSkw `maxSkw` is not a key that can stand here.',
    ],
    [
      'affinity: [{ service: store, topology: pool, weight: 0 }]',
      'error services.web.x-flotilla.affinity[0].weight asks for 0 points, but the least is 1.',
    ],
  ])('says of %s what is wrong', (text, expected) => {
    expect(problems(extension(text))).toContain(expected);
  });
});
