import { describe, expect, it } from 'vitest';
import { type SecretUsers, servicesUsing, staleSecrets } from '../../../src/decide/secret-uses.ts';
import type { SecretFacts } from '../../../src/model/secrets.ts';
import { aGuard, anAppRow, aReplica, aRevision, aTemplate, at } from '../../support/rows.ts';

const [v1, v2, v3] = ['1', '2', '3'].map((digit) => digit.repeat(16)) as [string, string, string];
const template = (version: string) => aTemplate({ secretEnvironment: { DB: { secretRef: 'db', version } } });
const fact = (version: string, over: Partial<SecretFacts> = {}): SecretFacts => ({
  name: 'db',
  version,
  sizeBytes: 1,
  isText: true,
  managed: true,
  setAt: at - 1_000,
  ...over,
});
const users = (over: Partial<SecretUsers> = {}): SecretUsers => ({
  app: anAppRow({ spec: null }),
  guards: [],
  revisions: [],
  replicas: [],
  ...over,
});
const stale = (over: Partial<SecretUsers>, ...facts: SecretFacts[]) =>
  staleSecrets(facts, users(over), at).map(({ version }) => version);

describe('a stored version', () => {
  it('stays while a revision of a wanted service refers to it: it may be rolled back to', () => {
    const revisions = [
      aRevision({ revision: 1, template: template(v1) }),
      aRevision({ revision: 2, template: template(v2) }),
    ];
    expect(stale({ guards: [aGuard()], revisions }, fact(v1), fact(v2), fact(v3))).toEqual([v3]);
  });

  it('of a removed service goes, once no replica of that revision is left', () => {
    const removed = {
      guards: [aGuard({ removed: true })],
      revisions: [aRevision({ revision: 1, template: template(v1) })],
    };
    expect(stale({ ...removed, replicas: [aReplica({ revision: 1, state: 'draining' })] }, fact(v1))).toEqual([]);
    expect(stale({ ...removed, replicas: [aReplica({ revision: 1, state: 'gone' })] }, fact(v1))).toEqual([v1]);
  });

  it('that was set just now stays: whoever uploads it refers to it soon', () => {
    expect(stale({}, fact(v1, { setAt: at }))).toEqual([]);
  });

  it('that was set by hand stays while it is the newest of its name', () => {
    const byHand = [fact(v1, { managed: false, setAt: at - 3 }), fact(v2, { managed: false, setAt: at - 2 })];
    expect(stale({}, ...byHand)).toEqual([v1]);
  });

  it('is needed by every service that refers to it, in the order of their names', () => {
    const revisions = ['web', 'api'].map((service) => aRevision({ service, template: template(v1) }));
    const guards = ['web', 'api'].map((service) => aGuard({ service }));
    expect(servicesUsing(users({ guards, revisions }))({ name: 'db', version: v1 })).toEqual(['api', 'web']);
  });
});
