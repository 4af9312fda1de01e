import { describe, expect, it } from 'vitest';
import { resync } from '../../src/activities/resync.ts';
import { groupName } from '../../src/decide/group-spec.ts';
import { benign } from '../../src/local/core.ts';
import { err } from '../../src/model/result.ts';
import { appWorld, converged, deleted, twoPools } from '../support/app-world.ts';
import { nothingMore } from '../support/rows.ts';

const http = (over: object = {}) => ({
  image: 'flotilla/http',
  ports: ['80'],
  healthcheck: { test: ['CMD', 'wget', '-qO-', 'http://localhost'], interval: '5s', retries: 3 },
  ...over,
});

const shop = (over: object = {}) => ({
  name: 'shop',
  services: {
    web: http({ deploy: { replicas: 3 }, depends_on: { store: { condition: 'service_healthy' } } }),
    store: http(),
    worker: { image: 'flotilla/worker', deploy: { replicas: 2 } },
    ...over,
  },
});

describe('the path from a document to ready replicas', () => {
  it('brings every replica up, and the dependant only after what it needs', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', shop());
    await world.until('convergence', converged);
    const { replicas, guards } = await world.rows();
    expect(replicas.map(({ service, slot, state, endpoint }) => ({ service, slot, state, endpoint }))).toEqual([
      { service: 'store', slot: 0, state: 'ready', endpoint: true },
      { service: 'web', slot: 0, state: 'ready', endpoint: true },
      { service: 'web', slot: 1, state: 'ready', endpoint: true },
      { service: 'web', slot: 2, state: 'ready', endpoint: true },
      { service: 'worker', slot: 0, state: 'ready', endpoint: false },
      { service: 'worker', slot: 1, state: 'ready', endpoint: false },
    ]);
    expect(guards.every(({ reason, verifiedRevision }) => reason === null && verifiedRevision === 1)).toBe(true);
    expect(world.armLog.filter((line) => line.startsWith('PUT'))).toHaveLength(6);
    const events = await world.events();
    const firstAt = (service: string, type: string) =>
      events.find((event) => event.service === service && event.type === type)?.at ?? Number.NaN;
    expect(firstAt('web', 'ReplicaPlanned')).toBeGreaterThanOrEqual(firstAt('store', 'ReplicaReady'));
    // The dependant is woken; it would look again by itself only seconds later.
    expect(firstAt('web', 'ReplicaPlanned')).toBeLessThan(firstAt('store', 'ReplicaReady') + 1_000);
    expect(firstAt('web', 'ServiceWaiting')).toBeLessThan(firstAt('store', 'ReplicaReady'));
    expect(events.every(({ cause }) => cause !== '')).toBe(true);
    expect(world.durable.sizes.largestResultBytes).toBeLessThan(64 * 1024);
    expect((await world.reservations()).map((held) => held.length)).toEqual([6, 0]);
  });

  it('starts a dependant that only needs its dependency started, without waiting for it to be ready', async () => {
    const world = appWorld();
    const web = http({ depends_on: { store: { condition: 'service_started' } } });
    await world.command('apply', 'shop', { name: 'shop', services: { web, store: { image: 'flotilla/worker' } } });
    await world.until('convergence', converged);
    const { replicas } = await world.rows();
    const [store, dependant] = replicas;
    expect((dependant?.createdAt ?? 0) + 5_000).toBeLessThan(store?.readyAt ?? 0);
  });

  it('comes to rest: once converged, no write and no group call is made for a quarter of an hour', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', shop());
    await world.until('convergence', converged);
    await world.elapse(6 * 60_000);
    const before = { events: (await world.events()).length, calls: world.armLog.length };
    await world.elapse(15 * 60_000);
    expect({ events: (await world.events()).length, calls: world.armLog.length }).toEqual(before);
    expect(await world.ports.store.readDue()).toMatchObject({ ok: true, value: [] });
  });

  it('takes an app down again: endpoints first, then the drain, then the groups, and leaves tombstones', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', shop());
    await world.until('convergence', converged);
    await world.command('delete', 'shop', null);
    await world.until('deletion', deleted);
    const { replicas, guards } = await world.rows();
    expect(new Set(replicas.map(({ state }) => state))).toEqual(new Set(['gone']));
    expect(guards.map(({ removed, nextIncarnation, workflow }) => [removed, nextIncarnation, workflow])).toEqual([
      [true, 2, null],
      [true, 4, null],
      [true, 3, null],
    ]);
    expect(await world.groups()).toEqual([]);
    const events = await world.events();
    for (const replica of replicas.map(({ service, slot, incarnation }) => `${service}/${slot}/${incarnation}`)) {
      const own = events.filter((event) => event.replica === replica);
      const draining = own.find(({ type }) => type === 'ReplicaDraining')?.at ?? Number.NaN;
      const deleting = own.find(({ type }) => type === 'GroupDeleting')?.at ?? Number.NaN;
      expect(deleting - draining).toBeGreaterThanOrEqual(10_000);
    }
    expect((await world.reservations()).flat()).toEqual([]);
  });

  it('continues a deleted app where it left off: no group name comes twice', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', shop());
    await world.until('convergence', converged);
    await world.command('delete', 'shop', null);
    await world.until('deletion', deleted);
    await world.command('apply', 'shop', shop());
    await world.until('convergence', converged);
    const puts = world.armLog.filter((line) => line.startsWith('PUT'));
    expect(new Set(puts).size).toBe(12);
  });

  it('rolls a revision: an old replica leaves only after a new one is ready', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', shop());
    await world.until('convergence', converged);
    await world.command('apply', 'shop', shop({ worker: { image: 'flotilla/worker:2', deploy: { replicas: 2 } } }));
    await world.until('convergence', converged);
    const events = (await world.events()).filter(({ service }) => service === 'worker');
    const at = (type: string) =>
      events
        .filter((event) => event.type === type)
        .map((event) => event.at)
        .sort();
    const [, , firstReady = 0, secondReady = 0] = at('ReplicaReady');
    const [firstDrain = 0, secondDrain = 0] = at('ReplicaDraining');
    expect([firstDrain >= firstReady + 10_000, secondDrain >= secondReady + 10_000]).toEqual([true, true]);
    const { replicas } = await world.rows();
    expect(replicas.filter(({ service, state }) => service === 'worker' && state === 'ready')).toMatchObject([
      { slot: 0, revision: 2, incarnation: 3 },
      { slot: 1, revision: 2, incarnation: 4 },
    ]);
  });

  it('recreates where that is asked for: no new group before every old one is confirmed gone', async () => {
    const world = appWorld();
    const worker = (tag: number) => ({
      image: `flotilla/worker:${tag}`,
      deploy: { replicas: 2 },
      'x-flotilla': { rollout: { strategy: 'recreate' } },
    });
    await world.command('apply', 'shop', shop({ worker: worker(1) }));
    await world.until('convergence', converged);
    await world.command('apply', 'shop', shop({ worker: worker(2) }));
    await world.until('convergence', converged);
    const events = (await world.events()).filter(({ service }) => service === 'worker');
    const lastGone = Math.max(...events.filter(({ type }) => type === 'ReplicaGone').map((event) => event.at));
    const planned = events.filter(({ type }) => type === 'ReplicaPlanned').map((event) => event.at);
    expect(planned).toHaveLength(4);
    expect(planned.filter((at) => at >= lastGone)).toHaveLength(2);
    const { replicas } = await world.rows();
    expect(replicas.filter(({ service, state }) => service === 'worker' && state === 'ready')).toMatchObject([
      { slot: 0, revision: 2, incarnation: 3 },
      { slot: 1, revision: 2, incarnation: 4 },
    ]);
  });

  it('scales out and in, and touches no other replica', async () => {
    const world = appWorld();
    const scaled = (replicas: number) => shop({ worker: { image: 'flotilla/worker', deploy: { replicas } } });
    await world.command('apply', 'shop', scaled(2));
    await world.until('convergence', converged);
    await world.command('apply', 'shop', scaled(5));
    await world.until('convergence', converged);
    await world.command('apply', 'shop', scaled(1));
    await world.until('convergence', converged);
    expect(world.armLog.filter((line) => line.startsWith('PUT'))).toHaveLength(9);
    expect(world.armLog.filter((line) => line.startsWith('DELETE'))).toHaveLength(4);
    expect((await world.groups()).filter((name) => name.endsWith('-worker'))).toHaveLength(1);
  });

  it('tears down a service that left the document, and only that', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', shop());
    await world.until('convergence', converged);
    const { worker: _, ...services } = shop().services;
    await world.command('apply', 'shop', { name: 'shop', services });
    await world.until('convergence', converged);
    expect((await world.groups()).map((name) => name.split('-').at(-1)).sort()).toEqual(['store', 'web', 'web', 'web']);
  });
});

