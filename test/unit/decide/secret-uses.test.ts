/** A secret that anything still needs is never thrown away, and the last one that somebody set by hand never is. */
import { describe, expect, it } from 'vitest';
import { type SecretUsers, servicesUsing, staleSecrets } from '../../../src/decide/secret-uses.ts';
import type { SecretFacts } from '../../../src/model/secrets.ts';
import { aGuard, anApp, anAppRow, aRevision, aService, aTemplate, at } from '../../support/rows.ts';
import { inState } from '../../support/snapshots.ts';

const fact = (version: string, over: Partial<SecretFacts> = {}): SecretFacts => ({
  name: 'key',
  version,
  sizeBytes: 4,
  isText: true,
  managed: true,
  setAt: at,
  ...over,
});
const needing = (version: string, secretRef = 'key') =>
  aTemplate({ secretEnvironment: { KEY: { secretRef, version } } });
const nobody: SecretUsers = { app: null, guards: [], revisions: [], replicas: [] };
const removed = aGuard({ removed: true });
const old = [aRevision({ template: needing('v1') })];

describe('a version of a secret is needed', () => {
  const users = (given: Partial<SecretUsers>, version = 'v1') =>
    servicesUsing({ ...nobody, ...given })({ name: 'key', version });

  it.each<[string, Partial<SecretUsers>, readonly string[]]>([
    ['by nobody', {}, []],
    [
      'by a service of the spec',
      { app: anAppRow({ spec: anApp('shop', [aService('web', { template: needing('v1') })]) }) },
      ['web'],
    ],
    ['by nobody in an app without a spec', { app: anAppRow() }, []],
    ['by an earlier revision of a service that is wanted', { guards: [aGuard()], revisions: old }, ['web']],
    ['not by a revision that a removed service keeps', { guards: [removed], revisions: old }, []],
    ['not by a revision of a service that nothing is known of', { revisions: old }, []],
    [
      'by a removed service that still has replicas of it',
      { guards: [removed], revisions: old, replicas: [inState('draining')] },
      ['web'],
    ],
    ['not by one whose replicas are gone', { guards: [removed], revisions: old, replicas: [inState('gone')] }, []],
    [
      'not by one whose replicas are of another revision',
      { guards: [removed], revisions: old, replicas: [inState('draining', { revision: 2 })] },
      [],
    ],
    [
      'by several services, each named once, in order',
      {
        guards: [aGuard(), aGuard({ service: 'api' })],
        revisions: [
          ...old,
          aRevision({ revision: 2, template: needing('v1') }),
          aRevision({ service: 'api', template: needing('v1') }),
        ],
      },
      ['api', 'web'],
    ],
  ])('%s', (_, given, expected) => {
    expect(users(given)).toEqual(expected);
  });

  it('by its own name and version alone', () => {
    expect(users({ guards: [aGuard()], revisions: old }, 'v2')).toEqual([]);
    const other = [aRevision({ template: needing('v1', 'other') })];
    expect(users({ guards: [aGuard()], revisions: other })).toEqual([]);
  });
});

describe('a version of a secret goes', () => {
  const stale = (facts: readonly SecretFacts[], users: Partial<SecretUsers> = {}) =>
    staleSecrets(facts, { ...nobody, ...users }, at + 1).map(({ name, version }) => `${name} ${version}`);

  it.each<[string, readonly SecretFacts[], Partial<SecretUsers>, readonly string[]]>([
    ['once nothing needs it', [fact('v1')], {}, ['key v1']],
    ['not while something does', [fact('v1')], { guards: [aGuard()], revisions: old }, []],
    ['not while it is so young that a reference may still come', [fact('v1', { setAt: at + 1 })], {}, []],
    ['not when it is the newest that was set by hand', [fact('v1', { managed: false })], {}, []],
    [
      'when it was set by hand and a newer one is there',
      [fact('v1', { managed: false, setAt: at - 5 }), fact('v2', { managed: false })],
      {},
      ['key v1'],
    ],
    [
      'though it was set by hand and is the newest of another name',
      [
        fact('v1', { managed: false, setAt: at - 5 }),
        fact('v2', { managed: false }),
        fact('v1', { name: 'b', managed: false }),
      ],
      {},
      ['key v1'],
    ],
    [
      'not when it was set by hand, is old, and something needs it',
      [fact('v1', { managed: false, setAt: at - 5 }), fact('v2', { managed: false })],
      { guards: [aGuard()], revisions: old },
      [],
    ],
  ])('%s', (_, facts, users, expected) => {
    expect(stale(facts, users)).toEqual(expected);
  });
});
