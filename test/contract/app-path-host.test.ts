/** The same path on the embedded Functions host: our generators replayed by its engine, our activities invoked by it, instances started through the durable client. */
import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { InvocationContext } from '@azure/functions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Activities, createActivities } from '../../src/activities/activities.ts';
import { readPools } from '../../src/activities/pool-sync.ts';
import type { ActivityPorts } from '../../src/activities/ports.ts';
import { resync } from '../../src/activities/resync.ts';
import { createContainerGroups } from '../../src/azure/container-groups.ts';
import { workflowsOf } from '../../src/azure/durable-workflows.ts';
import { accept } from '../../src/commands/accept.ts';
import { applyOperations } from '../../src/commands/apply-operations.ts';
import type { CommandPorts } from '../../src/commands/ports.ts';
import { startAssessor } from '../../src/commands/wake.ts';
import { createArmCore } from '../../src/local/aci/core.ts';
import { createMemoryAciStore } from '../../src/local/aci/store.ts';
import { standinContainers } from '../../src/local/containers/catalogue.ts';
import { benign } from '../../src/local/core.ts';
import { coreHttpClient } from '../../src/local/core-http-client.ts';
import { createFunctionsHost, type FunctionsHost } from '../../src/local/host/functions-host.ts';
import { defaults } from '../../src/model/defaults.ts';
import { names } from '../../src/model/names.ts';
import { ok } from '../../src/model/result.ts';
import { version } from '../../src/model/version.ts';
import type { AppRows } from '../../src/ports/state-store.ts';
import type { InstanceStatus, Workflows } from '../../src/ports/workflows.ts';
import { twoPools } from '../support/app-world.ts';
import { type TemporaryApp, writeApp } from '../support/durable-host.ts';
import { secretsFixture } from '../support/secrets-fixture.ts';
import { anyToken, tableFixture } from '../support/table-fixture.ts';

const hook = 'flotillaActivitiesUnderTest';
const source = (name: string) => JSON.stringify(resolve('src/orchestrations', `${name}.ts`));
const functionApp = `
import { app as functions } from '@azure/functions';
import * as df from 'durable-functions';
import { app } from ${source('app')};
import { deployment } from ${source('deployment')};
import { teardown } from ${source('teardown')};
df.app.orchestration('app', app);
df.app.orchestration('deployment', deployment);
df.app.orchestration('teardown', teardown);
for (const name of ${JSON.stringify(Object.values(names.activities))}) {
  df.app.activity(name, {
    extraInputs: [df.input.durableClient()],
    handler: (input, context) => globalThis.${hook}.activities(context)[name](input),
  });
}
functions.http('client', {
  methods: ['GET'],
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: (request, context) => globalThis.${hook}.client(context),
});
`;

function world() {
  const { store } = tableFixture();
  const arm = createArmCore({
    store: createMemoryAciStore(),
    authorize: (authorization) => authorization === 'Bearer token',
    containers: standinContainers,
  });
  let count = 0;
  const ids = { next: () => `id-${count++}` };
  const settings = { ...defaults, version, installation: 'test', installationEpoch: 1, pools: twoPools };
  const shared = {
    store,
    groups: createContainerGroups({
      endpoint: 'https://management.azure.com',
      credential: anyToken,
      putTimeoutMs: 5_000,
      callTimeoutMs: 5_000,
      httpClient: coreHttpClient(arm, Date.now, benign),
    }),
    prober: {
      async probe({ ip, port }: { ip: string; port: number }) {
        arm.advance(Date.now());
        const passed = arm.endpoints().some((endpoint) => endpoint.address === ip && endpoint.port === port);
        return { passed, reached: passed, detail: '' };
      },
    },
    now: Date.now,
    ids,
    secrets: secretsFixture({ store, now: Date.now, ids }),
    log: { info() {}, warn() {}, error() {} },
    sleep: async () => {},
  };
  const commands: CommandPorts = {
    ...shared,
    pools: () => readPools(shared, settings),
    bus: { send: async () => ok(undefined), reply: async () => ok(undefined) },
  };
  const activities = (context: InvocationContext): Activities => {
    const ports: ActivityPorts = { ...shared, workflows: workflowsOf(context) };
    return createActivities(ports, settings);
  };
  /** As its timer does: a wake that meets an assessor in its last turn is found by it. */
  const tick = (workflows: Workflows) => resync({ ...shared, ...commands, workflows }, settings);
  return { commands, activities, tick, groups: shared.groups, store };
}

