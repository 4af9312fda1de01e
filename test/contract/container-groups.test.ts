/** The ARM adapter through the real client and the ARM core: what each answer becomes, and that nothing is ever sent twice. */
import { describe, expect, it } from 'vitest';
import { createContainerGroups } from '../../src/azure/container-groups.ts';
import { createArmCore } from '../../src/local/aci/core.ts';
import { DEFAULT_SETTINGS } from '../../src/local/aci/settings.ts';
import { createMemoryAciStore } from '../../src/local/aci/store.ts';
import { standinContainers } from '../../src/local/containers/catalogue.ts';
import { benign, type CoreRequest, type Draw } from '../../src/local/core.ts';
import { coreHttpClient } from '../../src/local/core-http-client.ts';
import type { GroupSpec } from '../../src/model/group.ts';
import { at, nothingMore } from '../support/rows.ts';
import { anyToken } from '../support/table-fixture.ts';

const east = {
  pool: 'eastus',
  subscriptionId: DEFAULT_SETTINGS.subscriptionIds[0] ?? '',
  resourceGroup: 'flotilla',
  region: 'eastus',
};
const west = { ...east, pool: 'westus2', region: 'westus2' };
const spec = (name: string, over: Partial<GroupSpec> = {}): GroupSpec => ({
  name,
  region: 'eastus',
  image: 'flotilla/http',
  containerName: 'web',
  command: [],
  environment: { COLOUR: 'blue' },
  cpuCores: 1,
  memoryGiB: 1.5,
  ports: [{ port: 80, protocol: 'TCP' }],
  restartPolicy: 'Always',
  tags: { owner: 'us' },
  ...nothingMore,
  ...over,
});

function bench(pageSize = 50) {
  const clock = { now: at };
  const requests: string[] = [];
  const weather: { draw: Draw } = { draw: benign };
  const arm = createArmCore({
    store: createMemoryAciStore(),
    authorize: (authorization) => authorization === 'Bearer token',
    containers: standinContainers,
    settings: { pageSize },
  });
  const groups = createContainerGroups({
    endpoint: 'https://management.azure.com',
    credential: anyToken,
    putTimeoutMs: 5_000,
    callTimeoutMs: 5_000,
    httpClient: coreHttpClient(
      {
        handle(request: CoreRequest, now, draw) {
          requests.push(request.method);
          return arm.handle(request, now, draw);
        },
      },
      () => clock.now,
      (key, options) => weather.draw(key, options),
    ),
  });
  const strike = (pattern: RegExp, choice: number): void => {
    weather.draw = (key) => (pattern.test(key) ? choice : 0);
  };
  const elapse = (ms: number): void => {
    clock.now += ms;
    arm.advance(clock.now);
  };
  return { clock, requests, groups, arm, strike, elapse };
}

