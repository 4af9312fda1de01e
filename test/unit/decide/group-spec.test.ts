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

describe('what a group is given of the secrets that its template names', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const ref = (secretRef: string) => ({ secretRef, version: 'v1' });
  const values = new Map([
    ['key', bytes('k\n')],
    ['storage', bytes('s\r\n')],
    ['password', bytes('p')],
    ['file', bytes('two\nlines\n')],
  ]);
  const secretValue = ({ secretRef }: { readonly secretRef: string }) => values.get(secretRef) ?? bytes('?');
  const specOf = (template: ReturnType<typeof aTemplate>) =>
    groupSpec(
      { ...identity, installationEpoch: 1 },
      replica,
      template,
      { pool: 'east', region: 'eastus' },
      secretValue,
    );

  it('variables, without the newline that an editor leaves at the end', () => {
    const { secureEnvironment } = specOf(aTemplate({ secretEnvironment: { KEY: ref('key'), PASS: ref('password') } }));
    expect(secureEnvironment).toEqual({ KEY: 'k', PASS: 'p' });
  });

  it('volumes: files as they are, in base64, and the key of a share', () => {
    const share = { kind: 'azureFile', name: 'data', share: 'd', storageAccount: 'acc', readOnly: true } as const;
    const mounts = [{ volume: 'data', path: '/data', readOnly: true }];
    const { volumes, mounts: mounted } = specOf(
      aTemplate({
        volumes: [
          { kind: 'emptyDir', name: 'tmp' },
          { ...share, key: ref('storage') },
          { kind: 'secret', name: 'conf', files: { 'a.txt': ref('file') } },
        ],
        mounts,
      }),
    );
    expect(volumes).toEqual([
      { kind: 'emptyDir', name: 'tmp' },
      { ...share, storageAccountKey: 's' },
      { kind: 'secret', name: 'conf', files: { 'a.txt': Buffer.from('two\nlines\n').toString('base64') } },
    ]);
    expect(mounted).toEqual(mounts);
  });

  it('init containers: their own variables, what every replica is told, and their mounts', () => {
    const mounts = [{ volume: 'tmp', path: '/tmp', readOnly: false }];
    const init = { name: 'migrate', image: 'm:1', command: ['run'], environment: { A: '1' } };
    const { initContainers } = specOf(
      aTemplate({
        initContainers: [
          { ...init, secretEnvironment: { KEY: ref('key') }, mounts },
          { ...init, name: 'plain' },
        ],
      }),
    );
    expect(initContainers).toMatchObject([
      { ...init, environment: { A: '1', FLOTILLA_SLOT: '2' }, secureEnvironment: { KEY: 'k' }, mounts },
      { name: 'plain', secureEnvironment: {}, mounts: [] },
    ]);
  });

  it('registries: a password, or the identity that needs none', () => {
    const byIdentity = { server: 'a.io', identity: 'id' };
    const { registryCredentials } = specOf(
      aTemplate({ registries: [byIdentity, { server: 'b.io', username: 'u', password: ref('password') }] }),
    );
    expect(registryCredentials).toEqual([byIdentity, { server: 'b.io', username: 'u', password: 'p' }]);
  });

  it('nothing where it names none', () => {
    expect(specOf(aTemplate())).toMatchObject({
      secureEnvironment: {},
      volumes: [],
      mounts: [],
      initContainers: [],
      registryCredentials: [],
    });
  });
});