describe('the app path on the Functions host', () => {
  const { commands, activities, tick, groups, store } = world();
  let timer: NodeJS.Timeout;
  let written: TemporaryApp;
  let host: FunctionsHost;
  let durable: Workflows;

  beforeAll(async () => {
    const client = (context: InvocationContext) => {
      durable = workflowsOf(context);
      return { status: 204 };
    };
    Object.assign(globalThis, { [hook]: { activities, client } });
    written = writeApp(functionApp);
    copyFileSync('host.json', join(written.appDir, 'host.json'));
    host = await createFunctionsHost({ appDir: written.appDir, port: 0 });
    expect((await fetch(`${host.url}/api/client`)).status).toBe(204);
    timer = setInterval(() => void tick(durable), 5_000);
  });
  afterAll(async () => {
    clearInterval(timer);
    await host?.close();
    written?.remove();
    Reflect.deleteProperty(globalThis, hook);
  });

  async function command(kind: 'apply' | 'delete', document: unknown): Promise<void> {
    const accepted = await accept(commands, { app: 'shop', command: kind, document, idempotencyKey: kind });
    const applied = await applyOperations(commands, 'shop');
    expect([accepted.ok, applied.ok]).toEqual([true, true]);
    const started = await startAssessor(durable, 'shop');
    expect(started.ok).toBe(true);
  }

  async function rows(): Promise<AppRows> {
    const read = await store.readApp('shop');
    if (!read.ok) throw new Error(read.error.message);
    return read.value;
  }

  const status = async (id: string): Promise<InstanceStatus | null> => {
    const read = await durable.status(id);
    if (!read.ok) throw new Error(read.error.message);
    return read.value?.status ?? null;
  };

  it('brings an app up and takes it down, and every instance ends by itself', async () => {
    const web = { image: 'flotilla/http', ports: ['80'], deploy: { replicas: 2 }, depends_on: ['store'] };
    await command('apply', {
      name: 'shop',
      services: { web, store: { image: 'flotilla/tcp', ports: ['80'], stop_grace_period: '1s' } },
    });
    await expect.poll(async () => (await rows()).app?.observedGeneration, { timeout: 30_000, interval: 100 }).toBe(1);
    expect((await rows()).replicas.map(({ service, state }) => `${service} ${state}`)).toEqual([
      'store ready',
      'web ready',
      'web ready',
    ]);
    // A deployment stays until its rollout is verified: it has watched every replica for as long as a watch takes.
    const verified = { timeout: defaults.rollout.monitorMs + 30_000, interval: 500 };
    await expect.poll(() => status('deployment:shop.web:1'), verified).toBe('Completed');
    await expect.poll(() => status('deployment:shop.store:1'), verified).toBe('Completed');
    expect((await rows()).guards.map(({ verifiedRevision }) => verifiedRevision)).toEqual([1, 1]);

    await command('delete', null);
    await expect.poll(async () => (await rows()).app?.state, { timeout: 45_000, interval: 100 }).toBe('deleted');
    expect((await rows()).guards.map(({ workflow }) => workflow)).toEqual([null, null]);
    for (const id of ['teardown:shop.web:2', 'teardown:shop.store:2', 'app:shop']) {
      await expect.poll(() => status(id), { timeout: 10_000 }).toBe('Completed');
    }
    const [pool] = twoPools;
    expect(pool && (await groups.list(pool))).toEqual({ ok: true, value: [] });
  }, 160_000);

  it('tells absent, running and ended instances apart, and that one runs already', async () => {
    const id = 'deployment:none.web:7';
    expect(await durable.status(id)).toEqual({ ok: true, value: null });
    await durable.hint(id);
    expect(await durable.terminate(id, 'nothing there')).toEqual({ ok: true, value: undefined });
    const input = { app: 'none', service: 'web' };
    // The app does not exist, so the workflow finds itself superseded and ends.
    expect(await durable.start('deployment', id, input)).toEqual({ ok: true, value: 'started' });
    await expect.poll(() => status(id), { timeout: 10_000 }).toBe('Completed');
    expect(await durable.purge(Date.now() + 60_000)).toMatchObject({ ok: true, value: expect.any(Number) });
    expect(await durable.status(id)).toEqual({ ok: true, value: null });
  });
});
