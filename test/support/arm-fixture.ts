/** The ARM core on a memory store at an instant that a test moves: requests in, answers out, no client between. */
import type { Containers } from '../../src/local/aci/containers-port.ts';
import type { ArmCore } from '../../src/local/aci/core.ts';
import { createArmCore } from '../../src/local/aci/core.ts';
import type { GroupRecord } from '../../src/local/aci/model.ts';
import { type ArmSettings, DEFAULT_SETTINGS } from '../../src/local/aci/settings.ts';
import { type AciStore, createMemoryAciStore } from '../../src/local/aci/store.ts';
import { standinContainers } from '../../src/local/containers/catalogue.ts';
import { benign, type CoreResponse } from '../../src/local/core.ts';
import { createEventGrid, type EventGrid } from '../../src/local/eventgrid/grid.ts';
import { createMemoryEventStore } from '../../src/local/eventgrid/memory-store.ts';
import { createMetricsProvider } from '../../src/local/metrics/provider.ts';
import { createControlCore } from '../../src/local/world/control.ts';
import { inject } from '../../src/local/world/faults/console.ts';
import type { FaultWorld } from '../../src/local/world/faults/fault.ts';
import { createTableFaults } from '../../src/local/world/faults/table-draw.ts';

export interface ContainerSpec {
  readonly name?: string;
  readonly image?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly cpu?: number;
  readonly livenessProbe?: object;
  readonly readinessProbe?: object;
  readonly command?: readonly string[];
}

export interface GroupSpec {
  readonly restartPolicy?: string;
  readonly location?: string;
  readonly containers?: readonly ContainerSpec[];
  readonly initContainers?: readonly ContainerSpec[];
  /** Ports of the address; default those of all containers. */
  readonly exposed?: readonly number[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly zones?: readonly string[];
  readonly spot?: boolean;
}

export interface ArmFixture {
  readonly core: ArmCore;
  readonly store: AciStore;
  readonly world: FaultWorld;
  /** What `flotilla local fault add` with these words says. */
  fault(words: string): string;
  readonly clock: { now: number };
  request(method: string, path: string, body?: unknown): CoreResponse & { readonly json: Record<string, unknown> };
  control(method: string, path: string): CoreResponse;
  put(name: string, spec?: GroupSpec): CoreResponse;
  remove(name: string): CoreResponse;
  /** Lets time pass and returns the group's record. */
  after(ms: number, name?: string): GroupRecord;
}

const subscription = DEFAULT_SETTINGS.subscriptionIds[0] ?? '';

export function armFixture(
  settings: Partial<ArmSettings> = {},
  containers: Containers = standinContainers,
): ArmFixture {
  const store = createMemoryAciStore();
  const core = createArmCore({
    store,
    authorize: () => true,
    containers,
    settings,
    providers: [createMetricsProvider(store)],
  });
  const world: FaultWorld & { readonly events: EventGrid } = {
    events: createEventGrid({ store: createMemoryEventStore() }),
    store,
    arm: core,
    tables: createTableFaults(store, (write) => write()),
  };
  const controls = createControlCore(world);
  const clock = { now: Date.UTC(2040, 0, 1) };
  const path = (name: string) =>
    `/subscriptions/${subscription}/resourceGroups/flotilla/providers/Microsoft.ContainerInstance/containerGroups/${name}`;
  const request: ArmFixture['request'] = (method, url, body) => {
    const target = url.startsWith('/') ? url : path(url);
    const response = core.handle(
      {
        method,
        url: `${target}?api-version=2023-05-01`,
        headers: { host: 'arm' },
        body: body === undefined ? '' : JSON.stringify(body),
      },
      clock.now,
      benign,
    );
    return { ...response, json: response.body === '' ? {} : JSON.parse(response.body) };
  };
  return {
    core,
    store,
    world,
    fault(words) {
      const told = inject(world, words.split(' '), clock.now);
      return 'done' in told ? told.done : `problem: ${told.problem}`;
    },
    clock,
    request,
    control: (method, url) =>
      controls.handle({ method, url, headers: { host: 'localhost' }, body: '' }, clock.now, benign),
    put: (name, spec) => request('PUT', name, bodyOf(spec)),
    remove: (name) => request('DELETE', name),
    after(ms, name = 'g') {
      clock.now += ms;
      core.advance(clock.now);
      const record = store.group(path(name).toLowerCase());
      if (!record) throw new Error(`there is no group ${name}`);
      return record;
    },
  };
}

function bodyOf({
  restartPolicy = 'Always',
  location = 'eastus',
  containers = [{}],
  initContainers = [],
  exposed,
  tags,
  zones,
  spot = false,
}: GroupSpec = {}): unknown {
  const declared = containers.flatMap(({ port = 8080 }) => (port === 0 ? [] : [port]));
  const ports = (exposed ?? declared).map((port) => ({ port }));
  return {
    location,
    ...(tags && { tags }),
    ...(zones && { zones }),
    properties: {
      ...(spot && { priority: 'Spot' }),
      osType: 'Linux',
      restartPolicy,
      containers: containers.map(containerOf),
      initContainers: initContainers.map(initContainerOf),
      ...(ports.length > 0 && { ipAddress: { type: 'Public', ports } }),
    },
  };
}

function initContainerOf({ name = 'init', image = 'busybox', command = [], env = {} }: ContainerSpec) {
  const environmentVariables = Object.entries(env).map(([key, value]) => ({ name: key, value }));
  return { name, properties: { image, command, environmentVariables } };
}

function containerOf({
  name = 'main',
  image = 'flotilla/http',
  env = {},
  port = 8080,
  cpu = 1,
  ...rest
}: ContainerSpec) {
  return {
    name,
    properties: {
      image,
      resources: { requests: { cpu, memoryInGB: 1 } },
      ports: port === 0 ? [] : [{ port }],
      environmentVariables: Object.entries(env).map(([key, value]) => ({ name: key, value })),
      ...rest,
    },
  };
}
