/**
 * The whole app in one process and in virtual time: real commands, decisions, activities and Azure clients over the real Tables and ARM cores, walked by
 * {@link virtualDurable}. A test may make any call through a port the last thing a host does.
 */
import { type Activities, createActivities } from '../../src/activities/activities.ts';
import { readPools } from '../../src/activities/pool-sync.ts';
import type { ActivitySettings, PoolConfig } from '../../src/activities/ports.ts';
import { resync, type TimerPorts } from '../../src/activities/resync.ts';
import { createContainerGroups } from '../../src/azure/container-groups.ts';
import { accept, announce } from '../../src/commands/accept.ts';
import { createQueueHandlers } from '../../src/commands/queue-handlers.ts';
import { type ArmCore, createArmCore } from '../../src/local/aci/core.ts';
import { DEFAULT_SETTINGS } from '../../src/local/aci/settings.ts';
import { createMemoryAciStore } from '../../src/local/aci/store.ts';
import { standinContainers } from '../../src/local/containers/catalogue.ts';
import { benign, type Draw } from '../../src/local/core.ts';
import { coreHttpClient } from '../../src/local/core-http-client.ts';
import { memoryTableStore } from '../../src/local/tables/memory-store.ts';
import { defaults } from '../../src/model/defaults.ts';
import { ok } from '../../src/model/result.ts';
import type { CommandName, EventRow } from '../../src/model/state.ts';
import { version } from '../../src/model/version.ts';
import { app } from '../../src/orchestrations/app.ts';
import { deployment } from '../../src/orchestrations/deployment.ts';
import { teardown } from '../../src/orchestrations/teardown.ts';
import type { Prober } from '../../src/ports/prober.ts';
import type { AppRows } from '../../src/ports/state-store.ts';
import { incoming, noReplies } from './command-fixture.ts';
import { at } from './rows.ts';
import { secretsFixture } from './secrets-fixture.ts';
import { anyToken, tableFixture } from './table-fixture.ts';
import { type VirtualDurable, virtualDurable } from './virtual-durable.ts';

export class HostDied extends Error {}

const place = { subscriptionId: DEFAULT_SETTINGS.subscriptionIds[0] ?? '', resourceGroup: 'flotilla' };
const quota = { groups: 100, cores: 100 };
export const twoPools: readonly PoolConfig[] = [
  { ...place, pool: 'eastus', type: 'aci', region: 'eastus', quota, labels: {}, price: null },
  { ...place, pool: 'westus2', type: 'aci', region: 'westus2', quota, labels: {}, price: null },
];

export interface AppWorldOptions {
  readonly pools?: readonly PoolConfig[];
  /** Called before and after every call through a port; throwing {@link HostDied} kills the activity, whose effect stays. */
  readonly onCall?: (name: string, moment: 'before' | 'after') => void;
  /** What goes wrong at ARM and at the table. */
  readonly armDraw?: Draw;
  readonly tableDraw?: Draw;
  readonly settings?: Partial<ActivitySettings>;
  /** Inputs and results of activities, log lines and messages, as text. */
  readonly onTell?: (text: string) => void;
}

export interface AppWorld {
  readonly clock: { now: number };
  readonly arm: ArmCore;
  readonly durable: VirtualDurable;
  readonly activities: Activities;
  readonly ports: TimerPorts;
  readonly settings: ActivitySettings;
  /** Requests that ARM answered, `METHOD name`. */
  readonly armLog: string[];
  /** Bodies of the PUTs that ARM took. */
  readonly armBodies: string[];
  /** What ARM shows of every group. */
  armShown(): readonly string[];
  /** Every entity of the table, as it is stored. */
  entities(): readonly unknown[];
  /** `document`: the body of the command, null where it has none. */
  command(command: CommandName, appName: string, document: unknown): Promise<void>;
  rows(appName?: string): Promise<AppRows>;
  events(appName?: string): Promise<readonly EventRow[]>;
  groups(): Promise<readonly string[]>;
  /** Owners of all reservations, in the order of the pools. */
  reservations(): Promise<readonly (readonly string[])[]>;
  /** Moves time until the condition holds. Fails with the rows when it does not within `withinMs` of virtual time. */
  until(what: string, condition: (world: AppWorld) => Promise<boolean>, withinMs?: number): Promise<void>;
  elapse(ms: number): Promise<void>;
}

