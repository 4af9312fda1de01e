import { describe, expect, it } from 'vitest';
import { gateOf, targetOf } from '../../../src/decide/dependencies.ts';
import type { GuardRow } from '../../../src/model/state.ts';
import { aGuard, anApp, aService } from '../../support/rows.ts';

const app = anApp('shop', [
  aService('web', { dependsOn: [{ service: 'api', condition: 'healthy' }] }),
  aService('api'),
]);
const api = (over: Partial<GuardRow>) => new Map([['api', aGuard({ service: 'api', revision: 3, ...over })]]);
const web = (over: Partial<GuardRow> = {}) => aGuard({ revision: 2, dependenciesMetRevision: 1, ...over });

describe('the gate of a new revision', () => {
  it.each<[string, boolean, ReturnType<typeof gateOf>]>([
    ['is shut while the dependency was never healthy', false, gateOf(web(), app, api({}))],
    ['is shut while only its older revision was', false, gateOf(web(), app, api({ healthyRevision: 2 }))],
    ['is open once its revision was healthy', true, gateOf(web(), app, api({ healthyRevision: 3 }))],
    ['is shut to a dependency that only started', false, gateOf(web(), app, api({ startedRevision: 3 }))],
    [
      'is shut while the dependency is torn down',
      false,
      gateOf(web(), app, api({ healthyRevision: 3, removed: true })),
    ],
    ['is shut while there is no such service', false, gateOf(web(), app, new Map())],
    ['is open once it was open for this revision', true, gateOf(web({ dependenciesMetRevision: 2 }), app, api({}))],
    ['is open to a teardown', true, gateOf(web({ removed: true }), app, api({}))],
    ['is open where nothing is depended on', true, gateOf(aGuard({ service: 'api' }), app, new Map())],
    ['is open where the app has no spec any more', true, gateOf(web(), null, new Map())],
  ])('%s', (_, open, gate) => {
    expect(gate.open).toBe(open);
    expect(gate.message).toBe(open ? null : 'Waiting for api to be healthy.');
  });

  it('open: the new revision is what replicas should have; shut: the one before, or none', () => {
    const [open, shut] = [gateOf(web({ removed: true }), app, api({})), gateOf(web(), app, api({}))];
    expect([targetOf(web(), open), targetOf(web(), shut)]).toEqual([2, 1]);
    expect(targetOf(web({ dependenciesMetRevision: null }), shut)).toBeNull();
  });
});
