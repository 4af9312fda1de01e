/**
 * What Azure Resource Manager does with container groups, as its documentation and field reports say, asked through the real
 * `@azure/arm-containerinstance` client. Bound to targets by `arm.test.ts`. Nothing here depends on how long provisioning takes.
 */
import type { ContainerGroup } from '@azure/arm-containerinstance';
import { afterAll, beforeAll, beforeEach, describe, expect, it, type RunnerTask } from 'vitest';
import { type ArmTarget, failure, groupName, names, Session, spec, webOf } from '../support/arm-session.ts';

export interface ArmContract {
  readonly name: string;
  readonly connect: () => Promise<ArmTarget>;
  /** Names of cases that the target cannot hold → why. */
  readonly skips?: Readonly<Record<string, string>>;
}

/** Every case below. */
const namesOf = (tasks: readonly RunnerTask[]): string[] =>
  tasks.flatMap((task) => (task.type === 'suite' ? namesOf(task.tasks) : [task.name]));

/** The body as the service's REST model has it, for requests past the client. */
const wire = (over: object = {}) => ({
  location: 'eastus',
  properties: {
    osType: 'Linux',
    containers: [{ name: 'web', properties: container() }],
    ...over,
  },
});
const container = (over: object | null = {}) => ({
  image: 'flotilla/http',
  resources: { requests: { cpu: 1, memoryInGB: 1 } },
  ...over,
});

/** One volume, mounted `times` times unless `mount` is null. */
const withVolume = (volume: object, mount: object | null, times = 1): unknown =>
  wire({
    volumes: [{ name: 'cache', emptyDir: {}, ...volume }],
    containers: [
      {
        name: 'web',
        properties: container(
          mount && {
            volumeMounts: Array.from({ length: times }, () => ({ name: 'cache', mountPath: '/data', ...mount })),
          },
        ),
      },
    ],
  });

