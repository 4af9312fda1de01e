/**
 * Shapes of the ARM stand-in's answers. Two sources: the REST model that `@azure/arm-containerinstance` carries says which fields there may be and of what
 * type; Microsoft's published examples say which ones an answer has. Of the examples only the paths and types are kept here, as facts:
 * Azure/azure-rest-api-specs, specification/containerinstance, examples of 2025-09-01 (read 2026-11).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as mappers from '../../node_modules/@azure/arm-containerinstance/dist-esm/src/models/mappers.js';
import { operationNames } from '../../src/local/aci/routes.ts';
import { armFixture } from '../support/arm-fixture.ts';
import { leavesOf, type Model, strangersIn } from '../support/rest-model.ts';

const model = mappers as unknown as Model;

/** What the example `ContainerGroupsCreateOrUpdate` asks for, as far as it is modelled (no GPU, no subnet beside a public address). */
const body = {
  location: 'eastus',
  tags: { tag1key: 'tag1Value' },
  zones: ['1'],
  properties: {
    osType: 'Linux',
    containers: [
      {
        name: 'demo1',
        properties: {
          command: [],
          environmentVariables: [{ name: 'PASSWORD', secureValue: 'hunter2' }],
          image: 'flotilla/http',
          ports: [{ port: 80 }],
          resources: { requests: { cpu: 1, memoryInGB: 1.5 } },
          volumeMounts: [
            { name: 'volume1', mountPath: '/mnt/volume1', readOnly: false },
            { name: 'volume2', mountPath: '/mnt/volume2', readOnly: false },
            { name: 'volume3', mountPath: '/mnt/volume3', readOnly: true },
          ],
        },
      },
    ],
    diagnostics: { logAnalytics: { workspaceId: 'workspaceid', workspaceKey: 'hunter2' } },
    dnsConfig: { nameServers: ['1.1.1.1'], options: 'ndots:2', searchDomains: 'cluster.local svc.cluster.local' },
    imageRegistryCredentials: [{ server: 'example.azurecr.io', username: 'me', password: 'hunter2' }],
    ipAddress: { type: 'Public', dnsNameLabel: 'dnsnamelabel1', ports: [{ port: 80, protocol: 'TCP' }] },
    volumes: [
      {
        name: 'volume1',
        azureFile: { shareName: 'share', storageAccountKey: 'aHVudGVyMg==', storageAccountName: 'account' },
      },
      { name: 'volume2', emptyDir: {} },
      { name: 'volume3', secret: { secretKey1: 'aHVudGVyMg==', secretKey2: 'aHVudGVyMg==' } },
    ],
  },
};

const resource = ['id: string', 'location: string', 'name: string', 'type: string', 'zones[]: string'];
const container = [
  'name: string',
  'properties.command: list',
  'properties.image: string',
  'properties.ports[].port: number',
  'properties.resources.requests.cpu: number',
  'properties.resources.requests.memoryInGB: number',
  'properties.volumeMounts[].mountPath: string',
  'properties.volumeMounts[].name: string',
  'properties.volumeMounts[].readOnly: boolean',
].map((leaf) => `properties.containers[].${leaf}`);
const group = [
  ...resource,
  ...container,
  'properties.diagnostics.logAnalytics.workspaceId: string',
  'properties.dnsConfig.nameServers[]: string',
  'properties.imageRegistryCredentials[].server: string',
  'properties.imageRegistryCredentials[].username: string',
  'properties.ipAddress.dnsNameLabel: string',
  'properties.ipAddress.fqdn: string',
  'properties.ipAddress.ports[].port: number',
  'properties.ipAddress.ports[].protocol: string',
  'properties.ipAddress.type: string',
  'properties.osType: string',
  'properties.provisioningState: string',
  'properties.volumes[].azureFile.shareName: string',
  'properties.volumes[].azureFile.storageAccountName: string',
  'properties.volumes[].emptyDir: map',
  'properties.volumes[].name: string',
  'properties.volumes[].secret: map',
];
const event = [
  'count: number',
  'firstTimestamp: string',
  'lastTimestamp: string',
  'message: string',
  'name: string',
  'type: string',
];
const instanceView = [
  'properties.containers[].properties.instanceView.currentState.detailStatus: string',
  'properties.containers[].properties.instanceView.currentState.startTime: string',
  'properties.containers[].properties.instanceView.currentState.state: string',
  'properties.containers[].properties.instanceView.restartCount: number',
  ...event.map((leaf) => `properties.containers[].properties.instanceView.events[].${leaf}`),
  'properties.instanceView.state: string',
];

const LOCATION =
  '/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.ContainerInstance/locations/eastus';