function watched<T extends object>(target: T, name: string, onCall: AppWorldOptions['onCall']): T {
  if (onCall === undefined) return target;
  const entries = Object.entries(target).map(([key, value]) => [
    key,
    typeof value !== 'function'
      ? value
      : async (...args: unknown[]) => {
          onCall(`${name}.${key}`, 'before');
          const result: unknown = await value(...args);
          onCall(`${name}.${key}`, 'after');
          return result;
        },
  ]);
  return Object.fromEntries(entries) as T;
}

function probing(arm: ArmCore): Prober {
  return {
    async probe(target) {
      const endpoint = arm.endpoints().find(({ address, port }) => address === target.ip && port === target.port);
      if (endpoint === undefined) return { passed: false, reached: true, detail: 'ECONNREFUSED' };
      if (target.kind === 'tcp') return { passed: true, reached: true, detail: 'connected' };
      const passed = !endpoint.silent && endpoint.protocol === 'http' && endpoint.httpStatus < 400;
      return { passed, reached: true, detail: `HTTP ${endpoint.httpStatus}` };
    },
  };
}

export function appWorld(options: AppWorldOptions = {}): AppWorld {
  const clock = { now: at };
  const now = (): number => clock.now;
  const kept = memoryTableStore();
  const table = tableFixture(kept, now);
  table.fail(options.tableDraw ?? benign);
  const arm = createArmCore({
    store: createMemoryAciStore(),
    authorize: (authorization) => authorization === 'Bearer token',
    containers: standinContainers,
  });
  const armLog: string[] = [];
  const armBodies: string[] = [];
  const http = coreHttpClient(
    {
      handle(request, time, draw) {
        const response = arm.handle(request, time, draw);
        const name = /containerGroups\/([^/?]+)(?=\?)/.exec(request.url)?.[1];
        if (request.method !== 'GET') armLog.push(`${request.method} ${name} ${response.status}`);
        if (request.method === 'PUT' && response.status < 300) armBodies.push(request.body);
        return response;
      },
    },
    now,
    options.armDraw ?? benign,
  );
  const settings: ActivitySettings = {
    ...defaults,
    version,
    installation: 'test',
    installationEpoch: 1,
    pools: options.pools ?? twoPools,
    ...options.settings,
  };
  let ids = 0;
  const tell = (...told: readonly unknown[]): void => options.onTell?.(JSON.stringify(told));
  const log = { info: tell, warn: tell, error: tell };
  const shared = {
    store: watched(table.store, 'store', options.onCall),
    groups: watched(
      createContainerGroups({
        endpoint: 'https://management.azure.com',
        credential: anyToken,
        putTimeoutMs: 5_000,
        callTimeoutMs: 5_000,
        httpClient: http,
      }),
      'groups',
      options.onCall,
    ),
    prober: probing(arm),
    now,
    ids: { next: () => `id-${String(ids++).padStart(6, '0')}` },
    log,
  };
  const durable = virtualDurable({
    now,
    orchestrators: { app, deployment, teardown },
    activity: (name, input) => perform(name as keyof Activities, input),
  });
  const ports: TimerPorts = {
    ...shared,
    secrets: secretsFixture(shared),
    workflows: watched(durable.workflows, 'workflows', options.onCall),
    sleep: (ms) => durable.sleep(ms),
    pools: () => readPools(shared, settings),
    bus: {
      async send({ app: name, operationId }) {
        tell(name, operationId);
        // Delivered at once: the handler is given only what the message holds.
        await onMessage(incoming({ app: name, operationId }), durable.workflows);
        return ok(undefined);
      },
      reply: async () => ok(undefined),
    },
  };
  const activities = createActivities(ports, settings);
  const { onMessage } = createQueueHandlers(ports, noReplies);

  /** A host that dies under an activity leaves it unanswered; it runs again five minutes later. */
  async function perform(name: keyof Activities, input: unknown): Promise<unknown> {
    for (;;) {
      try {
        const result = await (activities[name] as (value: unknown) => Promise<unknown>)(input);
        tell(name, input, result);
        return result;
      } catch (error) {
        if (!(error instanceof HostDied)) throw error;
        await durable.sleep(5 * 60_000);
      }
    }
  }

  let nextResyncAt = at + 30_000;
  async function step(limit: number): Promise<void> {
    await durable.settle();
    const next = Math.min(limit, nextResyncAt, arm.nextAt() ?? limit, durable.nextTimerAt() ?? limit);
    clock.now = Math.max(clock.now, next);
    arm.advance(clock.now);
    durable.fire();
    if (clock.now >= nextResyncAt) {
      nextResyncAt += 30_000;
      void durable.track(resync(ports, settings).catch(ignoreDeath));
    }
    await durable.settle();
  }

  const world: AppWorld = {
    clock,
    arm,
    durable,
    activities,
    ports,
    settings,
    armLog,
    armBodies,
    armShown() {
      const groups = `/subscriptions/${place.subscriptionId}/resourceGroups/${place.resourceGroup}/providers/Microsoft.ContainerInstance/containerGroups`;
      const read = (url: string): string => {
        const headers = { authorization: 'Bearer token' };
        return arm.handle({ method: 'GET', url: `${url}?api-version=2023-05-01`, headers, body: '' }, now(), benign)
          .body;
      };
      const list = read(groups);
      const { value } = JSON.parse(list) as { value: readonly { name: string }[] };
      return [list, ...value.map(({ name }) => read(`${groups}/${name}`))];
    },
    entities: () => [...kept.scan('flotilla', { partitionKey: '', rowKey: '' })],
    async command(command, name, document) {
      const idempotencyKey = `${command}-${ids}`;
      for (let died = true; died; ) {
        died = false;
        try {
          const operation = await accept(ports, { app: name, command, document, idempotencyKey });
          if (!operation.ok) throw new Error(JSON.stringify(operation.error));
          await announce(ports, operation.value);
        } catch (error) {
          // Without an answer, the sender sends the same command again.
          ignoreDeath(error);
          died = true;
        }
      }
    },
    async rows(name = 'shop') {
      const rows = await table.store.readWholeApp(name);
      if (!rows.ok) throw new Error(rows.error.message);
      return rows.value;
    },
    async events(name = 'shop') {
      const page = await table.store.readEvents(name, { limit: 10_000 });
      if (!page.ok) throw new Error(page.error.message);
      return page.value.events.toReversed();
    },
    async groups() {
      const listings = await Promise.all(settings.pools.map((pool) => createGroupsReader(http).list(pool)));
      return [...new Set(listings.flatMap((listing) => (listing.ok ? listing.value.map(({ name }) => name) : [])))];
    },
    async reservations() {
      const pools = await table.store.readPools();
      if (!pools.ok) throw new Error(pools.error.message);
      return pools.value.map(({ reservations }) => reservations.map(({ owner }) => owner));
    },
    async until(what, condition, withinMs = 15 * 60_000) {
      const limit = clock.now + withinMs;
      while (!(await condition(world))) {
        if (clock.now >= limit) throw new Error(`${what} did not happen: ${await describeApp(world)}`);
        await step(limit);
      }
    },
    async elapse(ms) {
      const limit = clock.now + ms;
      while (clock.now < limit) await step(limit);
    },
  };
  return world;
}