const refusals: readonly { readonly rule: string; readonly body: unknown; readonly code: string }[] = [
  { rule: 'a body that is no JSON object', body: 'text', code: 'InvalidRequestContent' },
  { rule: 'a missing location', body: { properties: wire().properties }, code: 'LocationRequired' },
  { rule: 'an unknown region', body: { ...wire(), location: 'mars' }, code: 'LocationNotAvailableForResourceType' },
  { rule: 'an unknown os type', body: wire({ osType: 'BeOS' }), code: 'InvalidOsType' },
  { rule: 'an unknown restart policy', body: wire({ restartPolicy: 'Sometimes' }), code: 'InvalidRestartPolicy' },
  { rule: 'no container', body: wire({ containers: [] }), code: 'MissingContainers' },
  {
    rule: '61 containers',
    body: wire({ containers: Array.from({ length: 61 }, (_, i) => ({ name: `c${i}`, properties: container() })) }),
    code: 'TooManyContainers',
  },
  {
    rule: '21 volumes',
    body: wire({ volumes: Array.from({ length: 21 }, (_, i) => ({ name: `vol-${i}`, emptyDir: {} })) }),
    code: 'TooManyVolumes',
  },
  { rule: 'a volume name of four characters', body: withVolume({ name: 'data' }, null), code: 'InvalidVolumeName' },
  {
    rule: 'two volumes of one name',
    body: wire({ volumes: ['cache', 'cache'].map((name) => ({ name, emptyDir: {} })) }),
    code: 'DuplicateVolumeName',
  },
  { rule: 'a volume of no kind', body: withVolume({ emptyDir: null }, null), code: 'InvalidVolume' },
  { rule: 'a volume of two kinds', body: withVolume({ secret: { a: 'YQ==' } }, null), code: 'InvalidVolume' },
  {
    rule: 'a secret that is not base64',
    body: withVolume({ emptyDir: null, secret: { a: 'not base64' } }, null),
    code: 'InvalidSecretVolume',
  },
  {
    rule: 'a secret with a path for a name',
    body: withVolume({ emptyDir: null, secret: { 'a/b': 'YQ==' } }, null),
    code: 'InvalidSecretVolume',
  },
  {
    rule: 'a secret volume beyond 1 MiB',
    body: withVolume({ emptyDir: null, secret: { a: Buffer.alloc(1024 * 1024 + 1).toString('base64') } }, null),
    code: 'SecretVolumeTooLarge',
  },
  {
    rule: 'an Azure file share without a key',
    body: withVolume({ emptyDir: null, azureFile: { shareName: 'data', storageAccountName: 'acme' } }, null),
    code: 'InvalidAzureFileVolume',
  },
  { rule: 'a mount of a volume that is not there', body: withVolume({}, { name: 'other' }), code: 'VolumeNotFound' },
  { rule: 'a mount path with a colon', body: withVolume({}, { mountPath: '/a:b' }), code: 'InvalidMountPath' },
  { rule: 'a mount over the root', body: withVolume({}, { mountPath: '/' }), code: 'InvalidMountPath' },
  { rule: 'one path mounted twice', body: withVolume({}, { mountPath: '/data' }, 2), code: 'DuplicateMountPath' },
  {
    rule: 'a registry credential with neither password nor identity',
    body: wire({ imageRegistryCredentials: [{ server: 'ghcr.io', username: 'ci' }] }),
    code: 'InvalidImageRegistryCredential',
  },
  {
    rule: 'a registry server with a protocol',
    body: wire({ imageRegistryCredentials: [{ server: 'https://ghcr.io', username: 'ci', password: 'p' }] }),
    code: 'InvalidImageRegistryCredential',
  },
  {
    rule: 'a container name in upper case',
    body: wire({ containers: [{ name: 'Web', properties: container() }] }),
    code: 'InvalidContainerName',
  },
  {
    rule: 'two containers of one name',
    body: wire({ containers: [1, 2].map(() => ({ name: 'web', properties: container() })) }),
    code: 'DuplicateContainerName',
  },
  {
    rule: 'an empty image',
    body: wire({ containers: [{ name: 'web', properties: container({ image: '' }) }] }),
    code: 'MissingImage',
  },
  {
    rule: 'no resource requests',
    body: wire({ containers: [{ name: 'web', properties: container({ resources: {} }) }] }),
    code: 'InvalidResourceRequests',
  },
  {
    rule: 'limits below requests',
    body: wire({
      containers: [
        {
          name: 'web',
          properties: container({ resources: { requests: { cpu: 2, memoryInGB: 1 }, limits: { cpu: 1 } } }),
        },
      ],
    }),
    code: 'InvalidResourceLimits',
  },
  {
    rule: '32 cores',
    body: wire({
      containers: [{ name: 'web', properties: container({ resources: { requests: { cpu: 32, memoryInGB: 1 } } }) }],
    }),
    code: 'ResourceRequestsTooLarge',
  },
  {
    rule: 'one port in two containers',
    body: wire({ containers: ['a', 'b'].map((name) => ({ name, properties: container({ ports: [{ port: 80 }] }) })) }),
    code: 'DuplicateContainerPort',
  },
  {
    rule: 'an address without ports',
    body: wire({ ipAddress: { type: 'Public', ports: [] } }),
    code: 'MissingIpAddressPorts',
  },
  {
    rule: 'six ports on an address',
    body: wire({
      containers: [{ name: 'web', properties: container({ ports: [1, 2, 3, 4, 5, 6].map((port) => ({ port })) }) }],
      ipAddress: { type: 'Public', ports: [1, 2, 3, 4, 5, 6].map((port) => ({ port })) },
    }),
    code: 'TooManyIpAddressPorts',
  },
  {
    rule: 'a port on the address that no container declares',
    body: wire({ ipAddress: { type: 'Public', ports: [{ port: 81 }] } }),
    code: 'InvalidIpAddressPort',
  },
  {
    rule: 'a public address in a subnet',
    body: wire({
      subnetIds: [{ id: '/subnet' }],
      containers: [{ name: 'web', properties: container({ ports: [{ port: 80 }] }) }],
      ipAddress: { type: 'Public', ports: [{ port: 80 }] },
    }),
    code: 'InvalidIpAddressType',
  },
  {
    rule: 'a Spot group with an address',
    body: wire({
      priority: 'Spot',
      containers: [{ name: 'web', properties: container({ ports: [{ port: 80 }] }) }],
      ipAddress: { type: 'Public', ports: [{ port: 80 }] },
    }),
    code: 'SpotPriorityContainerGroupNotSupportedForInboundConnectivity',
  },
  {
    rule: 'a probe of both kinds',
    body: wire({
      containers: [
        {
          name: 'web',
          properties: container({ livenessProbe: { exec: { command: ['true'] }, httpGet: { port: 80 } } }),
        },
      ],
    }),
    code: 'InvalidProbe',
  },
];