describe('what goes wrong in the world', () => {
  it('an image that cannot be pulled is told by name, and tried again with growing pauses', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', { name: 'shop', services: { web: { image: 'flotilla/missing' } } });
    await world.until(
      'three attempts',
      async () => world.armLog.filter((line) => line.startsWith('PUT')).length >= 3,
      5 * 60_000,
    );
    const { replicas, guards } = await world.rows();
    expect(replicas[0]).toMatchObject({ reason: 'ImagePullFailed', failures: 1 });
    expect(replicas[1]).toMatchObject({ reason: 'ImagePullFailed', failures: 2 });
    expect(guards[0]?.reason).not.toBeNull();
    const planned = (await world.events()).filter(({ type }) => type === 'ReplicaPlanned').map((event) => event.at);
    const pauses = planned.slice(1).map((at, index) => at - (planned[index] ?? 0));
    expect(pauses[0]).toBeGreaterThanOrEqual(10_000);
    expect(pauses[1]).toBeGreaterThanOrEqual(20_000);
  });

  it('a crashing container is left to ACI, and shows its reason and last lines', async () => {
    const world = appWorld();
    const web = { image: 'flotilla/crash', environment: { STANDIN_LOG: 'cannot open /data' } };
    await world.command('apply', 'shop', { name: 'shop', services: { web } });
    await world.until(
      'a crash is seen',
      async () => (await world.rows()).replicas[0]?.reason === 'ContainerCrashed',
      5 * 60_000,
    );
    const { replicas } = await world.rows();
    expect(replicas).toHaveLength(1);
    expect(replicas[0]?.logTail).toContain('cannot open /data');
    expect(replicas[0]?.message).toContain('exit code 1');
  });

  it('a group that somebody deleted by hand is replaced', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', shop());
    await world.until('convergence', converged);
    const [victim] = (await world.rows()).replicas.filter(({ service }) => service === 'web');
    const pool = world.settings.pools[0];
    if (victim === undefined || pool === undefined) throw new Error('nothing to delete');
    await world.ports.groups.delete(pool, victim.group);
    await world.elapse(45_000);
    await world.until('convergence', converged);
    const { replicas } = await world.rows();
    const successor = replicas.find(({ service, slot, state }) => service === 'web' && slot === 0 && state === 'ready');
    expect(successor?.incarnation).toBe(4);
    expect(replicas.find(({ group }) => group === victim.group)).toMatchObject({
      state: 'gone',
      reason: 'GroupMissing',
    });
  });

  it('a group that somebody stopped is replaced, and not held against its replica', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', shop());
    await world.until('convergence', converged);
    const [victim] = (await world.rows()).replicas.filter(({ service }) => service === 'web');
    const pool = world.settings.pools[0];
    if (victim === undefined || pool === undefined) throw new Error('nothing to stop');
    const place = `/subscriptions/${pool.subscriptionId}/resourceGroups/${pool.resourceGroup}`;
    const url = `${place}/providers/Microsoft.ContainerInstance/containerGroups/${victim.group}/stop?api-version=2023-05-01`;
    const headers = { authorization: 'Bearer token', host: 'management.azure.com' };
    expect(world.arm.handle({ method: 'POST', url, headers, body: '' }, world.clock.now, benign).status).toBe(204);
    await world.elapse(45_000);
    await world.until('convergence', converged, 60_000);
    const { replicas } = await world.rows();
    const successor = replicas.find(({ service, slot, state }) => service === 'web' && slot === 0 && state === 'ready');
    expect(successor).toMatchObject({ incarnation: 4, failures: 0 });
    expect(replicas.find(({ group }) => group === victim.group)).toMatchObject({
      state: 'gone',
      reason: 'GroupStopped',
    });
  });

  it('a group of ours that no row owns is deleted after two sightings; what is foreign or newer is left alone', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', shop());
    await world.until('convergence', converged);
    const [pool] = world.settings.pools;
    const { app, guards } = await world.rows();
    const guard = guards.find(({ service }) => service === 'web');
    if (pool === undefined || app === null || guard === undefined) throw new Error('nothing there');
    const named = (incarnation: number) =>
      groupName({ installation: 'test', appUid: app.uid }, { service: 'web', slot: 9, incarnation });
    const orphan = named(guard.nextIncarnation - 1);
    const newer = named(guard.nextIncarnation);
    const group = (name: string, incarnation: number, installation = 'test') => ({
      name,
      region: 'eastus',
      image: 'flotilla/worker',
      containerName: 'web',
      command: [],
      environment: {},
      cpuCores: 1,
      memoryGiB: 1,
      ports: [],
      restartPolicy: 'Always' as const,
      ...nothingMore,
      tags: {
        'flotilla-installation': installation,
        'flotilla-installation-epoch': '1',
        'flotilla-app': 'shop',
        'flotilla-app-uid': app.uid,
        'flotilla-service': 'web',
        'flotilla-slot': '9',
        'flotilla-incarnation': String(incarnation),
        'flotilla-revision': '1',
      },
    });
    await world.ports.groups.create(pool, group(orphan, guard.nextIncarnation - 1));
    await world.ports.groups.create(pool, group(newer, guard.nextIncarnation));
    await world.ports.groups.create(pool, group('f-foreign', 1, 'other'));
    await world.ports.groups.create(pool, group('f-copied-tags', guard.nextIncarnation - 1));
    await world.elapse(50_000);
    expect(await world.groups()).toContain(orphan);
    await world.elapse(90_000);
    const left = (await world.groups()).filter((name) => [orphan, newer, 'f-foreign', 'f-copied-tags'].includes(name));
    expect(left.sort()).toEqual(['f-copied-tags', 'f-foreign', newer].sort());
    const told = (await world.events()).map(({ type }) => type);
    expect(told.filter((type) => type.startsWith('Orphan'))).toEqual(['OrphanFound', 'OrphanDeleted']);
  });

  it('a workflow whose start the engine refuses is started at once again, not when it counts as broken', async () => {
    const world = appWorld();
    const { start } = world.ports.workflows;
    let refusals = 2;
    Object.assign(world.ports.workflows, {
      start: async (...call: Parameters<typeof start>) =>
        call[0] === 'deployment' && refusals-- > 0
          ? err({ kind: 'Unknown', code: null, message: 'no answer', retryAfterMs: null })
          : await start(...call),
    });
    await world.command('apply', 'shop', { name: 'shop', services: { web: http() } });
    await world.until('convergence', converged, 60_000);
  });

  it('a new version of Flotilla lets workflows of its own take over between two passes, and no group is made twice', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', shop());
    await world.until('a group', async ({ armLog }) => armLog.some((line) => line.startsWith('PUT')));
    Object.assign(world.settings, { version: '0.99.0' });
    const changedAt = world.clock.now;
    await world.until('convergence', converged);
    const events = await world.events();
    // The store has nothing left to do after its first pass.
    for (const id of ['deployment:shop.web:1', 'deployment:shop.worker:1']) {
      const taken = events.find(({ type, message }) => type === 'WorkflowReplaced' && message.includes(`from ${id},`));
      expect(taken?.message).toMatch(/^deployment:shop\.\w+:2 takes over from .*, which Flotilla 0\.1\.0 started\.$/);
      expect((taken?.at ?? Number.NaN) - changedAt).toBeLessThanOrEqual(60_000);
      expect(world.durable.instances.get(id)?.output).toEqual({ outcome: 'superseded' });
    }
    expect(world.armLog.filter((line) => line.startsWith('PUT'))).toHaveLength(6);
    expect(world.armLog.filter((line) => line.startsWith('DELETE'))).toEqual([]);
  });

  it('an assessor that hangs is replaced, also while commands keep waking the app', async () => {
    const world = appWorld();
    const hung = { id: 'app:shop', name: 'app', status: 'Running', updatedAt: world.clock.now };
    (world.durable.instances as Map<string, unknown>).set(hung.id, hung);
    const services = (replicas: number) => ({ web: http({ deploy: { replicas } }) });
    for (let replicas = 1; replicas <= 6; replicas += 1) {
      await world.command('apply', 'shop', { name: 'shop', services: services(replicas) });
      await world.elapse(2 * 60_000);
    }
    await world.until('convergence', converged, 2 * 60_000);
  });

  it('a tick whose probes all hang ends in time, and takes nothing for failing that it could not ask twice', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', { name: 'shop', services: { web: http({ deploy: { replicas: 50 } }) } });
    await world.until('convergence', converged);
    const probes = { begun: 0, lastAt: 0 };
    Object.assign(world.ports.prober, {
      async probe() {
        probes.begun += 1;
        probes.lastAt = world.clock.now;
        world.clock.now += 10_000;
        return { passed: false, detail: 'no answer within 10000 ms' };
      },
    });
    const startedAt = world.clock.now;
    await resync({ ...world.ports, sleep: async () => {} }, world.settings);
    expect(probes.begun).toBeGreaterThan(0);
    expect(probes.lastAt - startedAt).toBeLessThan(world.settings.tickBudgetMs);
    expect((await world.rows()).replicas.every(({ state }) => state === 'ready')).toBe(true);
  });

  it('a pass over a pool that does not answer ends in time, and decides nothing about what it has not asked', async () => {
    const world = appWorld();
    await world.command('apply', 'shop', { name: 'shop', services: { web: http({ deploy: { replicas: 45 } }) } });
    await world.until('all creates', async () => world.armLog.length >= 45);
    const reads = { begun: 0 };
    Object.assign(world.ports.groups, {
      async get() {
        reads.begun += 1;
        world.clock.now += 30_000;
        return err({ kind: 'Unavailable', code: null, message: 'no answer in time', retryAfterMs: null });
      },
    });
    const [guard] = (await world.rows()).guards;
    const startedAt = world.clock.now;
    const result = await world.activities.pass({ app: 'shop', service: 'web', workflow: guard?.workflow ?? '' });
    expect(result.outcome).toBe('continue');
    expect(reads.begun).toBeGreaterThan(0);
    expect(world.clock.now - startedAt).toBeLessThan(world.settings.observeBudgetMs + 12 * 30_000);
    expect(reads.begun).toBeLessThan(15);
  });

  it('takes the next pool when the first has no room, and says so when none has', async () => {
    const [east, west] = twoPools;
    if (east === undefined || west === undefined) throw new Error('no pools');
    const pools = [
      { ...east, quota: { groups: 1, cores: 100 } },
      { ...west, quota: { groups: 1, cores: 100 } },
    ];
    const world = appWorld({ pools });
    await world.command('apply', 'shop', { name: 'shop', services: { web: http({ deploy: { replicas: 3 } }) } });
    await world.until('two ready', async () => {
      const { replicas } = await world.rows();
      return replicas.filter(({ state }) => state === 'ready').length === 2;
    });
    const { replicas, guards } = await world.rows();
    expect(replicas.map(({ pool }) => pool)).toEqual(['eastus', 'westus2']);
    expect(guards[0]).toMatchObject({ reason: 'NoPoolWithRoom' });
    expect(guards[0]?.message).toContain('westus2 holds 1 of 1 groups');
  });
});