const createGroupsReader = (httpClient: ReturnType<typeof coreHttpClient>) =>
  createContainerGroups({
    endpoint: 'https://management.azure.com',
    credential: anyToken,
    putTimeoutMs: 5_000,
    callTimeoutMs: 5_000,
    httpClient,
  });

function ignoreDeath(error: unknown): void {
  if (!(error instanceof HostDied)) throw error;
}

async function describeApp(world: AppWorld): Promise<string> {
  const { app: row, guards, replicas } = await world.rows();
  return JSON.stringify(
    {
      app: row,
      guards: guards.map(({ service, workflow, reason, message, desired, revision }) => ({
        service,
        workflow,
        reason,
        message,
        desired,
        revision,
      })),
      replicas: replicas.map(({ service, slot, incarnation, state, reason, message }) => ({
        service,
        slot,
        incarnation,
        state,
        reason,
        message,
      })),
      instances: [...world.durable.instances.values()].map(({ id, status, output }) => ({ id, status, output })),
    },
    null,
    1,
  );
}

export const converged = async (world: AppWorld): Promise<boolean> => {
  const { app: row, guards, operations } = await world.rows();
  return (
    row !== null &&
    row.state === 'active' &&
    row.observedGeneration === row.generation &&
    guards.every(({ workflow }) => workflow === null) &&
    operations.every(({ state }) => state !== 'accepted')
  );
};

export const deleted = async (world: AppWorld): Promise<boolean> => {
  const { app: row, guards } = await world.rows();
  return row?.state === 'deleted' && guards.every(({ workflow }) => workflow === null);
};