export function runArmContract({ name, connect, skips = {} }: ArmContract): void {
  describe(name, () => {
    let target: ArmTarget;
    let session: Session;
    beforeAll(async () => {
      target = await connect();
      session = new Session(target);
    });
    afterAll(() => target?.close());
    beforeEach(({ task, skip }) => {
      expect(namesOf(task.file.tasks), 'skips name cases that are there').toEqual(
        expect.arrayContaining(Object.keys(skips)),
      );
      if (skips[task.name] !== undefined) skip(skips[task.name]);
    });

    it('creates a group that runs, has an address, and tells its story in events', async () => {
      const group = await session.create(spec({ tags: { owner: 'us' } }));
      expect(group).toMatchObject({ provisioningState: 'Succeeded', location: 'eastus', tags: { owner: 'us' } });
      expect(group.instanceView?.state).toBe('Running');
      expect(group.ipAddress?.ip).toMatch(target.addresses);
      expect(webOf(group)).toMatchObject({ restartCount: 0, currentState: { state: 'Running' } });
      expect(webOf(group)?.currentState?.startTime).toBeInstanceOf(Date);
      expect(names(webOf(group)?.events)).toEqual(['Pulling', 'Pulled', 'Created', 'Started']);
    });

    it('answers a PUT with 201, the pending group, where to poll and what is left of the rate', async () => {
      const answer = await session.raw('PUT', session.path(groupName()), wire());
      expect(answer.status).toBe(201);
      expect(answer.body['properties']).toMatchObject({
        provisioningState: 'Pending',
        instanceView: { state: 'Pending' },
      });
      expect(answer.headers['azure-asyncoperation']).toMatch(
        /^https:.*\/locations\/eastus\/operations\/[-0-9a-f]{36}\?/,
      );
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(Number(answer.headers['x-ms-ratelimit-remaining-subscription-resource-requests-pt5m'])).toBeLessThan(100);
      expect(Number(answer.headers['x-ms-ratelimit-remaining-subscription-resource-requests-pt1h'])).toBeLessThan(300);
      expect(Number(answer.headers['x-ms-ratelimit-remaining-subscription-writes'])).toBeLessThan(200);
      expect(Number(answer.headers['x-ms-ratelimit-remaining-subscription-global-writes'])).toBeLessThan(3000);
    });

    it('lists by resource group and by subscription, page by page, without any instance view', async () => {
      const wanted = [await session.create(), await session.create(), await session.create()].map((g) => g.name);
      for (const list of [
        session.client.containerGroups.listByResourceGroup(target.resourceGroup),
        session.client.containerGroups.list(),
      ]) {
        const pages: ContainerGroup[][] = [];
        for await (const page of list.byPage()) pages.push(page);
        const all = pages.flat();
        expect(pages.length).toBeGreaterThan(1);
        expect(all.map((group) => group.name)).toEqual(expect.arrayContaining(wanted));
        expect(new Set(all.map((group) => group.name)).size).toBe(all.length);
        expect(all.filter((group) => group.instanceView || webOf(group))).toEqual([]);
        expect(all.find((group) => group.name === wanted[0])).toMatchObject({ provisioningState: 'Succeeded' });
      }
    });

    it('deletes with 202 and a location to poll, shows the group as Deleting, and then knows it no more', async () => {
      const { name } = await session.create();
      const answer = await session.raw('DELETE', session.path(name));
      expect(answer.status).toBe(202);
      expect(answer.headers['location']).toMatch(/^https:.*\/operationresults\//);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(await session.get(name)).toMatchObject({ provisioningState: 'Deleting' });
      await session.remove(name);
      expect(await failure(session.get(name))).toMatchObject({ code: 'ResourceNotFound', statusCode: 404 });
    });

    it('answers the deletion of what does not exist with 204', async () => {
      expect((await session.raw('DELETE', session.path('nobody'))).status).toBe(204);
      await session.remove('nobody');
    });

    it('ends a create that a delete overtakes', async () => {
      const name = groupName();
      const poller = await session.begin(name);
      await session.remove(name);
      const { message } = await failure(poller.poll());
      expect(message).toContain('OperationPreempted');
    });

    it('fails the operation of an image that cannot be pulled, and keeps trying', async () => {
      const name = groupName();
      const { message } = await failure(session.create(spec({ image: 'registry.example/nobody/nothing:1' }), name));
      expect(message).toContain("InaccessibleImage. The image 'registry.example/nobody/nothing:1' in container group");
      const group = await session.get(name);
      expect(group).toMatchObject({ provisioningState: 'Failed', instanceView: { state: 'Pending' } });
      expect(webOf(group)).toMatchObject({ currentState: { state: 'Waiting', detailStatus: 'ImagePullBackOff' } });
      expect(names(webOf(group)?.events)).toEqual(['Pulling', 'Failed', 'BackOff']);
    });

    it('refuses an image that says it is inaccessible at once', async () => {
      const refused = await failure(session.begin(groupName(), spec({ image: 'flotilla/inaccessible' })));
      expect(refused).toMatchObject({ code: 'InaccessibleImage', statusCode: 400 });
    });

    it.each(refusals)('refuses $rule', async ({ body, code }) => {
      const name = groupName();
      const answer = await session.raw('PUT', session.path(name), body);
      expect(answer.status).toBe(400);
      expect(answer.body['error']).toMatchObject({ code });
      expect((await session.raw('GET', session.path(name))).status).toBe(404);
    });

    it('refuses a group name in upper case', async () => {
      const answer = await session.raw('PUT', session.path('Web_1'), wire());
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'InvalidContainerGroupName' } } });
    });

    it('refuses to change a group that is still transitioning', async () => {
      const name = groupName();
      await session.begin(name);
      expect(await failure(session.begin(name))).toMatchObject({
        code: 'ContainerGroupTransitioning',
        statusCode: 409,
      });
    });

    it('restarts everything on a PUT of the very same group, and keeps its address', async () => {
      const before = await session.create();
      const after = await session.create(spec(), before.name);
      expect(after.ipAddress?.ip).toBe(before.ipAddress?.ip);
      expect(webOf(after)).toMatchObject({
        currentState: { state: 'Running' },
        previousState: { state: 'Terminated' },
      });
      expect(webOf(after)?.currentState?.startTime?.getTime()).toBeGreaterThan(
        webOf(before)?.currentState?.startTime?.getTime() ?? Number.NaN,
      );
      expect(names(webOf(after)?.events)).toContain('Killing');
    });

    it.each([
      { what: 'the restart policy', change: { restartPolicy: 'Never' } },
      {
        what: 'the cores',
        change: { containers: [{ ...spec().containers[0], resources: { requests: { cpu: 2, memoryInGB: 0.5 } } }] },
      },
      {
        what: 'the subnet',
        change: { subnetIds: [{ id: '/subnet' }], ipAddress: { type: 'Private', ports: [{ port: 8080 }] } },
      },
      { what: 'the zone', change: { zones: ['2'] } },
    ])('refuses to change $what in place', async ({ change }) => {
      const { name } = await session.create();
      const refused = await failure(session.begin(name, { ...spec(), ...change } as ContainerGroup));
      expect(refused.statusCode).toBe(400);
      expect(refused.message).toContain('you must delete it first and then create a new one');
    });

    it('refuses to move a group to another location', async () => {
      const { name } = await session.create();
      const refused = await failure(session.begin(name, spec({ location: 'westus2' })));
      expect(refused).toMatchObject({ code: 'InvalidResourceLocation', statusCode: 409 });
    });

    it('never gives a secure value back', async () => {
      const { name } = await session.create(spec({ secret: 'hunter2' }));
      const answer = await session.raw('GET', session.path(name));
      expect(JSON.stringify(answer.body)).toContain('PASSWORD');
      expect(JSON.stringify(answer.body)).not.toContain('hunter2');
    });

    it('compares ids without case', async () => {
      const { name } = await session.create();
      const answer = await session.raw('GET', session.path(name).replace('/resourceGroups/', '/RESOURCEGROUPS/'));
      expect(answer.status).toBe(200);
    });

    it('shows a crashed container as waiting, with how it ended', async () => {
      const { name } = await session.create(spec({ env: { STANDIN_CRASH_AFTER_S: '0.2', STANDIN_EXIT_CODE: '3' } }));
      await target.until('it crashed', async () => webOf(await session.get(name))?.currentState?.state === 'Waiting');
      const group = await session.get(name);
      expect(group).toMatchObject({ provisioningState: 'Succeeded', instanceView: { state: 'Running' } });
      expect(webOf(group)).toMatchObject({
        currentState: { state: 'Waiting', detailStatus: 'CrashLoopBackOff' },
        previousState: { state: 'Terminated', exitCode: 3 },
      });
    });

    it.each([
      { policy: 'Never', code: '2', state: 'Failed' },
      { policy: 'Never', code: '0', state: 'Succeeded' },
      { policy: 'OnFailure', code: '0', state: 'Succeeded' },
    ])(
      'ends a group of policy $policy whose container exits $code as $state, and lets nobody change it',
      async ({ policy, code, state }) => {
        const body = spec({ restartPolicy: policy, env: { STANDIN_CRASH_AFTER_S: '0.1', STANDIN_EXIT_CODE: code } });
        const { name } = await session.create(body);
        await target.until('it ended', async () => (await session.get(name)).instanceView?.state === state);
        expect(webOf(await session.get(name))?.currentState).toMatchObject({
          state: 'Terminated',
          exitCode: Number(code),
        });
        expect(await failure(session.begin(name, body))).toMatchObject({ statusCode: 400 });
      },
    );

    it('hands out logs, the last lines of them, and their times', async () => {
      const { name } = await session.create(spec({ env: { STANDIN_LOG: 'one\ntwo' } }));
      const logs = (options = {}) => session.client.containers.listLogs(target.resourceGroup, name, 'web', options);
      await target.until('it is ready', async () => (await logs()).content?.includes('ready') ?? false);
      expect((await logs()).content).toBe('stand-in for flotilla/http\none\ntwo\nready, listening on http 8080\n');
      expect((await logs({ tail: 1 })).content).toBe('ready, listening on http 8080\n');
      expect((await logs({ tail: 1, timestamps: true })).content).toMatch(/^20\d\d-\d\d-\d\dT[\d:.]+Z ready/);
    });

    it('has no log before the container has started, and none of a container that is not there', async () => {
      const name = groupName();
      await session.begin(name);
      const logs = (of: string) => session.client.containers.listLogs(target.resourceGroup, name, of);
      expect(await failure(logs('web'))).toMatchObject({ code: 'ContainerLogNotAvailable' });
      expect(await failure(logs('other'))).toMatchObject({ code: 'ContainerNotFound', statusCode: 404 });
    });

    it('counts usage per region: at least one core per group', async () => {
      const usage = async () => {
        const found = new Map<string, number>();
        for await (const row of session.client.location.listUsage('eastus')) {
          found.set(row.name?.value ?? '', row.currentValue ?? Number.NaN);
        }
        return found;
      };
      const before = await usage();
      await session.create();
      const after = await usage();
      expect((after.get('ContainerGroups') ?? 0) - (before.get('ContainerGroups') ?? 0)).toBe(1);
      expect((after.get('StandardCores') ?? 0) - (before.get('StandardCores') ?? 0)).toBe(1);
    });

    it('refuses what would exceed the quota of groups or cores', async () => {
      await target.control('PUT', '/control/regions/westeurope', { quotas: { containerGroups: 1, standardCores: 3 } });
      const [one] = spec().containers;
      const large = spec({
        location: 'westeurope',
        containers: [{ ...(one as NonNullable<typeof one>), resources: { requests: { cpu: 4, memoryInGB: 1 } } }],
      });
      const cores = await failure(session.begin(groupName(), large));
      expect(cores).toMatchObject({ code: 'ContainerGroupQuotaReached', statusCode: 400 });
      expect(cores.message).toContain(
        "'StandardCores' exceeded in region 'westeurope'. Limit: '3', Usage: '0' Requested: '4'",
      );
      const { name } = await session.create(spec({ location: 'westeurope' }));
      const second = await failure(session.begin(groupName(), spec({ location: 'westeurope' })));
      expect(second.message).toContain("'ContainerGroups' exceeded in region 'westeurope'. Limit: '1', Usage: '1'");
      await session.create(spec({ location: 'westeurope' }), name);
      await target.control('PUT', '/control/regions/westeurope', {});
    });

    it.each([
      ['PUT', '/ngroups/any', 'NGroups_CreateOrUpdate'],
      ['POST', '/ngroups/any/start', 'NGroups_Start'],
      ['GET', '/containerGroupProfiles', 'ContainerGroupProfiles_ListByResourceGroup'],
      ['PUT', '/containerGroupProfiles/any', 'ContainerGroupProfiles_CreateOrUpdate'],
    ] as const)('says 501 and its name to %s %s', async (method, suffix, operation) => {
      const path = session.path('any').replace('/containerGroups/any', suffix);
      const answer = await session.raw(method, path, method === 'GET' ? undefined : {});
      expect(answer.status).toBe(501);
      expect(answer.body['error']).toMatchObject({
        code: 'NotImplemented',
        message: expect.stringContaining(operation),
      });
    });

    it('lets nobody in without a valid token', async () => {
      const stranger = target.client('forged');
      const refused = await failure(stranger.containerGroups.get(target.resourceGroup, 'any'));
      expect(refused).toMatchObject({ code: 'InvalidAuthenticationToken', statusCode: 401 });
    });

    it.each([
      {
        what: 'another subscription',
        from: /\/subscriptions\/[^/]+/,
        to: '/subscriptions/other',
        status: 404,
        code: 'SubscriptionNotFound',
      },
      {
        what: 'another resource group',
        from: /\/resourceGroups\/[^/]+/,
        to: '/resourceGroups/other',
        status: 404,
        code: 'ResourceGroupNotFound',
      },
      { what: 'no api-version', from: /\?.*/, to: '', status: 400, code: 'MissingApiVersionParameter' },
      { what: 'another api-version', from: /2023/, to: '2018', status: 400, code: 'NoRegisteredProviderFound' },
    ])('refuses a request with $what', async ({ from, to, status, code }) => {
      const answer = await session.raw('GET', session.path('any').replace(from, to));
      expect(answer).toMatchObject({ status, body: { error: { code } } });
    });

    describe('on demand', () => {
      it('throttles the next requests, with the time to wait', async () => {
        const { name } = await session.create();
        const fault = {
          act: 'get',
          name,
          times: 2,
          effect: { kind: 'error', status: 429, code: 'TooManyRequests', message: 'Slow down.', retryAfterSeconds: 7 },
        };
        await target.control('POST', '/control/faults', fault);
        for (let i = 0; i < 2; i += 1) {
          const answer = await session.raw('GET', session.path(name));
          expect(answer).toMatchObject({
            status: 429,
            headers: { 'retry-after': '7' },
            body: { error: { code: 'TooManyRequests' } },
          });
        }
        expect((await session.raw('GET', session.path(name))).status).toBe(200);
      });

      it.each([
        { after: false, exists: 404 },
        { after: true, exists: 200 },
      ])('fails a create with 500, having taken effect: $after', async ({ after, exists }) => {
        const name = groupName();
        const effect = { kind: 'error', status: 500, code: 'InternalServerError', message: 'Oops.', after };
        await target.control('POST', '/control/faults', { act: 'create', name, effect });
        expect(await failure(session.begin(name))).toMatchObject({ code: 'InternalServerError', statusCode: 500 });
        expect((await session.raw('GET', session.path(name))).status).toBe(exists);
      });

      it('breaks the connection after a create took effect', async () => {
        const name = groupName();
        await target.control('POST', '/control/faults', { act: 'create', name, effect: { kind: 'drop', after: true } });
        expect(await failure(session.begin(name))).toMatchObject({ code: 'ECONNRESET' });
        expect((await session.raw('GET', session.path(name))).status).toBe(200);
      });

      it('accepts a create that fails later for lack of capacity, told by the events of the operation', async () => {
        const name = groupName();
        const mishap = { code: 'InsufficientCapacity.', message: 'No room.', afterMs: 100 };
        await target.control('POST', '/control/faults', { act: 'create', name, effect: { kind: 'mishap', mishap } });
        const put = await session.raw('PUT', session.path(name), wire());
        const url = new URL(put.headers['azure-asyncoperation'] ?? '');
        const poll = () => session.raw('GET', url.pathname + url.search);
        await target.until('it failed', async () => (await poll()).body['status'] === 'Failed');
        const { body } = await poll();
        expect(body['error']).toBeUndefined();
        expect(body['properties']).toMatchObject({
          events: [{ name: 'InsufficientCapacity.', message: 'No room.', type: 'Warning' }],
        });
        expect(await session.get(name)).toMatchObject({ provisioningState: 'Failed' });
      });

      it('runs a group after all that was reported as failed', async () => {
        const name = groupName();
        const mishap = { code: 'ServiceUnavailable', message: 'Not now.', afterMs: 50, runsAfterMs: 50 };
        await target.control('POST', '/control/faults', { act: 'create', name, effect: { kind: 'mishap', mishap } });
        expect((await failure(session.create(spec(), name))).message).toContain('ServiceUnavailable. Not now.');
        await target.until('it runs', async () => (await session.get(name)).provisioningState === 'Succeeded');
        expect((await session.get(name)).instanceView?.state).toBe('Running');
      });

      it('has no capacity in a region', async () => {
        await target.control('PUT', '/control/regions/westus2', { arm: 'noCapacity' });
        const refused = await failure(session.begin(groupName(), spec({ location: 'westus2' })));
        expect(refused).toMatchObject({ code: 'ServiceUnavailable', statusCode: 409 });
        await target.control('PUT', '/control/regions/westus2', {});
      });

      it('loses a region: nothing about its groups is answered, lists are', async () => {
        const { name } = await session.create(spec({ location: 'westus2' }));
        await target.control('PUT', '/control/regions/westus2', { arm: 'unavailable' });
        for (const method of ['GET', 'DELETE'] as const) {
          expect((await session.raw(method, session.path(name))).status).toBe(503);
        }
        expect((await failure(session.begin(groupName(), spec({ location: 'westus2' })))).statusCode).toBe(503);
        const listed: (string | undefined)[] = [];
        for await (const group of session.client.containerGroups.list()) listed.push(group.name);
        expect(listed).toContain(name);
        await target.control('PUT', '/control/regions/westus2', {});
        expect((await session.raw('GET', session.path(name))).status).toBe(200);
      });
    });
  });
}
