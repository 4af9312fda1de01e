/**
 * Starting, stopping, restarting and tagging container groups, zones and what a location offers: asked through the real client, like
 * `arm.contract.ts`. Bound to targets by `arm.test.ts` and, with Docker, by `test/docker/arm.test.ts`.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ArmTarget, failure, groupName, names, Session, spec, webOf } from '../support/arm-session.ts';

export function runArmPowerContract(name: string, connect: () => Promise<ArmTarget>): void {
  describe(name, () => {
    let target: ArmTarget;
    let session: Session;
    beforeAll(async () => {
      target = await connect();
      session = new Session(target);
    });
    afterAll(() => target?.close());

    const groups = () => session.client.containerGroups;
    const stop = (of: string) => groups().stop(target.resourceGroup, of);
    const finish = async (what: string, poller: { isDone(): boolean; poll(): Promise<unknown> }) =>
      target.until(what, async () => {
        if (!poller.isDone()) await poller.poll();
        return poller.isDone();
      });
    const start = async (of: string) => finish(`${of} is started`, await groups().beginStart(target.resourceGroup, of));
    const restart = async (of: string) =>
      finish(`${of} is restarted`, await groups().beginRestart(target.resourceGroup, of));
    const stopped = async (of: string) => {
      await stop(of);
      await target.until(`${of} is stopped`, async () => (await session.get(of)).provisioningState === 'Succeeded');
    };
    const usage = async () => {
      const found: Record<string, number> = {};
      for await (const row of session.client.location.listUsage('eastus')) {
        found[row.name?.value ?? ''] = row.currentValue ?? Number.NaN;
      }
      return found;
    };

    describe('stop', () => {
      it('answers 204 at once while the group is still on its way', async () => {
        const { name } = await session.create();
        expect((await session.raw('POST', session.path(name, '/stop'))).status).toBe(204);
        expect((await session.get(name)).provisioningState).toBe('Updating');
        expect(await failure(stop(name))).toMatchObject({ code: 'ContainerGroupTransitioning', statusCode: 409 });
      });

      it('leaves a stopped group: no address, ended containers, a provisioning state that says nothing of it', async () => {
        const { name } = await session.create();
        await stopped(name);
        const group = await session.get(name);
        expect(group.provisioningState).toBe('Succeeded');
        expect(group.instanceView?.state).toBe('Stopped');
        expect(group.ipAddress?.ip).toBeUndefined();
        expect(group.ipAddress?.ports).toMatchObject([{ port: 8080 }]);
        expect(webOf(group)?.currentState?.state).toBe('Terminated');
        expect(names(webOf(group)?.events)).toContain('Killing');
      });

      it('frees the cores of the group, but not its place', async () => {
        const before = await usage();
        const { name } = await session.create();
        await stopped(name);
        const after = await usage();
        expect(after['StandardCores']).toBe(before['StandardCores']);
        expect(after['ContainerGroups']).toBe((before['ContainerGroups'] ?? 0) + 1);
      });

      it('changes nothing of a group that has ended by itself, or is stopped already', async () => {
        const body = spec({ restartPolicy: 'Never', env: { STANDIN_CRASH_AFTER_S: '0.1', STANDIN_EXIT_CODE: '0' } });
        const { name } = await session.create(body);
        await target.until('it ended', async () => (await session.get(name)).instanceView?.state === 'Succeeded');
        await stopped(name);
        await stop(name);
        expect((await session.get(name)).instanceView?.state).toBe('Succeeded');
      });

      it('ends a group that keeps trying after a failed creation', async () => {
        const name = groupName();
        await failure(session.create(spec({ image: 'registry.example/nobody/nothing:1' }), name));
        await stopped(name);
        expect((await session.get(name)).instanceView?.state).toBe('Stopped');
      });
    });

    describe('start', () => {
      it('deploys a stopped group anew: another address, no restarts, images pulled again', async () => {
        const before = await session.create();
        await stopped(before.name);
        const answer = await session.raw('POST', session.path(before.name, '/start'));
        expect(answer.status).toBe(202);
        expect(answer.headers['azure-asyncoperation']).toMatch(/\/operations\/[-0-9a-f]{36}\?/);
        await target.until('it runs', async () => (await session.get(before.name)).instanceView?.state === 'Running');
        const after = await session.get(before.name);
        expect(after.ipAddress?.ip).toMatch(target.addresses);
        expect(after.ipAddress?.ip).not.toBe(before.ipAddress?.ip);
        expect(webOf(after)).toMatchObject({ restartCount: 0, previousState: { state: 'Terminated' } });
        expect(webOf(after)?.events?.find((event) => event.name === 'Pulling')?.count).toBe(2);
      });

      it('is polled to its end by the client', async () => {
        const { name } = await session.create();
        await stopped(name);
        await start(name);
        expect((await session.get(name)).instanceView?.state).toBe('Running');
      });

      it('does nothing to a group that runs', async () => {
        const { name } = await session.create();
        expect((await session.raw('POST', session.path(name, '/start'))).status).toBe(204);
        expect(webOf(await session.get(name))?.currentState?.state).toBe('Running');
      });

      it('needs quota and room again', async () => {
        const { name } = await session.create(spec({ location: 'westus2' }));
        await stopped(name);
        await target.control('PUT', '/control/regions/westus2', { quotas: { standardCores: 0 } });
        const start = () => groups().beginStart(target.resourceGroup, name);
        expect(await failure(start())).toMatchObject({ code: 'ContainerGroupQuotaReached', statusCode: 400 });
        await target.control('PUT', '/control/regions/westus2', { cores: 0 });
        expect(await failure(start())).toMatchObject({ code: 'ServiceUnavailable', statusCode: 409 });
        await target.control('PUT', '/control/regions/westus2', {});
      });
    });

    describe('restart', () => {
      it('takes everything down in place, counts it, and says so in events', async () => {
        const before = await session.create();
        await restart(before.name);
        const after = await session.get(before.name);
        expect(after.ipAddress?.ip).toBe(before.ipAddress?.ip);
        expect(webOf(after)).toMatchObject({
          restartCount: 1,
          currentState: { state: 'Running' },
          previousState: { state: 'Terminated' },
        });
        expect(names(webOf(after)?.events)).toContain('Killing');
      });

      it('answers 204 with a location to poll', async () => {
        const { name } = await session.create();
        const answer = await session.raw('POST', session.path(name, '/restart'));
        expect(answer.status).toBe(204);
        expect(answer.headers['location']).toMatch(/\/operationresults\//);
      });

      it('starts what has ended by itself', async () => {
        const body = spec({ restartPolicy: 'Never', env: { STANDIN_CRASH_AFTER_S: '0.2', STANDIN_EXIT_CODE: '3' } });
        const { name } = await session.create(body);
        await target.until('it ended', async () => (await session.get(name)).instanceView?.state === 'Failed');
        await restart(name);
        expect(webOf(await session.get(name))).toMatchObject({
          restartCount: 1,
          previousState: { state: 'Terminated', exitCode: 3 },
        });
      });

      it('refuses a stopped group', async () => {
        const { name } = await session.create();
        await stopped(name);
        const refused = await failure(groups().beginRestart(target.resourceGroup, name));
        expect(refused.message).toContain(`Container Group '${name}' in resource group 'flotilla' is stopped.`);
      });

      it('fails when the image is gone by then', async () => {
        const { name } = await session.create();
        const mishap = { code: 'InaccessibleImage', message: 'It is gone.', afterMs: 50 };
        await target.control('POST', '/control/faults', { act: 'restart', name, effect: { kind: 'mishap', mishap } });
        expect((await failure(restart(name))).message).toContain('It is gone.');
        expect((await session.get(name)).provisioningState).toBe('Failed');
      });
    });

    it.each(['start', 'stop', 'restart'])('refuses to %s what is still being created, or is not there', async (act) => {
      const name = groupName();
      await session.begin(name);
      expect((await session.raw('POST', session.path(name, `/${act}`))).body['error']).toMatchObject({
        code: 'ContainerGroupTransitioning',
      });
      expect((await session.raw('POST', session.path('nobody', `/${act}`))).status).toBe(404);
    });

    it('deploys a stopped group by a PUT, and deletes one', async () => {
      const { name } = await session.create();
      await stopped(name);
      const again = await session.create(spec(), name);
      expect(again.instanceView?.state).toBe('Running');
      await stopped(name);
      await session.remove(name);
      expect(await failure(session.get(name))).toMatchObject({ statusCode: 404 });
    });

    describe('PATCH', () => {
      it('replaces the tags, and restarts nothing', async () => {
        const before = await session.create(spec({ tags: { owner: 'us', old: 'yes' } }));
        const updated = await groups().update(target.resourceGroup, before.name, { tags: { owner: 'them' } });
        expect(updated.tags).toEqual({ owner: 'them' });
        const after = await session.get(before.name);
        expect(after.tags).toEqual({ owner: 'them' });
        expect(webOf(after)?.currentState).toEqual(webOf(before)?.currentState);
      });

      it.each([
        { what: 'properties', body: { properties: { restartPolicy: 'Never' } } },
        { what: 'tags that are no strings', body: { tags: { owner: 1 } } },
        { what: 'text', body: 'text' },
      ])('refuses $what', async ({ body }) => {
        const { name } = await session.create();
        const answer = await session.raw('PATCH', session.path(name), body);
        expect(answer).toMatchObject({ status: 400, body: { error: { code: 'InvalidRequestContent' } } });
      });
    });

    describe('zones', () => {
      const pinned = (zone: string) => spec({ location: 'westus2', zones: [zone] });

      it('pins a group to one zone', async () => {
        const group = await session.create(pinned('2'));
        expect(group.zones).toEqual(['2']);
      });

      it.each([
        { zones: ['1', '2'], code: 'ResourceTypeNotSupportMultiZones' },
        { zones: ['4'], code: 'AvailabilityZoneNotSupported' },
      ])('refuses the zones $zones', async ({ zones, code }) => {
        expect(await failure(session.begin(groupName(), spec({ zones })))).toMatchObject({ code, statusCode: 400 });
      });

      it('accepts a group in a zone that is full, and fails it later; elsewhere it runs', async () => {
        await target.control('PUT', '/control/regions/westus2', { zones: { '1': { cores: 0 } } });
        const name = groupName();
        const { message } = await failure(session.create(pinned('1'), name));
        expect(message).toContain('failed');
        expect(names((await session.get(name)).instanceView?.events)).toContain('InsufficientCapacity.');
        expect((await session.create(pinned('2'))).instanceView?.state).toBe('Running');
        await target.control('PUT', '/control/regions/westus2', {});
      });

      it('refuses at once what the whole region has no room for', async () => {
        await target.control('PUT', '/control/regions/westus2', { cores: 0 });
        expect(await failure(session.begin(groupName(), pinned('1')))).toMatchObject({
          code: 'ServiceUnavailable',
          statusCode: 409,
        });
        await target.control('PUT', '/control/regions/westus2', {});
      });
    });

    describe('deletion', () => {
      it('that is stuck leaves the group Deleting until it is released', async () => {
        const { name } = await session.create();
        await target.control('POST', '/control/faults', { act: 'delete', name, effect: { kind: 'stuck' } });
        await session.raw('DELETE', session.path(name));
        const other = await session.create();
        await session.remove(other.name);
        expect((await session.get(name)).provisioningState).toBe('Deleting');
        await target.control('POST', `/control/groups/${name}/release`);
        await session.remove(name);
        expect(await failure(session.get(name))).toMatchObject({ statusCode: 404 });
      });
    });

    it('tells what a location can run', async () => {
      const rows = [];
      for await (const row of session.client.location.listCapabilities('eastus')) rows.push(row);
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) {
        expect(row).toMatchObject({ resourceType: 'containerGroups', osType: 'Linux', gpu: 'None' });
        expect(row.capabilities?.maxCpu).toBeGreaterThan(0);
      }
    });

    it('tells what a location holds ready, and what a group depends on', async () => {
      const images = [];
      for await (const row of session.client.location.listCachedImages('eastus')) images.push(row);
      for (const image of images) expect(image).toMatchObject({ osType: 'Linux', image: expect.any(String) });
      const { name } = await session.create();
      expect(await groups().getOutboundNetworkDependenciesEndpoints(target.resourceGroup, name)).toEqual([]);
    });
  });
}