describe('container groups through the real client', () => {
  it('opens a terminal in a container that runs, and says why there is none', async () => {
    const { groups, elapse } = bench();
    const open = (name: string, container = 'web', program = '/bin/sh') =>
      groups.exec(east, name, container, { program, size: { rows: 20, cols: 70 } });
    expect(await open('f-1-web')).toMatchObject({ ok: false, error: { kind: 'NotFound' } });
    await groups.create(east, spec('f-1-web'));
    expect(await open('f-1-web')).toMatchObject({
      ok: false,
      error: { kind: 'Conflict', code: 'ContainerNotRunning' },
    });
    elapse(5_000);
    const opened = await open('f-1-web');
    expect(opened).toMatchObject({
      ok: true,
      value: { webSocketUri: expect.stringMatching(/^wss:.*rows=20&cols=70/) },
    });
    expect(opened.ok && opened.value.password).toMatch(/^[\w-]{20,}$/);
    expect(await open('f-1-web', 'db')).toMatchObject({ ok: false, error: { code: 'ContainerNotFound' } });
    expect(await open('f-1-web', 'web', '')).toMatchObject({ ok: false, error: { kind: 'Invalid' } });
  });

  it('creates, reads back what was asked for and what runs, and deletes', async () => {
    const { groups, elapse } = bench();
    expect(await groups.create(east, spec('f-1-web'))).toEqual({ ok: true, value: 'accepted' });
    elapse(5_000);
    const read = await groups.get(east, 'f-1-web');
    expect(read).toMatchObject({
      ok: true,
      value: {
        name: 'f-1-web',
        tags: { owner: 'us' },
        provisioningState: 'Succeeded',
        state: 'Running',
        ip: expect.stringMatching(/^127\./),
        container: { state: 'Running', exitCode: null, restartCount: 0, startedAt: expect.any(Number) },
      },
    });
    expect(await groups.delete(east, 'f-1-web')).toEqual({ ok: true, value: 'accepted' });
    elapse(5_000);
    expect(await groups.get(east, 'f-1-web')).toMatchObject({ ok: false, error: { kind: 'NotFound' } });
    expect(await groups.delete(east, 'f-1-web')).toEqual({ ok: true, value: 'gone' });
  });

  it('hands secret values, volumes, mounts and registry credentials to ARM, which shows all but the values', async () => {
    const { clock, groups, arm } = bench();
    const canary = 'Y2FuYXJ5LXZhbHVl';
    await groups.create(
      east,
      spec('f-1-web', {
        secureEnvironment: { TOKEN: canary },
        volumes: [
          { kind: 'emptyDir', name: 'cache' },
          { kind: 'secret', name: 'secrets', files: { db: canary } },
          {
            kind: 'azureFile',
            name: 'files',
            share: 'data',
            storageAccount: 'acme',
            storageAccountKey: canary,
            readOnly: true,
          },
        ],
        mounts: [
          { volume: 'cache', path: '/var/cache', readOnly: false },
          { volume: 'secrets', path: '/run/secrets', readOnly: true },
          { volume: 'files', path: '/data', readOnly: true },
        ],
        registryCredentials: [
          { server: 'acme.azurecr.io', identity: '/subscriptions/s/resourceGroups/g/providers/x/id' },
          { server: 'ghcr.io', username: 'ci', password: canary },
        ],
      }),
    );
    const url = `/subscriptions/${east.subscriptionId}/resourceGroups/flotilla/providers/Microsoft.ContainerInstance/containerGroups/f-1-web?api-version=2023-05-01`;
    const request = { method: 'GET', url, headers: { authorization: 'Bearer token' }, body: '' };
    const { body } = arm.handle(request, clock.now, benign);
    const shown = JSON.parse(body);
    expect(body).not.toContain(canary);
    expect(shown.identity.userAssignedIdentities).toEqual({ '/subscriptions/s/resourceGroups/g/providers/x/id': {} });
    expect(shown.properties).toMatchObject({
      volumes: [
        { name: 'cache', emptyDir: {} },
        { name: 'secrets', secret: {} },
        { name: 'files', azureFile: { shareName: 'data', storageAccountName: 'acme', readOnly: true } },
      ],
      imageRegistryCredentials: [{ server: 'acme.azurecr.io' }, { server: 'ghcr.io', username: 'ci' }],
      containers: [
        {
          properties: {
            environmentVariables: [{ name: 'COLOUR', value: 'blue' }, { name: 'TOKEN' }],
            volumeMounts: [
              { name: 'cache', mountPath: '/var/cache', readOnly: false },
              { name: 'secrets', mountPath: '/run/secrets', readOnly: true },
              { name: 'files', mountPath: '/data', readOnly: true },
            ],
          },
        },
      ],
    });
  });

  it('does not wait for the deployment', async () => {
    const { groups, requests } = bench();
    await groups.create(east, spec('f-1-web'));
    expect(requests.filter((method) => method === 'PUT')).toHaveLength(1);
    expect(requests.length).toBeLessThanOrEqual(3);
  });

  it('reports events newest first, and how a container ended while it runs again', async () => {
    const { groups, elapse } = bench();
    await groups.create(east, spec('f-1-web', { image: 'flotilla/crash' }));
    elapse(60_000);
    const read = await groups.get(east, 'f-1-web');
    if (!read.ok || read.value.container === null) throw new Error('no container');
    expect(read.value.container.exitCode).toBe(1);
    expect(read.value.container.restartCount).toBeGreaterThan(0);
    const times = read.value.events.map(({ lastAt }) => lastAt ?? 0);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(read.value.events.map(({ name }) => name)).toContain('Started');
  });

  it('lists every page of a resource group, and where each group is', async () => {
    const { groups, elapse } = bench(3);
    for (let n = 0; n < 8; n += 1) {
      await groups.create(n < 7 ? east : west, spec(`f-${n}-web`, { region: n < 7 ? 'eastus' : 'westus2' }));
    }
    elapse(5_000);
    const listing = await groups.list(east);
    const shown = listing.ok ? listing.value.map(({ name, region }) => `${name} ${region}`).toSorted() : [];
    expect(shown).toEqual([...[0, 1, 2, 3, 4, 5, 6].map((n) => `f-${n}-web eastus`), 'f-7-web westus2']);
  });

  it('gives no listing at all when a page fails', async () => {
    const { groups, strike } = bench(1);
    await groups.create(east, spec('f-1-web'));
    strike(/^arm list/, 2);
    expect(await groups.list(east)).toMatchObject({ ok: false, error: { kind: 'Unavailable' } });
  });

  it.each<[string, number, string]>([
    ['throttled', 1, 'Throttled'],
    ['refused with 503', 2, 'Unknown'],
    ['applied, answered 500', 3, 'Unknown'],
    ['lost on the way', 4, 'Unknown'],
    ['applied, the answer lost', 5, 'Unknown'],
  ])('a PUT that is %s is sent once and is %s', async (_, choice, kind) => {
    const { groups, strike, requests } = bench();
    strike(/^arm create/, choice);
    expect(await groups.create(east, spec('f-1-web'))).toMatchObject({ ok: false, error: { kind } });
    expect(requests.filter((method) => method === 'PUT')).toHaveLength(1);
  });

  it('a PUT and a DELETE are one call each: what became of them is for a later read to tell', async () => {
    const { groups, requests } = bench();
    expect(await groups.create(east, spec('f-1-web'))).toEqual({ ok: true, value: 'accepted' });
    expect(await groups.delete(east, 'f-1-web')).toEqual({ ok: true, value: 'accepted' });
    expect(requests).toEqual(['PUT', 'DELETE']);
  });

  it('a group that ARM refuses is invalid, a quota is a quota', async () => {
    const { groups } = bench();
    expect(await groups.create(east, spec('f-1-web', { cpuCores: 64 }))).toMatchObject({ ok: false });
    const refused = await groups.create(east, spec('f-1-web', { image: 'flotilla/inaccessible' }));
    expect(refused).toMatchObject({ ok: false, error: { kind: 'Invalid', code: 'InaccessibleImage' } });
    for (let n = 0; n < 100; n += 1) await groups.create(west, spec(`f-${n}-web`, { region: 'westus2' }));
    const full = await groups.create(west, spec('f-100-web', { region: 'westus2' }));
    expect(full).toMatchObject({ ok: false, error: { kind: expect.stringMatching(/QuotaExceeded|Throttled/) } });
  });

  it('reads the last lines of a container', async () => {
    const { groups, elapse } = bench();
    await groups.create(east, spec('f-1-web', { environment: { STANDIN_LOG: 'one\ntwo\nthree' } }));
    elapse(5_000);
    const logs = await groups.logs(east, 'f-1-web', 'web', { tail: 2 });
    expect(logs.ok && logs.value).toContain('three');
  });
});
