import { describe, expect, it } from 'vitest';
import { groupName, groupSpec, isGroupOf, isMadeFrom, ownerOf } from '../../../src/decide/group-spec.ts';
import { revisionHash } from '../../../src/spec/revision.ts';
import { aTemplate } from '../../support/rows.ts';
import { identity, inState, tagsOf } from '../../support/snapshots.ts';

const replica = inState('creating', { slot: 2, incarnation: 7, revision: 3 });

describe('the name of a container group', () => {
  const name = groupName(identity, replica);

  it('is 16 hex digits and the service, and fits into what ACI allows', () => {
    expect(name).toMatch(/^f-[0-9a-f]{16}-web$/);
    expect(groupName(identity, { ...replica, service: 'a'.repeat(40) }).length).toBeLessThanOrEqual(63);
  });

  it.each<[string, string]>([
    ['installation', groupName({ ...identity, installation: 'other' }, replica)],
    ['app', groupName({ ...identity, appUid: 'uid-2' }, replica)],
    ['service', groupName(identity, { ...replica, service: 'api' }).replace('-api', '-web')],
    ['slot', groupName(identity, { ...replica, slot: 3 })],
    ['incarnation', groupName(identity, { ...replica, incarnation: 8 })],
  ])('differs in its digits with the %s', (_, other) => {
    expect(other).not.toBe(name);
  });
});

it('a reservation is owned by one incarnation', () => {
  expect(ownerOf(replica)).toBe('shop/web/2/7');
});

describe('a group is ours', () => {
  it('when its tags name exactly this incarnation', () => {
    expect(isGroupOf(tagsOf(replica), identity, replica)).toBe(true);
  });

  it.each(['installation', 'app-uid', 'service', 'slot', 'incarnation'])('not when its %s is another', (tag) => {
    expect(isGroupOf({ ...tagsOf(replica), [`flotilla-${tag}`]: '9' }, identity, replica)).toBe(false);
  });
});

describe('a group may be adopted', () => {
  const template = aTemplate();
  const hash = (image: string) => ({ 'flotilla-revision-hash': revisionHash(aTemplate({ image })) });

  it.each<[string, Readonly<Record<string, string>>, boolean]>([
    ['with number and content of the revision', hash(template.image), true],
    ['older than the tag of the content', {}, true],
    ['of another revision', { ...hash(template.image), 'flotilla-revision': '4' }, false],
    ['of another revision that had the same number before the table was restored', hash('acme/other:1'), false],
  ])('%s', (_, tags, expected) => {
    expect(isMadeFrom({ ...tagsOf(replica), ...tags }, replica, template)).toBe(expected);
  });
});

const noSecrets = (): never => {
  throw new Error('no secret is asked for');
};

describe('what is asked of ARM', () => {
  const template = aTemplate({ command: ['serve'], environment: { MODE: 'fast', FLOTILLA_SLOT: 'mine' } });
  const pool = { pool: 'east', region: 'eastus' };
  const spec = groupSpec({ ...identity, installationEpoch: 1 }, replica, template, pool, noSecrets);

  it('is the template in the place that was chosen, under the name of the incarnation', () => {
    expect(spec).toMatchObject({ name: replica.group, region: 'eastus', containerName: 'web', command: ['serve'] });
    expect(spec).not.toHaveProperty('liveness');
  });

  it('tells the replica who it is, whatever its own environment says', () => {
    expect(spec.environment).toEqual({
      MODE: 'fast',
      FLOTILLA_APP: 'shop',
      FLOTILLA_SERVICE: 'web',
      FLOTILLA_SLOT: '2',
      FLOTILLA_INCARNATION: '7',
      FLOTILLA_REVISION: '3',
      FLOTILLA_POOL: 'east',
      FLOTILLA_REGION: 'eastus',
    });
  });

  it('carries the identity as tags', () => {
    expect(spec.tags).toEqual({ ...tagsOf(replica), 'flotilla-revision-hash': revisionHash(template) });
  });

  it('has the liveness probe of the template', () => {
    const liveness = {
      exec: ['true'],
      initialDelaySeconds: 0,
      periodSeconds: 10,
      failureThreshold: 3,
      timeoutSeconds: 1,
    };
    expect(
      groupSpec({ ...identity, installationEpoch: 1 }, replica, { ...template, liveness }, pool, noSecrets).liveness,
    ).toBe(liveness);
  });
});