/** Each operation, with the class of its answer and what its example has. */
const answers: readonly {
  readonly operation: string;
  readonly ask: readonly [method: string, path: string, body?: unknown];
  readonly status: number;
  readonly className: string;
  readonly has: readonly string[];
}[] = [
  {
    operation: 'ContainerGroups_CreateOrUpdate',
    ask: ['PUT', 'new', body],
    status: 201,
    className: 'ContainerGroup',
    has: group,
  },
  {
    operation: 'ContainerGroups_Get',
    ask: ['GET', 'g'],
    status: 200,
    className: 'ContainerGroup',
    has: [...group, ...instanceView, 'properties.ipAddress.ip: string'],
  },
  {
    operation: 'ContainerGroups_Update',
    ask: ['PATCH', 'g', { tags: { tag1key: 'tag1Value' } }],
    status: 200,
    className: 'ContainerGroup',
    has: [...group, 'tags.tag1key: string'],
  },
  {
    operation: 'ContainerGroups_ListByResourceGroup',
    ask: [
      'GET',
      '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/flotilla/providers/Microsoft.ContainerInstance/containerGroups',
    ],
    status: 200,
    className: 'ContainerGroupListResult',
    has: group.map((leaf) => `value[].${leaf}`),
  },
  { operation: 'ContainerGroups_Delete', ask: ['DELETE', 'g'], status: 202, className: 'ContainerGroup', has: group },
  {
    operation: 'Containers_ListLogs',
    ask: ['GET', 'g/containers/demo1/logs'],
    status: 200,
    className: 'Logs',
    has: ['content: string'],
  },
  {
    operation: 'Containers_ExecuteCommand',
    ask: ['POST', 'g/containers/demo1/exec', { command: '/bin/bash', terminalSize: { rows: 12, cols: 12 } }],
    status: 200,
    className: 'ContainerExecResponse',
    has: ['password: string', 'webSocketUri: string'],
  },
  {
    operation: 'Containers_Attach',
    ask: ['POST', 'g/containers/demo1/attach'],
    status: 200,
    className: 'ContainerAttachResponse',
    has: ['password: string', 'webSocketUri: string'],
  },
  {
    operation: 'Location_ListUsage',
    ask: ['GET', `${LOCATION}/usages`],
    status: 200,
    className: 'UsageListResult',
    has: [
      'currentValue: number',
      'limit: number',
      'name.localizedValue: string',
      'name.value: string',
      'unit: string',
    ].map((leaf) => `value[].${leaf}`),
  },
  {
    operation: 'Location_ListCachedImages',
    ask: ['GET', `${LOCATION}/cachedImages`],
    status: 200,
    className: 'CachedImagesListResult',
    has: ['value[].image: string', 'value[].osType: string'],
  },
  {
    operation: 'Location_ListCapabilities',
    ask: ['GET', `${LOCATION}/capabilities`],
    status: 200,
    className: 'CapabilitiesListResult',
    has: [
      'capabilities.maxCpu: number',
      'capabilities.maxGpuCount: number',
      'capabilities.maxMemoryInGB: number',
      'gpu: string',
      'ipAddressType: string',
      'location: string',
      'osType: string',
      'resourceType: string',
    ].map((leaf) => `value[].${leaf}`),
  },
  {
    operation: 'a refusal',
    ask: ['GET', 'nobody'],
    status: 404,
    className: 'CloudError',
    has: ['error.code: string', 'error.message: string'],
  },
];

function running() {
  const arm = armFixture();
  const created = arm.request('PUT', 'g', body);
  expect(created.status, created.body).toBe(201);
  arm.after(2_000);
  return arm;
}

describe.each(answers)('$operation', ({ ask: [method, path, sent], status, className, has }) => {
  it('answers nothing that the REST model does not know', () => {
    const answer = running().request(method, path, sent);
    expect(answer.status).toBe(status);
    expect(strangersIn(answer.json, model, className)).toEqual([]);
  });

  it('answers what the published example has', () => {
    expect(leavesOf(running().request(method, path, sent).json)).toEqual(expect.arrayContaining([...has]));
  });
});

it('never gives a secret back, whatever it is asked', () => {
  const arm = running();
  for (const { ask } of answers) expect(arm.request(...ask).body).not.toMatch(/hunter2|aHVudGVyMg/);
});

describe.each([
  { action: 'stop', status: 204, headers: [] },
  { action: 'restart', status: 204, headers: ['location', 'retry-after'] },
])('POST …/$action', ({ action, status, headers }) => {
  it('answers without a body', () => {
    const answer = running().request('POST', `g/${action}`);
    expect(answer).toMatchObject({ status, body: '' });
    expect(Object.keys(answer.headers)).toEqual(expect.arrayContaining(headers));
  });
});

describe('the check itself', () => {
  it('finds a field that the model lacks, and one of another type', () => {
    const answer = { location: 7, properties: { containers: [{ name: 'a', properties: { immage: 'x' } }] } };
    expect(strangersIn(answer, model, 'ContainerGroup')).toEqual([
      'location: a number where the model has string',
      'properties.containers[].properties.immage: unknown to the model',
    ]);
  });
});

describe('DIFFERENCES.md', () => {
  const [, served = '', refused = ''] =
    /^\| `Microsoft\.ContainerInstance`[^|]*\|([^|]*)\|([^|]*)\|/m.exec(
      readFileSync('src/local/aci/DIFFERENCES.md', 'utf8'),
    ) ?? [];
  const namesIn = (cell: string) => [...cell.matchAll(/`(\w+_?\w+)`/g)].map((match) => match[1]).sort();

  it('names what is served and what is refused by name', () => {
    const { served: serves, refused: refuses } = operationNames();
    expect(namesIn(served)).toEqual([...serves].sort());
    expect(namesIn(refused)).toEqual([...refuses].sort());
  });
});
